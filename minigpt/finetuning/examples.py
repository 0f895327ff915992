"""Examples of answers as batches: padded rows, of which only what is to be learned counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from minigpt.finetuning.answer_tensors import row_tensors
from minigpt.finetuning.order import rows_of_step
from minigpt.finetuning.packed_rows import PackedRows
from minigpt.training import IGNORED, Batches, next_token_loss

PADDING = 0  # any token: nothing looks at it, and as a target it is IGNORED


class Examples(Batches):
    """Examples with the tokens of each that count, for `minigpt.training.Trainer`.

    Every epoch deals out the rows in another order, which follows from the seed. Rows are filled
    up at their right to the longest of a batch; packed, a row holds several examples, as many as
    go in, none of which sees another, and each begins at position 0.

    Args:
        examples: ids (T,) and as many booleans, as `ChatTemplate.encode` gives them. The first
            token is never a target.
        length: the most tokens that a model sees at once, `context_length`.
        seed: any whole number.
        packed: several examples in a row: fewer rows, and less padding.

    Raises:
        ValueError: no examples; one of less than two tokens, of more than `length` + 1, or in
            which nothing counts.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(
        self,
        examples: Sequence[tuple[Sequence[int], Sequence[bool]]],
        length: int,
        seed: int,
        packed: bool = False,
    ) -> None:
        _check(examples, length)
        self.examples = [(tuple(ids), tuple(map(bool, counts))) for ids, counts in examples]
        self.length, self.seed, self.packed = length, seed, packed
        sizes = [len(ids) - 1 for ids, _ in self.examples]
        self.rows = _packed(sizes, length) if packed else [[i] for i in range(len(sizes))]
        self.tokens = sum(sizes)
        self.tokens_per_row = self.tokens / len(self.rows)

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ...]:
        """Inputs and targets (B, T), and where rows are packed the examples' numbers in them."""
        numbers = rows_of_step(step, batch_size, len(self.rows), self.seed)
        return self._tensors([self.rows[number] for number in numbers])

    def all(self, batch_size: int, first: int = 0, every: int = 1) -> Iterator[tuple[Tensor, ...]]:
        """In the order in which they were given."""
        rows = self.rows[first::every]
        for at in range(0, len(rows), batch_size):
            yield self._tensors(rows[at : at + batch_size])

    def loss(self, model: nn.Module, *batch: Tensor) -> Tensor:
        """The mean surprise at what counts, in nats per token."""
        inputs, targets, *numbers = batch
        if not numbers:
            return next_token_loss(model(inputs), targets)
        inner = getattr(model, "module", model)  # where processes share it
        return next_token_loss(model(inputs, PackedRows(*numbers, inner.config.n_layer)), targets)

    def weight(self, *batch: Tensor) -> float:
        """The targets that count."""
        return float((batch[1] != IGNORED).sum())

    def part(self, tokens: int) -> Examples:
        """The first examples."""
        kept, size = 1, len(self.examples[0][0]) - 1
        for ids, _ in self.examples[1:]:
            if (size := size + len(ids) - 1) > tokens:
                break
            kept += 1
        return Examples(self.examples[:kept], self.length, self.seed, self.packed)

    def digest(self) -> str:
        """Of the ids, what counts, and whether rows are packed."""
        made_of = [self.packed, self.length, self.examples]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()

    def _tensors(self, rows: list[list[int]]) -> tuple[Tensor, ...]:
        tensors = row_tensors([[self.examples[i] for i in row] for row in rows], PADDING)
        return tensors if self.packed else tensors[:2]


def _check(examples: Sequence[tuple[Sequence[int], Sequence[bool]]], length: int) -> None:
    if not examples:
        raise ValueError("there are no examples: give at least one")
    for number, (ids, counts) in enumerate(examples, 1):
        if len(ids) != len(counts):
            raise ValueError(
                f"example {number} has {len(ids)} tokens and {len(counts)} booleans that say "
                "which of them count: give one each"
            )
        if not 2 <= len(ids) <= length + 1:
            raise ValueError(
                f"example {number} has {len(ids)} tokens; it must have 2 to {length + 1}, one more "
                "than the model sees at once (context_length): shorten it, or leave it out"
            )
        if not any(counts[1:]):
            raise ValueError(
                f"example {number} has no token that counts, so nothing can be learned from it: "
                "it needs an answer"
            )


def _packed(sizes: list[int], length: int) -> list[list[int]]:
    """Which examples share a row: each goes into the first that has room (first fit)."""
    rows: list[list[int]] = []
    room: list[int] = []
    for i, size in enumerate(sizes):
        place = next((row for row, left in enumerate(room) if left >= size), None)
        if place is None:
            rows.append([i])
            room.append(length - size)
        else:
            rows[place].append(i)
            room[place] -= size
    return rows
