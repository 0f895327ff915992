"""What every part of a model put out on the way to its answer, by the part's name."""

from __future__ import annotations

from threading import get_ident

import torch
from torch import Tensor, nn


@torch.no_grad()
def activations(model: nn.Module, *inputs: Tensor) -> dict[str, Tensor]:
    """The output of every module while the model reads `inputs`, in the order they were made.

    Names are those of `model.named_modules()`, such as ``blocks.0.attention``; what the model
    itself returns is under the empty name, last. Modules that return no tensor, or are not
    called, are left out; one that is called several times leaves its last output. Hooks are set
    for this one call, so that a model pays nothing for them otherwise; what other threads have the
    model do meanwhile is not kept.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    kept: dict[str, Tensor] = {}
    caller = get_ident()

    def keeper(name: str):
        def keep(module: nn.Module, arguments: tuple, output: object) -> None:
            if isinstance(output, Tensor) and get_ident() == caller:
                kept.pop(name, None)  # so that a later call counts in the order too
                kept[name] = output.detach()

        return keep

    hooks = [m.register_forward_hook(keeper(name)) for name, m in model.named_modules()]
    try:
        model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return kept
