"""Replay: a share of every batch comes from the old text, so that it is not forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.finetuning.examples import PADDING
from minigpt.training import IGNORED, Batches


class Replay(Batches):
    """Two sources of rows in one: what is new, and what the model has learned before.

    Each source's mean loss counts by its share of the rows, however many tokens it has that count:
    a window of a text has hundreds, an answer perhaps five.

    Args:
        new, old: rows of inputs and targets; not packed ones.
        share: of the old among the rows of a batch, above 0 and below 1; at least a row is of
            each.

    Raises:
        ValueError: a share outside its range; when a batch is asked for: one with fewer than two
            rows, or packed rows.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(self, new: Batches, old: Batches, share: float) -> None:
        if not 0 < share < 1:
            raise ValueError(f"share is {share}; it must be above 0 and below 1, such as 0.25")
        self.new, self.old, self.share = new, old, share
        self.tokens = new.tokens  # of which a run tells how often it reads them
        self.tokens_per_row = (1 - share) * new.tokens_per_row + share * old.tokens_per_row

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, targets, and how much each target weighs, (B, T) each."""
        if batch_size < 2:
            raise ValueError(
                f"a batch_size of {batch_size} has no room for old and new rows: give at least 2"
            )
        count = min(max(1, round(self.share * batch_size)), batch_size - 1)
        parts = [self.new.batch(step, batch_size - count), self.old.batch(step, count)]
        if any(len(part) > 2 for part in parts):
            raise ValueError("packed rows cannot be mixed with others: leave packed out")
        longest = max(inputs.shape[1] for inputs, _ in parts)
        rows = []
        for (inputs, targets), share in zip(parts, (1 - self.share, self.share), strict=True):
            counted = targets != IGNORED
            weights = counted * (share / counted.sum())
            room = (0, longest - inputs.shape[1])
            inputs = F.pad(inputs, room, value=PADDING)
            targets = F.pad(targets, room, value=IGNORED)
            rows.append((inputs, targets, F.pad(weights, room)))
        return tuple(torch.cat(x) for x in zip(*rows, strict=True))

    def all(self, batch_size: int, first: int = 0, every: int = 1) -> Iterator[tuple[Tensor, ...]]:
        """The new rows: what a run is judged by stands in a source of its own."""
        for inputs, targets in self.new.all(batch_size, first, every):
            yield inputs, targets, (targets != IGNORED).float()

    def loss(self, model: nn.Module, *batch: Tensor) -> Tensor:
        """The weighted mean, in nats per token."""
        inputs, targets, weights = batch
        logits = model(inputs)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        surprise = F.cross_entropy(logits.mT, targets, reduction="none")  # (B, T), 0 if IGNORED
        return (weights * surprise).sum() / weights.sum()

    def weight(self, *batch: Tensor) -> float:
        """Of all targets."""
        return float(batch[2].sum())

    def part(self, tokens: int) -> Replay:
        """The first of the new rows."""
        return Replay(self.new.part(tokens), self.old, self.share)

    def digest(self) -> str:
        """Of both, and the share."""
        made_of = f"{self.new.digest()} {self.old.digest()} {self.share!r}"
        return hashlib.sha256(made_of.encode()).hexdigest()
