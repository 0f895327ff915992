"""Where the parts of a drawing stand, and the points at which arrows begin and end."""

from __future__ import annotations

from dataclasses import dataclass

Number = int | float  # of units; the number that a type calls float is not always one
Point = tuple[Number, Number]


@dataclass(frozen=True)
class Box:
    """A rectangle, by its upper left corner."""

    x: Number
    y: Number
    width: Number
    height: Number

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def top(self) -> Point:
        return self.middle[0], self.y

    @property
    def bottom(self) -> Point:
        return self.middle[0], self.y + self.height

    @property
    def left(self) -> Point:
        return self.x, self.middle[1]

    @property
    def right(self) -> Point:
        return self.x + self.width, self.middle[1]


@dataclass(frozen=True)
class Grid(Box):
    """The rectangle of a matrix, whose cells are equal."""

    rows: int
    columns: int

    def cell(self, row: int, column: int) -> Box:
        """Where one number stands."""
        width, height = self.width / self.columns, self.height / self.rows
        return Box(self.x + column * width, self.y + row * height, width, height)

    def row(self, row: int) -> Box:
        """Where a row stands."""
        first = self.cell(row, 0)
        return Box(first.x, first.y, self.width, first.height)

    def column(self, column: int) -> Box:
        """Where a column stands."""
        first = self.cell(0, column)
        return Box(first.x, first.y, first.width, self.height)
