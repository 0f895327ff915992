"""Pictures of how a token is chosen: draws beside their probabilities, and temperatures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    Div,
    HoverTool,
    LabelSet,
    LegendItem,
    NumeralTickFormatter,
    Plot,
    Range1d,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import SHARED, add_legend
from minigpt.lessons.drawing.palette import BLUE, ORANGE


def counted_draws(
    tokens: Sequence[str], probabilities: Sequence[float], counts: Sequence[int]
) -> Column:
    """How often each token was drawn, beside what its probability let expect.

    A thin line reaches two standard deviations √(n p (1 - p)) to each side of what was expected.

    Args:
        tokens: as they are to be shown, from top to bottom.
        probabilities: of one draw; they add up to 1.
        counts: of n draws, at least one.

    Raises:
        ValueError: no tokens; not one probability and one count a token; probabilities outside
            [0, 1] or that do not add up to 1; counts below 0, or of no draw.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    check_probabilities("the tokens", tokens, probabilities)
    if abs(sum(probabilities) - 1) > 1e-4:
        raise ValueError(
            f"the probabilities add up to {sum(probabilities):.6g}, not to 1: give those of the "
            "whole vocabulary, after the softmax"
        )
    if len(counts) != len(tokens) or min(counts) < 0 or sum(counts) < 1:
        raise ValueError(
            f"the counts are {list(counts)} for {len(tokens)} tokens: give one a token, none below "
            "0, of at least one draw"
        )
    draws = sum(counts)
    expected = [draws * p for p in probabilities]
    spreads = [math.sqrt(draws * p * max(0.0, 1 - p)) for p in probabilities]
    far = [_far(n, e, s) for n, e, s in zip(counts, expected, spreads, strict=True)]
    ends = [e + 2 * s for e, s in zip(expected, spreads, strict=True)]
    places = list(range(len(tokens)))
    top = 1.04 * max(*counts, *ends)
    source = ColumnDataSource(
        {
            "token": list(tokens),
            "place": places,
            "upper": [i - 0.2 for i in places],
            "lower": [i + 0.2 for i in places],
            "expected": list(expected),
            "drawn": list(counts),
            "low": [max(0.0, e - 2 * s) for e, s in zip(expected, spreads, strict=True)],
            "high": list(ends),
            "far": [_in_deviations(x) for x in far],
        }
    )
    plot = figure(
        height=38 * len(tokens) + 100,
        x_range=Range1d(0, top),
        y_range=Range1d(len(tokens) - 0.4, -0.6),
        x_axis_label=f"times drawn, of {draws:,}",
        tools="",
        **SHARED,
    )
    _name_rows(plot, places, tokens)
    plot.xaxis.ticker.desired_num_ticks = 4  # as many as a phone has room for
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    hollow = plot.hbar(
        y="upper",
        right="expected",
        height=0.34,
        source=source,
        fill_color=None,
        line_color=ORANGE,
        line_width=2,
        name="expected",
    )
    plot.segment(
        "low", "upper", "high", "upper", source=source, color=ORANGE, line_width=2, name="chance"
    )
    filled = plot.hbar(
        y="lower", right="drawn", height=0.36, source=source, color=BLUE, name="drawn"
    )
    items = [LegendItem(label="expected", renderers=[hollow])]
    add_legend(plot, [*items, LegendItem(label="drawn", renderers=[filled])])
    tooltips = [
        ("", "@token"),
        ("expected", "@expected{0,0.0}"),
        ("drawn", "@drawn{0,0}"),
        ("difference", "@far"),
    ]
    _answer_in_rows(plot, source, top, tooltips)
    widest = max(range(len(far)), key=lambda i: abs(far[i]))
    words = (
        f"{draws:,} draws. The difference between drawn and expected is largest for "
        f"“{escape(tokens[widest])}”: <b>{_in_deviations(far[widest])}</b>. The thin lines reach "
        "two standard deviations to each side."
    )
    return column(plot, Div(text=words, sizing_mode="stretch_width"), sizing_mode="stretch_width")


