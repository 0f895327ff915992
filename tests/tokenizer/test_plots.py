"""Pictures: they show the numbers they are given, and say them in words."""

from __future__ import annotations

import re

import book_sources
import pytest
from bokeh.models import Div, Slider

from minigpt.lessons.drawing import palette
from minigpt.lessons.tokenizer.plots import (
    sentence,
    token_strip,
    tokens_by_language,
    vocabulary_size,
)
from minigpt.tokenizer import BPETokenizer


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*palette.HUES, palette.MARK])
def test_lines_stand_out_on_light_pages(colour):
    assert contrast(colour, "#ffffff") >= 3


@pytest.mark.parametrize("colour", palette.HUES)
def test_lines_stand_out_on_dark_pages(colour):
    assert contrast(colour, "#14171d") >= 3


@pytest.mark.parametrize("colour", palette.TOKENS)
def test_text_on_tokens_is_legible(colour):
    assert contrast(colour, palette.TOKEN_TEXT) >= 7


def test_the_pages_have_the_same_colours():
    css = (book_sources.ROOT / "book/assets/site/colours.css").read_text("utf-8")
    light = css[: css.index("data-theme")]
    assert tuple(re.findall(r"--mg-hue-\d: (#\w+);", light)) == palette.HUES
    assert tuple(re.findall(r"--mg-token-\d: (#\w+);", light)) == palette.TOKENS
    assert re.findall(r"--mg-token-text: (#\w+);", light) == [palette.TOKEN_TEXT]


def test_token_strip_shows_every_token_with_its_id():
    strip = token_strip(BPETokenizer.gpt2(), "a <b>\n안")
    assert repr(strip).startswith("a 64 | ·< 1279 | b 65 | > 29 | ↵ 198 | ")
    assert "·&lt;</code>" in strip._repr_html_()
    assert re.findall(r"<small>(\d+)</small>", strip._repr_html_())[:4] == [
        "64",
        "1279",
        "65",
        "29",
    ]


def test_vocabulary_size_opens_with_the_sentence_of_its_slider():
    layout = vocabulary_size([256, 512, 1024], [1.0, 1.9, 2.4], [1.0, 1.8, 2.2], 768, start=512)
    (slider,) = layout.select({"type": Slider})
    (words,) = layout.select({"type": Div})
    assert (slider.start, slider.value, slider.end) == (0, 1, 2)
    assert words.text == sentence(512, 1.8, 768)
    assert "1,667 tokens" in words.text
    assert "393,216 numbers to learn" in words.text


def test_tokens_by_language_keeps_languages_and_counts_together():
    plot = tokens_by_language(["English", "Hindi"], {"GPT-2": [13, 139], "GPT-4": [12, 84]})
    assert list(plot.y_range.factors) == ["Hindi", "English"]
    for bars, name, right in zip(
        plot.renderers, ("GPT-2", "GPT-4"), ([13, 139], [12, 84]), strict=True
    ):
        data = bars.data_source.data
        assert (list(data["language"]), list(data[bars.glyph.right])) == (
            ["English", "Hindi"],
            right,
        )
        assert bars.name == name
