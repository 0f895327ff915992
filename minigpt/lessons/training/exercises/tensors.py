"""Several tensors as one answer, for exercises that return more than one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from minigpt.lessons.judge import TOLERANCE, name_of


class Tensors(tuple):
    """Tensors of different shapes as one answer, equal to another up to rounding."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Tensors)
            and len(self) == len(other)
            and all(_close(*pair) for pair in zip(self, other, strict=True))
        )

    def times(self, factor: float) -> Tensors:
        """Every number times a factor."""
        return Tensors(tensor * factor for tensor in self)

    def plus(self, other: Iterable[Tensor]) -> Tensors:
        """Tensor by tensor, the sum."""
        return Tensors(a + b for a, b in zip(self, other, strict=True))


def _close(a: Any, b: Any) -> bool:
    if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape):
        return False
    same_kind = a.is_floating_point() == b.is_floating_point()
    return same_kind and torch.allclose(a.detach().double(), b.detach().double(), **TOLERANCE)


def several(function: Callable) -> Callable:
    """The function, with the tensors that it returns as one answer, which `judge` can compare."""

    def call(*arguments: Any) -> Any:
        answer = function(*arguments)
        if isinstance(answer, Tensor):
            answer = list(answer) if answer.dim() > 1 else [answer]
        answer = list(answer) if hasattr(answer, "__next__") else answer
        return Tensors(map(_tensor, answer)) if isinstance(answer, list | tuple) else answer

    call.__name__ = name_of(function)
    return call


def _tensor(part: Any) -> Any:
    """Numbers in lists and arrays as a tensor, and rows of a batch as one; anything else as is."""
    if isinstance(part, Tensor):
        return part
    if isinstance(part, Sequence) and part and all(map(torch.is_tensor, part)):
        return torch.stack([*part])
    return torch.tensor(part) if isinstance(part, list) or hasattr(part, "__array__") else part
