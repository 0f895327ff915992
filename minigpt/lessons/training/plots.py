"""Pictures of losses: over the steps of a run, and over the positions of a window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import takewhile
from typing import Any

from bokeh.models import (
    CDSView,
    Column,
    ColumnDataSource,
    HoverTool,
    IndexFilter,
    LegendItem,
    Plot,
    PrintfTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.axis_switch import axis_switch
from minigpt.lessons.drawing.lines import (
    LOOKS,
    SHARED,
    add_legend,
    add_level,
    check_names,
    some_of,
)


def loss_curves(
    curves: Mapping[str, Sequence[tuple[int, float]]],
    levels: Mapping[str, float] | None = None,
    title: str | None = None,
    y_label: str = "loss (nats per character)",
    log: bool = False,
) -> Column:
    """Losses over the steps of a run, a line a name; a button makes their axis logarithmic.

    Args:
        curves: for each name its points (step, loss), steps ascending. A line ends before the
            first loss that is not finite, with a cross: training has diverged there.
        levels: losses to compare with, by name: each is a horizontal line across the plot.
        title: above the plot.
        y_label: what a loss is.
        log: whether the axis is logarithmic to begin with.

    Raises:
        ValueError: no names, or more than can be told apart; a name without a finite loss; steps
            that do not ascend; a loss or level that is not above 0, where a logarithm has no place
            for it.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    check_names(curves, "curves")
    drawn = {name: _until_divergence(name, points) for name, points in curves.items()}
    lost = [name for name, points in curves.items() if len(drawn[name]) < len(points)]
    levels = dict(levels or {})
    for name, level in levels.items():
        if not 0 < level < math.inf:
            raise ValueError(
                f"the level {name!r} is {level}; it is drawn on a logarithmic axis too, so it must "
                "be finite and above 0"
            )
    plots = [
        _curves(drawn, lost, levels, {"title": title, "y_axis_label": y_label, "y_axis_type": kind})
        for kind in ("linear", "log")
    ]
    return axis_switch(plots, _in_words(drawn, lost), log)


def _until_divergence(name: str, points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    before = -1
    for step, loss in points:
        if step <= before:
            raise ValueError(f"{name!r} has step {step} after {before}; steps ascend from 0")
        if loss <= 0:
            raise ValueError(
                f"{name!r} has a loss of {loss} at step {step}; it is drawn on a logarithmic axis "
                "too, so it must be above 0"
            )
        before = step
    kept = list(takewhile(lambda point: math.isfinite(point[1]), points))
    if not kept:
        raise ValueError(f"{name!r} has no finite loss to start with; give at least one")
    return kept


def _curves(
    drawn: Mapping[str, Sequence[tuple[int, float]]],
    lost: Sequence[str],
    levels: Mapping[str, float],
    looks: Mapping[str, Any],
) -> Plot:
    losses = [loss for points in drawn.values() for _, loss in points]
    low, high = min([*losses, *levels.values()]), max([*losses, *levels.values()])
    if looks["y_axis_type"] == "log":
        room = (1.01 * high / low) ** 0.08
        y_range = Range1d(low / room, high * room)
    else:
        room = 0.08 * (high - low) + 0.01 * high
        y_range = Range1d(low - room, high + room)
    plot = figure(
        height=380,
        x_range=Range1d(0, max(points[-1][0] for points in drawn.values()) or 1),
        y_range=y_range,
        x_axis_label="step",
        tools="",
        **SHARED,
        **looks,
    )
    plot.yaxis.formatter = PrintfTickFormatter(format="%g")
    plot.xaxis.ticker.desired_num_ticks = 5  # as many as a phone has room for
    items, lines = [], []
    for number, ((name, points), look) in enumerate(zip(drawn.items(), LOOKS, strict=False)):
        steps, losses = zip(*points, strict=True)
        source = ColumnDataSource({"step": list(steps), "loss": list(losses)})
        style = {"source": source, "color": look["color"], "name": name}
        line = plot.line("step", "loss", line_width=2.5, line_dash=look["line_dash"], **style)
        seen = CDSView(filter=IndexFilter(some_of(len(points), number)))
        marks = plot.scatter("step", "loss", size=8, marker=look["marker"], view=seen, **style)
        if name in lost:
            end = CDSView(filter=IndexFilter([len(points) - 1]))
            plot.scatter("step", "loss", size=14, marker="x", line_width=3, view=end, **style)
        items.append(LegendItem(label=name, renderers=[line, marks]))
        lines.append(line)
    tooltips = [("", "$name"), ("step", "@step{0,0}"), ("loss", "@loss{0.000}")]
    plot.add_tools(HoverTool(renderers=lines, mode="vline", tooltips=tooltips))
    for name, level in levels.items():
        add_level(
            plot, name, level, below=level < min(loss for p in drawn.values() for _, loss in p)
        )
    add_legend(plot, items)
    return plot


def _in_words(drawn: Mapping[str, Sequence[tuple[int, float]]], lost: Sequence[str]) -> str:
    """Where every line ends."""
    told = []
    for name, points in drawn.items():
        step, loss = points[-1]
        how = "<b>diverges</b> after" if name in lost else "ends at"
        told.append(f"“{escape(name)}” {how} step {step:,}, at a loss of <b>{loss:.3f}</b>.")
    return " ".join(told)
