"""Windows of a text: what a model reads at one step, and what it should have said."""

from __future__ import annotations

import random

import numpy as np
import torch
from jaxtyping import Int, Integer
from torch import Tensor

Ids = Integer[Tensor, " n"] | Integer[np.ndarray, " n"]


class Windows:
    """Windows of T tokens, each with the same window one token later.

    Every epoch cuts the text anew, from a random place on, and deals out its windows in a random
    order. Which windows a step gets follows from the seed and the step alone: a run that goes on
    after a break needs no memory of what it has read.

    Args:
        ids: the text's tokens, (n,), of any integer type; may be an array, or a mapped file.
        length: T, tokens a window.
        seed: any whole number.

    Raises:
        ValueError: ids that are not a list of integers, or fewer than T + 1 of them.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(self, ids: Ids, length: int, seed: int) -> None:
        ids = torch.as_tensor(ids)
        check_long_enough(ids, length)
        self.ids, self.length, self.seed = ids, length, seed
        self.per_epoch = max(1, (len(ids) - length) // length)
        self._starts = (-1, torch.empty(0))  # the epoch last asked for, and its windows' starts

    def batch(self, step: int, batch_size: int) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
        """The inputs of a step, and their targets: the same places, one token later.

        Args:
            step: from 0.
            batch_size: B, windows a step.

        Raises:
            ValueError: a step below 0 or a batch without windows.
        """
        if step < 0 or batch_size < 1:
            raise ValueError(
                f"step {step} with a batch_size of {batch_size}: steps start at 0, and a batch "
                "has at least 1 window"
            )
        first = step * batch_size
        starts = [self.start(number) for number in range(first, first + batch_size)]
        rows = torch.stack([self.ids[i : i + self.length + 1].long() for i in starts])
        return rows[:, :-1], rows[:, 1:]

    def start(self, number: int) -> int:
        """Where in the text the window of that number begins; window 0 is the run's first."""
        epoch, place = divmod(number, self.per_epoch)
        if self._starts[0] != epoch:
            # One number of 32 bits, which is all that torch's generator takes in.
            mixed = random.Random(f"{self.seed} {epoch}").getrandbits(32)
            generator = torch.Generator().manual_seed(mixed)
            spare = len(self.ids) - 1 - self.per_epoch * self.length
            offset = torch.randint(spare + 1, (), generator=generator)
            order = torch.randperm(self.per_epoch, generator=generator)
            self._starts = (epoch, offset + order * self.length)
        return int(self._starts[1][place])


def check_long_enough(ids: Tensor, length: int, what: str = "the text") -> None:
    """Raise ValueError unless there is a window of `length` tokens, and one token after it."""
    if ids.dim() != 1 or ids.is_floating_point():
        raise ValueError(
            f"ids has the shape {tuple(ids.shape)} and holds {ids.dtype}; it must be one list of "
            "integers"
        )
    if length < 1:
        raise ValueError(f"a window of {length} tokens; it must have at least 1")
    if len(ids) < length + 1:
        raise ValueError(
            f"{what} has {len(ids)} tokens; a window of {length} needs {length + 1}, one more for "
            "the last target: give more text, or choose a shorter context_length"
        )
