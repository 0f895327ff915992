"""Train one GPT with the readers' first loop and with what is added to it, and store the losses.

    python experiments/better_loop.py               # as stored: about half an hour on one core
    python experiments/better_loop.py --steps 20 --out /tmp/trial.json

The first loop is `my_gpt.learn`, and "with both" is `my_gpt.train`. Each tries every learning rate
with one seed, then takes its best one to the others. At last "with both" trains one block and two
for five times as many steps, with each seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from ladder import BATCH, HEADS, LENGTH, MEASURED_ON, RATES, SEED, STEPS, WIDTH
from play_characters import play_characters
from stored_runs import at_best_rate, command_line, write_runs
from torch import Tensor, nn

import my_gpt

WARMUP, CLIP = 50, 1.0
TIMES = 5  # as many steps, for the longer runs
SEEDS = (SEED, SEED + 1, SEED + 2)
EVERY = 20  # steps whose mean training loss is stored


@dataclass(frozen=True)
class Loop:
    """What a loop has: the chapter's AdamW instead of torch's, a schedule, clipping."""

    name: str
    own_adamw: bool = True
    schedule: bool = True
    clip: bool = True
    layers: int = 2


LOOPS = (
    Loop("learn", own_adamw=False, schedule=False, clip=False),
    Loop("own AdamW", schedule=False, clip=False),
    Loop("with schedule", clip=False),
    Loop("with clipping", schedule=False),
    Loop("with both"),
    Loop("one block, with both", layers=1),
)
LONGER = (Loop("one block, longer", layers=1), Loop("two blocks, longer"))  # as "trained longer"
LONGER_RATE = 0.01  # the best of both in 1,000 steps


def run(
    loop: Loop,
    rate: float,
    seed: int,
    texts: list[Tensor],
    steps: int = STEPS,
    stop: int | None = None,
) -> dict:
    """One run; `stop` leaves after so many of the steps."""
    training, validation = texts
    torch.manual_seed(seed)
    size = int(max(training.max(), validation.max())) + 1
    model = my_gpt.GPT(size, LENGTH, loop.layers, HEADS, WIDTH)
    if loop.own_adamw:
        optimizer = my_gpt.AdamW(model.parameters(), rate)
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    losses = []
    for step in range(steps if stop is None else stop):
        if loop.schedule:
            optimizer.rate = rate * my_gpt.share_of_rate(step, steps, min(WARMUP, steps - 1))
        loss = my_gpt.loss_of(model, *my_gpt.windows(training, BATCH, LENGTH))
        model.zero_grad()
        loss.backward()
        if loop.clip:
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.item())
    means = [sum(losses[i : i + EVERY]) / EVERY for i in range(0, len(losses) - EVERY + 1, EVERY)]
    return {
        "loop": loop.name,
        "learning_rate": rate,
        "seed": seed,
        "loss": round(my_gpt.measure(model.double(), validation, LENGTH), 4),
        "training_loss": [round(x, 3) for x in means],
    }


def main() -> None:
    _, arguments = command_line(__doc__, "better_loop", STEPS)
    texts = play_characters(MEASURED_ON)
    runs = []
    for loop in LOOPS:
        one = partial(run, loop, texts=texts, steps=arguments.steps)
        runs += at_best_rate(loop.name, one, RATES, SEEDS, lambda result: result["loss"])
    for loop in LONGER:
        runs += [run(loop, LONGER_RATE, seed, texts, TIMES * arguments.steps) for seed in SEEDS]
    settings = {
        "width": WIDTH,
        "heads": HEADS,
        "batch": BATCH,
        "length": LENGTH,
        "steps": arguments.steps,
        "every": EVERY,
        "measured_on": len(texts[1]),
        "torch": torch.__version__,
    }
    write_runs(arguments.out, settings, runs)


if __name__ == "__main__":
    main()
