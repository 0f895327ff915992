"""Pictures for the chapter on attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    CustomJS,
    Div,
    LabelSet,
    Range1d,
    Slider,
)
from bokeh.plotting import figure

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
