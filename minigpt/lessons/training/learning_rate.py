"""Pictures of the learning rate: which one to take, and how it moves over a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    Div,
    FixedTicker,
    HoverTool,
    LegendItem,
    PrintfTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import LOOKS, SHARED, add_legend, check_names

WORSE = 1.2  # times the first loss: what lies above stands at the edge
MOST_POINTS = 500  # of a schedule that is drawn point by point
KINK = 1e-4  # change of a step's rise, of a share: a corner, which thinning must keep


def rate_range(rates: Sequence[float], losses: Mapping[str, Sequence[float]]) -> Column:
    """The loss after a number of steps, over the learning rate; the lowest of a line has a ring.

    A loss that is not finite, or more than 1.2 times the largest at the first rate, stands at the
    upper edge as a cross.

    Args:
        rates: ascending, above 0.
        losses: for each name, the loss at each rate; nan or inf where training diverged.

    Raises:
        ValueError: rates that do not ascend from above 0; no names, or more than can be told
            apart; not one loss a rate; a name without a finite loss.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if len(rates) < 2 or any(b <= a for a, b in zip([0.0, *rates], rates, strict=False)):
        raise ValueError(f"the rates are {list(rates)}; give at least two, ascending, all above 0")
    check_names(losses, "lines")
    for name, values in losses.items():
        if len(values) != len(rates):
            raise ValueError(
                f"{name!r} has {len(values)} losses for {len(rates)} rates: give one a rate, nan "
                "where training diverged"
            )
        if not any(map(math.isfinite, values)):
            raise ValueError(f"{name!r} has no finite loss: add smaller rates")
    finite = [x for values in losses.values() for x in values if math.isfinite(x)]
    first = [values[0] for values in losses.values() if math.isfinite(values[0])]
    cap = WORSE * max(first) if first else max(finite)
    seen = [x for x in finite if x <= cap]
    air = 0.06 * (max(seen) - min(seen)) or 0.01
    capped = any(not x <= cap for values in losses.values() for x in values)
    top = max(seen) + air * (2 + len(losses) if capped else 1)
    plot = figure(
        height=360,
        x_axis_type="log",
        x_axis_label="learning rate",
        y_axis_label="loss (nats per character)",
        x_range=Range1d(rates[0] / 1.25, rates[-1] * 1.25),
        y_range=Range1d(min(seen) - 2 * air, top),
        tools="",
        **SHARED,
    )
    every = -(-len(rates) // 5)  # as many labels as fit on a phone
    plot.xaxis.ticker = FixedTicker(ticks=list(rates)[::every])
    plot.xaxis.formatter = PrintfTickFormatter(format="%.2g")
    items, points, told = [], [], []
    for row, ((name, values), look) in enumerate(zip(losses.items(), LOOKS, strict=False)):
        fine = [x <= cap for x in values]
        edge = top - air * (0.7 + row)  # below one another, where several diverged
        source = ColumnDataSource(
            {
                "rate": list(rates),
                "loss": [x if ok else math.nan for x, ok in zip(values, fine, strict=True)],
                "edge": [math.nan if ok else edge for ok in fine],
                "told": [_loss_in_words(x, ok) for x, ok in zip(values, fine, strict=True)],
                "label": [f"{rate:.3g}" for rate in rates],
            }
        )
        best = min((x, i) for i, x in enumerate(values) if math.isfinite(x))[1]
        style = {"source": source, "color": look["color"], "name": name}
        line = plot.line("rate", "loss", line_width=3, line_dash=look["line_dash"], **style)
        marks = plot.scatter("rate", "loss", size=9, marker=look["marker"], **style)
        gone = plot.scatter("rate", "edge", size=13, marker="x", line_width=3, **style)
        lowest = ColumnDataSource({"rate": [rates[best]], "loss": [values[best]]})
        plot.scatter(
            "rate",
            "loss",
            size=20,
            source=lowest,
            fill_color=None,
            line_color=look["color"],
            line_width=2.5,
            name="lowest",
        )
        items.append(LegendItem(label=name, renderers=[line, marks]))
        points += [marks, gone]
        told.append(
            f"“{escape(name)}” is lowest at a rate of <b>{rates[best]:.3g}</b>, at a loss of "
            f"<b>{values[best]:.3f}</b>"
            + (
                "."
                if all(fine)
                else f"; {fine.count(False)} of {len(rates)} rates are off the scale."
            )
        )
    tooltips = [("", "$name"), ("rate", "@label"), ("loss", "@told")]
    plot.add_tools(HoverTool(renderers=points, tooltips=tooltips))
    add_legend(plot, items)
    crosses = "A cross at the upper edge diverged, or lies above. " if capped else ""
    words = Div(text=crosses + " ".join(told), sizing_mode="stretch_width")
    return column(plot, words, sizing_mode="stretch_width")


def _loss_in_words(loss: float, fine: bool) -> str:
    if not math.isfinite(loss):
        return f"{loss}: diverged"
    return f"{loss:.3f}" + ("" if fine else ", above the axis")
