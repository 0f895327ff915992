"""The chapter on the model: its figures hold the numbers that they should, and say what is not."""

from __future__ import annotations

import math

import pytest
from bokeh.models import ColumnDataSource
from drawn_figure import drawn

from minigpt.lessons.model.architecture import HUES
from minigpt.lessons.model.plots import rms_by_layer
from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_counts


def data_of(layout, column: str) -> list[dict]:
    """What the sources hold that have a column of this name."""
    sources = layout.select({"type": ColumnDataSource})
    return [source.data for source in sources if column in source.data]


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


def test_every_part_of_the_ledger_has_a_colour():
    assert HUES.keys() == parameter_counts(GPTConfig.preset("gpt2")).keys()


def test_the_lines_are_drawn_on_a_phone_without_an_error(browser):
    layout = rms_by_layer({"a": [0.1, 1.0, None, 10.0], "b": [0.1, 0.2]})
    with drawn(browser, layout, width=360) as run:
        assert run("return document.documentElement.scrollWidth") <= 360
