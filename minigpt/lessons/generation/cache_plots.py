"""The time that a KV cache saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

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
from minigpt.lessons.drawing.lines import LOOKS, SHARED, add_legend, check_names, some_of


def tokens_per_second(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> Column:
    """What one more token takes, over the length of the text; a button makes it logarithmic.

    Args:
        lengths: how many tokens the text has, ascending.
        seconds: for each name, such as "with a cache", what one token takes at each length.

    Raises:
        ValueError: fewer than two lengths, or not ascending from above 0; no names, or more than
            can be told apart; not one time a length, or one that is not finite and above 0.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if len(lengths) < 2 or any(b <= a for a, b in zip([0, *lengths], lengths, strict=False)):
        raise ValueError(f"the lengths are {list(lengths)}; give at least two, ascending from 1 on")
    check_names(seconds, "lines")
    for name, values in seconds.items():
        if len(values) != len(lengths):
            raise ValueError(
                f"{name!r} has {len(values)} times for {len(lengths)} lengths: give one a length"
            )
        for length, value in zip(lengths, values, strict=True):
            if not 0 < value < math.inf:
                raise ValueError(
                    f"the time of {name!r} at length {length} is {value}; it is drawn on a "
                    "logarithmic axis too, so it must be finite and above 0"
                )
    plots = [_times(lengths, seconds, kind) for kind in ("linear", "log")]
    told = " ".join(_told(name, lengths, values) for name, values in seconds.items())
    return axis_switch(plots, told)


def _times(lengths: Sequence[int], seconds: Mapping[str, Sequence[float]], kind: str) -> Plot:
    every = [1000 * x for values in seconds.values() for x in values]
    low, high = min(every), max(every)
    room = (1.01 * high / low) ** 0.08
    plot = figure(
        height=340,
        x_range=Range1d(0, 1.02 * lengths[-1]),
        y_range=Range1d(low / room, high * room) if kind == "log" else Range1d(0, 1.08 * high),
        y_axis_type=kind,
        x_axis_label="length of the text (tokens)",
        y_axis_label="time of one token (ms)",
        tools="",
        **SHARED,
    )
    plot.yaxis.formatter = PrintfTickFormatter(format="%g")
    plot.xaxis.ticker.desired_num_ticks = 5
    items, lines = [], []
    for number, ((name, values), look) in enumerate(zip(seconds.items(), LOOKS, strict=False)):
        source = ColumnDataSource(
            {
                "length": list(lengths),
                "ms": [1000 * x for x in values],
                "rate": [f"{1 / x:,.0f}" for x in values],
            }
        )
        style = {"source": source, "color": look["color"], "name": name}
        line = plot.line("length", "ms", line_width=2.5, line_dash=look["line_dash"], **style)
        some = CDSView(filter=IndexFilter(some_of(len(lengths), number)))
        marks = plot.scatter("length", "ms", size=8, marker=look["marker"], view=some, **style)
        items.append(LegendItem(label=name, renderers=[line, marks]))
        lines.append(line)
    tooltips = [
        ("", "$name"),
        ("length", "@length{0,0}"),
        ("one token", "@ms{0.00} ms"),
        ("tokens per second", "@rate"),
    ]
    plot.add_tools(HoverTool(renderers=lines, mode="vline", tooltips=tooltips))
    add_legend(plot, items)
    return plot


def _told(name: str, lengths: Sequence[int], values: Sequence[float]) -> str:
    """How a line begins and ends."""
    first, last = (f"{1000 * x:.3g} ms" for x in (values[0], values[-1]))
    return (
        f"“{escape(name)}” takes {first} at a length of {lengths[0]:,} and <b>{last}</b> at "
        f"{lengths[-1]:,}, which makes <b>{1 / values[-1]:,.0f}</b> tokens per second."
    )
