"""Training continued on another text: the King James Bible, beside the plays that are forgotten."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from minigpt.data import train_validation_split
from minigpt.data.sets import open_text
from minigpt.finetuning import Replay
from minigpt.model import GPT
from minigpt.training import TextBatches, evaluate
from tuning.methods import ROWS, old_loss, plays, prepared, recipe_of, tokenizer, tuned

STEPS, BATCH, LENGTH, WINDOWS = 60, 8, 128, 40
SEEDS = (1, 2, 3)
Settings = dict[str, Any]


def grid() -> list[Settings]:
    """The runs, those first that the chapter needs most."""
    rows: list[tuple[str, float, dict[str, Any], tuple[int, ...]]] = [
        ("full", 5e-4, {}, SEEDS),
        ("lora", 3e-3, {"rank": 8}, SEEDS),
        ("full", 2e-4, {}, SEEDS),
        ("full", 5e-4, {"share": 0.25}, SEEDS),
        ("scratch", 1e-3, {}, SEEDS),
        ("lora", 1e-3, {"rank": 8}, SEEDS),
        ("lora", 1e-2, {"rank": 8}, SEEDS),
        ("last-block", 1e-3, {}, (1,)),
        ("last-block", 3e-3, {}, SEEDS),
        ("last-block", 1e-2, {}, (1,)),
        ("biases", 1e-2, {}, (1,)),
        ("biases", 3e-2, {}, SEEDS),
        ("full", 1e-2, {}, (1,)),
        ("lora", 3e-3, {"rank": 1}, SEEDS),
        ("lora", 3e-3, {"rank": 32}, SEEDS),
        ("full", 1e-4, {}, SEEDS),
        ("full", 5e-4, {"share": 0.125}, SEEDS),
        ("full", 5e-4, {"share": 0.5}, SEEDS),
        ("lora", 3e-3, {"rank": 4}, SEEDS),
    ]
    before = {"experiment": "bible", "method": "before", "seed": 1, "learning_rate": 0.0}
    runs = [before | {"steps": 0}]
    for name, rate, more, seeds in rows:
        for seed in seeds:
            run = {"experiment": "bible", "method": name, "seed": seed, "learning_rate": rate}
            runs.append(run | {"steps": STEPS} | more)
    return runs


@functools.cache
def texts() -> tuple[Tensor, Tensor]:
    """The tokens to learn from, and the beginning of the last tenth."""
    parts = train_validation_split(open_text("king-james-bible"))
    training = torch.tensor(tokenizer().encode(parts[0]))
    measured = torch.tensor(tokenizer().encode(parts[1][: WINDOWS * LENGTH * 8]))
    return training, measured[: WINDOWS * LENGTH + 1]


def figures(model: GPT) -> dict[str, float]:
    """`new`, `bits_per_byte` and `old`, as `experiments/finetuning.py` tells them."""
    measured = texts()[1]
    new = evaluate(model, measured, LENGTH, ROWS)
    size = len(tokenizer().decode(measured[1:].tolist()).encode())
    bits = new * (len(measured) - 1) / size / math.log(2)
    found = {"new": new, "bits_per_byte": bits, "old": old_loss(model)}
    return {name: round(value, 4) for name, value in found.items()}


def tuned_model(settings: Settings) -> tuple[GPT, dict[str, Any]]:
    """The model of a run, and what it cost."""
    seed = settings["seed"]
    model, trained = prepared(settings["method"], seed, settings.get("rank", 8))
    source = TextBatches(texts()[0], LENGTH, seed)
    if "share" in settings:
        source = Replay(source, TextBatches(plays()[0], LENGTH, seed), settings["share"])
    recipe = recipe_of(settings["learning_rate"], settings["steps"], BATCH, seed)
    losses, seconds = tuned(model, source, recipe)
    last = sum(losses[-10:]) / len(losses[-10:])
    return model, {"trained": trained, "training_loss": round(last, 4), "cpu_seconds": seconds}


def run(settings: Settings) -> dict[str, Any]:
    """One run's figures."""
    if settings["method"] == "before":
        return figures(prepared("full", 1)[0].eval())
    model, costs = tuned_model(settings)
    return figures(model) | costs
