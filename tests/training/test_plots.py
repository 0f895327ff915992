"""The chapter on training: its pictures hold what was measured, say it in words, and switch."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from bokeh.models import Div, Label, Legend, MultiLine, Scatter, Span, Toggle
from drawn_figure import drawn

from minigpt.lessons.drawing.lines import LOOKS, MARKERS, some_of
from minigpt.lessons.training.learning_rate import rate_range
from minigpt.lessons.training.optimizer_race import optimizer_race
from minigpt.lessons.training.plots import loss_curves

nan = math.nan

CURVES = {
    "training": [(i, 4.2 * 0.97**i) for i in range(0, 60)],
    "validation": [(0, 4.2), (30, 2.0), (59, 1.1)],
    "<wild>": [(0, 4.2), (10, 6.5), (20, nan), (30, 3.0)],
}
LEVELS = {"uniform guess": 4.23, "floor": 0.33}


def lines_of(plot) -> dict[str, dict]:
    """The data of the lines that answer the pointer, by name."""
    return {r.name: r.data_source.data for r in plot.hover.renderers}


def legend_of(plot) -> list[str]:
    return [item.label.value for item in plot.select_one({"type": Legend}).items]


def test_losses_are_drawn_until_they_diverge():
    linear, logarithmic = loss_curves(CURVES, LEVELS).children[:2]
    for plot in (linear, logarithmic):
        lines = lines_of(plot)
        assert list(lines) == legend_of(plot) == list(CURVES)
        for name in ("training", "validation"):
            found = list(zip(lines[name]["step"], lines[name]["loss"], strict=True))
            assert [step for step, _ in found] == [step for step, _ in CURVES[name]]
            assert [x for _, x in found] == pytest.approx([x for _, x in CURVES[name]], abs=6e-7)
        assert lines["<wild>"] == {"step": [0, 10], "loss": [4.2, 6.5]}
        crosses = [r for r in plot.renderers if getattr(r.glyph, "marker", None) == "x"]
        assert [(r.name, r.view.filter.indices) for r in crosses] == [("<wild>", [1])]
        assert plot.y_range.start < 0.33
        assert plot.y_range.end > 6.5
        assert (plot.x_range.start, plot.x_range.end) == (0, 59)
    assert [type(p.y_scale).__name__ for p in (linear, logarithmic)] == ["LinearScale", "LogScale"]


def test_levels_have_names_that_cover_no_line():
    plot = loss_curves(CURVES, LEVELS).children[0]
    assert {span.location for span in plot.select({"type": Span})} == {4.23, 0.33}
    labels = {label.text: label for label in plot.select({"type": Label})}
    assert labels.keys() == {"uniform guess: 4.23", "floor: 0.33"}
    above, below = labels["uniform guess: 4.23"], labels["floor: 0.33"]
    assert (above.y, above.text_baseline, above.y_offset > 0) == (4.23, "bottom", True)
    assert (below.y, below.text_baseline, below.y_offset < 0) == (0.33, "top", True)


def test_the_ends_of_the_losses_are_told():
    words = loss_curves(CURVES, LEVELS).select_one({"type": Div}).text
    assert words.startswith("Linear axis. “training” ends at step 59, at a loss of <b>0.696</b>.")
    assert "“&lt;wild&gt;” <b>diverges</b> after step 10, at a loss of <b>6.500</b>." in words


def test_lines_are_told_apart_without_colour():
    curves = {name: [(0, 2.0), (1, 1.0)] for name in "abcdef"}
    plot = loss_curves(curves).children[0]
    markers = [r.glyph.marker for r in plot.renderers if isinstance(r.glyph, Scatter)]
    dashes = [tuple(r.glyph.line_dash) for r in plot.hover.renderers]
    assert len(set(markers)) == len(set(dashes)) == len(LOOKS) == 6


def test_a_long_line_shows_some_markers_not_where_another_does():
    assert some_of(24, 3) == list(range(24))
    chosen = [some_of(1000, line) for line in range(len(LOOKS))]
    for places in chosen:
        assert len(places) == MARKERS
        assert {b - a for a, b in pairwise(places)} == {125}
    assert len({place for places in chosen for place in places}) == MARKERS * len(LOOKS)


def test_the_axis_is_switched_by_key_and_says_so(browser):
    chart = loss_curves(CURVES, LEVELS)
    read = """
      await settled();
      return arg.map((id) => model(id).visible);
    """
    ids = [plot.id for plot in chart.children[:2]]
    with drawn(browser, chart, width=360) as run:
        assert run("return document.documentElement.scrollWidth") <= 360
        assert run(read, ids) == [True, False]
        run.page.get_by_role("button", name="Logarithmic axis").focus()
        run.page.keyboard.press("Enter")
        assert run(read, ids) == [False, True]
        told = run.page.get_by_role("status").aria_snapshot()
        assert "Logarithmic axis. “training” ends at step 59" in told
        box = run.page.locator(".bk-Figure").last.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 300
        run.page.keyboard.press("Enter")
        assert run(read, ids) == [True, False]


def test_the_axis_can_be_logarithmic_from_the_start():
    chart = loss_curves({"a": [(0, 2.0)]}, log=True, title="T", y_label="nats")
    assert [plot.visible for plot in chart.children[:2]] == [False, True]
    assert chart.select_one({"type": Toggle}).active
    assert chart.select_one({"type": Div}).text.startswith("Logarithmic axis.")
    for plot in chart.children[:2]:
        assert (plot.title.text, plot.yaxis.axis_label) == ("T", "nats")


@pytest.mark.parametrize(
    ("curves", "levels", "message"),
    [
        ({}, {}, "there are 0 curves; give 1 to 6"),
        ({c: [(0, 1.0)] for c in "abcdefg"}, {}, "there are 7 curves"),
        ({"a": []}, {}, "'a' has no finite loss to start with"),
        ({"a": [(0, nan), (1, 1.0)]}, {}, "'a' has no finite loss to start with"),
        ({"a": [(1, 1.0), (1, 2.0)]}, {}, "'a' has step 1 after 1; steps ascend"),
        ({"a": [(0, 1.0), (1, 0.0)]}, {}, "'a' has a loss of 0.0 at step 1; .* above 0"),
        ({"a": [(0, 1.0)]}, {"floor": 0.0}, "the level 'floor' is 0.0; .* finite and above 0"),
        ({"a": [(0, 1.0)]}, {"top": math.inf}, "the level 'top' is inf"),
    ],
)
def test_losses_that_cannot_be_drawn_are_refused(curves, levels, message):
    with pytest.raises(ValueError, match=message):
        loss_curves(curves, levels)


RATES = [1e-4, 1e-3, 1e-2, 1e-1]
AFTER = {"adamw": [4.0, 2.0, 3.0, nan], "muon": [3.0, 2.5, 4.9, math.inf]}


def test_rates_hold_the_losses_and_ring_the_lowest():
    chart = rate_range(RATES, AFTER)
    plot = chart.children[0]
    lines = {r.name: r.data_source.data for r in plot.hover.renderers}
    assert lines["adamw"]["rate"] == RATES
    assert lines["adamw"]["loss"][:3] == [4.0, 2.0, 3.0]
    assert math.isnan(lines["adamw"]["loss"][3])
    assert lines["muon"]["loss"][:2] == [3.0, 2.5]
    assert math.isnan(lines["muon"]["loss"][2])  # more than 1.2 × 4.0
    assert lines["muon"]["told"] == ["3.000", "2.500", "4.900, above the axis", "inf: diverged"]
    assert lines["adamw"]["told"][3] == "nan: diverged"
    assert lines["adamw"]["label"] == ["0.0001", "0.001", "0.01", "0.1"]
    rings = [r for r in plot.renderers if r.name == "lowest"]
    assert [dict(r.data_source.data) for r in rings] == [
        {"rate": [1e-3], "loss": [2.0]},
        {"rate": [1e-3], "loss": [2.5]},
    ]
    assert "Log" in type(plot.x_scale).__name__
    assert legend_of(plot) == ["adamw", "muon"]


def test_rates_that_diverged_stand_at_the_edge_as_crosses():
    plot = rate_range(RATES, AFTER).children[0]
    crosses = {r.name: r for r in plot.renderers if getattr(r.glyph, "marker", None) == "x"}
    edges = {name: r.data_source.data["edge"] for name, r in crosses.items()}
    assert [math.isfinite(y) for y in edges["adamw"]] == [False, False, False, True]
    assert [math.isfinite(y) for y in edges["muon"]] == [False, False, True, True]
    assert edges["muon"][3] < edges["adamw"][3]  # both can be seen
    for edge in (edges["muon"][3], edges["adamw"][3]):
        assert 4.0 < edge < plot.y_range.end
    assert all(r in plot.hover.renderers for r in crosses.values())
    calm = rate_range(RATES, {"a": [4.0, 2.0, 3.0, 4.0]})
    assert "cross" not in calm.select_one({"type": Div}).text


def test_the_lowest_rates_are_told():
    words = rate_range(RATES, AFTER).select_one({"type": Div}).text
    assert words == (
        "A cross at the upper edge diverged, or lies above. “adamw” is lowest at a rate of "
        "<b>0.001</b>, at a loss of <b>2.000</b>; 1 of 4 rates are off the scale. “muon” is lowest "
        "at a rate of <b>0.001</b>, at a loss of <b>2.500</b>; 2 of 4 rates are off the scale."
    )


@pytest.mark.parametrize(
    ("rates", "losses", "message"),
    [
        ([], {"a": []}, r"the rates are \[\]; give at least two"),
        ([1e-3], {"a": [1.0]}, "give at least two"),
        ([0.0, 1e-3], {"a": [1.0, 1.0]}, "ascending, all above 0"),
        ([1e-3, 1e-3], {"a": [1.0, 1.0]}, "ascending, all above 0"),
        ([1e-3, 1e-2], {}, "there are 0 lines"),
        ([1e-3, 1e-2], {"a": [1.0]}, "'a' has 1 losses for 2 rates"),
        ([1e-3, 1e-2], {"a": [nan, nan]}, "'a' has no finite loss: add smaller rates"),
    ],
)
def test_rates_that_cannot_be_drawn_are_refused(rates, losses, message):
    with pytest.raises(ValueError, match=message):
        rate_range(rates, losses)


def test_rates_whose_first_losses_diverged_are_drawn():
    chart = rate_range([1e-3, 1e-2], {"a": [nan, 2.0]})
    assert chart.children[0].y_range.start < 2.0 < chart.children[0].y_range.end


RACE = {
    "AdamW": [[4.2, 2.0, 1.8], [4.4, 2.2, 1.7], [4.3, 2.4, 1.9]],
    "Muon": [[4.2, 1.9, 1.6], [4.4, nan, nan]],
    "<one>": [[4.2, 3.0, 2.0]],
}


def test_the_race_holds_means_and_deviations():
    plot = optimizer_race(RACE, 50).children[0]
    lines = lines_of(plot)
    assert list(lines) == legend_of(plot) == list(RACE)
    for name, data in lines.items():
        assert data["step"] == [0, 50, 100]
        for i in range(3):
            values = [seed[i] for seed in RACE[name] if not math.isnan(seed[i])]
            spread = statistics.stdev(values) if len(values) > 1 else 0
            assert data["mean"][i] == pytest.approx(sum(values) / len(values), abs=1e-6)
            assert data["high"][i] == pytest.approx(data["mean"][i] + spread, abs=2e-6)
            assert data["low"][i] == pytest.approx(data["mean"][i] - spread, abs=2e-6)
    assert lines["AdamW"]["deviation"] == ["0.1000", "0.2000", "0.1000"]
    assert lines["AdamW"]["seeds"] == ["3"] * 3
    assert lines["Muon"]["deviation"][1:] == ["one seed has none"] * 2
    assert lines["Muon"]["seeds"] == ["2", "1 of 2", "1 of 2"]
    bands = [r.data_source.data for r in plot.renderers if r.name == "band"]
    assert bands == list(lines.values())


def test_the_race_shows_every_seed():
    plot = optimizer_race(RACE, 50).children[0]
    seeds = [r.data_source.data for r in plot.renderers if isinstance(r.glyph, MultiLine)]
    assert [len(data["ys"]) for data in seeds] == [3, 2, 1]
    assert seeds[0]["ys"] == RACE["AdamW"]
    assert seeds[0]["xs"] == [[0, 50, 100]] * 3


def test_the_end_of_the_race_is_told():
    words = optimizer_race(RACE, 50).select_one({"type": Div}).text
    assert words == (
        "The whole run. “AdamW” ends at <b>1.800</b> (standard deviation 0.1000; seeds: 3). “Muon” "
        "ends at <b>1.600</b> (one seed has none; seeds: 1 of 2). “&lt;one&gt;” ends at "
        "<b>2.000</b> (one seed has none; seeds: 1)."
    )
    lost = optimizer_race({"a": [[4.0, nan]]}, 1).select_one({"type": Div}).text
    assert lost == "The whole run. “a” <b>diverges</b> with every seed."


def test_the_second_half_is_opened_and_left_by_key(browser):
    chart = optimizer_race(RACE, 50)
    plot = chart.children[0]
    read = """
      await settled();
      return arg.map((id) => [model(id).start, model(id).end]);
    """
    ids = [plot.x_range.id, plot.y_range.id]
    with drawn(browser, chart, width=360) as run:
        assert run("return document.documentElement.scrollWidth") <= 360
        opened = run(read, ids)
        assert opened[0] == [0, 100]
        assert opened[1][0] < 1.6 < 4.4 < opened[1][1]
        run.page.get_by_role("button", name="Close up (the second half)").focus()
        run.page.keyboard.press("Enter")
        (left, right), (low, high) = run(read, ids)
        assert (left, right) == (50, 100)
        assert 1.4 < low < 1.6
        assert 3.0 < high < 3.2
        assert "The second half. “AdamW”" in run.page.get_by_role("status").aria_snapshot()
        run.page.keyboard.press("Enter")
        assert run(read, ids) == opened


@pytest.mark.parametrize(
    ("curves", "every", "message"),
    [
        ({}, 10, "there are 0 optimisers"),
        ({"a": [[2.0, 1.0]]}, 0, "every is 0; .* at least 1"),
        ({"a": []}, 10, r"the 0 seeds of 'a' have \[\] losses"),
        ({"a": [[1.0]]}, 10, r"the 1 seeds of 'a' have \[1\] losses; .* at least two"),
        ({"a": [[2.0, 1.0], [2.0, 1.0, 0.5]]}, 10, r"have \[2, 3\] losses; .* every seed as many"),
        ({"a": [[nan, 1.0]]}, 10, "'a' has no finite loss at step 0"),
    ],
)
def test_a_race_that_cannot_be_drawn_is_refused(curves, every, message):
    with pytest.raises(ValueError, match=message):
        optimizer_race(curves, every)


def test_rates_are_drawn_on_a_phone_without_an_error(browser):
    with drawn(browser, rate_range(RATES, AFTER), width=360) as run:
        assert run("return document.documentElement.scrollWidth") <= 360
