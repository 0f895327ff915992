"""Rejection sampling: learn from those of a model's own answers that a checker accepts."""

from __future__ import annotations

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
        examples: tokens of prompt and answer, and which of them count: the answer's, and its end
            mark, if the model sampled one.
        tried: samples in all.
        accepted: of them, those that the checker accepts, the same answers and those beyond the
            limit included.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
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

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    wanted = (len(groups.answers), len(groups.answers[0]))
    if rewards.shape != wanted:
        raise ValueError(
            f"rewards have the shape {tuple(rewards.shape)}, and there are {wanted[0]} groups of "
            f"{wanted[1]} samples: give a reward a sample, {wanted}"
        )
    if not is_whole(most, 1):
        raise ValueError(f"most is {most!r}; it must be a whole number of at least 1 example")
    kept: dict[tuple[int, ...], list[Example]] = {tuple(prompt): [] for prompt in groups.prompts}
    accepted = 0
    for prompt, group, row in zip(groups.prompts, groups.examples(), rewards.tolist(), strict=True):
        chosen = kept[tuple(prompt)]  # where a prompt has several groups, they share the limit
        for example, reward in zip(group, row, strict=True):
            if reward >= least:
                accepted += 1
                if example not in chosen and len(chosen) < most:
                    chosen.append(example)
    return Kept([example for few in kept.values() for example in few], rewards.numel(), accepted)
