"""An adapter in a folder, in the form that peft reads: its sizes and its matrices, not the model.

``adapter_config.json`` and ``adapter_model.safetensors`` are those of an adapter on transformers'
``GPT2LMHeadModel``, as which transformers opens what `minigpt.exchange.save` wrote. What peft
saved opens too, whether it was trained on that model or on our own GPT.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from minigpt.data.whole_file import write_whole
from minigpt.exchange.checkpoint import DTYPES
from minigpt.exchange.digests import with_digests
from minigpt.exchange.weight_files import metadata
from minigpt.finetuning.adapter_reading import SETTINGS, WEIGHTS, read_adapter, weights_in
from minigpt.finetuning.lora import add_adapter, check_known, lora_layers
from minigpt.finetuning.lora_linear import Adapter, LoRAConfig
from minigpt.finetuning.peft_format import (
    MATRICES,
    PREFIX,
    gpt2_layer,
    peft_settings,
)
from minigpt.finetuning.targets import linear_layers, shortest_targets
from minigpt.model import GPT
from minigpt.training.state import digest_of

BASE = "sha256 of the base"  # in the metadata of the weights


def save_adapter(
    model: GPT, folder: str | Path, name: str = "default", dtype: torch.dtype = torch.float32
) -> None:
    """Write an adapter into a folder that `load_adapter` and peft open.

    The file also says, by a digest, which model the adapter is for.

    Args:
        model: with the adapter, on or off, merged or not.
        folder: of this adapter alone; made if it is not there; the folder above it must be.
        name: the adapter's in the model; the folder does not hold it.
        dtype: how the matrices are stored; float16 halves the file.

    Raises:
        ValueError: no adapter of that name; numbers that are not finite, or not as `dtype`; a
            dtype that is not in `minigpt.exchange.checkpoint.DTYPES`.
        FileExistsError: the folder holds a model, or an adapter of other sizes.
        FileNotFoundError: there is no folder to make it in.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    folder = Path(folder)
    check_known(model, name)
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype}; weights are {', '.join(map(str, DTYPES))}")
    if not folder.parent.is_dir():
        raise FileNotFoundError(
            f"no folder {folder.parent} to make {folder.name} in: make it first"
        )
    if (folder / "config.json").exists():
        raise FileExistsError(
            f"{folder} holds a model, which transformers would then open with the adapter on: "
            "choose a folder for the adapter alone"
        )
    layers = {n: x.adapters[name] for n, x in lora_layers(model).items() if name in x.adapters}
    tensors = _tensors(layers, dtype)
    theirs = [gpt2_layer(layer) for layer in linear_layers(model)]
    modules = shortest_targets([gpt2_layer(layer) for layer in layers], theirs, parts=2)
    config = next(iter(layers.values())).config
    settings = (json.dumps(peft_settings(config, modules), indent=2) + "\n").encode()
    if (path := folder / SETTINGS).exists() and path.read_bytes() != settings:
        raise FileExistsError(
            f"{folder} holds another adapter, whose {SETTINGS} differs: choose another folder"
        )
    folder.mkdir(exist_ok=True)
    write_whole(path, settings)
    write_whole(folder / WEIGHTS, with_digests(tensors, {"format": "pt", BASE: base_digest(model)}))


def load_adapter(
    model: GPT,
    folder: str | Path,
    name: str = "default",
    trained: bool = False,
    other_base: bool = False,
) -> LoRAConfig:
    """Put an adapter from a folder on a model; it is then on.

    Args:
        model: all that it has is frozen, as by `add_adapter`.
        folder: that `save_adapter` wrote, or peft.
        name: what the adapter is to be called.
        trained: let it learn further.
        other_base: take it although it was saved for another model. What peft saved does not say
            for which.

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: a file that is cut short or of another kind; a setting that our adapters do not
            compute, by its name; a tensor that is missing, not expected, of another shape or kind,
            not finite, or not what `save_adapter` wrote, by its name in the file; an adapter for
            another model; a name that is taken, or a merged model, as `add_adapter`. The model
            is as it was.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    path = weights_in(Path(folder))
    config, matrices = read_adapter(path, model)
    base = metadata(path).get(BASE)
    if base is not None and not other_base and base != base_digest(model):
        raise ValueError(
            f"{path} was saved for a model of other weights, on which it would do something else: "
            "load that model; or, if it is meant, give other_base=True"
        )
    add_adapter(model, config, name, torch.Generator())
    model.requires_grad_(False)
    for layer, module in lora_layers(model).items():
        if name in module.adapters:
            adapter = module.adapters[name].requires_grad_(trained)
            with torch.no_grad():
                adapter.A.copy_(matrices[layer, "A"])
                adapter.B.copy_(matrices[layer, "B"])
    return config


def _tensors(layers: dict[str, Adapter], dtype: torch.dtype) -> dict[str, Tensor]:
    """The matrices by peft's names, as they are stored."""
    tensors = {}
    for layer, adapter in layers.items():
        for ending, matrix in MATRICES.items():
            tensor = getattr(adapter, matrix).detach().cpu().to(dtype).contiguous()
            if not tensor.isfinite().all():
                raise ValueError(
                    f"{matrix} of {layer} would hold numbers that are not finite as {dtype}: has "
                    "training diverged, or does it need float32?"
                )
            tensors[PREFIX + gpt2_layer(layer) + ending] = tensor
    return tensors


def base_digest(model: GPT) -> str:
    """SHA-256 of a model's own weights and heads, whatever adapters it has: the same for weights
    that were stored in fewer bits and read into float32.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    layers = lora_layers(model)
    weights = {}
    for name, parameter in model.named_parameters():
        layer, _, last = name.rpartition(".")
        if layer in layers and last == "weight" and layers[layer].before is not None:
            parameter = layers[layer].before
        if layer in layers or not any(name.startswith(f"{above}.") for above in layers):
            weights[name] = parameter.detach().cpu().float()
    return digest_of(weights, str(model.config.n_head))
