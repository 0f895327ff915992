"""Walks down a valley of two numbers, seen from above."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing

MIDDLE, ACROSS, DOWN = (186, 118), 125, 92  # where (0, 0) stands, and units of a 1
LEAST = 0.0001  # what four digits can show
EDGE = 1.25  # the largest number that has room
LEVELS = (
    0.05,
    0.3,
    1,
    2.5,
    6,
    12,
    22,
    36,
    54,
)  # of the valley's height, times a hundredth of its steepness
ROLES = ("muted", "gradient")


def valley(
    walks: Mapping[str, Float[Tensor, "S 2"]], losses: Sequence[float], steep: Sequence[float]
) -> Drawing:
    """One or two walks, the last one in colour, over lines of equal loss.

    Args:
        walks: by name, the places of a walk: the first number to the right, the second upwards.
        losses: at the end of each.
        steep: how steep the valley is for each number; its height is half the sum of steep × w².

    Raises:
        ValueError: more than two walks, or not a loss a walk.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if not 1 <= len(walks) <= len(ROLES) or len(losses) != len(walks):
        raise ValueError(f"{len(walks)} walks with {len(losses)} losses: give 1 or 2, a loss each")
    canvas = Canvas(246 + 22 * len(walks))
    for share in LEVELS:
        _level(canvas, [math.sqrt(share * max(steep) / 50 / s) if s else None for s in steep])
    canvas.words("first number →", (WIDTH - 4, 232), "muted", 11, "end")
    canvas.words("second number ↑", (4, 8), "muted", 11, "start")
    canvas.circle(MIDDLE, 4, "ink")
    roles = ROLES[-len(walks) :]
    for row, (name, path) in enumerate(walks.items()):
        role, points = roles[row], [_place(*w) for w in path.tolist()]
        canvas.line(*points, role=role, width=1.5, strength=0.8)
        for point in points:
            canvas.circle(point, 1.8, role)
        y = 252 + 22 * row
        canvas.line((6, y), (28, y), role=role, width=3)
        words = f"{name}: loss {_text(losses[row])} after {len(path) - 1} steps"
        canvas.words(words, (34, y), size=12, anchor="start", bold=role == "gradient")
    start = _place(*next(iter(walks.values()))[0].tolist())
    canvas.words("start", (start[0] + 8, start[1] - 9), size=11, anchor="start")
    told = "; ".join(
        f"{name}, from ({path[0, 0]:.1f}, {path[0, 1]:.1f}) to ({path[-1, 0]:.2f}, "
        f"{path[-1, 1]:.2f}) in {len(path) - 1} steps, where the loss is {_text(loss)}"
        for (name, path), loss in zip(walks.items(), losses, strict=True)
    )
    return canvas.shown(f"A valley from above, its lowest point in the middle. Walks: {told}.")


def _text(loss: float) -> str:
    return f"{loss:.4f}" if loss >= LEAST else f"below {LEAST}"


def _place(right: float, up: float) -> tuple[float, float]:
    right, up = (max(-EDGE, min(EDGE, x)) for x in (right, up))
    return MIDDLE[0] + ACROSS * right, MIDDLE[1] - DOWN * up


def _level(canvas: Canvas, radii: list[float | None]) -> None:
    """A line of equal height: an ellipse, or, where that has no room, its upper and lower side."""
    right, up = radii
    if right is not None and right <= EDGE:
        turns = [2 * math.pi * i / 48 for i in range(49)]
        points = [_place(right * math.cos(turn), up * math.sin(turn)) for turn in turns]
        canvas.line(*points, role="rule", width=1)
        return
    for side in (-1, 1):
        points = []
        for i in range(-8, 9):
            x = EDGE * i / 8
            share = 1.0 if right is None else math.sqrt(1 - (x / right) ** 2)
            points.append(_place(x, side * up * share))
        canvas.line(*points, role="rule", width=1)
