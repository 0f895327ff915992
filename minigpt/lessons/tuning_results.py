"""What the experiments on fine-tuning measured, as the chapter draws and prints it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def tuning_runs(experiment: str, **settings: Any) -> list[dict[str, Any]]:
    """The stored runs of an experiment, as `experiments/finetuning.py` describes them.

    Args:
        experiment: "bible", "plays", "ranks", "singular values" or "sorting".
        settings: only runs that have these, such as ``method="full", learning_rate=5e-4``; None
            stands for a setting that a run lacks: ``share=None`` leaves out those with replay.

    Raises:
        ValueError: no run is like that.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    stored = json.loads((files("minigpt") / "results" / "finetuning.json").read_text("utf-8"))
    wanted = {"experiment": experiment, **settings}
    runs = [
        run
        for run in stored["runs"]
        if all(run.get(name) == value for name, value in wanted.items())
    ]
    if not runs:
        known = sorted({run["experiment"] for run in stored["runs"]})
        raise ValueError(
            f"no stored run has {wanted}; there are the experiments {', '.join(known)}, and "
            "tuning_runs(experiment) without more gives all runs of one, with their settings"
        )
    return runs
