"""Pictures for the chapter on tokenization."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bokeh.layouts import column
from bokeh.models import Column, ColumnDataSource, CustomJS, Div, FactorRange, Plot, Slider, Span
from bokeh.plotting import figure
from bokeh.transform import dodge

from minigpt.lessons.drawing.palette import BLUE, MARK, ORANGE, TOKEN_TEXT, TOKENS
from minigpt.lessons.drawing.token_text import token_text
from minigpt.tokenizer import BPETokenizer


class TokenStrip:
    """A text as coloured tokens, each with its id below: for Jupyter, Colab and the book."""

    def __init__(self, tokens: Sequence[tuple[int, str]]) -> None:
        self.tokens = tokens

    def __repr__(self) -> str:
        return " | ".join(f"{text} {number}" for number, text in self.tokens)

    def _repr_html_(self) -> str:
        chips = "".join(
            f'<span style="display:inline-block;margin:2px;padding:1px 5px;border-radius:4px;'
            f"color:var(--mg-token-text, {TOKEN_TEXT});text-align:center;"
            f'background:var(--mg-token-{number % len(TOKENS)}, {TOKENS[number % len(TOKENS)]})">'
            f"<code style='all:unset;font-family:monospace;white-space:pre'>{escape(text)}</code>"
            f"<br><small>{number}</small></span>"
            for number, text in self.tokens
        )
        return f'<div class="token-strip" dir="ltr">{chips}</div>'


def token_strip(tokenizer: BPETokenizer, text: str) -> TokenStrip:
    """Colour the tokens of `text`; a space shows as ·, a newline as ↵, a lone byte as \\xec."""
    return TokenStrip([(i, token_text(tokenizer, i)) for i in tokenizer.encode(text)])


def vocabulary_size(
    sizes: Sequence[int], seen: Sequence[float], unseen: Sequence[float], n_embd: int, start: int
) -> Column:
    """Bytes per token against the vocabulary size, with a slider that reads the curve.

    Args:
        sizes: vocabulary sizes in tokens, ascending.
        seen: bytes per token on a text that the merges were learned from, one a size.
        unseen: the same, on the same text, of merges that were not learned from it.
        n_embd: the width of the table that the slider's sentence counts.
        start: the size that it opens with, one of `sizes`.
    """
    source = ColumnDataSource({"size": list(sizes), "seen": list(seen), "unseen": list(unseen)})
    plot = figure(
        height=320,
        sizing_mode="stretch_width",
        x_axis_type="log",
        x_axis_label="vocabulary size (tokens)",
        y_axis_label="bytes per token",
        tools="",
        toolbar_location=None,
    )
    plot.xaxis.ticker = list(sizes)
    plot.y_range.start = 0
    for name, colour, dash, label in (
        ("seen", BLUE, "solid", "has seen this text"),
        ("unseen", ORANGE, "dashed", "has not seen it"),
    ):
        style = {"color": colour, "legend_label": label, "source": source}
        plot.line("size", name, line_width=3, line_dash=dash, **style)
        plot.scatter("size", name, size=8, **style)
    plot.legend.location = "bottom_right"
    middle = [*sizes].index(start)
    marker = Span(location=sizes[middle], dimension="height", line_color=MARK, line_width=2)
    plot.add_layout(marker)
    slider = Slider(
        start=0,
        end=len(sizes) - 1,
        value=middle,
        step=1,
        title="Position on the curve",
        show_value=False,
        sizing_mode="stretch_width",
    )
    words = Div(sizing_mode="stretch_width")
    tell = CustomJS(
        args={"source": source, "marker": marker, "words": words, "slider": slider, "c": n_embd},
        code="""
          const i = slider.value, { size, unseen } = source.data;
          const n = (x) => Math.round(x).toLocaleString("en-GB");
          marker.location = size[i];
          words.text =
            `<b>${n(size[i])} tokens</b> in the vocabulary. At ${unseen[i].toFixed(2)} bytes ` +
            `per token, 3,000 bytes of unseen text become ` +
            `<b>${n(3000 / unseen[i])} tokens</b>. ${n(size[i])} × ${c} makes ` +
            `<b>${n(size[i] * c)} numbers to learn</b>.`;
        """,
    )
    slider.js_on_change("value", tell)
    words.text = sentence(sizes[middle], unseen[middle], n_embd)
    return column(plot, slider, words, sizing_mode="stretch_width")


def sentence(size: int, unseen: float, n_embd: int) -> str:
    """What the slider's script writes, for the position that the page opens with."""
    return (
        f"<b>{size:,} tokens</b> in the vocabulary. At {unseen:.2f} bytes per token, 3,000 bytes "
        f"of unseen text become <b>{round(3000 / unseen):,} tokens</b>. {size:,} × {n_embd} makes "
        f"<b>{size * n_embd:,} numbers to learn</b>."
    )


def tokens_by_language(languages: Sequence[str], counts: dict[str, Sequence[int]]) -> Plot:
    """Tokens for one sentence in several languages, a pair of bars a language.

    Args:
        languages: names, from top to bottom.
        counts: for each of two tokenizers, the number of tokens in each language.
    """
    source = ColumnDataSource({"language": list(languages), **counts})
    plot = figure(
        height=46 * len(languages) + 90,
        sizing_mode="stretch_width",
        y_range=FactorRange(*reversed(languages)),
        x_axis_label="tokens for the same sentence",
        tools="hover",
        toolbar_location=None,
        tooltips=[("tokens", "$name: @$name")],
    )
    for name, colour, offset in zip(counts, (BLUE, ORANGE), (0.2, -0.2), strict=True):
        place = dodge("language", offset, range=plot.y_range)
        style = {"color": colour, "legend_label": name, "source": source, "name": name}
        plot.hbar(y=place, right=name, height=0.36, **style)
    plot.x_range.start = 0
    plot.legend.location = "bottom_right"
    return plot
