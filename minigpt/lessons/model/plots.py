"""Pictures for the chapter on the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from bokeh.layouts import column
from bokeh.models import (
    Column,
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
from torch.nn import functional as F

from minigpt.lessons.drawing.lines import LINES
from minigpt.lessons.drawing.palette import BLUE, GREEN, ORANGE, TOKEN_TEXT, VIOLET
from minigpt.lessons.model.architecture import HUES
from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_counts

# Parts of a model, in the order of its vectors, and the text that is legible on their colours.
PARTS = {
    "token_embedding": ("token table", "white"),
    "position_embedding": ("position table", "white"),
    "attention": ("attention", TOKEN_TEXT),
    "mlp": ("MLP", TOKEN_TEXT),
    "norms": ("norms", TOKEN_TEXT),
    "lm_head": ("head", "white"),
}

_PLAIN_LEGEND = {"location": "bottom_left", "border_line_color": None, "padding": 0}


def gelu_curves() -> Column:
    """GELU, its tanh form, and ReLU; below them, how far the two GELUs are apart.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    xs = [step / 20 for step in range(-80, 81)]
    at = torch.tensor(xs, dtype=torch.float64)
    exact, tanh = (F.gelu(at, approximate=form).tolist() for form in ("none", "tanh"))
    apart = [b - a for a, b in zip(exact, tanh, strict=True)]
    source = ColumnDataSource(
        {
            "x": xs,
            "gelu": list(exact),
            "tanh": list(tanh),
            "relu": [max(0.0, x) for x in xs],
            "apart": list(apart),
        }
    )
    shared = {
        "sizing_mode": "stretch_width",
        "toolbar_location": None,
        "min_border_left": 70,
        "min_border_right": 20,
    }
    above = figure(height=300, x_range=Range1d(-4, 4), y_axis_label="f(x)", tools="", **shared)
    lines = [
        above.line("x", name, source=source, line_width=width, color=color, line_dash=dash)
        for name, width, color, dash in (
            ("relu", 3, GREEN, "dotted"),
            ("gelu", 3, BLUE, "solid"),
            ("tanh", 3, ORANGE, "dashed"),
        )
    ]
    names = ("ReLU", "GELU", "its tanh form")
    items = [LegendItem(label=n, renderers=[r]) for n, r in zip(names, lines, strict=True)]
    above.add_layout(Legend(items=items, ncols=3, **_PLAIN_LEGEND), "above")
    below = figure(
        height=200,
        x_range=above.x_range,
        x_axis_label="x",
        y_axis_label="tanh form − GELU",
        tools="",
        **shared,
    )
    below.yaxis.formatter = PrintfTickFormatter(format="%g")
    below.yaxis.ticker = FixedTicker(ticks=[-4e-4, -2e-4, 0, 2e-4, 4e-4])
    difference = below.line("x", "apart", source=source, line_width=3, color=VIOLET)
    told = [
        ("x", "@x{0.00}"),
        ("GELU", "@gelu{0.000000}"),
        ("tanh form", "@tanh{0.000000}"),
        ("ReLU", "@relu{0.00}"),
        ("difference", "@apart{0.000000}"),
    ]
    for plot, line in ((above, lines[1]), (below, difference)):
        plot.add_tools(HoverTool(renderers=[line], mode="vline", tooltips=told))
    return column(above, below, sizing_mode="stretch_width")


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
    plot.yaxis.formatter = PrintfTickFormatter(format="%g")
    plot.add_layout(Legend(items=items, ncols=2, **_PLAIN_LEGEND), "above")
    return plot


def parameter_shares(configs: Mapping[str, GPTConfig]) -> Plot:
    """Where the parameters of models sit: a bar a model, in per cent, from `minigpt.model.ledger`.

    Args:
        configs: models by name, from top to bottom.

    Raises:
        ValueError: no models.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    if not configs:
        raise ValueError("there are no models to draw; give at least one name with its GPTConfig")
    counts = {name: parameter_counts(config) for name, config in configs.items()}
    plot = figure(
        height=44 * len(configs) + 130,
        sizing_mode="stretch_width",
        x_range=Range1d(0, 100),
        y_range=Range1d(len(configs) - 0.4, -0.6),
        x_axis_label="per cent of all parameters",
        min_border_right=15,
        tools=[
            HoverTool(
                renderers=[],
                tooltips=[
                    ("", "@model: @part"),
                    ("parameters", "@count{0,0} of @total{0,0}"),
                    ("share", "@share{0.00} %"),
                ],
            )
        ],
        toolbar_location=None,
    )
    plot.yaxis.ticker = FixedTicker(ticks=list(range(len(configs))))
    plot.yaxis.major_label_overrides = dict(enumerate(configs))
    plot.ygrid.visible = False
    items = []
    left = dict.fromkeys(configs, 0.0)
    for key, (part, text_color) in PARTS.items():
        if not any(count[key] for count in counts.values()):
            continue
        totals = [sum(count.values()) for count in counts.values()]
        shares = [100 * c[key] / total for c, total in zip(counts.values(), totals, strict=True)]
        right = {name: left[name] + share for name, share in zip(configs, shares, strict=True)}
        source = ColumnDataSource(
            {
                "row": list(range(len(configs))),
                "left": list(left.values()),
                "right": list(right.values()),
                "middle": [(left[name] + right[name]) / 2 for name in configs],
                # Where a phone has the room.
                "text": [f"{share:.0f}" if share >= 8 else "" for share in shares],
                "share": list(shares),
                "count": [count[key] for count in counts.values()],
                "total": totals,
                "model": list(configs),
                "part": [part] * len(configs),
            }
        )
        bar = plot.hbar(
            "row", left="left", right="right", height=0.7, color=HUES[key], source=source, name=key
        )
        plot.text(
            "middle",
            "row",
            "text",
            text_align="center",
            text_baseline="middle",
            text_font_size="13px",
            text_color=text_color,
            source=source,
        )
        plot.hover.renderers = [*plot.hover.renderers, bar]
        items.append(LegendItem(label=part, renderers=[bar]))
        left = right
    plot.add_layout(Legend(items=items, ncols=2, **_PLAIN_LEGEND), "above")
    return plot
