"""Take a GPT apart, train every version on the same budget, and store what each reached.

    python experiments/ablations.py                 # as stored: about an hour on one core
    python experiments/ablations.py --steps 20 --out /tmp/trial.json

Every version is trained on the characters of Shakespeare's plays, first at each learning rate of
RATES with one seed, then at its best one with the other seeds. Finished runs are kept in --out,
so an interrupted command goes on where it stopped. The chapter on the model draws the results.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from play_characters import play_characters
from stored_runs import command_line, write_runs
from torch import Tensor, nn
from tqdm.auto import tqdm
from windows import random_windows

from minigpt.data.whole_file import read_json
from minigpt.model import GPT, Block, GPTConfig
from minigpt.model.activations import activations
from minigpt.training import evaluate, next_token_loss
from minigpt.training.optimizer import parameter_groups
from minigpt.training.schedule import warmup_trapezoid

SIZES = {"context_length": 64, "n_layer": 6, "n_head": 4, "n_embd": 64}
STEPS, BATCH_SIZE = 1000, 16
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
SEEDS = (1, 2, 3, 4, 5)
MEASURED_ON = 100_000  # characters of the validation text


class NoResidual(Block):
    """Each part replaces the vectors instead of adding to them."""

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.norm_2(self.attention(self.norm_1(x))))


class PostNorm(Block):
    """The order of the first transformer: add, then normalise the sum."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm_1(x + self.attention(x))
        return self.norm_2(x + self.mlp(x))


class NoMLP(Block):
    def forward(self, x: Tensor) -> Tensor:
        return x + self.attention(self.norm_1(x))


class NoAttention(Block):
    def forward(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.norm_2(x))


def as_it_is(model: GPT) -> None:
    pass


def blocks_of(kind: type[Block], *unused: str) -> Callable[[GPT], None]:
    """The same blocks with another forward, less the parts that it does not call."""

    def change(model: GPT) -> None:
        for block in model.blocks:
            block.__class__ = kind
            for name in unused:
                delattr(block, name)

    return change


def post_norm(model: GPT) -> None:
    blocks_of(PostNorm)(model)
    model.final_norm = nn.Identity()  # the last block ends with a norm already


def no_residual(model: GPT) -> None:
    blocks_of(NoResidual)(model)
    unscaled(model)  # the scaled start is for what is added up


def no_norm(model: GPT) -> None:
    for block in model.blocks:
        block.norm_1, block.norm_2 = nn.Identity(), nn.Identity()
    model.final_norm = nn.Identity()


def no_positions(model: GPT) -> None:
    model.position_embedding.weight = nn.Parameter(
        torch.zeros_like(model.position_embedding.weight), requires_grad=False
    )


def untied(model: GPT) -> None:
    model.lm_head.weight = nn.Parameter(model.token_embedding.weight.detach().clone())


def unscaled(model: GPT) -> None:
    with torch.no_grad():
        for block in model.blocks:
            for last in (block.attention.projection, block.mlp.down):
                last.weight *= math.sqrt(2 * len(model.blocks))


VERSIONS = {
    "as it is": as_it_is,
    "unscaled start": unscaled,
    "untied": untied,
    "post-norm": post_norm,
    "no norm": no_norm,
    "no residual": no_residual,
    "no MLP": blocks_of(NoMLP, "norm_2", "mlp"),
    "no attention": blocks_of(NoAttention, "norm_1", "attention"),
    "no positions": no_positions,
}


def residual_rms(model: GPT, ids: Tensor) -> list[float | None]:
    """The root mean square of the vectors before the first block and after each, None for nan."""
    kept = activations(model, ids)
    names = ["dropout", *(f"blocks.{i}" for i in range(len(model.blocks)))]
    values = [kept[name].square().mean().sqrt().item() for name in names]
    return [round(value, 4) if math.isfinite(value) else None for value in values]


def run(
    version: str,
    seed: int,
    learning_rate: float,
    steps: int,
    texts: list[Tensor],
    stop: int | None = None,
) -> dict:
    """Train one version once; `stop` leaves after so many of the steps."""
    training, validation = texts
    length, vocab_size = SIZES["context_length"], int(training.max()) + 1
    generator = torch.Generator().manual_seed(seed)
    model = GPT(GPTConfig(vocab_size, **SIZES), generator)
    VERSIONS[version](model)
    probe = validation[: 32 * length].view(32, length)
    before = residual_rms(model, probe)
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    groups, parameters = parameter_groups(learned, weight_decay=0.1), list(learned.values())
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95))
    losses = []
    for step in range(steps if stop is None else stop):
        inputs, targets = random_windows(training, length, BATCH_SIZE, generator)
        loss = next_token_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * warmup_trapezoid(step, steps, min(100, steps))
        optimizer.step()
        losses.append(loss.item())
    size = max(1, steps // 20)
    curve = [sum(losses[i : i + size]) / size for i in range(0, len(losses) - size + 1, size)]
    reached = evaluate(model, validation, length)
    return {
        "version": version,
        "seed": seed,
        "learning_rate": learning_rate,
        "parameters": sum(p.numel() for p in parameters),
        "validation_loss": round(reached, 4) if math.isfinite(reached) else None,
        "training_curve": [round(x, 3) if math.isfinite(x) else None for x in curve],
        "rms_before": before,
        "rms_after": residual_rms(model, probe),
    }


def best_rate(runs: list[dict], version: str) -> float:
    """The rate with the least loss of the first seed; a run that diverged comes last."""
    tried = [r for r in runs if r["version"] == version and r["seed"] == SEEDS[0]]
    return min(tried, key=lambda r: r["validation_loss"] or math.inf)["learning_rate"]


def main() -> None:
    parser, arguments = command_line(__doc__, "ablations", STEPS)
    settings = SIZES | {
        "steps": arguments.steps,
        "batch_size": BATCH_SIZE,
        "measured_on": MEASURED_ON,
        "torch": torch.__version__,
    }
    runs: list[dict] = []
    if arguments.out.exists():
        try:
            earlier = read_json(arguments.out)
        except ValueError as error:
            parser.error(str(error))
        if not isinstance(earlier, dict) or earlier.get("settings") != settings:
            parser.error(f"{arguments.out} holds no runs of these settings: choose another --out")
        runs = earlier["runs"]
    texts = play_characters(MEASURED_ON)

    def once(version: str, seed: int, learning_rate: float) -> None:
        wanted = (version, seed, learning_rate)
        if all((r["version"], r["seed"], r["learning_rate"]) != wanted for r in runs):
            begin = time.perf_counter()
            runs.append(run(*wanted, arguments.steps, texts))
            seconds = round(time.perf_counter() - begin)
            tqdm.write(f"{wanted}: {runs[-1]['validation_loss']} after {seconds} s")
            write_runs(arguments.out, settings, runs)

    for version in tqdm(VERSIONS, unit="version"):
        for learning_rate in RATES:
            once(version, SEEDS[0], learning_rate)
        for seed in SEEDS[1:]:
            once(version, seed, best_rate(runs, version))


if __name__ == "__main__":
    main()
