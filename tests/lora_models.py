"""Models with adapters that do something, for the tests of this folder."""

from __future__ import annotations

import torch
from small_models import awake, seeded
from torch import Tensor

from minigpt.finetuning import LoRAConfig, add_adapter
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
LORA = LoRAConfig(rank=3, alpha=6.0)


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    return awake(GPT(config, seeded(seed)), seed).eval()


def moved(model: GPT, name: str = "default", seed: int = 2) -> GPT:
    """An adapter's matrices are as after some training: B is not 0."""
    generator = seeded(seed)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if f".adapters.{name}." in key:
                p.normal_(std=0.3, generator=generator)
    return model


def adapted(config: GPTConfig = CONFIG, lora: LoRAConfig = LORA, name: str = "default") -> GPT:
    model = made(config)
    add_adapter(model, lora, name, seeded(1))
    return moved(model, name)


def some_ids(rows: int = 2, length: int = 7, seed: int = 3) -> Tensor:
    return torch.randint(CONFIG.vocab_size, (rows, length), generator=seeded(seed))
