"""The loss: how surprised a model is at what came next."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

IGNORED = -100  # as a target: one that does not count, which PyTorch skips


def next_token_loss(
    logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """The mean surprise at what came next, -ln of its probability, in nats per token.

    Targets of -100 (`IGNORED`) do not count.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # 16 bits are too few
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
