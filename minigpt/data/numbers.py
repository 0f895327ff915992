"""What counts as a number in settings: True and False do not, though Python has them as 1 and 0."""

from __future__ import annotations


def is_number(value: object) -> bool:
    """Whether a value is a number of Python's own, whole or not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object, least: int) -> bool:
    """Whether a value is a whole number of Python's own, and at least so much."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
