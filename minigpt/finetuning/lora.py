"""Low-rank adapters on a model: added, switched, merged, by name (Hu et al. 2021).

An adapter learns the change of some matrices as products of two thin ones; the model itself
stays as it is. So one model serves many tasks, each with a small file of its own
(`minigpt.finetuning.adapter_folder`). `minigpt.exchange.save` writes what the model computes: a
plain one, with the adapter that is on merged in.
"""

from __future__ import annotations

import re

import torch
from torch import nn

from minigpt.finetuning.ledger import trained_numbers
from minigpt.finetuning.lora_linear import Adapter, LoRAConfig, LoRALinear
from minigpt.finetuning.targets import targeted_layers


def add_adapter(
    model: nn.Module,
    config: LoRAConfig,
    name: str = "default",
    generator: torch.Generator | None = None,
) -> int:
    """Give a model an adapter, which is then on and alone learns: all other parameters are frozen.

    At first it changes nothing, not a bit. Optimisers are to be made afterwards.

    Args:
        model: with linear layers, each with its name. It may have adapters already.
        config: sizes, and which layers.
        name: of letters, digits, _ and -.
        generator: where the matrices A are drawn from.

    Returns:
        How many numbers learn.

    Raises:
        ValueError: a name that is taken or cannot be one, a target that names no linear layer or
            one whose matrix another part of the model uses, a rank above a layer's sizes, a model
            whose adapter is merged; the model is as it was.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    _check_name(model, name)
    _check_not_merged(model, "adding an adapter")
    layers = targeted_layers(model, config)
    model.requires_grad_(False)
    for layer_name, layer in layers.items():
        if not isinstance(layer, LoRALinear):
            layer = LoRALinear(layer)
            model.set_submodule(layer_name, layer)
        layer.adapters[name] = Adapter(config, layer, generator).train(layer.training)
    set_adapter(model, name)
    return trained_numbers(model)


def adapters(model: nn.Module) -> dict[str, LoRAConfig]:
    """The sizes of every adapter of a model, by its name.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return {
        name: adapter.config
        for layer in lora_layers(model).values()
        for name, adapter in layer.adapters.items()
    }


def active_adapter(model: nn.Module) -> str | None:
    """The name of the adapter that is on; None if none is.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return next(
        (layer.active for layer in lora_layers(model).values() if layer.active is not None), None
    )


def is_merged(model: nn.Module) -> bool:
    """Whether the adapter that is on is in the weights.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return any(layer.before is not None for layer in lora_layers(model).values())


def set_adapter(model: nn.Module, name: str | None) -> None:
    """Put this adapter on and all others off; None puts all off. What learns stays as it is.

    Raises:
        ValueError: no adapter of that name, a model whose adapter is merged.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if name is not None:
        check_known(model, name)
    _check_not_merged(model, "switching")
    for layer in lora_layers(model).values():
        layer.active = name if name in layer.adapters else None


def delete_adapter(model: nn.Module, name: str) -> None:
    """Take an adapter off the model; a layer without any is the plain one again.

    Raises:
        ValueError: no adapter of that name, a model whose adapter is merged.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    check_known(model, name)
    _check_not_merged(model, "deleting an adapter")
    for layer_name, layer in lora_layers(model).items():
        if name in layer.adapters:
            del layer.adapters[name]
            layer.active = None if layer.active == name else layer.active
        if not layer.adapters:
            model.set_submodule(layer_name, layer.plain())


def merge_adapter(model: nn.Module) -> None:
    """Add the adapter that is on to the weights, so that using it costs no time.

    The weights before are kept, for `unmerge_adapter` to put back to the bit. Training is to be
    done unmerged.

    Raises:
        ValueError: no adapter is on, or it is merged already.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    _check_not_merged(model, "merging again")
    if active_adapter(model) is None:
        raise ValueError(f"no adapter is on, so there is nothing to merge{_known(model)}")
    for layer in lora_layers(model).values():
        if layer.active is not None:
            layer.merge()


def unmerge_adapter(model: nn.Module) -> None:
    """Put the weights back that were there before `merge_adapter`; the adapter stays on.

    Raises:
        ValueError: no adapter is merged.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not is_merged(model):
        raise ValueError("no adapter is merged: merge_adapter does that")
    for layer in lora_layers(model).values():
        if layer.before is not None:
            layer.unmerge()


def merge_and_unload(model: nn.Module) -> None:
    """Merge the adapter that is on for good, and take all off: a plain model of other weights.

    Raises:
        ValueError: no adapter is on.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not is_merged(model):
        merge_adapter(model)
    for name, layer in lora_layers(model).items():
        model.set_submodule(name, layer.plain())


def check_known(model: nn.Module, name: str) -> None:
    """Raise ValueError unless the model has an adapter of that name.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if name not in adapters(model):
        raise ValueError(f"the model has no adapter {name!r}{_known(model)}")


def _check_name(model: nn.Module, name: str) -> None:
    if name in adapters(model):
        raise ValueError(
            f"the model has an adapter {name!r} already: delete_adapter takes it off; or choose "
            "another name"
        )
    # An nn.ModuleDict keeps them, beside methods of its own.
    if not re.fullmatch(r"[\w-]+", name) or hasattr(nn.ModuleDict, name):
        raise ValueError(
            f"an adapter cannot be called {name!r}: choose a name of letters, digits, _ and - that "
            "no method of nn.ModuleDict has"
        )


def _check_not_merged(model: nn.Module, what: str) -> None:
    if is_merged(model):
        raise ValueError(
            f"the adapter {active_adapter(model)!r} is merged into the weights: unmerge_adapter "
            f"before {what}"
        )


def _known(model: nn.Module) -> str:
    known = ", ".join(map(repr, adapters(model)))
    return f": it has {known}" if known else ": it has none, add_adapter gives it one"


def lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    """The layers that have adapters, by name.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return {name: m for name, m in model.named_modules() if isinstance(m, LoRALinear)}
