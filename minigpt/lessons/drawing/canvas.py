"""Drawings of tokens, tensors and what is done with them: one vocabulary for all chapters.

A drawing is 360 units wide, as a phone is, so that its words can be read there; a screen with
more room shows it half as large again. Its numbers come from the chapter's tensors.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import drawsvg

from minigpt.lessons.drawing.boxes import Box, Grid, Number, Point
from minigpt.lessons.drawing.palette import BLUE, GREEN, HUES, MAUVE, ORANGE, PINK, SKY, VIOLET

WIDTH = 360
LARGEST = 1.5  # times that, on a screen that has the room
# One colour for one role, in every chapter.
ROLES = {
    "token": SKY,
    "position": VIOLET,
    "query": BLUE,
    "key": ORANGE,
    "value": GREEN,
    "stream": MAUVE,
    "gradient": PINK,
}
# The page's own in the book, Jupyter's in Jupyter, else the browser's.
LOOKS = {
    "ink": "var(--mg-ink,var(--jp-ui-font-color1,CanvasText))",
    "muted": "var(--mg-muted,var(--jp-ui-font-color2,GrayText))",
    "rule": "var(--mg-rule,var(--jp-border-color2,GrayText))",
    "sans": "var(--mg-sans,system-ui,'Segoe UI','Liberation Sans',sans-serif)",
    "mono": "var(--mg-mono,ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace)",
}
LETTER = 0.61  # width of a monospaced letter, in sizes of its font
DEEPEST = 0.6  # opacity behind the largest number of a grid, on which its digits can be read
HEAD = 6  # length of an arrow's head


class Canvas:
    """A drawing in the making: x grows to the right, y down.

    A role is a name in `ROLES`, "ink" or "muted".

    Args:
        height: of the whole.
        width: of the whole; more than `WIDTH` is too small to read on a phone.
    """

    def __init__(self, height: Number, width: Number = WIDTH) -> None:
        self.width, self.height = width, height
        self.elements: list[Any] = []

    def words(
        self,
        text: str,
        at: Point,
        role: str = "ink",
        size: Number = 13,
        anchor: str = "middle",
        mono: bool = False,
        bold: bool = False,
    ) -> None:
        """A line of words, its middle (or "start", or "end") at a point."""
        look: dict[str, Any] = {} if anchor == "middle" else {"text_anchor": anchor}
        look |= {} if role == "ink" else {"fill": colour(role)}
        look |= {"font_family": "var(--mono)"} if mono else {}
        look |= {"font_weight": 650} if bold else {}
        self._add(drawsvg.Text(text, round(size, 1), *_rounded(at), **look))

    def box(
        self,
        x: Number,
        y: Number,
        width: Number,
        height: Number,
        text: str = "",
        role: str = "muted",
        filled: bool = True,
        dashed: bool = False,
        size: Number = 13,
        mono: bool = False,
    ) -> Box:
        """A frame in the colour of its role, with a word in it."""
        look = {"rx": 4, **_outline(role, filled), **_dashes(dashed)}
        place = (*_rounded((x, y)), *_rounded((width, height)))
        self._add(drawsvg.Rectangle(*place, **look))
        box = Box(x, y, width, height)
        if text:
            self.words(text, box.middle, size=size, mono=mono)
        return box

    def line(
        self,
        *points: Point,
        role: str = "muted",
        arrow: bool = False,
        dashed: bool = False,
        width: Number = 1.5,
        strength: Number = 1,
    ) -> None:
        """From point to point; with a head at the end, if it is an arrow."""
        (x, y), (end_x, end_y) = points[-2:]
        length = ((end_x - x) ** 2 + (end_y - y) ** 2) ** 0.5 or 1.0
        across, down = (end_x - x) / length, (end_y - y) / length
        hue, opacity = colour(role), {} if strength == 1 else {"opacity": round(strength, 2)}
        look = {"stroke": hue, "fill": "none", "stroke_width": round(width, 2)}
        stop = (end_x - across * HEAD, end_y - down * HEAD) if arrow else (end_x, end_y)
        way = [part for point in (*points[:-1], stop) for part in _rounded(point)]
        self._add(drawsvg.Lines(*way, **look, **opacity, **_dashes(dashed)))
        if arrow:
            sides = (
                (stop[0] - down * HEAD / 2, stop[1] + across * HEAD / 2),
                (end_x, end_y),
                (stop[0] + down * HEAD / 2, stop[1] - across * HEAD / 2),
            )
            corners = [part for point in sides for part in _rounded(point)]
            self._add(drawsvg.Lines(*corners, close=True, fill=hue, **opacity))

    def circle(self, at: Point, radius: Number, role: str = "muted", filled: bool = True) -> Box:
        """A disc or a ring, as of a clock or a sum."""
        self._add(drawsvg.Circle(*_rounded(at), round(radius, 1), **_outline(role, filled)))
        return Box(at[0] - radius, at[1] - radius, 2 * radius, 2 * radius)

    def tokens(
        self,
        x: Number,
        y: Number,
        texts: Sequence[str],
        role: str = "token",
        size: Number = 13,
        gap: Number = 4,
        width: Number | None = None,
        marked: Collection[int] = (),
    ) -> list[Box]:
        """Tokens beside each other, each as wide as its text or all as wide as is said.

        Args:
            marked: the places that stand out; where there are any, the others are grey.
        """
        boxes = []
        for place, text in enumerate(texts):
            wide = width or len(text) * LETTER * size + 10
            own = role if not marked or place in marked else "muted"
            boxes.append(self.box(x, y, wide, size * 1.85, text, own, size=size, mono=True))
            x += wide + gap
        return boxes

    def grid(
        self,
        x: Number,
        y: Number,
        values: Any,
        cell: tuple[Number, Number] = (34, 24),
        digits: int | None = 1,
        rows: Sequence[str] = (),
        columns: Sequence[str] = (),
        name: str = "",
        role: str | None = None,
        largest: Number | None = None,
        hidden: Collection[tuple[int, int]] = (),
    ) -> Grid:
        """A matrix: each number on a ground that is the deeper the farther it is from 0.

        Args:
            values: the numbers, as a tensor or as lists; a list alone is one row.
            digits: after the point; None leaves the numbers out, and shows their colours.
            rows, columns: names at the left of the rows and above the columns.
            name: above it all, with the shape, as "Q (3, 4)".
            role: the colour of all; without one, blue stands for above and orange for below 0.
            largest: which distance from 0 has the deepest ground; that of the numbers.
            hidden: rows and columns of cells that stay empty.
        """
        numbers = _as_rows(values)
        grid = Grid(
            x, y, cell[0] * len(numbers[0]), cell[1] * len(numbers), len(numbers), len(numbers[0])
        )
        most = largest or max((abs(n) for row in numbers for n in row), default=0) or 1
        for i, row in enumerate(numbers):
            for j, number in enumerate(row):
                self._cell(
                    grid.cell(i, j),
                    number,
                    min(1.0, abs(number) / most),
                    digits,
                    role,
                    (i, j) in hidden,
                )
        for i, text in enumerate(rows):
            at = grid.cell(i, 0).left
            self.words(text, (at[0] - 6, at[1]), "muted", 12, "end", mono=True)
        for j, text in enumerate(columns):
            at = grid.cell(0, j).top
            self.words(text, (at[0], at[1] - 9), "muted", 12, mono=True)
        if name:
            shape = f"{name} ({len(numbers)}, {len(numbers[0])})"
            self.words(shape, (grid.top[0], y - (24 if columns else 11)), size=12, bold=True)
        return grid

    def _cell(
        self,
        box: Box,
        number: Number,
        depth: Number,
        digits: int | None,
        role: str | None,
        empty: bool,
    ) -> None:
        hue = colour(role) if role else (BLUE if number >= 0 else ORANGE)
        look = {"fill": hue, "fill_opacity": 0 if empty else round(DEEPEST * depth, 2)}
        place = (*_rounded((box.x, box.y)), *_rounded((box.width, box.height)))
        self._add(drawsvg.Rectangle(*place, stroke="var(--rule)", **look))
        if digits is not None and not empty:
            self.words(
                number_text(number, digits), box.middle, size=min(13, box.height * 0.55), mono=True
            )

    def shown(self, alt: str) -> Drawing:
        """The drawing as the value of a cell.

        Args:
            alt: what it shows, in a sentence or two, for readers who cannot see it.
        """
        return Drawing(self, alt)

    def _add(self, element: Any) -> None:
        self.elements.append(element)


class Drawing:
    """A drawing as the output of a cell, in the page, in Jupyter and in Colab."""

    def __init__(self, canvas: Canvas, alt: str) -> None:
        if not alt.strip():
            raise ValueError("alt is empty: say in a sentence what the drawing shows")
        self.canvas, self.alt = canvas, alt

    def __repr__(self) -> str:
        return f"<Figure: {self.alt}>"

    def _repr_html_(self) -> str:
        canvas = self.canvas
        drawn = drawsvg.Drawing(canvas.width, canvas.height)
        drawn.extend(canvas.elements)
        _, _, inside = drawn.as_svg(header="").partition("</defs>")
        looks = ";".join(f"--{name}:{look}" for name, look in LOOKS.items())
        return (
            f'<div class="minigpt-drawing" role="figure" aria-label="{escape(self.alt)}" '
            f'style="max-width:{LARGEST * canvas.width:g}px">'
            f'<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" '
            f'viewBox="0 0 {canvas.width:g} {canvas.height:g}" fill="var(--ink)" '
            'text-anchor="middle" dominant-baseline="central" font-family="var(--sans)" '
            f'style="{looks};display:block;width:100%;height:auto">{inside.strip()}</div>'
        )


def colour(role: str) -> str:
    """The colour of a role; raises KeyError for a name that no drawing has."""
    if role in HUES:
        return role
    return f"var(--{role})" if role in LOOKS else ROLES[role]


def _outline(role: str, filled: bool) -> dict[str, Any]:
    hue = colour(role)
    inside = {"fill": hue, "fill_opacity": 0.22} if filled else {"fill": "none"}
    return {**inside, "stroke": hue, "stroke_width": 1.5}


def _dashes(dashed: bool) -> dict[str, Any]:
    return {"stroke_dasharray": "4 3"} if dashed else {}


def number_text(number: Number, digits: int) -> str:
    """A number as a drawing shows it: with a true minus, and no minus before a 0."""
    text = f"{number:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "\N{MINUS SIGN}")


def _rounded(point: Point) -> tuple[float, float]:
    return round(float(point[0]), 1), round(float(point[1]), 1)


def _as_rows(values: Any) -> list[list[float]]:
    numbers = values.tolist() if hasattr(values, "tolist") else [*values]
    return [
        [float(n) for n in row]
        for row in (numbers if isinstance(numbers[0], list | tuple) else [numbers])
    ]
