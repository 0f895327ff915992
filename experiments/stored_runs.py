"""The command line of an experiment that trains many runs, and the file of their results."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from minigpt.data.whole_file import write_whole


def command_line(
    description: str, name: str, steps: int
) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """The parser, for later complaints, and what was given: `steps` a run, and the file `out`.

    The folder of the file is made, and torch is kept to one thread: sums in one order, so that a
    run can be repeated.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stored = Path(str(files("minigpt") / "results" / f"{name}.json"))
    parser.add_argument("--steps", type=int, default=steps, help=f"per run (default {steps})")
    parser.add_argument("--out", type=Path, default=stored, help="file of the results")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error(f"--steps is {arguments.steps}; it must be at least 1")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    return parser, arguments


def at_best_rate(
    name: str,
    run: Callable[[float, int], dict[str, Any]],
    rates: Sequence[float],
    seeds: Sequence[int],
    loss_of: Callable[[dict[str, Any]], float],
) -> list[dict[str, Any]]:
    """A run at each rate with the first seed, then at the best of them with each other seed.

    Args:
        run: told the rate and the seed; what it gives holds its "learning_rate".
    """
    tried = [run(rate, seeds[0]) for rate in tqdm(rates, desc=f"{name}, rates")]
    best = min(tried, key=loss_of)["learning_rate"]
    return tried + [run(best, seed) for seed in tqdm(seeds[1:], desc=f"{name}, seeds")]


def write_runs(path: Path, settings: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """Settings, and the runs with a line each; the file is written whole or not at all."""
    lines = ",\n".join(json.dumps(run, allow_nan=False) for run in runs)
    contents = f'{{"settings": {json.dumps(settings)},\n"runs": [\n{lines}\n]}}\n'
    write_whole(path, contents.encode())
