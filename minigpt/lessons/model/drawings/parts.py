"""What several of the chapter's drawings have: a colour a part, and a sum on the stream."""

from __future__ import annotations

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import Canvas
from minigpt.lessons.drawing.palette import OLIVE

ATTENTION, MLP = "value", OLIVE  # what attention hands on are values


def plus(canvas: Canvas, x: Number, y: Number, radius: Number = 10) -> None:
    """A circle in which what comes in is added up."""
    canvas.circle((x, y), radius, role="stream", filled=False)
    canvas.words("+", (x, y), "stream", 1.6 * radius, bold=True)
