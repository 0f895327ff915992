"""How well a model copies what stands earlier: its surprise at a second copy, and its heads."""

from __future__ import annotations

import torch
from torch import Tensor

from minigpt.model import GPT
from minigpt.model.evaluation_mode import in_evaluation_mode


@torch.no_grad()
def copy_losses(model: GPT, stretches: Tensor) -> tuple[float, float]:
    """The mean surprise at stretches (B, n), and at the same after them, in nats per token.

    The first token of either copy is left out: nothing tells that it comes.
    """
    rows = torch.cat([stretches, stretches], dim=1)
    logits = in_evaluation_mode(model)(rows[:, :-1]).double()
    surprise = torch.nn.functional.cross_entropy(logits.mT, rows[:, 1:], reduction="none")
    count = stretches.shape[1]
    return surprise[:, : count - 1].mean().item(), surprise[:, count:].mean().item()


@torch.no_grad()
def head_scores(model: GPT, stretches: Tensor) -> tuple[Tensor, Tensor]:
    """The mean attention of each head, (L, H), where a stretch (B, n) stands twice.

    First from a token of the second copy to the one after the same token in the first, which is
    what an induction head looks at (Olsson et al. 2022); then from any token to the one before.
    """
    model = in_evaluation_mode(model)
    rows = torch.cat([stretches, stretches], dim=1)
    count = stretches.shape[1]
    x = model.token_embedding(rows) + model.position_embedding(rows.shape[1])
    after, before = [], []
    for block in model.blocks:
        weights = block.attention.weights(block.norm_1(x)).double()  # (B, H, T, T)
        after.append(weights.diagonal(1 - count, -2, -1)[..., 1:].mean(dim=(0, -1)))
        before.append(weights.diagonal(-1, -2, -1).mean(dim=(0, -1)))
        x = block(x)
    return torch.stack(after), torch.stack(before)
