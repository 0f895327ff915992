"""A frame with two axes on a drawing, and colours of the first chapter's roles."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.boxes import Number, Point
from minigpt.lessons.drawing.canvas import Canvas, number_text
from minigpt.lessons.drawing.palette import OLIVE, ORANGE

PARAMETER, LOSS = OLIVE, ORANGE
Range = tuple[Number, Number]


def plain(number: Number, digits: int = 3) -> str:
    """A number with as few digits as it needs, and a true minus."""
    text = number_text(number, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


class Frame:
    """Where numbers stand on a canvas: to the right by the first, upwards by the second.

    Args:
        left, top, width, height: of the frame, in units of the canvas.
        across, up: the least and the largest number in each direction.
    """

    def __init__(
        self,
        canvas: Canvas,
        place: tuple[Number, Number, Number, Number],
        across: Range,
        up: Range,
    ) -> None:
        self.canvas, self.across, self.up = canvas, across, up
        self.left, self.top, self.width, self.height = place
        canvas.line(self._corner(0, 1), self._corner(0, 0), self._corner(1, 0), role="rule")

    def at(self, x: Number, y: Number) -> Point:
        """The point of two numbers."""
        return self._corner(
            (x - self.across[0]) / (self.across[1] - self.across[0]),
            (y - self.up[0]) / (self.up[1] - self.up[0]),
        )

    def curve(self, xs: Sequence[Number], ys: Sequence[Number], role: str, width: Number = 2):
        """A line through points, but for those above the frame."""
        inside = [
            self.at(x, y)
            for x, y in zip(xs, ys, strict=True)
            if y <= self.up[1] and self.across[0] <= x <= self.across[1]
        ]
        self.canvas.line(*inside, role=role, width=width)

    def ticks(self, across: Sequence[Number] = (), up: Sequence[Number] = ()) -> None:
        """Numbers along the axes."""
        for x in across:
            at = self.at(x, self.up[0])
            self.canvas.words(plain(x), (at[0], at[1] + 11), "muted", 11)
        for y in up:
            at = self.at(self.across[0], y)
            self.canvas.words(plain(y), (at[0] - 5, at[1]), "muted", 11, "end")

    def _corner(self, across: Number, up: Number) -> Point:
        return self.left + across * self.width, self.top + (1 - up) * self.height
