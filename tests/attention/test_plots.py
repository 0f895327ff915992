"""The chapter on attention: tables and plots show the numbers they are given."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from bokeh.models import ColumnDataSource, Div, Slider
from drawn_figure import drawn

from minigpt.lessons.attention.plots import (
    fixed,
    softmax,
    softmax_sentence,
    softmax_slider,
)
from minigpt.lessons.attention.weight_table import tint, weight_table
from minigpt.lessons.drawing.palette import BLUE

WEIGHTS = [[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.0, 0.125, 0.875]]


def cells(html: str) -> list[list[str]]:
    """The text of a table, row by row."""
    tree = ElementTree.fromstring(html)
    return [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]


def test_a_weight_table_is_text():
    assert repr(weight_table(["the", "·cat", "·sat"], WEIGHTS)) == (
        "looks at →   the  ·cat  ·sat\n"
        "the         1.00     ·     ·\n"
        "·cat        0.25  0.75     ·\n"
        "·sat        0.00  0.12  0.88"
    )


def test_a_long_token_widens_its_column_alone():
    lines = repr(weight_table(["antidisestablish", "a"], [[1.0, 0.0], [0.5, 0.5]])).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0] == "looks at →        antidisestablish     a"


def test_a_weight_table_is_html():
    html = weight_table(["<a>", "b"], torch.tensor([[1.0, 0.0], [0.3, 0.7]]))._repr_html_()
    assert cells(html) == [
        ["looks at →", "<a>", "b"],
        ["<a>", "1.00", "·"],
        ["b", "0.30", "0.70"],
    ]
    tree = ElementTree.fromstring(html)
    assert [th.get("scope") for th in tree.iter("th")] == ["col", "col", "row", "row"]
    caption = "How much each row looks at each column"
    assert tree.find(".//caption").text == tree.get("aria-label") == caption
    assert tree.get("tabindex") == "0"


def test_a_tables_words_can_be_given():
    table = weight_table(["a"], [[1.0]], row_label="takes <from>", caption="Head 2")
    assert repr(table) == "Head 2\ntakes <from> →     a\na               1.00"
    html = table._repr_html_()
    assert ElementTree.fromstring(html).find(".//caption").text == "Head 2"
    assert cells(html)[0] == ["takes <from> →", "a"]


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in colour)
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize(
    ("ink", "page"), [("#1c2128", "#ffffff"), ("#e4e2dc", "#14171d")], ids=["light", "dark"]
)
def test_numbers_are_legible_on_every_tint(ink, page):
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        *hue, alpha = map(float, re.findall(r"[\d.]+", tint(weight)))
        assert tuple(hue) == rgb(BLUE)
        under = [alpha * h + (1 - alpha) * p for h, p in zip(hue, rgb(page), strict=True)]
        high, low = sorted((luminance(rgb(ink)), luminance(tuple(under))), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_tints_grow_with_the_weight_and_masked_cells_have_none():
    html = weight_table(["a", "b"], [[1.0, 0.0], [0.3, 0.7]])._repr_html_()
    styles = [td.get("style") for td in ElementTree.fromstring(html).findall(".//tbody//td")]
    grounds = [re.findall(r"rgba\([\d,]+,([\d.]+)\)", style) for style in styles]
    assert grounds == [["0.70"], [], ["0.21"], ["0.49"]]


@pytest.mark.parametrize(
    ("tokens", "weights", "message"),
    [
        (["a", "b"], [[1.0]], "2 tokens need 2 × 2 weights, not 1 × 1: give the weights of one"),
        (["a", "b"], [[1.0, 0.0], [1.0]], "2 tokens need 2 × 2 weights, not 2 × 1 × 2"),
        (["a"], torch.ones(1, 1, 1), "1 tokens need 1 × 1 weights, not 1 × 1 × 1"),
        (["a"], [[1.5]], "row 0, column 0 is 1.5; weights lie between 0 and 1: take the softmax"),
        (["a"], [[-0.1]], "is -0.1"),
        (["a"], [[math.nan]], "is nan"),
    ],
)
def test_a_table_of_something_else_is_refused(tokens, weights, message):
    with pytest.raises(ValueError, match=message):
        weight_table(tokens, weights)


def test_softmax_is_torchs():
    scores = [2.0, -1.0, 0.5, 2.0]
    for scale in (0.0, 0.3, 1.0, 8.0):
        expected = torch.tensor([s * scale for s in scores], dtype=torch.float64).softmax(0)
        torch.testing.assert_close(
            torch.tensor(softmax(scores, scale), dtype=torch.float64), expected, atol=1e-6, rtol=0
        )


def test_the_sentence_has_the_entropy_and_its_exponential():
    assert softmax_sentence(["a", "b", "c", "<d>"], [1.0, 1.0, 1.0, 1.0], 0.5) == (
        "<b>Scale 0.5, temperature 2.00</b>: the largest weight is <b>0.250</b>, of “a”. The "
        "entropy is <b>1.39 nats</b>, as if it chose among <b>4.0 equally likely</b> of 4."
    )
    assert "of “&lt;d&gt;”. The entropy is <b>0.00 nats</b>" in softmax_sentence(
        ["a", "<d>"], [0.0, 1000.0], 8.0
    )
    assert "temperature ∞" in softmax_sentence(["a", "b"], [1.0, 2.0], 0.0)


def test_an_exact_half_is_rounded_up_as_javascript_does():
    assert (fixed(0.125, 2), f"{0.125:.2f}") == ("0.13", "0.12")
    assert fixed(2.5, 0) == "3"


SCORES = {
    "a sentence": (["the", "cat", "<b>&", "the"], [2.0, -1.0, 3.5, 2.0]),
    "eight equal ones": (list("abcdefgh"), [1.0] * 8),
    "far apart": (["a", "b", "c"], [1e6, -1e6, 999_999.9]),
    "as large as can be": (["a", "b"], [2e307, -2e307]),
}


@pytest.mark.parametrize("name", SCORES)
def test_the_page_computes_what_python_does(name, browser):
    labels, scores = SCORES[name]
    layout = softmax_slider(labels, scores)
    ids = {
        "slider": layout.select_one({"type": Slider}).id,
        "source": layout.select_one({"type": ColumnDataSource}).id,
        "words": layout.select_one({"type": Div}).id,
        "scales": [i / 10 for i in range(81)] + [1.0],
    }
    script = """
      const read = () => [
        [...model(arg.source).data.weight], [...model(arg.source).data.text], model(arg.words).text
      ];
      const states = [read()];
      for (const scale of arg.scales) {
        model(arg.slider).value = scale;
        await settled();
        states.push(read());
      }
      return states;
    """
    with drawn(browser, layout) as run:
        opened, *states = run(script, ids)
    assert opened == states[-1]
    for scale, (weights, texts, words) in zip(ids["scales"], states, strict=True):
        expected = softmax(scores, scale)
        assert weights == pytest.approx(expected, abs=1.1e-6)
        assert all(map(math.isfinite, weights))
        assert texts == [fixed(weight, 3) for weight in expected]
        assert words == softmax_sentence(labels, scores, scale)


def test_the_slider_moves_by_key(browser):
    layout = softmax_slider(["a", "b"], [0.0, 2.0])
    with drawn(browser, layout, width=360) as run:
        run.page.locator(".noUi-handle").focus()
        run.page.keyboard.press("End")
        title = run.page.locator(".bk-slider-title").inner_text()
        assert title == "Scale (temperature = 1 / scale): 8.0"
        told = re.sub("</?b>", "", softmax_sentence(["a", "b"], [0.0, 2.0], 8.0))
        assert told in run.page.get_by_role("status").aria_snapshot()


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        (["a", "b"], [1.0], "2 labels and 1 scores"),
        (["a"], [1.0], "at least two"),
        (["a", "b"], [1.0, -math.inf], "the score of 'b' is -inf; .* leave out what is masked"),
        (["a", "b"], [1.0, 1e308], "1e[+]308"),
    ],
)
def test_scores_without_a_softmax_are_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        softmax_slider(labels, scores)
