"""A model as it is when it is used: without dropout, whatever mode it is in."""

from __future__ import annotations

import copy

from torch import nn


def in_evaluation_mode(model: nn.Module) -> nn.Module:
    """The model itself, or, while it is in training mode, a double of it that is not.

    A double has the very parameters, buffers and hooks of the model and no dropout. So nobody
    else notices: another thread may train the model, or use it too. Of a compiled model it is
    the one that was compiled.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    model = getattr(model, "_orig_mod", model)  # that torch.compile made another of
    if not model.training:
        return model
    double = copy.copy(model)
    double.training = False
    double._modules = {
        name: None if module is None else in_evaluation_mode(module)
        for name, module in model._modules.items()
    }
    return double
