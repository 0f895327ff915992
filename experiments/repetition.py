"""Rows in which a stretch comes again, so that what follows can be known by looking back."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from minigpt.training import IGNORED, Batches, next_token_loss
from minigpt.training.batches import digest_of_ids
from minigpt.training.windows import check_long_enough

SHORTEST = 8  # tokens of a stretch; the longest is half a row


class Repetitions(Batches):
    """Rows of one stretch again and again, drawn anew for each step: half random, half of a text.

    Each row's stretch has a length of its own, so that looking back a fixed number of tokens
    does not help. Of random tokens the first copy, which nobody can know, does not count, nor
    where the second begins.

    Args:
        ids: of the text, (n,).
        vocab_size: random tokens are below it.
        length: T, tokens a row.
        seed: any whole number.

    Raises:
        ValueError: rows with no room for two of the shortest stretches, or a text shorter than a
            row.
    """

    def __init__(self, ids: Tensor, vocab_size: int, length: int, seed: int) -> None:
        if length < 2 * SHORTEST:
            raise ValueError(
                f"rows of {length} tokens; a stretch has at least {SHORTEST} and comes twice: "
                f"give at least {2 * SHORTEST}"
            )
        check_long_enough(ids, length)
        self.ids, self.vocab_size, self.length, self.seed = ids, vocab_size, length, seed
        self.tokens, self.tokens_per_row = len(ids), float(length)

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, (B, T) each."""
        mixed = random.Random(f"{self.seed} {step}").getrandbits(32)
        generator = torch.Generator().manual_seed(mixed)
        rows = [self._row(number % 2 == 0, generator) for number in range(batch_size)]
        return torch.stack([row[:-1] for row, _ in rows]), torch.stack([t for _, t in rows])

    def _row(self, drawn: bool, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count = int(torch.randint(SHORTEST, self.length // 2 + 1, (), generator=generator))
        if drawn:
            stretch = torch.randint(self.vocab_size, (count,), generator=generator)
        else:
            start = torch.randint(len(self.ids) - count + 1, (), generator=generator)
            stretch = self.ids[start : start + count]
        row = stretch.repeat(self.length // count + 1)[: self.length + 1]
        targets = row[1:].clone()
        if drawn:
            targets[:count] = IGNORED  # the token after a place `count` or later is known
        return row, targets

    def all(self, batch_size: int, first: int = 0, every: int = 1) -> Iterator[tuple[Tensor, ...]]:
        """There are ever new rows, so never all of them.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("repeated rows are drawn anew, without an end")

    def loss(self, model: nn.Module, *batch: Tensor) -> Tensor:
        """Of what counts."""
        inputs, targets = batch
        return next_token_loss(model(inputs), targets)

    def weight(self, *batch: Tensor) -> float:
        """The targets that count."""
        return float((batch[1] != IGNORED).sum())

    def part(self, tokens: int) -> Repetitions:
        """The same: rows are drawn anew."""
        return self

    def digest(self) -> str:
        """Of the text."""
        return digest_of_ids(self.ids)
