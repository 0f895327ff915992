"""How much of a full tuning is left when every matrix's change is cut to a low rank."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from minigpt.model import GPT
from tuning import bible
from tuning.methods import prepared

RANKS = (0, 1, 2, 4, 8, 16, 32, 64, 160)  # the last: all, the width of the model
TELLING = "blocks.3.attention.qkv.weight"
SEED, RATE = 1, 5e-4
LAYERS = ("qkv.weight", "projection.weight", "up.weight", "down.weight")


def grid() -> list[dict[str, Any]]:
    """Everything cut; then the matrices of the linear layers alone, all else as before tuning."""
    common = {"seed": SEED, "learning_rate": RATE, "steps": bible.STEPS}
    runs = [
        {"experiment": "ranks", "method": "full"} | common | {"of": of, "rank": rank}
        for of in ("all", "layers")
        for rank in RANKS
    ]
    return [*runs, {"experiment": "singular values", "method": "full"} | common]


def cut(change: Tensor, rank: int) -> Tensor:
    """The nearest of that rank, in the sum of squares (Eckart and Young 1936).

    A vector is a matrix of rank 1: it is kept whole from rank 1 on.
    """
    if change.dim() < 2:
        return change if rank else torch.zeros_like(change)
    u, s, v = torch.linalg.svd(change.double(), full_matrices=False)
    return ((u[:, :rank] * s[:rank]) @ v[:rank]).to(change.dtype)


@functools.cache
def changes(steps: int) -> dict[str, Tensor]:
    """What full tuning changed, by the parameter's name."""
    settings = {"method": "full", "seed": SEED, "learning_rate": RATE, "steps": steps}
    model, _ = bible.tuned_model(settings)
    before = dict(prepared("full", SEED)[0].named_parameters())
    return {name: (p - before[name]).detach() for name, p in model.named_parameters()}


def with_rank(rank: int, of: str, steps: int) -> tuple[GPT, float]:
    """The model with what is left of the change, and its share of the sum of squares."""
    model, changed = prepared("full", SEED)[0], changes(steps)
    kept = whole = 0.0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            change = changed[name]
            whole += change.square().sum().item()
            if of == "all" or name.endswith(LAYERS):
                left = cut(change, rank)
                kept += left.square().sum().item()
                parameter += left
    return model.eval(), kept / whole


def run(settings: dict[str, Any]) -> dict[str, Any]:
    """What a cut leaves; or the singular values of one matrix's change, largest first."""
    if settings["experiment"] == "singular values":
        values = torch.linalg.svdvals(changes(settings["steps"])[TELLING].double()).tolist()
        return {"matrix": TELLING, "values": [round(value, 4) for value in values]}
    model, kept = with_rank(settings["rank"], settings["of"], settings["steps"])
    return bible.figures(model) | {"kept": round(kept, 4)}
