"""The chart of the ablations: its numbers, its words, and its close-up."""

from __future__ import annotations

import math
import statistics

import pytest
from bokeh.models import BoxAnnotation, ColumnDataSource, Div, LabelSet, Span, Toggle
from drawn_figure import drawn

from minigpt.lessons.model.ablations import ablation_chart


def data_of(layout, column: str) -> list[dict]:
    """What the sources hold that have a column of this name."""
    sources = layout.select({"type": ColumnDataSource})
    return [source.data for source in sources if column in source.data]


LOSSES = {
    "as it is": [1.70, 1.72, 1.71],
    "untied": [1.75, None, 1.77],
    "no MLP": [2.5, 2.6],
    "<better>": [1.2],
    "no norm": [None, math.nan],
}
NUMBERS = {name: 1000 + i for i, name in enumerate(LOSSES)}


def test_every_run_is_a_dot():
    chart = ablation_chart(LOSSES, NUMBERS)
    (runs,) = data_of(chart, "run")
    found = list(zip(runs["version"], runs["run"], runs["loss"], strict=True))
    assert found == [
        (name, i, loss)
        for name, losses in LOSSES.items()
        for i, loss in enumerate(losses, 1)
        if loss is not None and loss == loss
    ]
    rows = [list(LOSSES).index(name) for name in runs["version"]]
    assert [round(row) for row in runs["row"]] == rows


def test_medians_and_ends():
    chart = ablation_chart(LOSSES, NUMBERS)
    (data,) = data_of(chart, "median")
    assert data["version"] == ["as it is", "untied", "no MLP", "<better>"]
    for i, name in enumerate(data["version"]):
        runs = [x for x in LOSSES[name] if x is not None]
        assert data["median"][i] == pytest.approx(statistics.median(runs))
        assert (data["low"][i], data["high"][i]) == (min(runs), max(runs))
    assert data["runs"] == [3, 3, 2, 1]
    assert data["diverged"] == [0, 1, 0, 0]
    assert data["parameters"] == [1000, 1001, 1002, 1003]
    span, band = (chart.select_one({"type": kind}) for kind in (Span, BoxAnnotation))
    assert span.location == pytest.approx(1.71)
    assert (band.left, band.right) == pytest.approx((1.70, 1.72))


def test_one_run_that_learned_nothing_does_not_move_the_diamond():
    runs = {"a": [1.9, 1.9, 1.9], "b": [2.01, 1.98, 2.0, 2.02, 3.3]}
    chart = ablation_chart(runs, dict.fromkeys(runs, 1))
    (data,) = data_of(chart, "median")
    assert data["median"][1] == 2.01


def test_runs_that_diverged_are_told_in_words():
    chart = ablation_chart(LOSSES, NUMBERS)
    assert chart.children[0].yaxis.major_label_overrides == {
        0: "as it is",
        1: "untied\n(1 of 3 diverged)",
        2: "no MLP",
        3: "<better>",
        4: "no norm\n(2 of 2 diverged)",
    }
    words = chart.select_one({"type": Div}).text
    assert "Of “untied”, 1 of 3 runs <b>diverged</b>." in words
    assert "Of “no norm”, 2 of 2 runs <b>diverged</b>." in words
    assert "Lowest is “&lt;better&gt;” (1.200), highest “no MLP” (2.550)." in words


def test_the_close_up_is_opened_and_left_by_key(browser):
    chart = ablation_chart(LOSSES, NUMBERS)
    plot = chart.children[0]
    ids = {
        "range": plot.x_range.id,
        "words": chart.select_one({"type": Div}).id,
        "pointers": [labels.id for labels in chart.select({"type": LabelSet})],
    }
    read = """
      await settled();
      const { start, end } = model(arg.range);
      return [start, end, arg.pointers.map((id) => model(id).visible), model(arg.words).text];
    """
    with drawn(browser, chart, width=360) as run:
        button = run.page.get_by_role("button", name="Close up (within 0.3 nats of “as it is”)")
        opened = run(read, ids)
        assert opened[0] < 1.2
        assert opened[1] > 2.6
        assert opened[2] == [False, False]
        button.focus()
        run.page.keyboard.press("Enter")
        start, end, pointers, words = run(read, ids)
        assert 1.5 < start < 1.7
        assert 1.77 < end < 2
        assert pointers == [True, True]
        assert "Out of sight: “no MLP” (2.550), “&lt;better&gt;” (1.200)." in words
        told = run.page.get_by_role("status").aria_snapshot()
        assert "Out of sight: “no MLP” (2.550), “<better>” (1.200)." in told
        assert "Close up." in told
        run.page.keyboard.press("Enter")
        assert run(read, ids) == opened
    texts = [data["text"] for data in data_of(chart, "text")]
    assert sorted(texts) == [["2.55 →"], ["← 1.20"]]


def test_the_close_up_goes_by_runs():
    """Where one run got stuck, most runs are near all the same."""
    runs = {"a": [1.93, 1.94], "b": [2.01, 1.98, 2.0, 3.3], "c": [3.3, 3.4]}
    chart = ablation_chart(runs, dict.fromkeys(runs, 1))
    toggle = chart.select_one({"type": Toggle})
    (code,) = toggle.js_property_callbacks["change:active"]
    assert 1.8 < code.args["near"]["start"] < 1.93
    assert 2.01 < code.args["near"]["end"] < 2.1
    assert [data["text"] for data in data_of(chart, "text") if data["text"]] == [
        ["1 run: 3.30 →", "3.35 →"]
    ]
    assert "Out of sight: 1 of 4 runs of “b”, “c” (3.350)." in code.args["told"][1]
    assert "Out of sight" not in code.args["told"][0]


def test_the_close_up_holds_a_first_version_of_any_spread():
    chart = ablation_chart({"a": [1.0, 2.0], "b": [1.5]}, {"a": 1, "b": 1})
    (code,) = chart.select_one({"type": Toggle}).js_property_callbacks["change:active"]
    assert code.args["near"]["start"] < 1 < 2 < code.args["near"]["end"]
    assert "Out of sight" not in code.args["told"][1]


def test_one_run_of_one_version_can_be_drawn():
    chart = ablation_chart({"a": [1.5]}, {"a": 1})
    assert chart.children[0].x_range.start < 1.5 < chart.children[0].x_range.end
    assert "Lowest" not in chart.select_one({"type": Div}).text


@pytest.mark.parametrize(
    ("losses", "parameters", "message"),
    [
        ({}, {}, r"losses are of \[\], parameters of \[\]: give both"),
        ({"a": [1.0]}, {"b": 1}, r"losses are of \['a'\], parameters of \['b'\]"),
        ({"a": [1.0], "b": []}, {"a": 1, "b": 1}, "'b' has no runs; give a loss a run"),
        ({"a": [None], "b": [1.0]}, {"a": 1, "b": 1}, "every run of 'a' diverged; .* put one"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(losses, parameters, message):
    with pytest.raises(ValueError, match=message):
        ablation_chart(losses, parameters)
