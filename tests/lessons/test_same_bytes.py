"""Chapters' figures are the same bytes in every run, or their notebooks would differ each time.

Run by itself, this file draws them all and prints a digest of each.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys

import pytest
from bokeh.models import Model
from bokeh.plotting import figure

from minigpt.lessons import show
from minigpt.lessons.attention.plots import softmax_slider
from minigpt.lessons.drawing.figure import Figure
from minigpt.lessons.embedding.plots import position_heat_map
from minigpt.lessons.generation.cache_plots import tokens_per_second
from minigpt.lessons.generation.plots import counted_draws, temperatures
from minigpt.lessons.generation.text_probabilities import text_heat
from minigpt.lessons.model.ablations import ablation_chart
from minigpt.lessons.model.plots import rms_by_layer
from minigpt.lessons.training.learning_rate import rate_range
from minigpt.lessons.training.optimizer_race import optimizer_race
from minigpt.lessons.training.plots import loss_curves

nan = math.nan


def line() -> Model:
    plot = figure()
    plot.line([1, 2], [3, 4])
    return plot


def all_drawn() -> dict[str, str]:
    """The HTML of each figure, by the name of what draws it."""
    layouts = {
        "position_heat_map": position_heat_map(),
        "softmax_slider": softmax_slider(["a", "b"], [1, 2]),
        "rms_by_layer": rms_by_layer({"a": [1, 2]}),
        "ablation_chart": ablation_chart({"a": [1, 2], "b": [9, None]}, {"a": 1, "b": 2}),
        "loss_curves": loss_curves({"a": [(0, 2.0), (1, nan)]}, {"b": 1.0}),
        "rate_range": rate_range([0.1, 0.2], {"a": [1.0, nan]}),
        "optimizer_race": optimizer_race({"a": [[2.0, 1.0]]}, 5),
        "counted_draws": counted_draws(["a"], [1.0], [3]),
        "temperatures": temperatures(["a"], {"b": [0.3]}),
        "tokens_per_second": tokens_per_second([1, 2], {"a": [0.1, 0.3]}),
    }
    shown = {name: Figure(layout, name) for name, layout in layouts.items()}
    shown["show"] = show(line(), "A line")
    shown["text_heat"] = text_heat(["a"], [0.1])
    return {name: thing._repr_html_() for name, thing in shown.items()}


@pytest.mark.slow
def test_two_runs_draw_the_same_bytes():
    runs = []
    for seed in ("1", "2"):  # of the hashes of strings, so that sets differ in their order
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, __file__], env=environment, capture_output=True, text=True, check=True
        )
        runs.append(json.loads(run.stdout))
    assert runs[0] == runs[1]


if __name__ == "__main__":
    drawn = all_drawn().items()
    print(json.dumps({name: hashlib.sha256(html.encode()).hexdigest() for name, html in drawn}))
