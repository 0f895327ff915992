"""Attention weights as a table with tinted cells: for Jupyter, Colab and the book."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from torch import Tensor

from minigpt.lessons.drawing.palette import BLUE

STRONGEST = 0.7  # opacity behind a weight of 1: text stays legible on light and dark pages
_TABLE = "margin:0;border-collapse:collapse;line-height:1.5"
# The page's colours in the book, Jupyter's in Jupyter, else the browser's own pair.
_HEAD = (
    "position:sticky;left:0;text-align:left;white-space:pre;padding:2px 8px;"
    "background:var(--mg-page,var(--jp-layout-color0,Canvas));"
    "color:var(--mg-ink,var(--jp-ui-font-color1,CanvasText))"
)


class WeightTable:
    """Attention weights as a table, its cells tinted: for Jupyter, Colab and the book."""

    def __init__(
        self,
        tokens: Sequence[str],
        weights: Sequence[Sequence[float]],
        row_label: str,
        caption: str | None,
    ) -> None:
        self.tokens, self.row_label, self.given_caption = list(tokens), row_label, caption
        self.rows = [  # as printed
            ["·" if weight == 0 and j > i else f"{weight:.2f}" for j, weight in enumerate(row)]
            for i, row in enumerate(weights)
        ]

    @property
    def caption(self) -> str:
        """What the table shows, in a line."""
        told = f"How much each row {self.row_label} each column"
        return told if self.given_caption is None else self.given_caption

    def __repr__(self) -> str:
        corner = f"{self.row_label} →"
        first = max(map(len, [corner, *self.tokens]))
        widths = [max(4, len(token)) for token in self.tokens]
        lines = [] if self.given_caption is None else [self.given_caption]
        for name, cells in zip([corner, *self.tokens], [self.tokens, *self.rows], strict=True):
            padded = [f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
            lines.append(name.ljust(first) + "".join(padded))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col" style="text-align:right;white-space:pre;padding:2px 6px">'
            f"{escape(token)}</th>"
            for token in self.tokens
        )
        rows = "".join(
            f'<tr><th scope="row" style="{_HEAD}">{escape(token)}</th>'
            + "".join(map(_cell, cells))
            + "</tr>"
            for token, cells in zip(self.tokens, self.rows, strict=True)
        )
        return (
            f'<div class="weight-table" dir="ltr" role="group" tabindex="0"'
            f' aria-label="{escape(self.caption)}" style="overflow-x:auto">'
            f'<table style="{_TABLE}"><caption style="text-align:left">'
            f"{escape(self.caption)}</caption><thead><tr>"
            f'<td style="{_HEAD}">{escape(self.row_label)} →</td>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )


def weight_table(
    tokens: Sequence[str],
    weights: Tensor | Sequence[Sequence[float]],
    row_label: str = "looks at",
    caption: str | None = None,
) -> WeightTable:
    """The attention weights of a handful of tokens, (T, T): a row is a query, a column a key.

    A weight of exactly 0 above the diagonal is the mask's, and shows as a middle dot.

    Args:
        tokens: the T tokens as they are to be shown.
        weights: between 0 and 1.
        row_label: what the token of a row does to those of the columns.
        caption: what the table shows; by default it follows from `row_label`.

    Raises:
        ValueError: weights that are not T × T, or not between 0 and 1.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if isinstance(weights, Tensor):
        rows, shape = weights.tolist(), tuple(weights.shape)
    else:
        rows = [list(row) for row in weights]
        shape = (len(rows), *sorted({len(row) for row in rows}))
    if shape != (len(tokens), len(tokens)):
        raise ValueError(
            f"{len(tokens)} tokens need {len(tokens)} × {len(tokens)} weights, not "
            f"{' × '.join(map(str, shape))}: give the weights of one head, for these tokens"
        )
    for i, row in enumerate(rows):
        for j, weight in enumerate(row):
            if not -1e-6 <= weight <= 1 + 1e-6:
                raise ValueError(
                    f"the weight in row {i}, column {j} is {weight}; weights lie between 0 and 1: "
                    "take the softmax of the scores first"
                )
    return WeightTable(tokens, rows, row_label, caption)


def tint(weight: float) -> str:
    """The colour behind a weight: blue, the more opaque the larger the weight."""
    red, green, blue = (int(BLUE[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{STRONGEST * weight:.2f})"


def _cell(text: str) -> str:
    # From the text, so that the tint changes when the number does and not before.
    ground = "" if text == "·" else f";background:{tint(float(text))}"
    return f'<td style="text-align:right;padding:2px 6px{ground}">{text}</td>'
