"""Give the book's model induction heads, see when it learns to copy, and store the curves.

    python experiments/induction.py                 # as stored: about half an hour on one core
    python experiments/induction.py --steps 20 --out /tmp/trial.json

The shipped model goes on with rows in which a stretch comes again, half of each batch, and with
its plays. What it is surprised at, and where its heads look, is measured on the way. Then it and
the shipped one are tuned on tasks that must copy, with the same examples.
"""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import torch
from copy_tasks import TASKS, examples, mixed_up, share_right, verse_lines
from going_on import (
    BATCH,
    EVERY,
    FAR,
    LENGTH,
    MEASURED_ON,
    MUON_TABLE_RATE,
    ROWS,
    STEPS,
    STRETCH,
    Material,
    Way,
    go_on,
    material,
    plays_loss,
)
from stored_runs import command_line, write_runs
from tqdm.auto import trange

from minigpt.finetuning import Examples
from minigpt.finetuning.tuning_recipe import TUNING
from minigpt.model import GPT
from minigpt.training import Trainer

TASK_BATCH, QUESTIONS = 32, 100
SEEDS = (1, 2, 3)

FULL = Way("full", 0.02)
OTHERS = (
    Way("adapter", 0.04, rank=8, times=1.5),
    Way("adapter", 0.01, rank=8, times=1.5),
    Way("full, AdamW", 2e-3, muon=False),
    Way("plays alone", 0.02, plays=1),
)


def unheard(of: Material) -> list[str]:
    """Lines from all over the validation text, which stand nowhere in the training text."""
    heard = {*verse_lines(of.texts[0])}
    lines = [line for line in verse_lines(of.texts[1]) if line not in heard]
    return lines[:: len(lines) // QUESTIONS][:QUESTIONS]


def learn_tasks(
    name: str, start: GPT, seed: int, of: Material, steps: int, muon: bool = False
) -> dict:
    """A model tuned on all the tasks, and its share of right answers about lines never heard."""
    begin = time.process_time()
    model = copy.deepcopy(start)
    rows = examples(verse_lines(of.texts[0]), steps * TASK_BATCH, of.tokenizer, seed)
    warmup = min(TUNING.warmup, steps)
    recipe = replace(TUNING, steps=steps, batch_size=TASK_BATCH, warmup=warmup, seed=seed)
    if muon:
        rates = {"learning_rate": FULL.learning_rate * MUON_TABLE_RATE}
        rates["muon_learning_rate"] = FULL.learning_rate
        recipe = replace(recipe, optimizer="muon", **rates)
    trainer = Trainer(model, Examples(rows, model.config.context_length, seed), recipe)
    losses = [trainer.step() for _ in trange(steps, desc=f"tasks, {name}, seed {seed}")]
    asked = unheard(of)
    right = {task: share_right(model, of.tokenizer, task, asked) for task in TASKS}
    mixed = [mixed_up(line, 0) for line in asked]
    right["again_mixed_up"] = share_right(model, of.tokenizer, "again", mixed)
    last = losses[-10:]
    run = {"experiment": "tasks", "method": name, "seed": seed, "steps": steps}
    run |= {"optimizer": recipe.optimizer, "questions": len(asked)} | right
    run |= {"loss": round(sum(last) / len(last), 4), "plays": round(plays_loss(model, of), 4)}
    return run | {"seconds": round(time.process_time() - begin)}


def main() -> None:
    _, arguments = command_line(__doc__, "induction", STEPS)
    steps, of = arguments.steps, material()
    few = max(1, steps // 4)
    settings = {"length": LENGTH, "batch": BATCH, "stretch": STRETCH, "far": FAR, "rows": ROWS}
    settings |= {"every": EVERY, "task_batch": TASK_BATCH, "questions": QUESTIONS}
    settings |= {"windows": MEASURED_ON, "torch": torch.__version__}
    runs = []

    def keep(run: dict) -> None:
        runs.append(run)
        write_runs(arguments.out, settings, runs)  # so that what is done is there

    run, with_heads = go_on(FULL, 1, of, steps)
    keep(run)
    for seed in SEEDS:
        keep(learn_tasks("shipped", of.model, seed, of, few))
        keep(learn_tasks("with induction", with_heads, seed, of, few))
    # As many steps in all as the one with induction has had, and its optimiser.
    keep(learn_tasks("shipped, longer", of.model, 1, of, steps + few, muon=True))
    for way, seed in [(FULL, 2), *((way, 1) for way in OTHERS)]:
        keep(go_on(way, seed, of, steps)[0])


if __name__ == "__main__":
    main()
