"""The picture of optimisers that train the same model, several times each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean, stdev

from bokeh.layouts import column
from bokeh.models import (
    Column,
    ColumnDataSource,
    CustomJS,
    Div,
    HoverTool,
    LegendItem,
    Range1d,
    Toggle,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.lines import LOOKS, SHARED, add_legend, check_names, some_of

_CLOSE_UP = """
  const close = button.active;
  x_range.setv(close ? near.x : all.x);
  y_range.setv(close ? near.y : all.y);
  words.text = told[close ? 1 : 0];
"""


def optimizer_race(curves: Mapping[str, Sequence[Sequence[float]]], every: int) -> Column:
    """Validation losses over the steps: an optimiser's mean, its standard deviation as a band,
    its single seeds faintly. A button shows the second half of the run alone.

    Args:
        curves: for each optimiser, for each seed, the losses after 0, `every`, 2 × `every` …
            steps, in nats per character; not finite from where a seed diverged. The mean is that
            of the seeds that have not.
        every: steps between two losses.

    Raises:
        ValueError: no optimisers, or more than can be told apart; no seeds; seeds with different
            numbers of losses, or fewer than two; `every` below 1; no finite loss at the start.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    _check(curves, every)
    plot = figure(
        height=400,
        x_axis_label="step",
        y_axis_label="validation loss (nats per character)",
        tools="",
        **SHARED,
    )
    plot.xaxis.ticker.desired_num_ticks = 5
    items, lines, bands = [], [], {}
    for number, ((name, seeds), look) in enumerate(zip(curves.items(), LOOKS, strict=False)):
        data = bands[name] = _mean_and_band(seeds, every)
        source = ColumnDataSource(data)
        color = look["color"]
        plot.varea(
            "step", "low", "high", source=source, fill_color=color, fill_alpha=0.22, name="band"
        )
        single = [[x if math.isfinite(x) else math.nan for x in losses] for losses in seeds]
        plot.multi_line(
            xs=[data["step"]] * len(seeds),
            ys=[list(losses) for losses in single],
            color=color,
            line_alpha=0.4,
            line_width=1,
            name="seeds",
        )
        style = {"source": source, "color": color, "name": name}
        line = plot.line("step", "mean", line_width=3, line_dash=look["line_dash"], **style)
        some = some_of(len(data["step"]), number)
        marked = ColumnDataSource({key: [data[key][i] for i in some] for key in ("step", "mean")})
        marks = plot.scatter(
            "step", "mean", size=8, marker=look["marker"], **style | {"source": marked}
        )
        items.append(LegendItem(label=name, renderers=[line, marks]))
        lines.append(line)
    tooltips = [
        ("", "$name"),
        ("step", "@step{0,0}"),
        ("mean", "@mean{0.0000}"),
        ("standard deviation", "@deviation"),
        ("seeds", "@seeds"),
    ]
    plot.add_tools(HoverTool(renderers=lines, mode="vline", tooltips=tooltips))
    add_legend(plot, items)

    last = max(data["step"][-1] for data in bands.values())
    views = [_view(curves, bands, start, last) for start in (0, last // 2)]
    plot.x_range, plot.y_range = (Range1d(**views[0][axis]) for axis in "xy")
    told = [f"{view} {_in_words(bands)}" for view in ("The whole run.", "The second half.")]
    button = Toggle(label="Close up (the second half)", sizing_mode="stretch_width")
    words = Div(text=told[0], html_attributes={"role": "status"}, sizing_mode="stretch_width")
    args = {
        "button": button,
        "x_range": plot.x_range,
        "y_range": plot.y_range,
        "all": views[0],
        "near": views[1],
        "words": words,
        "told": told,
    }
    button.js_on_change("active", CustomJS(args=args, code=_CLOSE_UP))
    return column(plot, button, words, sizing_mode="stretch_width")


def _check(curves: Mapping[str, Sequence[Sequence[float]]], every: int) -> None:
    check_names(curves, "optimisers")
    if every < 1:
        raise ValueError(f"every is {every}; it is the number of steps between losses, at least 1")
    for name, seeds in curves.items():
        lengths = sorted({len(losses) for losses in seeds})
        if len(lengths) != 1 or lengths[0] < 2:
            raise ValueError(
                f"the {len(seeds)} seeds of {name!r} have {lengths} losses; give at least one "
                "seed, at least two losses each, and every seed as many"
            )
        if not any(math.isfinite(losses[0]) for losses in seeds):
            raise ValueError(f"{name!r} has no finite loss at step 0; give at least one")


def _mean_and_band(seeds: Sequence[Sequence[float]], every: int) -> dict[str, list]:
    """A row a measurement: over the seeds that are still finite there."""
    reached = [[x for x in column if math.isfinite(x)] for column in zip(*seeds, strict=True)]
    means = [fmean(values) if values else math.nan for values in reached]
    spreads = [stdev(values) if len(values) > 1 else 0.0 for values in reached]
    return {
        "step": [i * every for i in range(len(reached))],
        "mean": list(means),
        "low": [m - s for m, s in zip(means, spreads, strict=True)],
        "high": [m + s for m, s in zip(means, spreads, strict=True)],
        "deviation": [
            f"{spread:.4f}" if len(values) > 1 else "one seed has none"
            for spread, values in zip(spreads, reached, strict=True)
        ],
        "seeds": [
            f"{len(values)}" + (f" of {len(seeds)}" if len(values) < len(seeds) else "")
            for values in reached
        ],
    }


def _view(
    curves: Mapping[str, Sequence[Sequence[float]]],
    bands: Mapping[str, Mapping[str, list]],
    start: int,
    end: int,
) -> dict[str, dict[str, float]]:
    """The ends of both axes that show everything between two steps."""
    seen = []
    for name, data in bands.items():
        for i, step in enumerate(data["step"]):
            if start <= step <= end:
                seen += [data["low"][i], data["high"][i], *(losses[i] for losses in curves[name])]
    seen = [x for x in seen if math.isfinite(x)] or [0.0, 1.0]
    air = 0.06 * (max(seen) - min(seen)) or 0.01
    return {
        "x": {"start": float(start), "end": float(end)},
        "y": {"start": min(seen) - air, "end": max(seen) + air},
    }


def _in_words(bands: Mapping[str, Mapping[str, list]]) -> str:
    """Where every optimiser ends."""
    told = []
    for name, data in bands.items():
        mean, deviation = data["mean"][-1], data["deviation"][-1]
        if math.isfinite(mean):
            spread = f"standard deviation {deviation}" if deviation[0].isdigit() else deviation
            text = f"ends at <b>{mean:.3f}</b> ({spread}; seeds: {data['seeds'][-1]})"
        else:
            text = "<b>diverges</b> with every seed"
        told.append(f"“{escape(name)}” {text}.")
    return " ".join(told)
