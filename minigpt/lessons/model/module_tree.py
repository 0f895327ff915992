"""A model's parts, read off the object: names, classes, shapes, numbers and formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from minigpt.attention import CausalSelfAttention
from minigpt.attention.linear import Linear
from minigpt.embedding import PositionEmbedding, TokenEmbedding
from minigpt.model import GPT, MLP, Block
from minigpt.model.activations import activations


@dataclass(frozen=True)
class Part:
    """A module of a model, or several alike in a row.

    Args:
        name: as its parent calls it.
        kind: its class.
        shape: of what it puts out; None where that is no tensor, or nobody called it.
        parameters: of one, each tensor counted where the model has it first.
        times: how many are alike.
        same_as: modules that had some of its tensors first.
        formula: what it computes; None for a class that the book does not know.
        wired: `Block` or `GPT` itself, so that its wiring is known.
        parts: the modules in it.
    """

    name: str
    kind: type[nn.Module]
    shape: tuple[int, ...] | None
    parameters: int
    times: int
    same_as: tuple[str, ...]
    formula: str | None
    wired: bool
    parts: tuple[Part, ...]


def _layer_norm(norm: nn.LayerNorm) -> str:
    learned = "" if norm.weight is None else " · w"
    return f"(x − mean(x)) / √(variance(x) + {norm.eps:g}){learned}" + _plus_bias(norm)


def _linear(layer: nn.Linear) -> str:
    return f"x Wᵀ{_plus_bias(layer)}, where W is {_rows_by_columns(layer)}"


def _attention(attention: CausalSelfAttention) -> str:
    heads = f"{attention.n_head} heads"
    if attention.n_kv_head < attention.n_head:
        heads += f" ({attention.n_kv_head} of keys and values)"
    return f"in {heads}: softmax(mask(q kᵀ / √{attention.head_dim})) v, then projection"


def _dropout(dropout: nn.Dropout) -> str:
    if dropout.p == 0:
        return "x, as p = 0"
    return f"while training 0 with probability {dropout.p:g}, else x / {1 - dropout.p:g}; later x"


def _plus_bias(module: nn.Module) -> str:
    return "" if module.bias is None else " + b"


def _rows_by_columns(module: nn.Module) -> str:
    return " × ".join(f"{size:,}" for size in module.weight.shape)


# By the class itself: another of the same name, or made from one of these, may compute otherwise.
FORMULAS: dict[type[nn.Module], Callable[..., str]] = {
    TokenEmbedding: lambda table: f"W[id], where W is {_rows_by_columns(table)}",
    PositionEmbedding: lambda table: f"W[position], where W is {_rows_by_columns(table)}",
    nn.Dropout: _dropout,
    nn.Identity: lambda module: "x",
    nn.LayerNorm: _layer_norm,
    nn.Linear: _linear,
    Linear: _linear,
    CausalSelfAttention: _attention,
    MLP: lambda mlp: "down(GELU(up(x)))",
    Block: lambda block: "y = x + dropout(attention(norm_1(x))), then y + dropout(mlp(norm_2(y)))",
}

# The parts that the wiring of these two is drawn for.
_WIRED = {
    Block: ["norm_1", "attention", "norm_2", "mlp", "dropout"],
    GPT: ["token_embedding", "position_embedding", "dropout", "blocks", "final_norm", "lm_head"],
}


def parts_of(model: nn.Module, ids: torch.Tensor) -> Part:
    """The tree of a model's parts, with the shapes that they put out for `ids`.

    The model's state is left as it was; on the meta device it may hold no numbers.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()  # so that nothing is drawn at random or averaged
    try:
        kept = activations(model, ids)
    finally:
        for module, mode in modes.items():
            module.training = mode
    shapes = {module: tuple(kept[n].shape) for n, module in model.named_modules() if n in kept}
    return _part(model, "", "", shapes, {})


def _part(
    module: nn.Module,
    name: str,
    path: str,
    shapes: dict[nn.Module, tuple[int, ...]],
    first: dict[nn.Parameter, str],
) -> Part:
    """The tree below a module. `first` holds the module that had each tensor first."""
    count, same_as, me = 0, [], path or type(module).__name__
    for parameter in module.parameters(recurse=False):
        if first.setdefault(parameter, me) == me:
            count += parameter.numel()
        else:
            same_as.append(first[parameter])
    children = []
    for child_name, child in module.named_children():
        child_path = f"{path}.{child_name}".lstrip(".")
        children.append(_part(child, child_name, child_path, shapes, first))
    lists = [child.name for child in children if child.kind is nn.ModuleList]
    wired = [child.name for child in children] == _WIRED.get(type(module))
    groups = []
    for child in children:
        # Nobody calls a ModuleList: the groups of its members stand in its place.
        listed = child.kind is nn.ModuleList
        groups += _grouped(child) if listed else [child]
    return Part(
        name=name,
        kind=type(module),
        shape=shapes.get(module),
        parameters=count + sum(child.parameters * child.times for child in groups),
        times=1,
        same_as=tuple(dict.fromkeys(same_as)),
        formula=FORMULAS[type(module)](module) if type(module) in FORMULAS else None,
        wired=wired and lists == (["blocks"] if type(module) is GPT else []),
        parts=tuple(groups),
    )


def _grouped(listed: Part) -> list[Part]:
    """The members of a ModuleList, those alike and in a row as one."""
    groups: list[list[Part]] = []
    for member in listed.parts:
        if groups and replace(groups[-1][0], name="") == replace(member, name=""):
            groups[-1].append(member)
        else:
            groups.append([member])
    out, start = [], 0
    for group in groups:
        end = start + len(group)
        which = f"[{start}]" if len(group) == 1 else f"[{start}:{end}]"
        name = listed.name if len(groups) == 1 and len(group) > 1 else listed.name + which
        out.append(replace(group[0], name=name, times=len(group)))
        start = end
    return out
