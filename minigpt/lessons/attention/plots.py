"""Pictures for the chapter on attention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    CustomJS,
    Div,
    HoverTool,
    LabelSet,
    Plot,
    PrintfTickFormatter,
    Range1d,
    Slider,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import LINES
from minigpt.lessons.drawing.palette import BLUE

# What `softmax` and `softmax_sentence` compute in Python, for every position of the slider.
_SOFTMAX = """
  const scaled = scores.map((score) => score * slider.value), most = Math.max(...scaled);
  const powers = scaled.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  const weights = powers.map((power) => Number((power / sum).toFixed(6)));
  const entropy = weights.reduce((all, w) => all - (w > 0 ? w * Math.log(w) : 0), 0);
  const first = weights.indexOf(Math.max(...weights));
  source.data = { ...source.data, weight: weights, text: weights.map((w) => w.toFixed(3)) };
  const temperature = slider.value > 0 ? (1 / slider.value).toFixed(2) : "∞";
  const safe = document.createElement("i");
  safe.textContent = labels[first];
  words.text =
    `<b>Scale ${slider.value.toFixed(1)}, temperature ${temperature}</b>: the largest weight is ` +
    `<b>${weights[first].toFixed(3)}</b>, of “${safe.innerHTML}”. The entropy is ` +
    `<b>${entropy.toFixed(2)} nats</b>, as if it chose among ` +
    `<b>${Math.exp(entropy).toFixed(1)} equally likely</b> of ${labels.length}.`;
"""


def softmax_slider(labels: Sequence[str], scores: Sequence[float]) -> Column:
    """Bars of softmax(scores × scale), with a slider for the scale, from 0 to 8.

    Args:
        labels: what the scores belong to, from top to bottom.
        scores: finite numbers.

    Raises:
        ValueError: not one score a label, fewer than two, or one that is not finite.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    labels, scores = list(labels), [float(score) for score in scores]
    if len(labels) != len(scores) or len(scores) < 2:
        raise ValueError(
            f"{len(labels)} labels and {len(scores)} scores: give one score a label, and at least "
            "two"
        )
    for label, score in zip(labels, scores, strict=True):
        if not math.isfinite(8 * score):
            raise ValueError(
                f"the score of {label!r} is {score}; the slider multiplies it, so it must be "
                "finite: leave out what is masked"
            )
    weights = softmax(scores, 1.0)
    source = ColumnDataSource(
        {
            "place": list(range(len(labels))),
            "weight": weights,
            "text": [fixed(weight, 3) for weight in weights],
        }
    )
    plot = figure(
        height=30 * len(labels) + 60,
        sizing_mode="stretch_width",
        x_range=Range1d(0, 1.12),  # room for the number of a full bar
        y_range=Range1d(len(labels) - 0.5, -0.5),
        x_axis_label="weight",
        tools="",
        toolbar_location=None,
    )
    plot.yaxis.ticker = list(range(len(labels)))
    plot.yaxis.major_label_overrides = dict(enumerate(labels))  # labels may occur twice
    plot.xaxis.ticker = [0, 0.25, 0.5, 0.75, 1]
    plot.ygrid.visible = False
    plot.hbar(y="place", right="weight", height=0.7, color=BLUE, source=source)
    plot.add_layout(
        LabelSet(
            x="weight",
            y="place",
            text="text",
            x_offset=5,
            text_font_size="12px",
            text_baseline="middle",
            source=source,
        )
    )
    slider = Slider(
        title="Scale (temperature = 1 / scale)",
        start=0,
        end=8,
        step=0.1,
        value=1,
        format="0.0",
        bar_color=BLUE,
        sizing_mode="stretch_width",
    )
    words = Div(
        text=softmax_sentence(labels, scores, 1.0),
        html_attributes={"role": "status"},
        sizing_mode="stretch_width",
    )
    parts = {"source": source, "slider": slider, "words": words}
    slider.js_on_change(
        "value", CustomJS(args=parts | {"labels": labels, "scores": scores}, code=_SOFTMAX)
    )
    return column(plot, slider, words, sizing_mode="stretch_width")


def softmax(scores: Sequence[float], scale: float) -> list[float]:
    """The weights that the bars show: six decimals, the same on every machine."""
    most = max(score * scale for score in scores)
    powers = [math.exp(score * scale - most) for score in scores]
    return [float(fixed(power / sum(powers), 6)) for power in powers]


def softmax_sentence(labels: Sequence[str], scores: Sequence[float], scale: float) -> str:
    """What the slider's script writes below the bars."""
    weights = softmax(scores, scale)
    entropy = -sum(weight * math.log(weight) for weight in weights if weight > 0)
    first = weights.index(max(weights))
    temperature = fixed(1 / scale, 2) if scale > 0 else "∞"
    return (
        f"<b>Scale {fixed(scale, 1)}, temperature {temperature}</b>: the largest weight is "
        f"<b>{fixed(weights[first], 3)}</b>, of “{escape(labels[first], quote=False)}”. The "
        f"entropy is <b>{fixed(abs(entropy), 2)} nats</b>, as if it chose among "
        f"<b>{fixed(math.exp(entropy), 1)} equally likely</b> of {len(labels)}."
    )


