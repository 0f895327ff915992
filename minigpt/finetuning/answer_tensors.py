"""Examples as the tensors that a loss takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from minigpt.training import IGNORED

Example = tuple[list[int], list[bool]]  # tokens, and which of them are to be learned


def answered(prompt: Sequence[int], answer: Sequence[int]) -> Example:
    """A prompt with its answer: the answer's tokens count, the end mark among them, if it has one.

    Raises:
        ValueError: an empty prompt or answer.
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
    """
    if not examples:
        raise ValueError("there is no example: give at least one")
    for number, (ids, counts) in enumerate(examples):
        if len(ids) < 2 or len(ids) != len(counts):
            raise ValueError(
                f"example {number} has {len(ids)} tokens and {len(counts)} booleans that say which "
                "of them count: give at least 2 tokens, and one boolean each"
            )
    length = max(len(ids) for ids, _ in examples) - 1
    inputs = torch.full((len(examples), length), filler)
    targets = torch.full((len(examples), length), IGNORED)
    for x, y, (ids, counts) in zip(inputs, targets, examples, strict=True):
        x[: len(ids) - 1] = torch.tensor(ids[:-1])
        wanted = [i if c else IGNORED for i, c in zip(ids[1:], counts[1:], strict=True)]
        y[: len(ids) - 1] = torch.tensor(wanted)
    return inputs, targets
