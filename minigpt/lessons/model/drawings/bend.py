"""The MLP: a plane before and after a bend, one vector on its way, and the bend itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from minigpt.lessons.drawing.boxes import Box, Number, Point
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text
from minigpt.lessons.drawing.palette import GREEN, OLIVE, ORANGE
from minigpt.lessons.model.drawings.parts import MLP


def bent_plane(
    texts: Sequence[str],
    seen: Float[Tensor, "N 2"],
    hidden: Float[Tensor, "N 2"],
    praise: Sequence[bool],
) -> Drawing:
    """The same texts as points, by what was seen and by what an MLP makes of it.

    Args:
        texts: a point each. seen, hidden: where it stands in both planes, between 0 and 1.
        praise: which of them are; in the second plane they lie beyond a line.

    Raises:
        ValueError: numbers outside of 0 and 1.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    both = torch.cat([seen, hidden])
    if both.min() < 0 or both.max() > 1:
        raise ValueError("a number is not between 0 and 1, where the planes end")
    canvas = Canvas(226)
    side, top = 104, 52
    planes = (
        (52, "what was gathered", ("“not”", "“bad”"), seen),
        (238, "after the bend", ("hidden 1", "hidden 2"), hidden),
    )
    for x, title, axes, points in planes:
        frame = Box(x, top, side, side)
        canvas.words(title, (x + side / 2, 10), size=12, bold=True)
        canvas.line((x, top), (x, top + side), (x + side, top + side), role="rule")
        canvas.words(axes[0], (x + side / 2, top + side + 20), "muted", 11)
        canvas.words(axes[1], (x - 8, top + side / 2), "muted", 11, "end")
        for text, at in ((0, 0), (1, 1)):
            canvas.words(str(text), (x + at * side, top + side + 20), "muted", 11, mono=True)
            canvas.words(str(text), (x - 14, top + side - at * side), "muted", 11, mono=True)
        if points is hidden:
            ends = ((0, 0.7), (0.7, 0))
            canvas.line(*(_place(frame, p) for p in ends), role=MLP, dashed=True, width=2)
        _points(canvas, frame, texts, points, praise)
    canvas.line((168, 76), (210, 76), role=MLP, arrow=True, width=2)
    canvas.words("MLP", (188, 62), MLP, 12, bold=True)
    canvas.circle((70, 210), 5, role=GREEN)
    canvas.words("praise", (80, 210), size=12, anchor="start")
    canvas.circle((150, 210), 5, role=ORANGE, filled=False)
    canvas.words("no praise", (160, 210), size=12, anchor="start")
    yes = " and ".join(f"“{t}”" for t, p in zip(texts, praise, strict=True) if p)
    no = " and ".join(f"“{t}”" for t, p in zip(texts, praise, strict=True) if not p)
    return canvas.shown(
        f"Two planes. On the left the four texts are the corners of a square, {yes} across from "
        f"each other, so that no line parts them from {no}. On the right, after the bend, {no} "
        f"stand at 0, 0, and a dashed line parts them from {yes}."
    )


def _points(
    canvas: Canvas,
    frame: Box,
    texts: Sequence[str],
    points: Float[Tensor, "N 2"],
    praise: Sequence[bool],
) -> None:
    """Discs for praise and rings for the rest; texts at one place share their words."""
    at: dict[tuple[float, ...], list[int]] = {}
    for i, point in enumerate(points.tolist()):
        at.setdefault(tuple(point), []).append(i)
    for point, which in at.items():
        x, y = _place(frame, point)
        canvas.circle(
            (x, y), 6, role=GREEN if praise[which[0]] else ORANGE, filled=praise[which[0]]
        )
        right = point[0] > 0.5
        for line, i in enumerate(reversed(which)):
            place = (x + (6 if right else -2), y - 16 - 14 * line)
            canvas.words(texts[i], place, size=11, anchor="end" if right else "start")


def _place(frame: Box, point: Sequence[Number]) -> Point:
    return frame.x + point[0] * frame.width, frame.y + (1 - point[1]) * frame.height


