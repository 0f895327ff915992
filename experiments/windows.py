"""Windows of a text as the experiments train and measure on them.

The chapter on training explains what happens here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def random_windows(
    ids: Tensor, length: int, batch_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Windows at random places, and the same windows one token later."""
    starts = torch.randint(len(ids) - length, (batch_size,), generator=generator)
    rows = torch.stack([ids[start : start + length + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


@torch.no_grad()
def mean_loss(model: nn.Module, ids: Tensor, length: int, batch_size: int) -> float:
    """Nats per token over whole windows, one after the other."""
    n = (len(ids) - 1) // length
    inputs, targets = ids[: n * length].view(n, -1), ids[1 : n * length + 1].view(n, -1)
    losses = [
        F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
        for x, y in zip(inputs.split(batch_size), targets.split(batch_size), strict=True)
    ]
    return sum(losses) / (n * length)


def rate(step: int, steps: int) -> float:
    """The share of the learning rate: 100 steps of warm-up, then flat, then down to nothing."""
    return min(1.0, (step + 1) / 100, 2 * (steps - step) / steps)
