"""Windows of a text and their targets, as a table under the text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from minigpt.lessons.drawing.palette import BLUE, ORANGE
from minigpt.lessons.drawing.token_text import VISIBLE

_CELL = "text-align:center;padding:3px 0;min-width:1.5em;font-family:monospace;font-size:1rem"
# The page's colours in the book, Jupyter's in Jupyter, else the browser's own pair.
_HEAD = (
    "position:sticky;left:0;text-align:left;white-space:pre;padding:3px 10px 3px 2px;"
    "background:var(--mg-page,var(--jp-layout-color0,Canvas));"
    "color:var(--mg-ink,var(--jp-ui-font-color1,CanvasText))"
)


class WindowDiagram:
    """What a model reads and what it should answer: for Jupyter, Colab and the book."""

    def __init__(self, text: str, length: int, starts: Sequence[int]) -> None:
        self.text, self.length, self.starts = text.translate(VISIBLE), length, list(starts)

    @property
    def caption(self) -> str:
        """What the table shows, in a line."""
        marks = [f"{mark} is a {name}" for mark, name in _NAMES.items() if mark in self.text]
        signs = f" ({', '.join(marks)})" if marks else ""
        return f"Every target is the input's next character{signs}"

    @property
    def lanes(self) -> list[tuple[str, int]]:
        """Below the text, for each window: the name of a row, and the place where it begins."""
        numbers = [f" {i}" for i in range(1, len(self.starts) + 1)]
        if len(numbers) == 1:
            numbers = [""]
        return [
            lane
            for number, start in zip(numbers, self.starts, strict=True)
            for lane in ((f"input{number}", start), (f"target{number}", start + 1))
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in [("text", 0), *self.lanes])
        lines = [f"{'text':<{width}}  {self.text}"]
        for name, start in self.lanes:
            lines.append(f"{name:<{width}}  {' ' * start}{self.text[start : start + self.length]}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        places = "".join(
            f'<th scope="col" style="{_CELL};font-size:0.75rem;font-weight:400">{i}</th>'
            for i in range(len(self.text))
        )
        rows = [_row("text", [f'<td style="{_CELL}">{escape(mark)}</td>' for mark in self.text])]
        for number, (name, start) in enumerate(self.lanes):
            tint, line = _LANES[number % 2]
            style = f"{_CELL};background:{tint};border:1px solid {line}"
            end = start + self.length
            cells = [f'<td style="{style}">{escape(m)}</td>' for m in self.text[start:end]]
            empty = ["<td></td>"]
            rows.append(_row(name, empty * start + cells + empty * (len(self.text) - end)))
            if number % 2 and number + 1 < len(self.lanes):  # air between two windows
                gap = f'<td colspan="{len(self.text) + 1}" style="height:8px;padding:0"></td>'
                rows.append(f'<tr aria-hidden="true">{gap}</tr>')
        caption = escape(self.caption)
        # Outside of what scrolls, so that it is read whole; the table bears it as its name.
        return (
            f'<div class="window-diagram" dir="ltr"><p aria-hidden="true" style="margin:0">'
            f'{caption}</p><div role="group" tabindex="0" aria-label="{caption}"'
            f' style="overflow-x:auto"><table aria-label="{caption}"'
            f' style="margin:0;border-collapse:collapse;line-height:1.5;width:auto">'
            f'<thead><tr><th scope="col" style="{_HEAD};font-weight:400">place</th>{places}</tr>'
            f"</thead><tbody>{''.join(rows)}</tbody></table></div></div>"
        )


_NAMES = {"·": "space", "↵": "newline", "→": "tab"}


def window_diagram(text: str, length: int, starts: Sequence[int]) -> WindowDiagram:
    """Windows of a text, each as two rows under it: the input, and the target one place later.

    Args:
        text: a line or so; white space becomes visible.
        length: T, characters a window.
        starts: where in the text the windows begin, from 0.

    Raises:
        ValueError: no starts; a length below 1; a window whose last target is not in the text.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if length < 1:
        raise ValueError(f"length is {length}; a window has at least 1 character")
    if not starts:
        raise ValueError("there are no starts; give the place where a window begins, such as 0")
    last = len(text) - length - 1
    for start in starts:
        if not 0 <= start <= last:
            raise ValueError(
                f"a window of {length} that starts at {start} does not fit in {len(text)} "
                "characters, with one more for its last target: "
                + (f"choose a start from 0 to {last}" if last >= 0 else "give a longer text")
            )
    return WindowDiagram(text, length, starts)


def _row(name: str, cells: list[str]) -> str:
    return f'<tr><th scope="row" style="{_HEAD}">{escape(name)}</th>{"".join(cells)}</tr>'


def _lane(hue: str) -> tuple[str, str]:
    """Ground and border of a row's cells; text stays legible on light and dark pages."""
    red, green, blue = (int(hue[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)", hue


_LANES = (_lane(BLUE), _lane(ORANGE))