def mlp_of_one(
    x: Float[Tensor, " C"],
    up: Float[Tensor, "C H"],
    bias: Float[Tensor, " H"],
    down: Float[Tensor, "H C2"],
) -> Drawing:
    """One vector through a matrix, a ReLU and a matrix, hidden number by hidden number.

    Args:
        x: 2 or 3 numbers. up, bias: what makes 2 hidden numbers of them. down: their rows.

    Raises:
        ValueError: other sizes.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    if not (2 <= len(x) <= 3 and up.shape == (len(x), 2) and len(down) == 2 >= down.shape[1]):
        raise ValueError(f"x {tuple(x.shape)}, up {tuple(up.shape)}, down {tuple(down.shape)}")
    before = x @ up + bias
    hidden = before.relu()
    out = hidden @ down
    canvas = Canvas(344)
    middle, cell = WIDTH / 2, 34
    centres = (100, 260)
    for text, y in (("x", 24), ("questions", 92), ("answers", 148), ("bend", 186), ("rows", 248)):
        canvas.words(text, (4, y), "muted", 12, "start")
    given = canvas.grid(middle - cell * len(x) / 2, 12, x, role="stream", digits=0)
    for i, centre in enumerate(centres):
        question = up[:, i]
        asked = canvas.grid(centre - cell * len(x) / 2, 80, question, role=MLP, largest=1, digits=0)
        canvas.line(given.bottom, asked.top, role="stream", arrow=True)
        constant = number_text(bias[i].item(), 0)
        sign = "" if constant.startswith("\N{MINUS SIGN}") else "+"
        canvas.words(f"{sign}{constant}", (centre + cell * len(x) / 2 + 14, 92), mono=True)
        canvas.line(asked.bottom, (centre, 136), role=MLP, arrow=True)
        canvas.words(number_text(before[i].item(), 0), (centre, 148), mono=True)
        canvas.line((centre, 158), (centre, 172), role=MLP, arrow=True)
        fires = bool(hidden[i] > 0)
        box = canvas.box(centre - 18, 174, 36, 26, role=MLP, filled=fires)
        canvas.words(number_text(hidden[i].item(), 0), box.middle, mono=True, bold=fires)
        row = canvas.grid(
            centre - cell * len(down[i]) / 2, 236, down[i], role=MLP, largest=1, digits=0
        )
        canvas.line(box.bottom, row.top, role=MLP, arrow=True, strength=1 if fires else 0.3)
        end = (middle, 304)
        canvas.line(row.bottom, end, role=MLP, arrow=True, strength=1 if fires else 0.3)
    canvas.words("hidden × row, added up", (4, 318), "muted", 12, "start")
    canvas.grid(middle - cell * len(out) / 2, 306, out, role="stream", digits=0)
    fired = [f"{i + 1}" for i in range(2) if hidden[i] > 0] or ["none"]
    return canvas.shown(
        f"The vector {_list(x)} is asked two questions, columns of the first matrix: the answers "
        f"are {_list(before)}, after the bend {_list(hidden)}. Each hidden number multiplies its "
        f"row of the second matrix; the sum is {_list(out)}. What fires: {', '.join(fired)}."
    )


def _list(numbers: Float[Tensor, " N"]) -> str:
    return ", ".join(number_text(n, 0) for n in numbers.tolist())


def bend(marks: Sequence[Number] = (-2, -1, 0, 1, 2)) -> Drawing:
    """GELU in its tanh form and ReLU, with what GELU makes of a few numbers.

    Args:
        marks: from -3 to 3.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    canvas = Canvas(222)
    unit, zero_x, zero_y = 48, WIDTH / 2, 164
    xs = torch.arange(-60, 61, dtype=torch.float64) / 20

    def at(x: Number, y: Number) -> Point:
        return zero_x + x * unit, zero_y - y * unit

    canvas.line((20, zero_y), (340, zero_y), role="rule")
    canvas.line(at(0, -0.45), at(0, 3), role="rule")
    canvas.line(at(-3, 0), at(0, 0), at(3, 3), role="muted", dashed=True, width=2)
    curve = F.gelu(xs, approximate="tanh")
    points = zip(xs.tolist(), curve.tolist(), strict=True)
    canvas.line(*(at(x, y) for x, y in points), role=OLIVE, width=3)
    values = F.gelu(torch.tensor([*map(float, marks)], dtype=torch.float64), approximate="tanh")
    for x, y in zip(marks, values.tolist(), strict=True):
        canvas.circle(at(x, y), 4, role=OLIVE)
        canvas.words(number_text(x, 0), at(x, -0.72), "muted", 12, mono=True)
        # Where the curve rises, below it; left of that, above the axis.
        place, anchor = (at(x, 0.27), "middle") if x < 0 else (at(x + 0.14, y - 0.24), "start")
        canvas.words(number_text(y, 2), place, size=12, anchor=anchor, mono=True)
    canvas.words("x", (14, zero_y + 34), "muted", 12)
    canvas.words("GELU", at(-2.4, 2.6), OLIVE, 13, "start", bold=True)
    canvas.words("dashed: ReLU", at(-2.4, 2.2), "muted", 12, "start")
    told = ", ".join(
        f"{number_text(y, 2)} of {number_text(x, 0)}"
        for x, y in zip(marks, values.tolist(), strict=True)
    )
    return canvas.shown(
        "GELU beside ReLU: both follow x far on the right and are 0 far on the left; around 0 GELU "
        f"has no corner, and dips below 0. It makes {told}."
    )
