"""Tuning of a part: which of a model's parameters learn, and which stay as they are."""

from __future__ import annotations

from torch import nn

from minigpt.finetuning.classifier import Classifier
from minigpt.finetuning.ledger import trained_numbers
from minigpt.finetuning.lora import active_adapter, is_merged, lora_layers
from minigpt.model import GPT

PARTS = ("all", "last-block", "biases", "head", "adapter")


def train_only(model: GPT | Classifier, part: str) -> int:
    """Have a part of a model learn, and freeze the rest. Optimisers are to be made afterwards.

    Args:
        model: a `Classifier`'s own head learns with any part.
        part: "all": the whole model, without its adapters. "last-block": the last block, and the
            norm after it. "biases": what is added in linear layers and norms (Zaken et al. 2022).
            "head": the matrix of the scores; of a `Classifier` its own head alone. "adapter": the
            adapter that is on.

    Returns:
        How many numbers learn.

    Raises:
        ValueError: a part that is not in `PARTS`, or that the model lacks: biases, an adapter that
            is on, or a head of its own, as the token table is the tied head's matrix and would
            change what comes in, too; a merged adapter. The model is as it was.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if part not in PARTS:
        raise ValueError(f"part is {part!r}; choose one of {', '.join(PARTS)}")
    if is_merged(model):
        raise ValueError(
            f"the adapter {active_adapter(model)!r} is merged into the weights: unmerge_adapter, "
            "or merge_and_unload for good, before training"
        )
    is_classifier = isinstance(model, Classifier)
    gpt = model.model if is_classifier else model
    chosen = _parameters_of(gpt, part, is_classifier)
    model.requires_grad_(False)
    for parameter in chosen + (list(model.head.parameters()) if is_classifier else []):
        parameter.requires_grad_(True)
    return trained_numbers(model)


def _parameters_of(model: GPT, part: str, is_classifier: bool) -> list[nn.Parameter]:
    own = _own_parameters(model, with_head=not is_classifier)
    if part == "all":
        return list(own.values())
    if part == "last-block":
        last = f"blocks.{len(model.blocks) - 1}."
        return [p for name, p in own.items() if name.startswith((last, "final_norm."))]
    if part == "biases":
        if not (biases := [p for name, p in own.items() if name.endswith(".bias")]):
            raise ValueError("the model has no biases (config.bias is False): tune another part")
        return biases
    if part == "head":
        return [] if is_classifier else [_head(model)]
    if (name := active_adapter(model)) is None:
        raise ValueError(
            "no adapter is on: add_adapter gives the model one, set_adapter puts it on"
        )
    layers = [layer for layer in lora_layers(model).values() if layer.active == name]
    return [p for layer in layers for p in layer.adapters[name].parameters()]


def _own_parameters(model: GPT, with_head: bool) -> dict[str, nn.Parameter]:
    """Those of the model without its adapters; and without a head that nothing is asked of."""
    adapters = tuple(f"{name}.adapters." for name in lora_layers(model))
    return {
        name: p
        for name, p in model.named_parameters()
        if not name.startswith(adapters) and (with_head or not name.startswith("lm_head."))
    }


def _head(model: GPT) -> nn.Parameter:
    if model.lm_head.weight is model.token_embedding.weight:
        raise ValueError(
            "the head's matrix is the token table (config.tied): training it would change what "
            "comes in, too. Tune last-block; or give the model a head of its own first"
        )
    return model.lm_head.weight
