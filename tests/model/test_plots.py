"""The chapter on the model: its figures hold the numbers that they should, and say what is not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from bokeh.models import ColumnDataSource
from drawn_figure import drawn
from torch.nn import functional as F

from minigpt.lessons.model.architecture import HUES
from minigpt.lessons.model.plots import (
    PARTS,
    gelu_curves,
    parameter_shares,
    rms_by_layer,
)
from minigpt.model import PRESETS, GPTConfig
from minigpt.model.ledger import parameter_counts

SMALL = GPTConfig.preset("gpt2")


def data_of(layout, column: str) -> list[dict]:
    """What the sources hold that have a column of this name."""
    sources = layout.select({"type": ColumnDataSource})
    return [source.data for source in sources if column in source.data]


def test_the_curves_hold_torchs_values():
    (data,) = data_of(gelu_curves(), "gelu")
    xs = torch.tensor(data["x"], dtype=torch.float64)
    assert (xs[0], xs[-1], len(xs)) == (-4, 4, 161)
    expected = {
        "gelu": F.gelu(xs),
        "tanh": F.gelu(xs, approximate="tanh"),
        "relu": F.relu(xs),
        "apart": F.gelu(xs, approximate="tanh") - F.gelu(xs),
    }
    for name, values in expected.items():
        assert data[name] == pytest.approx(values.tolist(), abs=6e-7)
    assert max(map(abs, data["apart"])) == pytest.approx(4.73e-4, abs=1e-6)


def test_both_gelu_plots_share_what_they_tell():
    above, below = gelu_curves().children
    assert above.x_range is below.x_range
    assert above.hover.tooltips == below.hover.tooltips
    assert [item.label.value for item in above.legend[0].items] == [
        "ReLU",
        "GELU",
        "its tanh form",
    ]
    dashes = [r.glyph.line_dash for r in above.renderers]
    assert len({tuple(dash) if isinstance(dash, list) else dash for dash in dashes}) == 3


def test_rms_lines_hold_what_was_measured():
    plot = rms_by_layer({"a": [0.03, 0.5, 2.0], "b": [0.03, None]})
    first, second = sorted(data_of(plot, "rms"), key=lambda data: -len(data["rms"]))
    assert first["rms"] == [0.03, 0.5, 2.0]
    assert first["layer"] == [0, 1, 2]
    assert first["after"] == ["the tables", "block 1", "block 2"]
    assert second["rms"][0] == 0.03
    assert math.isnan(second["rms"][1])
    assert [r.name for r in plot.hover.renderers] == ["a", "b"]
    assert [item.label.value for item in plot.legend[0].items] == ["a", "b"]


def test_rms_lines_are_told_apart_without_colour():
    plot = rms_by_layer({name: [1.0, 2.0] for name in "abcd"})
    assert len({r.glyph.marker for r in plot.hover.renderers}) == 4


def test_rms_axes():
    deep = rms_by_layer({"a": [1.0] * 49})
    assert deep.xaxis.ticker.ticks == list(range(0, 49, 6))
    assert "Log" in type(deep.y_scale).__name__


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "there are 0 lines; give 1 to 4"),
        ({c: [1.0, 2.0] for c in "abcde"}, "there are 5 lines"),
        ({"a": [1.0]}, "'a' has 1 values; give that of the tables and one a block"),
        (
            {"a": [1.0, 0.0]},
            "'a' is 0.0 at place 1; on a logarithmic axis it must be finite and above 0",
        ),
        ({"a": [math.inf, 1.0]}, "'a' is inf at place 0; .* give None where there is none"),
        ({"a": [-1.0, 1.0]}, "'a' is -1.0 at place 0"),
    ],
)
def test_an_rms_that_cannot_be_drawn_is_refused(series, message):
    with pytest.raises(ValueError, match=message):
        rms_by_layer(series)


def test_shares_are_the_ledgers():
    configs = PRESETS | {"untied": replace(SMALL, tied=False)}
    plot = parameter_shares(configs)
    by_part = {data["part"][0]: data for data in data_of(plot, "share")}
    assert set(by_part) == {label for label, _ in PARTS.values()}
    for row, (name, config) in enumerate(configs.items()):
        counts = parameter_counts(config)
        total, end = sum(counts.values()), 0.0
        for key, (label, _) in PARTS.items():
            data = by_part[label]
            assert (data["model"][row], data["count"][row]) == (name, counts[key])
            assert data["total"][row] == total
            assert data["share"][row] == pytest.approx(100 * counts[key] / total, abs=1e-6)
            assert data["left"][row] == pytest.approx(end, abs=2e-6)
            end = data["right"][row]
            assert end - data["left"][row] == pytest.approx(data["share"][row], abs=2e-6)
        assert end == pytest.approx(100, abs=1e-5)
    assert PARTS.keys() == HUES.keys() == counts.keys()


def test_numbers_stand_where_there_is_room():
    plot = parameter_shares({"gpt2": SMALL})
    texts = {data["part"][0]: data["text"][0] for data in data_of(plot, "share")}
    assert texts == {
        "token table": "31",
        "position table": "",
        "attention": "23",
        "MLP": "46",
        "norms": "",
    }  # and no head, as it is tied


def test_no_shares_of_nothing():
    with pytest.raises(ValueError, match="there are no models to draw"):
        parameter_shares({})


def test_all_are_drawn_on_a_phone_without_an_error(browser):
    for layout in (
        gelu_curves(),
        rms_by_layer({"a": [0.1, 1.0, None, 10.0], "b": [0.1, 0.2]}),
        parameter_shares(PRESETS),
    ):
        with drawn(browser, layout, width=360) as run:
            assert run("return document.documentElement.scrollWidth") <= 360