def temperatures(tokens: Sequence[str], probabilities: Mapping[str, Sequence[float]]) -> Plot:
    """The probabilities of the same few tokens under several temperatures, one below the other.

    Args:
        tokens: as they are to be shown, from top to bottom.
        probabilities: for each name, such as "T = 0.5", one a token. Where they add up to less
            than 1, the name says to how much.

    Raises:
        ValueError: no tokens, no names; not one probability a token, or one outside [0, 1].

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if not probabilities:
        raise ValueError("there are no temperatures to draw; give at least one, by its name")
    for name, values in probabilities.items():
        check_probabilities(repr(name), tokens, values)
    heads, rows, group = [], [], len(tokens) + 1.6  # a line for the name, and some air
    for number, (name, values) in enumerate(probabilities.items()):
        together = sum(values)
        note = "" if together > 0.9995 else f" (these tokens: {together:.2f} together)"
        heads.append((number * group, name + note))
        for i, (token, value) in enumerate(zip(tokens, values, strict=True), 1):
            rows.append((number * group + i, name, token, value))
    places, names, shown, values = (list(values) for values in zip(*rows, strict=True))
    top = 1.18 * max(values)  # room for the number of the longest bar
    source = ColumnDataSource(
        {
            "place": places,
            "name": names,
            "token": shown,
            "probability": list(values),
            "text": [f"{value:.2f}" for value in values],
        }
    )
    plot = figure(
        height=round(22 * group * len(probabilities)) + 55,
        x_range=Range1d(0, top),
        y_range=Range1d(places[-1] + 0.7, -0.9),
        x_axis_label="probability",
        tools="",
        **SHARED,
    )
    _name_rows(plot, places, shown)
    plot.xaxis.ticker.desired_num_ticks = 5
    plot.hbar(y="place", right="probability", height=0.74, source=source, color=BLUE, name="bars")
    number = {"x": "probability", "y": "place", "text": "text", "source": source, "x_offset": 5}
    plot.add_layout(LabelSet(**number, text_font_size="12px", text_baseline="middle"))
    named = ColumnDataSource({"place": [y for y, _ in heads], "text": [text for _, text in heads]})
    head = {"x": 0, "y": "place", "text": "text", "source": named, "x_offset": 2, "name": "heads"}
    looks = {"text_font_size": "13px", "text_font_style": "bold", "text_baseline": "middle"}
    plot.add_layout(LabelSet(**head, **looks))
    tooltips = [("", "@token"), ("", "@name"), ("probability", "@probability{0.0000}")]
    _answer_in_rows(plot, source, top, tooltips)
    return plot


def check_probabilities(
    what: str, tokens: Sequence[object], probabilities: Sequence[float]
) -> None:
    """Raise ValueError unless there is one probability a token, and at least one token."""
    if not len(tokens) or len(tokens) != len(probabilities):
        raise ValueError(
            f"there are {len(tokens)} tokens and {len(probabilities)} probabilities of {what}: "
            "give one a token, and at least one token"
        )
    for i, value in enumerate(probabilities):
        if not 0 <= value <= 1 + 1e-6:
            raise ValueError(
                f"probability {i} of {what} is {value}; it must lie between 0 and 1: take the "
                "softmax of the scores first"
            )


def _far(count: int, expected: float, spread: float) -> float:
    """The difference in standard deviations; infinite where chance leaves no room for one."""
    if spread > 0:
        return (count - expected) / spread
    return 0.0 if abs(count - expected) < 0.5 else math.copysign(math.inf, count - expected)


def _in_deviations(far: float) -> str:
    if math.isinf(far):
        return "impossible by chance"
    return f"{far:+.1f} standard deviations".replace("-", "−")


def _name_rows(plot: Plot, places: Sequence[int | float], names: Sequence[str]) -> None:
    plot.yaxis.ticker = list(places)
    plot.yaxis.major_label_overrides = dict(zip(places, names, strict=True))  # may occur twice
    plot.ygrid.visible = False


def _answer_in_rows(
    plot: Plot, source: ColumnDataSource, top: float, tooltips: list[tuple[str, str]]
) -> None:
    """Let whole rows answer the pointer: a short bar is hard to meet."""
    looks = {"fill_alpha": 0, "line_alpha": 0, "name": "rows"}
    rows = plot.hbar(y="place", left=0, right=top, height=1, source=source, **looks)
    plot.add_tools(HoverTool(renderers=[rows], tooltips=tooltips))
