"""What a run learns from, a batch a step: windows of a text, or any other source of examples."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from minigpt.training.loss import next_token_loss
from minigpt.training.windows import Ids, Windows


class Batches(ABC):
    """What `Trainer` asks of its source.

    A batch is a tuple of tensors with a row for each of `batch_size` windows or examples, so that
    it can be cut into parts, or shared out among processes. Which rows a step gets follows from
    the step alone: a run that goes on after a break needs no memory of what it has read.

    Attributes:
        tokens: in all rows, to tell how often a run reads them.
        tokens_per_row: the mean.
    """

    tokens: int
    tokens_per_row: float

    @abstractmethod
    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ...]:
        """The rows of a step, counted from 0."""

    @abstractmethod
    def all(self, batch_size: int, first: int = 0, every: int = 1) -> Iterator[tuple[Tensor, ...]]:
        """All rows once, in order, to measure a model by, or from the first on every so many.

        The last batch may be smaller; where there are no such rows, there is none.
        """

    @abstractmethod
    def loss(self, model: nn.Module, *batch: Tensor) -> Tensor:
        """The mean of a batch, in nats per token that counts."""

    @abstractmethod
    def weight(self, *batch: Tensor) -> float:
        """Over how many the mean is taken, at least 1 a row."""

    @abstractmethod
    def part(self, tokens: int) -> Batches:
        """The first rows, with about so many tokens in all, and at least one."""

    @abstractmethod
    def digest(self) -> str:
        """SHA-256 of all that decides what is in the rows, hexadecimal."""


class TextBatches(Windows, Batches):
    """Windows of one text, every token of which is learned.

    Args and errors are those of `Windows`.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """

    @property
    def tokens(self) -> int:
        """Of the text."""
        return len(self.ids)

    @property
    def tokens_per_row(self) -> float:
        """All rows are as long."""
        return float(self.length)

    def all(
        self, batch_size: int, first: int = 0, every: int = 1
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Whole windows one after the other; what is left at the end is not read."""
        rows = range(first, (len(self.ids) - 1) // self.length, every)
        for at in range(0, len(rows), batch_size):
            starts = [number * self.length for number in rows[at : at + batch_size]]
            windows = torch.stack([self.ids[i : i + self.length + 1].long() for i in starts])
            yield windows[:, :-1], windows[:, 1:]

    def loss(self, model: nn.Module, *batch: Tensor) -> Tensor:
        """Of every next token (`next_token_loss`)."""
        inputs, targets = batch
        return next_token_loss(model(inputs), targets)

    def weight(self, *batch: Tensor) -> float:
        """All targets."""
        return float(batch[1].numel())

    def part(self, tokens: int) -> TextBatches:
        """The beginning of the text."""
        return TextBatches(self.ids[: max(tokens, self.length) + 1], self.length, self.seed)

    def digest(self) -> str:
        """Of the ids."""
        return digest_of_ids(self.ids)


def digest_of_ids(ids: Ids) -> str:
    """SHA-256 of tokens, as 32-bit integers, hexadecimal."""
    digest = hashlib.sha256()
    for part in torch.as_tensor(ids).split(2**20):
        digest.update(part.int().numpy())
    return digest.hexdigest()
