"""Prompts and answers as the tensors that a loss takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from minigpt.finetuning.logprobs import IGNORED

Example = tuple[list[int], list[int]]  # prompt, answer


def answer_tensors(
    examples: Sequence[Example], filler: int = 0
) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
    """Inputs and targets, in which the answers' tokens count and nothing else.

    Args:
        examples: the tokens of each prompt, and of its answer with the end mark, if it has one.
        filler: any token; it fills short rows up on the right, where no token of theirs looks.

    Raises:
        ValueError: no example, or one in which prompt or answer is empty.
    """
    if not examples:
        raise ValueError("there is no example: give at least one prompt with its answer")
    for number, (prompt, answer) in enumerate(examples):
        if not prompt or not answer:
            raise ValueError(
                f"example {number} has {len(prompt)} tokens of prompt and {len(answer)} of answer; "
                "it needs at least 1 of each: an empty answer still has its end mark"
            )
    length = max(len(prompt) + len(answer) for prompt, answer in examples) - 1
    inputs = torch.full((len(examples), length), filler)
    targets = torch.full((len(examples), length), IGNORED)
    for x, y, (prompt, answer) in zip(inputs, targets, examples, strict=True):
        x[: len(prompt) + len(answer) - 1] = torch.tensor([*prompt, *answer][:-1])
        y[len(prompt) - 1 : len(prompt) + len(answer) - 1] = torch.tensor(answer)
    return inputs, targets
