"""Rewards that a program can check, and the control in which nothing may be learned from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

Expected = Mapping[str, str] | Callable[[str], str]


def exact_match(expected: Expected) -> Callable[[str, str], float]:
    """A reward: 1 for the expected answer, 0 for any other; spaces and lines around do not count.

    Args:
        expected: the answer of each prompt, or a function that works it out.

    Raises:
        ValueError: when called: a prompt without an expected answer.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def reward(prompt: str, answer: str) -> float:
        if callable(expected):
            wanted = expected(prompt)
        elif prompt in expected:
            wanted = expected[prompt]
        else:
            raise ValueError(
                f"no answer is expected for the prompt {prompt!r}: give the texts as the model "
                "reads them, template and line breaks included"
            )
        return float(answer.strip() == wanted.strip())

    return reward


def shuffled(
    rewards: Float[Tensor, "G S"], generator: torch.Generator | None = None
) -> Float[Tensor, "G S"]:
    """The same rewards, dealt out anew over the whole batch: they say nothing about the answers.

    What a model still seems to learn from them comes from something else than the reward.

    Args:
        rewards: of G groups of S samples.
        generator: where chance comes from, on the rewards' device; None is torch's global one.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    order = torch.randperm(rewards.numel(), generator=generator, device=rewards.device)
    return rewards.flatten()[order].view(rewards.shape)
