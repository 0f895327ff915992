"""Which linear layers of a model an adapter's targets name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from torch import nn

from minigpt.finetuning.lora_linear import LoRAConfig


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """Every linear layer by its name in the model.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}


def targeted_layers(model: nn.Module, config: LoRAConfig) -> dict[str, nn.Linear]:
    """The layers that a config's targets name, in the model's order.

    Raises:
        ValueError: a target that names none, or a layer whose matrix another part of the model
            uses, a rank above a layer's sizes.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    everyone = linear_layers(model)
    found = {}
    for target in config.targets:
        named = {n: m for n, m in everyone.items() if n == target or n.endswith(f".{target}")}
        if not named:
            ends = sorted({name.rpartition(".")[2] for name in everyone})
            raise ValueError(
                f"targets has {target!r}, and no linear layer of the model has that name: there "
                f"are {', '.join(ends) or 'none'}"
            )
        found |= named
    _check_own(model, found)
    for name, layer in found.items():
        if config.rank > min(layer.weight.shape):
            raise ValueError(
                f"rank is {config.rank}, and {name} is a matrix of {layer.out_features} x "
                f"{layer.in_features}, whose rank is at most {min(layer.weight.shape)}: choose a "
                "smaller one"
            )
    return {name: layer for name, layer in everyone.items() if name in found}


def shortest_targets(chosen: Collection[str], everyone: Collection[str], parts: int) -> list[str]:
    """Targets that name these layers and no others: their last `parts` where all that end so are
    meant, else whole names.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    ends = {name: ".".join(name.split(".")[-parts:]) for name in everyone}
    left_out = {ends[name] for name in everyone if name not in chosen}
    return sorted({name if ends[name] in left_out else ends[name] for name in chosen})


def _check_own(model: nn.Module, layers: dict[str, nn.Linear]) -> None:
    """A merge changes the matrix, so nobody else may use it."""
    everyone = [(id(p), name) for name, p in model.named_parameters(remove_duplicate=False)]
    users = Counter(number for number, _ in everyone)
    for name, layer in layers.items():
        if users[id(layer.weight)] > 1:
            others = [n for number, n in everyone if number == id(layer.weight)]
            raise ValueError(
                f"{name} has no matrix of its own: {' and '.join(others)} are one (tied), and a "
                "merged adapter would change both; leave it out of targets"
            )
