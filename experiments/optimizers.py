"""Train one small GPT with AdamW and with Muon on the same budget, and store the loss curves.

    python experiments/optimizers.py                # as stored: about ten minutes on one core
    python experiments/optimizers.py --steps 20 --out /tmp/trial.json

Each optimiser first tries every learning rate of its own list with one seed, then takes its best
one to the other seeds. Everything else is equal: model, windows, schedule, steps.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch
from curves import MEASURED_ON
from play_characters import play_characters
from stored_runs import at_best_rate, command_line, write_runs
from torch import Tensor

from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Recipe, Trainer, evaluate

SIZES = {"context_length": 64, "n_layer": 4, "n_head": 4, "n_embd": 64}
STEPS, EVALUATE_EVERY = 1000, 50
COMMON = replace(RECIPES["fast"], batch_size=16, warmup=50)  # schedule, betas, no decay
RATES = {"adamw": (1e-3, 3e-3, 1e-2, 3e-2), "muon": (5e-3, 1e-2, 2e-2, 4e-2)}
SEEDS = (1, 2, 3, 4, 5)


def recipe_of(optimizer: str, rate: float, seed: int, steps: int) -> Recipe:
    """`rate` is Muon's for Muon, whose AdamW keeps the fast recipe's, and AdamW's for AdamW."""
    name = "muon_learning_rate" if optimizer == "muon" else "learning_rate"
    warmup = min(COMMON.warmup, steps)
    changes = {"optimizer": optimizer, "seed": seed, "steps": steps, "warmup": warmup, name: rate}
    return replace(COMMON, **changes)


def run(
    optimizer: str,
    rate: float,
    seed: int,
    texts: list[Tensor],
    steps: int = STEPS,
    stop: int | None = None,
) -> dict:
    """One run; `stop` leaves after so many of the steps."""
    training, validation = texts
    vocab_size = int(max(training.max(), validation.max())) + 1
    model = GPT(GPTConfig(vocab_size, **SIZES), torch.Generator().manual_seed(seed))
    trainer = Trainer(model, training, recipe_of(optimizer, rate, seed, steps))
    losses = [evaluate(model, validation, SIZES["context_length"])]
    for step in range(steps if stop is None else stop):
        trainer.step()
        if (step + 1) % EVALUATE_EVERY == 0:
            losses.append(evaluate(model, validation, SIZES["context_length"]))
    return {
        "optimizer": optimizer,
        "learning_rate": rate,
        "seed": seed,
        "validation_loss": [round(loss, 4) for loss in losses],
    }


def last_loss(result: dict) -> float:
    loss = result["validation_loss"][-1]
    return loss if math.isfinite(loss) else math.inf


def main() -> None:
    _, arguments = command_line(__doc__, "optimizers", STEPS)
    texts = play_characters(MEASURED_ON)
    runs = []
    for optimizer, rates in RATES.items():
        one = partial(run, optimizer, texts=texts, steps=arguments.steps)
        runs += at_best_rate(optimizer, one, rates, SEEDS, last_loss)
    settings = SIZES | {
        "steps": arguments.steps,
        "batch_size": COMMON.batch_size,
        "evaluate_every": EVALUATE_EVERY,
        "measured_on": len(texts[1]),
        "torch": torch.__version__,
    }
    write_runs(arguments.out, settings, runs)


if __name__ == "__main__":
    main()
