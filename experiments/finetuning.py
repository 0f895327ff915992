"""Tune the shipped model, and a small one, in many ways, and store what each way gave and cost.

    python experiments/finetuning.py                # as stored: about an hour on one core
    python experiments/finetuning.py --steps 5 --out /tmp/trial.json

Finished runs are kept in --out, so an interrupted command goes on where it stopped. Beside that
file it writes `answer_groups.json`. Figures of the runs, losses in nats per token:

- bible: "new" on the King James Bible's last tenth, the same as "bits_per_byte", "old" on plays
  that the shipped model has not seen; "trained" numbers.
- ranks: the same for what is left of a full tuning at a rank, and "kept" of its squares.
- plays: "told", "untold" and "unread" questions that are answered right, "loss" on the answers
  that were told, "old" as above.
- sorting: of 300 problems, "greedy": right at temperature 0; "pass_1": right at 1; "pass_8": one
  of eight right; "entropy" of the answers and their "kl" from the start, in nats an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from stored_runs import command_line, write_runs
from tqdm.auto import tqdm
from tuning import answer_groups, bible, plays, ranks, sorting

from minigpt.data.whole_file import read_json

STEPS = 400  # at most, a run
AHEAD = 6  # runs by which a seed is before the next
NAMES = ("experiment", "method", "seed", "learning_rate", "steps", "rank", "share", "of", "reward")
Run = dict[str, Any]
EXPERIMENTS: dict[str, tuple[Callable[[], list[Run]], Callable[[Run], Run]]] = {
    "sorting": (sorting.grid, sorting.run),
    "bible": (bible.grid, bible.run),
    "plays": (plays.grid, plays.run),
    "ranks": (ranks.grid, ranks.run),
}


def wanted(steps: int) -> list[tuple[Run, Callable[[Run], Run]]]:
    """The settings of all runs, each with what runs it; none takes more than so many steps."""
    return [
        (settings | {"steps": min(settings["steps"], steps)}, run)
        for grid, run in EXPERIMENTS.values()
        for settings in grid()
    ]


def in_turn(jobs: list[tuple[Run, Callable[[Run], Run]]]) -> list[tuple[Run, Callable[[Run], Run]]]:
    """The experiments in turn, and of each the first runs of every seed before the last ones of the
    first: an interrupted command has most of what matters."""
    places: Counter[tuple[str, int]] = Counter()
    keys = []
    for settings, _ in jobs:
        key = settings["experiment"], settings["seed"]
        keys.append(places[key] + AHEAD * settings["seed"])
        places[key] += 1
    order = sorted(range(len(jobs)), key=keys.__getitem__)
    return [jobs[i] for i in order]


def done(settings: Run, runs: list[Run]) -> Run | None:
    """The run of these settings, if it is among those that are stored."""
    wanted = [settings.get(name) for name in NAMES]
    return next((run for run in runs if [run.get(name) for name in NAMES] == wanted), None)


def stored_runs(out: Path, jobs: list[tuple[Run, Callable[[Run], Run]]]) -> list[Run]:
    """What an earlier command has left.

    Raises:
        ValueError: a file that is no whole JSON, or holds runs that are not among the jobs and
            would be lost.
    """
    if not out.exists():
        return []
    earlier = read_json(out)
    runs = earlier.get("runs", []) if isinstance(earlier, dict) else [None]
    ours = [[settings.get(name) for name in NAMES] for settings, _ in jobs]
    if any(run is None or [run.get(name) for name in NAMES] not in ours for run in runs):
        raise ValueError(f"{out} holds runs of other settings: choose another --out")
    return runs


def main() -> None:
    parser, arguments = command_line(__doc__, "finetuning", STEPS)
    out, jobs = arguments.out, wanted(arguments.steps)
    try:
        stored = stored_runs(out, jobs)
    except ValueError as error:
        parser.error(str(error))
    for settings, run in tqdm(in_turn(jobs)):
        if done(settings, stored) is None:
            stored.append(settings | run(settings))
            known = [done(settings, stored) for settings, _ in jobs]
            write_runs(out, {"torch": torch.__version__}, [found for found in known if found])
    path = out.with_name("answer_groups.json")
    if not path.exists():
        steps = sorted({min(step, arguments.steps) for step in answer_groups.STEPS})
        answer_groups.write_answer_groups(path, answer_groups.answer_groups(tuple(steps)))


if __name__ == "__main__":
    main()
