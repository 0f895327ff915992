"""Plots of the chapter on fine-tuning: what is won against what is lost, and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    CustomJS,
    Div,
    HoverTool,
    LegendItem,
    Plot,
    Range1d,
    Slider,
    Span,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import LOOKS, SHARED, add_legend, check_names
from minigpt.lessons.drawing.palette import BLUE, MARK

_CUT = """
  const place = slider.value, rank = ranks[place];
  source.data = { ...source.data, alpha: values.map((_, i) => (i < rank ? 0.9 : 0.15)) };
  words.text = told[place];
"""


def forgetting_plane(
    runs: Mapping[str, Sequence[tuple[float, float, str]]], before: tuple[float, float]
) -> Plot:
    """A point for each run: its loss on the new text against its loss on the old one.

    Args:
        runs: of each way to tune, the losses on new and on old text, and the settings in words.
        before: both losses of the model that all started from.

    Raises:
        ValueError: no runs, or more ways than can be told apart.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    check_names(runs, "ways")
    levels = [before[1], *(old for points in runs.values() for _, old, _ in points)]
    air = 0.05 * (max(levels) - min(levels))
    plot = figure(
        height=380,
        y_range=Range1d(min(levels) - air, max(levels) + air),
        x_axis_label="loss on the new text (nats per token)",
        y_axis_label="loss on the old text",
        tools="",
        **SHARED,
    )
    items = []
    for (name, points), look in zip(runs.items(), LOOKS, strict=False):
        new, old, settings = zip(*points, strict=True)
        source = ColumnDataSource(
            {"new": new, "old": old, "settings": settings, "way": [name] * len(new)}
        )
        dots = plot.scatter(
            x="new", y="old", source=source, size=11, marker=look["marker"], color=look["color"]
        )
        items.append(LegendItem(label=name, renderers=[dots]))
    plot.add_layout(
        Span(location=before[1], dimension="width", line_color=MARK, line_dash="dashed")
    )
    tips = [("", "@way, @settings"), ("new", "@new{0.000}"), ("old", "@old{0.000}")]
    plot.add_tools(HoverTool(tooltips=tips))
    add_legend(plot, items)
    return plot


def rank_slider(
    values: Sequence[float], ranks: Sequence[int], told: Sequence[str], start: int = 0
) -> Column:
    """The singular values of a change as bars, and how many of them a rank keeps.

    Args:
        values: falling, one a direction.
        ranks: that the slider stops at, rising; the last keeps all.
        told: a sentence for each rank.
        start: the place in `ranks` where the slider begins.

    Raises:
        ValueError: not a sentence each, ranks that do not rise, or a place that there is not.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    ranks = [int(rank) for rank in ranks]
    if len(told) != len(ranks) or not 0 <= start < len(ranks):
        raise ValueError(f"{len(ranks)} ranks, {len(told)} sentences, a start at {start}: one each")
    if sorted(set(ranks)) != ranks or ranks[-1] > len(values):
        raise ValueError(f"ranks are {ranks}: let them rise, to at most {len(values)}")
    alphas = [0.9 if i < ranks[start] else 0.15 for i in range(len(values))]
    places = [i + 1 for i in range(len(values))]
    source = ColumnDataSource({"place": places, "value": list(values), "alpha": alphas})
    plot = figure(
        height=240,
        x_range=Range1d(0, len(values) + 1),
        x_axis_label="direction, the strongest first",
        y_axis_label="strength",
        tools="",
        **SHARED,
    )
    plot.vbar(x="place", top="value", width=1, color=BLUE, alpha="alpha", source=source)
    slider = Slider(
        title="Rank, from none to all",
        start=0,
        end=len(ranks) - 1,
        step=1,
        value=start,
        bar_color=BLUE,
        show_value=False,
        sizing_mode="stretch_width",
    )
    words = Div(text=told[start], html_attributes={"role": "status"}, sizing_mode="stretch_width")
    parts = {"source": source, "slider": slider, "words": words}
    more = {"values": list(values), "ranks": ranks, "told": list(told)}
    slider.js_on_change("value", CustomJS(args=parts | more, code=_CUT))
    return column(plot, slider, words, sizing_mode="stretch_width")
