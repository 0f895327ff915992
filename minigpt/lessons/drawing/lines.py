"""What pictures of several lines share: looks, a legend above, levels to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.models import Label, Legend, LegendItem, Plot, Span

from minigpt.lessons.drawing.palette import BLUE, GREEN, MARK, OLIVE, ORANGE, PINK, VIOLET

# How lines are told apart without their colours too.
LINES = (
    {"color": BLUE, "line_dash": "solid", "marker": "circle"},
    {"color": ORANGE, "line_dash": "dashed", "marker": "square"},
    {"color": GREEN, "line_dash": "dotted", "marker": "triangle"},
    {"color": VIOLET, "line_dash": "dotdash", "marker": "diamond"},
)
LOOKS: tuple[dict[str, Any], ...] = (
    *LINES,
    {"color": PINK, "line_dash": [14, 4], "marker": "inverted_triangle"},
    {"color": OLIVE, "line_dash": [2, 8], "marker": "hex"},
)
SHARED: dict[str, Any] = {
    "sizing_mode": "stretch_width",
    "toolbar_location": None,
    "min_border_right": 15,
}
MARKERS = 8  # a line that has more points shows about so many of them


def check_names(series: Mapping[str, Any], what: str) -> None:
    """Raise ValueError unless there are lines, and no more than can be told apart."""
    if not 1 <= len(series) <= len(LOOKS):
        raise ValueError(
            f"there are {len(series)} {what}; give 1 to {len(LOOKS)}, which can be told apart"
        )


def add_level(plot: Plot, name: str, level: float, below: bool) -> None:
    """A horizontal line, with its name and value at its right end."""
    line = Span(location=level, dimension="width", line_color=MARK, line_dash="dashed")
    label = Label(
        x=plot.x_range.end,
        y=level,
        x_offset=-4,
        y_offset=-3 if below else 3,
        text=f"{name}: {level:.2f}",
        text_align="right",
        text_baseline="top" if below else "bottom",
        text_font_size="13px",
        background_fill_color="white",  # the page's, once the book draws it
        background_fill_alpha=0.7,
    )
    plot.add_layout(line)
    plot.add_layout(label)


def add_legend(plot: Plot, items: Sequence[LegendItem]) -> None:
    """Above the plot, in as many columns as a phone has room for."""
    longest = max(len(item.label.value) for item in items)
    columns = max(1, min(len(items), 36 // (longest + 5)))
    looks = {"location": "bottom_left", "border_line_color": None, "padding": 0}
    plot.add_layout(Legend(items=list(items), ncols=columns, **looks), "above")


def some_of(length: int, line: int) -> list[int]:
    """Indices of the points that show a marker: of a few points all, of many some, and those of
    another line elsewhere."""
    if length <= 3 * MARKERS:
        return list(range(length))
    shift = (line + 1) / (len(LOOKS) + 1)
    return [int((i + shift) * length / MARKERS) for i in range(MARKERS)]