def fixed(number: float, digits: int) -> str:
    """Like JavaScript's ``toFixed``, which rounds an exact half up where Python's format does not.

    One weight of eight equal ones is 0.125, so it shows.
    """
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(number).quantize(step, rounding=ROUND_HALF_UP))


def cost_against_length(
    lengths: Sequence[int],
    seconds: Mapping[str, Sequence[float | None]],
    megabytes: Mapping[str, Sequence[float | None]],
) -> Column:
    """Measured time and memory against the sequence length T, both on logarithmic axes.

    Args:
        lengths: values of T, ascending.
        seconds: for each way of computing, the time at each T; None where it was not measured.
        megabytes: the memory, likewise, for the same ways.

    Raises:
        ValueError: a measurement missing, or not above 0, where a logarithm has no place for it;
            different or more than four ways.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if list(seconds) != list(megabytes) or not 1 <= len(seconds) <= len(LINES):
        raise ValueError(
            f"seconds are of {list(seconds)}, megabytes of {list(megabytes)}: give both for the "
            f"same 1 to {len(LINES)} ways of computing, in the same order"
        )
    return column(
        _cost(lengths, seconds, "seconds"),
        _cost(lengths, megabytes, "megabytes"),
        sizing_mode="stretch_width",
    )


def _cost(lengths: Sequence[int], measured: Mapping, unit: str) -> Plot:
    plot = figure(
        height=300,
        min_border_left=70,  # as wide for times as for megabytes
        min_border_right=20,
        sizing_mode="stretch_width",
        x_axis_type="log",
        y_axis_type="log",
        x_axis_label="sequence length T (tokens)",
        y_axis_label=unit,
        tools=[
            HoverTool(
                renderers=[],
                tooltips=[("", "$name"), ("T", "@length{0,0}"), (unit, "@value{%.3g}")],
                formatters={"@value": "printf"},
            )
        ],
        toolbar_location=None,
    )
    every = -(-len(lengths) // 6)  # as many labels as fit on a phone
    plot.xaxis.ticker = list(lengths)[::-1][::every][::-1]
    plot.yaxis.formatter = PrintfTickFormatter(format="%g")
    for (way, values), looks in zip(measured.items(), LINES, strict=False):
        if len(values) != len(lengths):
            raise ValueError(
                f"{way!r} has {len(values)} measurements of {unit} for {len(lengths)} lengths: "
                "give one a length, None where there is none"
            )
        for length, value in zip(lengths, values, strict=True):
            if value is not None and not 0 < value < math.inf:
                raise ValueError(
                    f"{way!r} has {value} {unit} at T = {length}; a logarithmic axis needs a "
                    "number above 0: measure more work, or give None"
                )
        numbers = [math.nan if value is None else float(value) for value in values]
        _line(plot, {"length": list(lengths), "value": numbers}, way, **looks)
    _legend_above(plot)
    return plot


def score_spread(
    head_dims: Sequence[int], scaled: Sequence[float], unscaled: Sequence[float], keys: int = 64
) -> Plot:
    """Why scores are divided by √D: the mean largest weight of a query, with and without.

    Args:
        head_dims: head widths D, ascending.
        scaled: the mean largest softmax weight at each D, scores divided by √D.
        unscaled: the same, scores as they are.
        keys: how many keys the weight of 1 is shared among.

    Raises:
        ValueError: not one weight a width, or one that is not from 1 / keys to 1.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    plot = figure(
        height=330,
        sizing_mode="stretch_width",
        x_axis_type="log",
        x_axis_label="head width D",
        y_axis_label=f"largest of {keys} weights (mean)",
        y_range=Range1d(0, 1.05),
        tools=[
            HoverTool(
                renderers=[],
                tooltips=[("", "$name"), ("D", "@width"), ("largest weight", "@weight{0.000}")],
            )
        ],
        toolbar_location=None,
    )
    plot.xaxis.ticker = list(head_dims)
    for name, weights, looks in (
        ("scores as they are", unscaled, LINES[1]),
        ("scores divided by √D", scaled, LINES[0]),
    ):
        if len(weights) != len(head_dims):
            raise ValueError(
                f"{name}: {len(weights)} weights for {len(head_dims)} widths; give one a width"
            )
        for weight in weights:
            if not 1 / keys - 1e-6 <= weight <= 1 + 1e-6:
                raise ValueError(
                    f"{name}: the largest weight is {weight}; among {keys} keys it lies between "
                    f"{1 / keys:.4g} and 1: take the largest of a softmax"
                )
        _line(plot, {"width": list(head_dims), "weight": list(weights)}, name, **looks)
    _legend_above(plot)
    return plot


def _line(
    plot: Plot, data: dict[str, list], name: str, color: str, line_dash: str, marker: str
) -> None:
    """A line through measured points, which answer the pointer."""
    x, y = data
    style = {"source": ColumnDataSource(data), "color": color, "legend_label": name, "name": name}
    plot.line(x, y, line_width=3, line_dash=line_dash, **style)
    points = plot.scatter(x, y, size=9, marker=marker, **style)
    plot.hover.renderers = [*plot.hover.renderers, points]


def _legend_above(plot: Plot) -> None:
    """Out of the way of the lines, which fill a phone's width."""
    plot.add_layout(plot.legend[0], "above")
    plot.legend.location = "bottom_left"
    plot.legend.border_line_color = None
    plot.legend.padding = 0
