"""The linear layer of GPT-2: how its numbers start."""

from __future__ import annotations

import torch
from torch import nn


def linear(
    n_in: int, n_out: int, bias: bool = True, generator: torch.Generator | None = None
) -> nn.Linear:
    """A linear layer with weights drawn from N(0, 0.02²) and biases of 0 (Radford et al. 2018).

    Args:
        n_in: numbers a vector that comes in.
        n_out: numbers a vector that goes out.
        bias: whether a learned vector is added.
        generator: where the starting numbers are drawn from.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    # skip_init: torch's own start would draw from the global generator.
    device = torch.get_default_device()
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias, device=device)
    nn.init.normal_(layer.weight, std=0.02, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
