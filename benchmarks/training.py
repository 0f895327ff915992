"""Our training against nanoGPT's, on its own CPU recipe: 0.8 M parameters, 12 × 64 characters.

    python benchmarks/training.py --nanogpt PATH --text FILE [--quick]

PATH is a checkout of https://github.com/karpathy/nanoGPT, FILE its text, tiny Shakespeare
(data/shakespeare_char/input.txt, which its prepare.py fetches); without them nothing is measured.
Their model and optimiser are theirs, run by their train.py's steps: a mapped file of 16-bit ids,
float32, AdamW, clipping at 1, and the loss read at every step. The first nine tenths of the text
are trained on. Losses are measured alike for both, over all of the rest.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from harness import alternate, machine, print_ratios, print_table, versions
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.data import read_text, train_validation_split
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import RECIPES, Recipe, Trainer, evaluate
from minigpt.training.muon import Muon

LENGTH, BATCH_SIZE, STEPS = 64, 12, 2000
SIZES = {"n_layer": 4, "n_head": 4, "n_embd": 128}
SHORT = 400  # steps in which the fast recipe is to reach their loss: a fifth of theirs
THEIR_RECIPE = Recipe(steps=STEPS, batch_size=BATCH_SIZE)  # rates, betas, decay, clip as theirs


class NanoGPT:
    """nanoGPT's model and optimiser, and a step as its train.py takes it."""

    def __init__(self, checkout: Path, ids_file: Path, vocab_size: int) -> None:
        spec = importlib.util.spec_from_file_location("nanogpt_model", checkout / "model.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        torch.manual_seed(1337)
        sizes = {"block_size": LENGTH, "vocab_size": vocab_size, "dropout": 0.0, "bias": False}
        self.model = module.GPT(module.GPTConfig(**sizes, **SIZES))
        self.optimizer = self.model.configure_optimizers(0.1, 1e-3, (0.9, 0.99), "cpu")
        self.ids_file, self.steps_taken = ids_file, 0
        self.batch = self.next_batch()

    def next_batch(self) -> tuple[Tensor, Tensor]:
        data = np.memmap(self.ids_file, dtype=np.uint16, mode="r")
        starts = torch.randint(len(data) - LENGTH, (BATCH_SIZE,))
        return tuple(
            torch.stack(
                [torch.from_numpy(data[i + s : i + s + LENGTH].astype(np.int64)) for i in starts]
            )
            for s in (0, 1)
        )

    def rate(self) -> float:
        if self.steps_taken < 100:
            return 1e-3 * (self.steps_taken + 1) / 101
        way = (self.steps_taken - 100) / (STEPS - 100)
        return 1e-4 + 0.5 * (1 + math.cos(math.pi * way)) * 9e-4

    def step(self) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        _, loss = self.model(*self.batch)
        self.batch = self.next_batch()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps_taken += 1
        return loss.item()


class TheirLogits(nn.Module):
    """Their forward gives the scores of all places only where it is given targets."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(ids, ids.contiguous())[0]


def exact_gelu(mlp: nn.Module) -> Callable[[Tensor], Tensor]:
    """Their MLP: GPT-2's is the approximation by a tanh, which takes longer."""
    return lambda x: mlp.down(F.gelu(mlp.up(x)))


def our_trainer(
    ids: Tensor, vocab_size: int, recipe: Recipe, bias: bool = True, compiled: bool = False
) -> Trainer:
    """A fresh model of their sizes: GPT-2's, or, without biases, theirs, with the exact GELU."""
    config = GPTConfig(vocab_size, LENGTH, **SIZES, bias=bias)
    model = GPT(config, torch.Generator().manual_seed(recipe.seed))
    if not bias:
        for block in model.blocks:
            block.mlp.forward = exact_gelu(block.mlp)
    return Trainer(model, ids, recipe, compiled=compiled)


def several(step: Callable[[], float], count: int) -> tuple[Callable, Callable]:
    """A contestant that takes some steps."""
    return (lambda: None), lambda _: [step() for _ in range(count)]


def throughput(nano: NanoGPT, ids: Tensor, vocab_size: int, rounds: int) -> dict[str, float]:
    """Median seconds a step of everyone, all in turn; each has taken a few steps before."""
    count = 5
    endless = {"steps": 10**6, "batch_size": BATCH_SIZE}
    as_theirs = replace(THEIR_RECIPE, **endless)
    fast = replace(RECIPES["fast"], **endless)
    one_by_one = our_trainer(ids, vocab_size, fast)
    for i, optimizer in enumerate(one_by_one.optimizers):
        if isinstance(optimizer, Muon):
            groups = [
                {k: v for k, v in group.items() if k != "parts"} for group in optimizer.param_groups
            ]
            one_by_one.optimizers[i] = torch.optim.Muon(groups)
    trainers = {
        "eager": our_trainer(ids, vocab_size, as_theirs, bias=False),
        "compiled": our_trainer(ids, vocab_size, as_theirs, bias=False, compiled=True),
        "fast recipe": our_trainer(ids, vocab_size, fast),
        "fast recipe, torch's Muon": one_by_one,
    }
    contestants = {name: several(trainer.step, count) for name, trainer in trainers.items()}
    contestants["nanoGPT"] = several(nano.step, count)
    contestants["matrix products alone"] = several(matrix_products(vocab_size), count)
    for _, run in contestants.values():
        run(None)
    taken = alternate(contestants, rounds)
    return {name: seconds / count for name, seconds in taken.items()}


def matrix_products(vocab_size: int) -> Callable[[], None]:
    """The matrix products of a step and nothing else, each on its own numbers: a bound for all.

    A layer makes one product on the way forward and two on the way back. Those of queries with
    keys and of weights with values, less than a tenth of the work, are left out.
    """
    width, rows = SIZES["n_embd"], BATCH_SIZE * LENGTH
    layers = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    tensors = [
        (torch.randn(rows, n), torch.randn(m, n), torch.randn(rows, m))
        for n, m in layers * SIZES["n_layer"] + [(width, vocab_size)]
    ]

    def run() -> None:
        for x, weight, gradient in tensors:
            F.linear(x, weight)
            gradient @ weight
            gradient.T @ x

    return run


def train_in_turn(contestants: dict[str, tuple[Callable[[], float], int]]) -> dict[str, float]:
    """Take all steps of everyone, a fiftieth at a time in turn; the seconds that each took."""
    seconds = dict.fromkeys(contestants, 0.0)
    taken = dict.fromkeys(contestants, 0)
    for part in range(1, 51):
        for name, (step, steps) in contestants.items():
            begin = time.perf_counter()
            while taken[name] < steps * part // 50:
                step()
                taken[name] += 1
            seconds[name] += time.perf_counter() - begin
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--text", type=Path, help="tiny Shakespeare, or another text")
    parser.add_argument("--quick", action="store_true", help="throughput only, few rounds")
    arguments = parser.parse_args()
    print(machine() + f", {torch.get_num_threads()} threads")
    print(versions(["minigpt", "torch"]), end="\n\n")
    if arguments.nanogpt is None or arguments.text is None:
        print("no --nanogpt or no --text: there is nothing to compare with")
        print_ratios("training", {})
        return
    text = read_text(arguments.text)
    tokenizer = CharTokenizer.train(text)
    size = tokenizer.vocab_size
    ids, unseen = (torch.tensor(tokenizer.encode(t)) for t in train_validation_split(text))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.bin"
        ids.numpy().astype(np.uint16).tofile(path)
        ratios, rows = measure(arguments, path, size, ids, unseen)
    print_table(("what", "ours", "nanoGPT", "ratio"), rows)
    print()
    print_ratios("training", ratios)


def measure(
    arguments: argparse.Namespace, path: Path, size: int, ids: Tensor, unseen: Tensor
) -> tuple[dict[str, float], list[tuple[str, str, str, str]]]:
    per_step = throughput(
        NanoGPT(arguments.nanogpt, path, size), ids, size, 5 if arguments.quick else 30
    )
    theirs = per_step["nanoGPT"]
    ratios = {
        "throughput_vs_nanogpt": theirs / per_step["eager"],
        "compiled_vs_nanogpt": theirs / per_step["compiled"],
        "batched_muon_vs_torch": per_step["fast recipe, torch's Muon"] / per_step["fast recipe"],
    }
    rows = [
        (
            f"a step, {name}",
            f"{seconds * 1e3:.1f} ms",
            f"{theirs * 1e3:.1f} ms",
            ratio(theirs, seconds),
        )
        for name, seconds in per_step.items()
        if name != "nanoGPT"
    ]
    if arguments.quick:
        return ratios, rows
    nano = NanoGPT(arguments.nanogpt, path, size)
    fast = replace(RECIPES["fast"], batch_size=BATCH_SIZE)
    short = our_trainer(ids, size, replace(fast, steps=SHORT))
    whole = our_trainer(ids, size, replace(fast, steps=STEPS))
    seconds = train_in_turn({"nano": (nano.step, STEPS), "short": (short.step, SHORT)})
    train_in_turn({"whole": (whole.step, STEPS)})
    losses = {
        "nano": evaluate(TheirLogits(nano.model), unseen, LENGTH),
        "short": evaluate(short.model, unseen, LENGTH),
        "whole": evaluate(whole.model, unseen, LENGTH),
    }
    rows += [
        (f"loss after {SHORT:,} steps of ours, {STEPS:,} of theirs", *pair(losses, "short"), ""),
        (
            "wall time of these",
            *pair(seconds, "short", " s"),
            ratio(seconds["nano"], seconds["short"]),
        ),
        (f"loss after {STEPS:,} steps", *pair(losses, "whole"), ""),
    ]
    if losses["short"] <= losses["nano"]:
        ratios["steps_to_loss_vs_nanogpt"] = STEPS / SHORT
        ratios["wall_to_loss_vs_nanogpt"] = seconds["nano"] / seconds["short"]
    return ratios, rows


def ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.2f}"


def pair(numbers: dict[str, float], ours: str, unit: str = "") -> tuple[str, str]:
    return f"{numbers[ours]:.3f}{unit}", f"{numbers['nano']:.3f}{unit}"


if __name__ == "__main__":
    main()
