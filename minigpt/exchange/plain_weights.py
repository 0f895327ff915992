"""The weights of a model as it computes with them, whatever was put on its layers."""

from __future__ import annotations

import torch
from torch import Tensor

from minigpt.attention.linear import Linear
from minigpt.model import GPT


@torch.no_grad()
def plain_weights(model: GPT) -> dict[str, Tensor]:
    """The parameters of a plain GPT that computes the same, by name, on the CPU.

    An adapter (`minigpt.finetuning`) that is on is added to the matrices of its layers, and has
    no tensor of its own here; one that is off counts for nothing. The model stays as it is.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    layers = {name: m for name, m in model.named_modules() if isinstance(m, Linear)}
    weights = {}
    for name, parameter in model.named_parameters():
        layer, _, last = name.rpartition(".")
        if layer in layers and last == "weight":
            parameter = layers[layer].effective_weight()
        elif layer not in layers and any(name.startswith(f"{above}.") for above in layers):
            continue  # an adapter's
        weights[name] = parameter.detach().cpu()
    return weights
