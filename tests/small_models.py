"""Models small enough for a test, with numbers that tell their parts apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch
from torch import nn

from minigpt.model import GPT, GPTConfig

Model = TypeVar("Model", bound=nn.Module)

# The parameters of GPT-2's four sizes, as published.
GPT2_COUNTS = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def awake(model: Model, seed: int = 0, spread: float = 1.0) -> Model:
    """No number at its start: norms are not 1, biases not 0, and every part moves the scores.

    The model may be ours or of transformers, whose norms have other names.
    """
    generator = seeded(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=spread * parameter.shape[-1] ** -0.5, generator=generator)
            if ("norm" in name or "ln_" in name) and name.endswith("weight"):
                parameter.add_(1)
    return model


def on_meta(config: GPTConfig) -> GPT:
    """Its shapes without its numbers, so that any size is built at once."""
    with torch.device("meta"):
        return GPT(config)


def kinds_of(config: GPTConfig) -> dict[str, GPTConfig]:
    """A size as GPT-2 is, without biases, with a head of its own, and both."""
    return {
        "gpt2": config,
        "no-bias": replace(config, bias=False),
        "untied": replace(config, tied=False),
        "neither": replace(config, bias=False, tied=False),
    }
