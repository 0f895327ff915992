"""Learning from a reward: answers that did better than their group become likelier.

REINFORCE (Williams 1992) with the group's mean as baseline: what GRPO (Shao et al. 2024) is when
every answer is learned from once, without its clipping, its ratio to an older model, its penalty
and its division by the spread; the mean is over tokens, as in DAPO (Yu et al. 2025).
"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def group_advantages(rewards: Float[Tensor, "G S"], divide: bool = False) -> Float[Tensor, "G S"]:
    """How much better each sample did than its group: its reward less the group's mean.

    Equal rewards give zeros: such a group teaches nothing.

    Args:
        rewards: of G groups of S samples.
        divide: by the group's spread too (the root of the mean square, Shao et al. 2024, section
            4.1.2), which lifts very easy and very hard prompts above the others (Liu et al. 2025).

    Raises:
        ValueError: rewards that are not groups of at least 2 samples, or not all finite.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if rewards.dim() != 2 or rewards.shape[1] < 2:
        raise ValueError(
            f"rewards have the shape {tuple(rewards.shape)}; they must be (groups, samples), with "
            "at least 2 samples a group: alone, a sample is its group's mean and teaches nothing"
        )
    if not rewards.isfinite().all():
        raise ValueError(
            "a reward is not finite (NaN or ∞): give 0 where an answer cannot be judged"
        )
    advantages = rewards - rewards.mean(dim=1, keepdim=True)
    # A mean is rounded: of equal rewards it may differ from them, and a spread of nearly nothing
    # would make that large.
    equal = rewards.amax(dim=1, keepdim=True) == rewards.amin(dim=1, keepdim=True)
    advantages = advantages.masked_fill(equal, 0)
    if divide:
        largest = advantages.abs().amax(dim=1, keepdim=True)  # a square alone may be too small
        advantages = advantages / largest.masked_fill(equal, 1)
        spread = advantages.square().mean(dim=1, keepdim=True).sqrt()
        advantages = advantages / spread.masked_fill(equal, 1)
    return advantages


def policy_gradient_loss(
    logprobs: Float[Tensor, "B T"], advantages: Float[Tensor, " B"], counted: Bool[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """What is minimised so that better samples become likelier; its gradient is what matters.

    The gradient is that of the mean of -advantage * logprob over all tokens that count. The value
    is the mean of -advantage, whatever the model: 0 where a group's answers are equally long. So
    it does not fall while a model learns; look at the rewards.

    Args:
        logprobs: of the sampled tokens (`token_logprobs`), by the model that sampled them.
        advantages: of each sample (`group_advantages`).
        counted: which tokens the model sampled, the end mark included.

    Raises:
        ValueError: other shapes, or no token that counts.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if logprobs.shape != counted.shape or advantages.shape != logprobs.shape[:1]:
        raise ValueError(
            f"logprobs {tuple(logprobs.shape)}, advantages {tuple(advantages.shape)} and counted "
            f"{tuple(counted.shape)}: give an advantage a row, and the others a row and token"
        )
    if not counted.any():
        raise ValueError("no token counts, so there is nothing to learn: sample at least 1")
    chosen = logprobs[counted]
    ratio = (chosen - chosen.detach()).exp()  # 1, with the gradient of the logarithm
    return -(advantages[:, None].expand_as(counted)[counted] * ratio).mean()
