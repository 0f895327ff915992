"""What a KV cache saves: the vectors that it does not compute again, and the time."""

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
from minigpt.lessons.drawing.palette import BLUE

COMPUTED, READ = "●", "○"
_MEANING = {COMPUTED: "computed", READ: "read"}
# The page's colours in the book, Jupyter's in Jupyter, else the browser's own pair.
_HEAD = (
    "position:sticky;left:0;text-align:left;white-space:nowrap;padding:3px 8px 3px 2px;"
    "background:var(--mg-page,var(--jp-layout-color0,Canvas));"
    "color:var(--mg-ink,var(--jp-ui-font-color1,CanvasText));font-weight:400"
)
_CELL = "text-align:center;padding:3px 4px;min-width:1.3em"
_RED, _GREEN, _BLUE = (int(BLUE[i : i + 2], 16) for i in (1, 3, 5))
_GROUNDS = {
    COMPUTED: f";background:rgba({_RED},{_GREEN},{_BLUE},0.4);border:1px solid {BLUE}",
    READ: f";border:1px dashed {BLUE}",
    "": "",
}


class CacheDiagram:
    """Whose keys and values each step computes or reads: for Jupyter, Colab and the book."""

    def __init__(self, tokens: Sequence[str], cached: bool, prompt: int) -> None:
        self.tokens, self.cached, self.prompt = list(tokens), cached, prompt

    @property
    def steps(self) -> list[list[str]]:
        """A row a step, a mark a token: computed, read, or not there yet."""
        size = len(self.tokens)
        rows = []
        for length in range(self.prompt, size + 1):
            read = length - 1 if self.cached and length > self.prompt else 0
            rows.append([READ] * read + [COMPUTED] * (length - read) + [""] * (size - length))
        return rows

    @property
    def computed(self) -> list[int]:
        """How many tokens' keys and values each step computes."""
        return [row.count(COMPUTED) for row in self.steps]

    @property
    def caption(self) -> str:
        """What the table shows, in a line or two."""
        total = sum(self.computed)
        again = total - len(self.tokens)
        if self.cached:
            return (
                f"With a cache: a step computes keys and values of new tokens alone ({COMPUTED}) "
                f"and reads those of the others ({READ}). {total} in all, none of them again"
            )
        return (
            f"Without a cache: a step computes keys and values of all tokens so far ({COMPUTED}). "
            f"{total} in all, {again} of them again"
        )

    def __repr__(self) -> str:
        width = max(2, *map(len, self.tokens))
        heads = "".join(f"{token:>{width + 1}}" for token in self.tokens)
        lines = [self.caption, f"{COMPUTED:>13}{heads}"]
        for number, (marks, count) in enumerate(zip(self.steps, self.computed, strict=True), 1):
            cells = "".join(f"{mark:>{width + 1}}" for mark in marks)
            lines.append(f"step {number:<3}{count:>5}{cells}".rstrip())
        return "\n".join([*lines, f"in all  {sum(self.computed):>5}"])

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col" style="{_CELL};white-space:pre;font-weight:400">{escape(token)}</th>'
            for token in self.tokens
        )
        # Before the tokens, so that a phone shows it.
        sum_style = "text-align:right;padding:3px 10px 3px 4px;font-weight:600"
        rows = "".join(
            f'<tr><th scope="row" style="{_HEAD}">step {number}</th>'
            f'<td style="{sum_style}">{count}</td>{"".join(map(_cell, marks))}</tr>'
            for number, (marks, count) in enumerate(zip(self.steps, self.computed, strict=True), 1)
        )
        caption = escape(self.caption)
        # Outside of what scrolls, so that it is read whole; the table bears it as its name.
        return (
            f'<div class="cache-diagram" dir="ltr"><p aria-hidden="true" style="margin:0 0 0.4em">'
            f'{caption}</p><div role="group" tabindex="0" aria-label="{caption}"'
            f' style="overflow-x:auto"><table aria-label="{caption}"'
            f' style="margin:0;border-collapse:collapse;line-height:1.4;width:auto">'
            f'<thead><tr><td style="{_HEAD}"></td><th scope="col" style="{sum_style}">'
            f"{_mark(COMPUTED)}</th>{heads}</tr></thead><tbody>{rows}</tbody>"
            f'<tfoot><tr><th scope="row" style="{_HEAD}">in all</th><td style="{sum_style}">'
            f'{sum(self.computed)}</td><td colspan="{len(self.tokens)}"></td></tr></tfoot></table>'
            f"</div></div>"
        )


def cache_diagram(tokens: Sequence[str], cached: bool, prompt: int = 1) -> CacheDiagram:
    """Whose keys and values are computed at each step of generation, and whose are read.

    The first step reads the prompt, each other one the token that the step before has chosen.

    Args:
        tokens: as they are to be shown: the prompt's, and those that were generated.
        cached: with a KV cache, or without.
        prompt: how many of the tokens are the prompt.

    Raises:
        ValueError: no tokens; a prompt below 1 or longer than the tokens.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if not 1 <= prompt <= len(tokens):
        raise ValueError(
            f"the prompt has {prompt} of {len(tokens)} tokens: give at least one token, and a "
            "prompt of 1 up to all of them"
        )
    return CacheDiagram(tokens, cached, prompt)


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


def _mark(mark: str) -> str:
    return f'<span role="img" aria-label="{_MEANING[mark]}">{mark}</span>' if mark else ""


def _cell(mark: str) -> str:
    return f'<td style="{_CELL}{_GROUNDS[mark]}">{_mark(mark)}</td>'


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
