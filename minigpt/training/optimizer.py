"""Which optimiser moves which parameter, and how far."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from minigpt.training.muon import Muon
from minigpt.training.recipe import Recipe
from minigpt.training.schedule import warmup_cosine, warmup_trapezoid

MOMENTUM = (0.85, 0.95)  # Muon's, at the first step and from step MOMENTUM_STEPS on
MOMENTUM_STEPS = 300


def parameter_groups(parameters: dict[str, Tensor], weight_decay: float) -> list[dict[str, Any]]:
    """Matrices and tables, which decay, and vectors (biases, norms), which do not.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    decay = [p for p in parameters.values() if p.dim() >= 2]
    keep = [p for p in parameters.values() if p.dim() < 2]
    groups = [
        {"params": decay, "weight_decay": weight_decay},
        {"params": keep, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """The optimisers of a recipe: AdamW for everything, or Muon for the matrices of the blocks.

    Only parameters that require a gradient are moved; an optimiser that would have none is left
    out.

    Raises:
        ValueError: all parameters are frozen.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError(
            "all parameters of the model are frozen (requires_grad is False), so nothing can "
            "learn: have a part of it learn first"
        )
    optimizers: list[torch.optim.Optimizer] = []
    if recipe.optimizer == "muon":
        matrices = {n: p for n, p in parameters.items() if n.startswith("blocks.") and p.dim() == 2}
        parameters = {n: p for n, p in parameters.items() if n not in matrices}
        optimizers += _muon(matrices, recipe)
    if parameters:
        optimizers.append(
            torch.optim.AdamW(
                parameter_groups(parameters, recipe.weight_decay),
                lr=recipe.learning_rate,
                betas=(recipe.beta_1, recipe.beta_2),
                eps=1e-8,
                fused=True,
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest_lr"] = group["lr"]
    return optimizers


def _muon(matrices: dict[str, Tensor], recipe: Recipe) -> list[Muon]:
    """Of the matrices, if there are any."""
    # Queries, keys and values are three matrices that happen to lie in one.
    stacked = [p for name, p in matrices.items() if name.endswith("attention.qkv.weight")]
    single = [p for name, p in matrices.items() if not name.endswith("attention.qkv.weight")]
    groups = [{"params": single}, {"params": stacked, "parts": 3}]
    groups = [group for group in groups if group["params"]]
    settings = {"lr": recipe.muon_learning_rate, "weight_decay": recipe.weight_decay}
    return [Muon(groups, **settings)] if groups else []


def set_rates(optimizers: list[torch.optim.Optimizer], recipe: Recipe, step: int) -> float:
    """Give every optimiser the learning rate of a step; returns its share of the highest.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    if recipe.schedule == "cosine":
        share = warmup_cosine(step, recipe.steps, recipe.warmup, recipe.final)
    else:
        share = warmup_trapezoid(step, recipe.steps, recipe.warmup, recipe.decay)
    first, last = MOMENTUM
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = share * group["highest_lr"]
            if isinstance(optimizer, Muon):
                group["momentum"] = first + (last - first) * min(1.0, step / MOMENTUM_STEPS)
    return share
