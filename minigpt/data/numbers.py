"""What counts as a number in settings: True and False do not, though Python has them as 1 and 0."""

from __future__ import annotations

from typing import Any


def is_number(value: object) -> bool:
    """Whether a value is a number of Python's own, whole or not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object, least: int) -> bool:
    """Whether a value is a whole number of Python's own, and at least so much."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def plain(value: Any) -> Any:
    """A number of NumPy's or a tensor of one number as Python's own; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def make_plain(settings: Any) -> None:
    """The same for every field of a dataclass, which may be frozen."""
    for name, value in vars(settings).items():
        object.__setattr__(settings, name, plain(value))


def plain_list(values: Any) -> list:
    """Numbers in a list, an array or a tensor as a list of Python's own."""
    return values.tolist() if hasattr(values, "tolist") else [plain(value) for value in values]
