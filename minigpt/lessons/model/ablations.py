"""The chart of a model's versions that differ from it in one thing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from statistics import fmean, median

from bokeh.layouts import column
from bokeh.models import (
    BoxAnnotation,
    Column,
    ColumnDataSource,
    CustomJS,
    Div,
    FixedTicker,
    HoverTool,
    LabelSet,
    Range1d,
    Span,
    Toggle,
)
from bokeh.plotting import figure

from minigpt.lessons.drawing.palette import BLUE, ORANGE

NEAR = 0.3  # nats from the reference: what the close-up of `ablation_chart` shows

_CLOSE_UP = """
  const close = button.active;
  range.setv(close ? near : all);
  for (const pointer of pointers) pointer.visible = close;
  words.text = told[close ? 1 : 0];
"""


def ablation_chart(
    losses: Mapping[str, Sequence[float | None]], parameters: Mapping[str, int]
) -> Column:
    """Validation losses of a model's versions, a dot a run, beside those of the first version.

    A diamond is the median of a version's runs: one run that got stuck does not move it. A
    button narrows the axis to the runs within 0.3 nats of the first version's median.

    Args:
        losses: for each version, what its runs reached, in nats per character; None (or what is
            not finite) where a run diverged. The first version is what the others are held
            to.
        parameters: how many numbers each version learns.

    Raises:
        ValueError: no versions; parameters of other versions; a version without runs; a first
            version of which every run diverged.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    _check_runs(losses, parameters)
    finite = {name: [x for x in runs if _reached(x)] for name, runs in losses.items()}
    medians = {name: median(runs) if runs else math.nan for name, runs in finite.items()}
    reference = next(iter(losses))
    everything = _span(x for runs in finite.values() for x in runs)
    # By single runs: of a version that got stuck once, the others are worth a closer look.
    near = {n: [x for x in r if abs(x - medians[reference]) <= NEAR] for n, r in finite.items()}
    near[reference] = finite[reference]  # however far apart they are
    closer = _span(x for runs in near.values() for x in runs)
    beside = [x for runs in finite.values() for x in runs if closer[0] <= x <= closer[1]]
    closer = _span([*closer, *beside], air=0.02)  # no dot is cut in two
    rows = {name: row for row, name in enumerate(losses)}

    plot = figure(
        height=38 * len(losses) + 70,
        sizing_mode="stretch_width",
        x_range=Range1d(*everything),
        y_range=Range1d(len(losses) - 0.4, -0.6),
        x_axis_label="validation loss (nats per character)",
        min_border_right=15,
        tools="",
        toolbar_location=None,
    )
    plot.yaxis.ticker = FixedTicker(ticks=list(rows.values()))
    plot.xaxis.ticker.desired_num_ticks = 5  # as many as a phone has room for
    plot.xaxis.minor_tick_line_color = None
    middle, first = medians[reference], finite[reference]
    plot.add_layout(
        BoxAnnotation(
            left=min(first),
            right=max(first),
            fill_color=BLUE,
            fill_alpha=0.2,
            line_color=None,
            level="underlay",
        )
    )
    plot.add_layout(
        Span(
            location=middle,
            dimension="height",
            line_color=BLUE,
            line_dash="dashed",
            level="underlay",
        )
    )

    drawn = [name for name in losses if finite[name]]
    summary = ColumnDataSource(
        {
            "row": [rows[name] - 0.15 for name in drawn],
            "version": drawn,
            "median": [medians[name] for name in drawn],
            "low": [min(finite[name]) for name in drawn],
            "high": [max(finite[name]) for name in drawn],
            "runs": [len(losses[name]) for name in drawn],
            "diverged": [len(losses[name]) - len(finite[name]) for name in drawn],
            "parameters": [parameters[name] for name in drawn],
        }
    )
    dots = [(n, i, x) for n, runs in losses.items() for i, x in enumerate(runs, 1) if _reached(x)]
    single = ColumnDataSource(
        {
            "row": [rows[name] + 0.15 for name, _, _ in dots],
            "version": [name for name, _, _ in dots],
            "run": [i for _, i, _ in dots],
            "loss": [float(x) for _, _, x in dots],
        }
    )
    marks = plot.scatter(
        "median", "row", marker="diamond", size=13, source=summary, color=ORANGE, name="medians"
    )
    points = plot.scatter(
        "loss", "row", size=6, source=single, color=BLUE, line_color="white", name="runs"
    )
    plot.add_tools(
        HoverTool(
            renderers=[marks],
            tooltips=[
                ("", "@version"),
                ("median", "@median{0.0000}"),
                ("from", "@low{0.0000} to @high{0.0000}"),
                ("runs", "@runs, diverged: @diverged"),
                ("parameters", "@parameters{0,0}"),
            ],
        ),
        HoverTool(
            renderers=[points],
            attachment="below",
            tooltips=[("", "@version"), ("run", "@run"), ("loss", "@loss{0.0000}")],
        ),
    )
    lost = {n: f"{len(runs) - len(finite[n])} of {len(runs)}" for n, runs in losses.items()}
    plot.yaxis.major_label_overrides = {
        row: name if len(finite[name]) == len(losses[name]) else f"{name}\n({lost[name]} diverged)"
        for name, row in rows.items()
    }
    # In the close-up, where the other runs are.
    above = {n: [x for x in runs if x > closer[1]] for n, runs in finite.items()}
    below = {n: [x for x in runs if x < closer[0]] for n, runs in finite.items()}
    pointers = []
    for edge, align, offset, outside in (
        (closer[1], "right", -4, above),
        (closer[0], "left", 4, below),
    ):
        names = [name for name in losses if outside[name]]
        texts = []
        for name in names:
            count = len(outside[name])
            runs = "" if count == len(finite[name]) else f"{count} run{'s' * (count > 1)}: "
            where = f"{runs}{fmean(outside[name]):.2f}"
            texts.append(f"{where} →" if align == "right" else f"← {where}")
        source = ColumnDataSource(
            {"x": [edge] * len(names), "row": [rows[n] + 0.15 for n in names], "text": texts}
        )
        pointers.append(
            LabelSet(
                x="x",
                y="row",
                text="text",
                text_align=align,
                x_offset=offset,
                text_baseline="middle",
                text_font_size="12px",
                visible=False,
                source=source,
            )
        )
        plot.add_layout(pointers[-1])

    outside = {name: len(above[name]) + len(below[name]) for name in losses}
    told = [
        _in_words(losses, finite, medians, None),
        _in_words(losses, finite, medians, outside),
    ]
    # Bokeh's checkbox has no name that a screen reader could tell, and a button that changes its
    # label is made anew, without the focus. So it is a toggle, and the words tell its state.
    button = Toggle(
        label=f"Close up (within {NEAR:g} nats of “{reference}”)", sizing_mode="stretch_width"
    )
    words = Div(text=told[0], html_attributes={"role": "status"}, sizing_mode="stretch_width")
    args = {
        "button": button,
        "range": plot.x_range,
        "all": dict(zip(("start", "end"), everything, strict=True)),
        "near": dict(zip(("start", "end"), closer, strict=True)),
        "pointers": pointers,
        "words": words,
        "told": told,
    }
    button.js_on_change("active", CustomJS(args=args, code=_CLOSE_UP))
    return column(plot, button, words, sizing_mode="stretch_width")


