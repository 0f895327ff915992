"""Ways to tune the shipped model, and what it still knows of the plays."""

from __future__ import annotations

import functools
import time
from dataclasses import replace

import torch
from torch import Tensor

import minigpt
from minigpt.data import shakespeare, train_validation_split
from minigpt.finetuning import LoRAConfig, add_adapter, train_only
from minigpt.finetuning.tuning_recipe import TUNING
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer
from minigpt.training import Batches, Recipe, Trainer, evaluate

OLD_WINDOWS, OLD_LENGTH = 40, 256
ROWS = 8  # windows at a time, when measuring


@functools.cache
def tokenizer() -> BPETokenizer:
    """That of the shipped model."""
    return BPETokenizer.shakespeare()


@functools.cache
def plays() -> tuple[Tensor, Tensor]:
    """The tokens that the shipped model learned from, and the first of those it did not."""
    parts = train_validation_split(shakespeare())
    training, validation = (torch.tensor(tokenizer().encode(text)) for text in parts)
    return training, validation[: OLD_WINDOWS * OLD_LENGTH + 1]


def old_loss(model: GPT) -> float:
    """On the plays that the shipped model has not seen, in nats per token."""
    return evaluate(model, plays()[1], OLD_LENGTH, ROWS)


def prepared(method: str, seed: int, rank: int = 8) -> tuple[GPT, int]:
    """A model that is to be tuned, without dropout, and how many of its numbers will learn.

    Args:
        method: "full", "lora", "last-block", "biases", or "scratch": all of a model that starts
            from random numbers, which shows what the task alone gives away.
        seed: of an adapter's start, and of those numbers.
        rank: of an adapter; its alpha is twice as much.
    """
    generator = torch.Generator().manual_seed(seed)
    shipped, _ = minigpt.load("shakespeare")
    model = GPT(replace(shipped.config, dropout=0.0), generator)
    if method != "scratch":
        model.load_state_dict(shipped.state_dict())
    if method == "lora":
        return model, add_adapter(model, LoRAConfig(rank, 2 * rank), generator=generator)
    part = "all" if method in ("full", "scratch") else method
    return model, train_only(model, part)


def recipe_of(rate: float, steps: int, batch_size: int, seed: int) -> Recipe:
    """`TUNING` at another rate, for so many steps."""
    changes = {"learning_rate": rate, "steps": steps, "batch_size": batch_size, "seed": seed}
    return replace(TUNING, warmup=min(TUNING.warmup, steps), **changes)


def tuned(model: GPT, source: Batches, recipe: Recipe) -> tuple[list[float], float]:
    """Take a recipe's steps; returns each one's loss, and the seconds of CPU time."""
    trainer, begun = Trainer(model, source, recipe), time.process_time()
    losses = [trainer.step() for _ in range(recipe.steps)]
    model.eval()
    return losses, round(time.process_time() - begun, 1)
