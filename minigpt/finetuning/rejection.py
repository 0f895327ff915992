"""Rejection sampling: learn from those of a model's own answers that a checker accepts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from minigpt.data.numbers import is_whole
from minigpt.finetuning.answer_tensors import Example
from minigpt.finetuning.groups import Groups


@dataclass(frozen=True)
class Kept:
    """The examples that are left, and how many there were.

    Args:
        examples: prompt and answer of each, with its end mark if the model sampled one.
        tried: samples in all.
        accepted: of them, those that the checker accepts, the same answers and those beyond the
            limit included.
    """

    examples: list[Example]
    tried: int
    accepted: int


def keep_accepted(
    groups: Groups, rewards: Float[Tensor, "G S"], most: int = 1, least: float = 1.0
) -> Kept:
    """The samples that a checker accepts, as examples to learn from.

    Easy prompts have more right answers than hard ones; `most` keeps them from filling the set.

    Args:
        groups: the samples.
        rewards: of each (`rewards_of`).
        most: examples of one prompt, each with another answer; the first ones stay.
        least: the reward from which on a sample is accepted.

    Raises:
        ValueError: not a reward a sample, or `most` below 1.
    """
    wanted = (len(groups.answers), len(groups.answers[0]))
    if rewards.shape != wanted:
        raise ValueError(
            f"rewards have the shape {tuple(rewards.shape)}, and there are {wanted[0]} groups of "
            f"{wanted[1]} samples: give a reward a sample, {wanted}"
        )
    if not is_whole(most, 1):
        raise ValueError(f"most is {most!r}; it must be a whole number of at least 1 example")
    accepted = [
        example
        for group, row in zip(groups.examples(), rewards.tolist(), strict=True)
        for example, reward in zip(group, row, strict=True)
        if reward >= least
    ]
    examples, seen, count = [], set(), Counter()
    for prompt, answer in accepted:
        key = tuple(prompt)
        if (key, *answer) not in seen and count[key] < most:
            seen.add((key, *answer))
            count[key] += 1
            examples.append((prompt, answer))
    return Kept(examples, tried=rewards.numel(), accepted=len(accepted))
