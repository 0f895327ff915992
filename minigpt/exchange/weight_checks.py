"""What stored weights must be for a GPT to be made of them; each error says what to do."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_count

# Parts of names that a GPT's tensors do not have, and what model does.
CAUSES = {
    "lora_": "it is a LoRA adapter's; join it with its model by peft's merge_and_unload first",
    **dict.fromkeys(
        (".SCB", "quant", "absmax", "qweight", "qzeros", "scales", "weight_scale"),
        "it is a quantised model's; load one that is not",
    ),
    "score": "it is a classifier's; load the model that it was made from",
}


def check_size(config: GPTConfig, files: list[Path]) -> None:
    """No number takes less than a byte, so a config that asks for more is of another model."""
    size, count = sum(path.stat().st_size for path in files), parameter_count(config)
    if count > size:
        raise ValueError(
            f"{files[0]} is no whole safetensors file of the sizes in config.json: they ask for "
            f"{count:,} numbers, and there are {size:,} bytes. Is it cut short, or do the two not "
            "belong together?"
        )


def check_tensor(stored: Tensor, parameter: Tensor, what: str) -> None:
    """Raise ValueError unless a tensor has a parameter's shape, and numbers that are not whole."""
    if stored.shape != parameter.shape:
        raise ValueError(
            f"{what} is {tuple(stored.shape)}; with the sizes in config.json it is "
            f"{tuple(parameter.shape)}: do the two files belong together?"
        )
    if not stored.is_floating_point():
        raise ValueError(
            f"{what} holds {stored.dtype}, no floating-point numbers: load a model that is not "
            "quantised"
        )


def check_same(tensor: Tensor, other: Tensor, names: tuple[str, str], file: Path) -> None:
    """Raise ValueError unless the tensors of two names in files, which are one, are equal."""
    if not torch.equal(tensor, other):
        first, second = sorted(names, reverse=True)
        ties = any("lm_head" in name for name in names)
        raise ValueError(
            f"{first} and {second} in {file} differ, although "
            + (
                "config.json ties them: set tie_word_embeddings to false there"
                if ties
                else "they are one tensor by two names, or in two files: take the wrong one out"
            )
        )


def cause(name: str) -> str:
    """Why a model may hold a tensor that a GPT does not have, and what to do."""
    for part, cause in CAUSES.items():
        if part in name:
            return cause
    return "do the two files belong together?"
