"""Examples as the tensors that a loss takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from minigpt.training import IGNORED

Example = tuple[Sequence[int], Sequence[bool]]  # tokens, and which of them are to be learned


def answered(prompt: Sequence[int], answer: Sequence[int]) -> Example:
    """A prompt with its answer: the answer's tokens count, the end mark among them, if it has one.

    Raises:
        ValueError: an empty prompt or answer.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not len(prompt) or not len(answer):
        raise ValueError(
            f"{len(prompt)} tokens of prompt and {len(answer)} of answer; there must be at least 1 "
            "of each: an empty answer still has its end mark"
        )
    return [*prompt, *answer], [False] * len(prompt) + [True] * len(answer)


def answer_tensors(
    examples: Sequence[Example], filler: int = 0
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
    """Inputs, and the same one token later, `IGNORED` (-100) where a token does not count.

    Args:
        examples: tokens, and as many booleans. The first token is never a target.
        filler: any token; it fills short rows up on the right, where no token of theirs looks.

    Raises:
        ValueError: no example, one of less than two tokens, or not as many booleans as tokens.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not examples:
        raise ValueError("there is no example: give at least one")
    for number, (ids, counts) in enumerate(examples):
        if len(ids) < 2 or len(ids) != len(counts):
            raise ValueError(
                f"example {number} has {len(ids)} tokens and {len(counts)} booleans that say which "
                "of them count: give at least 2 tokens, and one boolean each"
            )
    inputs, targets, _ = row_tensors([[example] for example in examples], filler)
    return inputs, targets


def row_tensors(
    rows: Sequence[Sequence[Example]], filler: int = 0
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Int[Tensor, "B T"]]:
    """The same for rows of several examples one after the other, as long as the longest.

    Returns:
        Inputs, targets, and which example of its row each token belongs to, from 1; 0 is `filler`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    shape = len(rows), max(sum(len(ids) - 1 for ids, _ in row) for row in rows)
    inputs, targets = torch.full(shape, filler), torch.full(shape, IGNORED)
    numbers = torch.zeros(shape, dtype=torch.long)
    for b, row in enumerate(rows):
        at = 0
        for number, (ids, counts) in enumerate(row, 1):
            place = slice(at, at := at + len(ids) - 1)
            inputs[b, place] = torch.tensor(ids[:-1])
            wanted = [i if c else IGNORED for i, c in zip(ids[1:], counts[1:], strict=True)]
            targets[b, place] = torch.tensor(wanted)
            numbers[b, place] = number
    return inputs, targets, numbers
