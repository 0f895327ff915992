"""A text token by token: how probable a model found each, as shades of the text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import fmean

from minigpt.lessons.drawing.palette import BLUE
from minigpt.lessons.drawing.token_text import VISIBLE
from minigpt.lessons.generation.plots import check_probabilities

UNLIKELY = 0.1  # probabilities below are counted in words
# From the least: the least probability, its name, opacity of the ground, the line under the text.
# Text stays legible on the strongest ground, on light and dark pages.
_CLASSES = (
    (0.0, "below 0.01", 0.0, "none"),
    (0.01, "0.01 to 0.1", 0.18, "1px dotted"),
    (0.1, "0.1 to 0.5", 0.4, "1px solid"),
    (0.5, "0.5 and above", 0.66, "4px double"),
)


class TextHeat:
    """A text, each token shaded by its probability: for Jupyter, Colab and the book."""

    def __init__(self, pieces: Sequence[str], probabilities: Sequence[float], title: str) -> None:
        self.pieces, self.probabilities, self.title = list(pieces), list(probabilities), title

    @property
    def caption(self) -> str:
        """What the text is, and how surprising its tokens are in the mean."""
        return f"{self.title or 'Probability'}: {in_words(self.probabilities)}"

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Each token, its white space visible, and its probability."""
        numbers = [_number(p) for p in self.probabilities]
        return [(x.translate(VISIBLE), p) for x, p in zip(self.pieces, numbers, strict=True)]

    def __repr__(self) -> str:
        return self.caption + "\n" + " | ".join(f"{text} {number}" for text, number in self.rows)

    def _repr_html_(self) -> str:
        text = "".join(map(_shaded, self.pieces, self.probabilities))
        key = " ".join(
            f'<span style="{_style(least)};{_SWATCH}">{name}</span>' for least, name, *_ in _CLASSES
        )
        rows = "".join(
            f'<tr><th scope="row" style="{_HEAD}">{escape(token)}</th>'
            f'<td style="text-align:right;padding:1px 0">{number}</td></tr>'
            for token, number in self.rows
        )
        return (
            f'<div class="text-heat" dir="ltr"><p style="margin:0 0 0.4em"><b>'
            f'{escape(self.caption)}</b></p><p style="margin:0 0 0.4em;white-space:pre-wrap;'
            f'overflow-wrap:anywhere;line-height:1.9">{text}</p>'
            f'<p style="margin:0 0 0.4em;font-size:0.875em;line-height:1.9">Probability of a '
            f"token, as the model saw it: {key}</p>"
            f'<details style="font-size:0.875em"><summary>The probabilities as numbers</summary>'
            f'<div role="group" tabindex="0" aria-label="Probabilities, a row a token"'
            f' style="max-height:16em;overflow:auto"><table style="margin:0;width:auto">'
            f'<thead><tr><th scope="col" style="{_HEAD}">token</th>'
            f'<th scope="col" style="text-align:right;padding:1px 0">probability</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div></details></div>"
        )


# An outline, since the border below tells the classes apart.
_SWATCH = (
    "display:inline-block;outline:1px solid #808080;line-height:1.4;margin:0.2em 0.3em;"
    "padding:0 0.4em"
)
_HEAD = "text-align:left;white-space:pre;padding:1px 1.5em 1px 0;font-weight:400"


def text_heat(pieces: Sequence[str], probabilities: Sequence[float], title: str = "") -> TextHeat:
    """A text whose tokens are shaded by how probable the model found each, the stronger the more.

    Four classes of probability, told apart by the line under a token too; the number appears under
    the pointer, and in a table that opens below the text.

    Args:
        pieces: the text, a string a token; joined they are the text.
        probabilities: that the model gave each token, after those before it.
        title: what the text is.

    Raises:
        ValueError: no pieces, not one probability a piece, or one outside [0, 1].

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    check_probabilities("the text", pieces, probabilities)
    return TextHeat(pieces, probabilities, title)


def in_words(probabilities: Sequence[float]) -> str:
    """The mean surprise, and how many are small."""
    few = sum(p < UNLIKELY for p in probabilities)
    surprise = fmean(-math.log(p) if p else math.inf for p in probabilities)
    return (
        f"{surprise:.2f} nats a token, {few:,} of {len(probabilities):,} tokens less probable than "
        f"{UNLIKELY:g}"
    )


def _number(probability: float) -> str:
    return f"{probability:.3f}" if probability >= 0.0005 else "< 0.001"


def _shaded(piece: str, probability: float) -> str:
    # A line break is a token or part of one: visible, and a break still.
    shown = escape(piece).replace("\n", '<span aria-hidden="true">↵</span>\n')
    number = escape(_number(probability))
    return f'<span title="{number}" style="{_style(probability)}">{shown}</span>'


def _style(probability: float) -> str:
    _, _, opacity, line = [c for c in _CLASSES if probability >= c[0]][-1]
    red, green, blue = (int(BLUE[i : i + 2], 16) for i in (1, 3, 5))
    ground = f"background:rgba({red},{green},{blue},{opacity});" if opacity else ""
    return f"{ground}border-bottom:{line};margin-right:1px"
