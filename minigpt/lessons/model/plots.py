"""The chapter on the model: how large its vectors are, block after block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    Legend,
    LegendItem,
    Plot,
    PrintfTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import LINES

_PLAIN_LEGEND = {"location": "bottom_left", "border_line_color": None, "padding": 0, "spacing": 18}


def rms_by_layer(series: Mapping[str, Sequence[float | None]]) -> Plot:
    """How large the vectors are, the root mean square, before the first block and after each.

    Args:
        series: for each name, the value of the two tables' sum, then one a block. Models of
            different depths may be drawn together. None (or NaN) leaves a gap.

    Raises:
        ValueError: no names or more than 4; fewer than two values; a value that is not above 0
            and finite.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    if not 1 <= len(series) <= len(LINES):
        raise ValueError(
            f"there are {len(series)} lines; give 1 to {len(LINES)}, which can be told apart"
        )
    plot = figure(
        height=360,
        sizing_mode="stretch_width",
        x_axis_label="blocks passed (0: the tables)",
        y_axis_type="log",
        y_axis_label="root mean square",
        tools=[
            HoverTool(
                renderers=[],
                tooltips=[("", "$name"), ("after", "@after"), ("RMS", "@rms{0.0000}")],
            )
        ],
        toolbar_location=None,
    )
    most, items = 0, []
    for (name, values), looks in zip(series.items(), LINES, strict=False):
        if len(values) < 2:
            raise ValueError(
                f"{name!r} has {len(values)} values; give that of the tables and one a block"
            )
        numbers = [math.nan if value is None else float(value) for value in values]
        for layer, value in enumerate(numbers):
            if math.isinf(value) or value <= 0:
                raise ValueError(
                    f"{name!r} is {value} at place {layer}; on a logarithmic axis it must be "
                    "finite and above 0: give None where there is none"
                )
        most = max(most, len(values) - 1)
        source = ColumnDataSource(
            {
                "layer": list(range(len(values))),
                "rms": list(numbers),
                "after": ["the tables", *(f"block {i}" for i in range(1, len(values)))],
            }
        )
        style = {"source": source, "color": looks["color"], "name": name}
        line = plot.line("layer", "rms", line_width=3, line_dash=looks["line_dash"], **style)
        points = plot.scatter("layer", "rms", size=8, marker=looks["marker"], **style)
        plot.hover.renderers = [*plot.hover.renderers, points]
        items.append(LegendItem(label=name, renderers=[line, points]))
    every = -(-most // 8)  # as many labels as fit on a phone
    plot.xaxis.ticker = FixedTicker(ticks=list(range(0, most + 1, every)))
    ticks = _ticks(value for values in series.values() for value in values if value)
    plot.yaxis.ticker = FixedTicker(ticks=ticks)
    plot.y_range = Range1d(ticks[0], ticks[-1])
    plot.yaxis.formatter = PrintfTickFormatter(format="%.2g")  # not 0.30000000000000004
    plot.add_layout(Legend(items=items, ncols=2, **_PLAIN_LEGEND), "above")
    return plot


def _ticks(values: Iterable[float]) -> list[float]:
    """Labels of a logarithmic axis that holds all values: 1, 2 and 5, or 1 alone for a wide one."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    first = max(i for i, tick in enumerate(ticks) if tick <= low)
    last = min(i for i, tick in enumerate(ticks) if tick >= high)
    return ticks[first : max(last, first + 1) + 1]