def _in_words(
    losses: Mapping[str, Sequence[float | None]],
    finite: Mapping[str, Sequence[float]],
    medians: Mapping[str, float],
    outside: Mapping[str, int] | None,
) -> str:
    """What the chart shows: its best and worst version, what diverged, and in the close-up how
    many runs of each version are out of sight."""
    reference, *others = losses
    reached = [name for name in losses if finite[name]]

    def middle(name: str) -> str:
        return f"“{escape(name)}” ({medians[name]:.3f})"

    told = [
        "All versions." if outside is None else "Close up.",
        f"The dashed line is the median of “{escape(reference)}”, "
        f"<b>{medians[reference]:.3f}</b> nats, the band all of its runs.",
    ]
    if outside and any(outside.values()):
        gone = [
            middle(name)
            if count == len(finite[name])
            else f"{count} of {len(finite[name])} runs of “{escape(name)}”"
            for name, count in outside.items()
            if count
        ]
        told.append(f"Out of sight: {', '.join(gone)}.")
    elif others and len(reached) > 1:
        best, worst = (pick(reached, key=medians.get) for pick in (min, max))
        told.append(f"Lowest is {middle(best)}, highest {middle(worst)}.")
    for name, runs in losses.items():
        lost = sum(not _reached(x) for x in runs)
        if lost:
            told.append(f"Of “{escape(name)}”, {lost} of {len(runs)} runs <b>diverged</b>.")
    return " ".join(told)


def _check_runs(
    losses: Mapping[str, Sequence[float | None]], parameters: Mapping[str, int]
) -> None:
    if not losses or set(losses) != set(parameters):
        raise ValueError(
            f"losses are of {list(losses)}, parameters of {list(parameters)}: give both for the "
            "same versions, at least one"
        )
    for name, runs in losses.items():
        if not runs:
            raise ValueError(f"{name!r} has no runs; give a loss a run, None where it diverged")
    reference = next(iter(losses))
    if not any(map(_reached, losses[reference])):
        raise ValueError(
            f"every run of {reference!r} diverged; the first version is what the others are held "
            "to: put one first that was trained"
        )


def _reached(loss: float | None) -> bool:
    """Whether a run came to an end."""
    return loss is not None and math.isfinite(loss)


def _span(values: Iterable[float], air: float = 0.06) -> tuple[float, float]:
    """Both ends of an axis: all values, and some air."""
    values = list(values)
    low, high = min(values), max(values)
    margin = air * (high - low) or 0.01
    return low - margin, high + margin
