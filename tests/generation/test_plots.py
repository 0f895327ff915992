"""The chapter on generation: its pictures hold what they are given, and say it without colour."""

from __future__ import annotations

import math
import re

import pytest
from bokeh.models import Div, LabelSet, Legend, Scatter
from drawn_figure import drawn

from minigpt.lessons.drawing.lines import MARKERS
from minigpt.lessons.drawing.palette import BLUE
from minigpt.lessons.generation.cache_plots import tokens_per_second
from minigpt.lessons.generation.plots import counted_draws, temperatures
from minigpt.lessons.generation.text_probabilities import text_heat

nan = math.nan

TOKENS = ["·the", "<x>", "↵"]


def data_of(plot, name: str) -> dict:
    """The data of the only renderer of a name."""
    (renderer,) = [r for r in plot.renderers if r.name == name]
    return renderer.data_source.data


def legend_of(plot) -> list[str]:
    return [item.label.value for item in plot.select_one({"type": Legend}).items]


def test_draws_stand_beside_what_was_expected():
    plot, words = counted_draws(TOKENS, [0.5, 0.4, 0.1], [60, 30, 10]).children
    data = data_of(plot, "drawn")
    assert data == data_of(plot, "expected") == data_of(plot, "rows")
    assert data["token"] == TOKENS
    assert data["expected"] == [50, 40, 10]
    assert data["drawn"] == [60, 30, 10]
    # √(100 × 0.5 × 0.5) = 5, √(100 × 0.4 × 0.6) = 4.899, √(100 × 0.1 × 0.9) = 3
    far = ["+2.0", "−2.0", "+0.0"]
    assert data["far"] == [f"{x} standard deviations" for x in far]
    assert data["low"] == pytest.approx([40, 40 - 2 * 24**0.5, 4], abs=1e-6)
    assert data["high"] == pytest.approx([60, 40 + 2 * 24**0.5, 16], abs=1e-6)
    assert legend_of(plot) == ["expected", "drawn"]
    assert words.text == (
        "100 draws. The difference between drawn and expected is largest for “&lt;x&gt;”: "
        "<b>−2.0 standard deviations</b>. The thin lines reach two standard deviations to each "
        "side."
    )


def test_the_pairs_of_bars_share_a_row_and_differ_in_form():
    plot = counted_draws(TOKENS, [0.5, 0.4, 0.1], [60, 30, 10]).children[0]
    bars = {r.name: r.glyph for r in plot.renderers}
    assert bars["expected"].fill_color is None
    assert bars["drawn"].fill_color == BLUE
    places = data_of(plot, "drawn")
    assert [round(i + 0.2, 1) for i in places["place"]] == places["lower"]
    assert [round(i - 0.2, 1) for i in places["place"]] == places["upper"]
    assert plot.yaxis.major_label_overrides == dict(enumerate(TOKENS))
    assert plot.hover.renderers == [r for r in plot.renderers if r.name == "rows"]


@pytest.mark.parametrize(
    ("counts", "told"),
    [([7, 0], "+0.0 standard deviations"), ([6, 1], "impossible by chance")],
)
def test_a_token_without_a_chance_is_not_drawn(counts, told):
    plot, words = counted_draws(["a", "b"], [1.0, 0.0], counts).children
    assert data_of(plot, "drawn")["far"] == [told, told]
    assert f"<b>{told}</b>" in words.text


@pytest.mark.parametrize(
    ("tokens", "probabilities", "counts", "message"),
    [
        ([], [], [], "there are 0 tokens and 0 probabilities of the tokens"),
        (["a", "b"], [1.0], [1, 1], "there are 2 tokens and 1 probabilities"),
        (["a"], [1.5], [1], "probability 0 of the tokens is 1.5; .* between 0 and 1"),
        (["a"], [nan], [1], "probability 0 of the tokens is nan"),
        (["a", "b"], [0.5, 0.4], [1, 1], "the probabilities add up to 0.9, not to 1"),
        (["a", "b"], [0.5, 0.5], [1], r"the counts are \[1\] for 2 tokens"),
        (["a", "b"], [0.5, 0.5], [2, -1], r"the counts are \[2, -1\] .* none below 0"),
        (["a", "b"], [0.5, 0.5], [0, 0], "of at least one draw"),
    ],
)
def test_draws_that_cannot_be_drawn_are_refused(tokens, probabilities, counts, message):
    with pytest.raises(ValueError, match=message):
        counted_draws(tokens, probabilities, counts)


HEATED = {"T = 0.5": [0.9, 0.08, 0.02], "T = 2": [0.4, 0.25, 0.1]}


def test_temperatures_stand_below_one_another_with_their_numbers():
    plot = temperatures(TOKENS, HEATED)
    data = data_of(plot, "bars")
    assert data["probability"] == [0.9, 0.08, 0.02, 0.4, 0.25, 0.1]
    assert data["token"] == TOKENS * 2
    assert data["name"] == ["T = 0.5"] * 3 + ["T = 2"] * 3
    assert data["text"] == ["0.90", "0.08", "0.02", "0.40", "0.25", "0.10"]
    assert list(plot.yaxis.major_label_overrides.values()) == TOKENS * 2
    assert list(plot.yaxis.major_label_overrides) == data["place"]
    heads, numbers = sorted(plot.select({"type": LabelSet}), key=lambda x: x.name != "heads")
    assert numbers.source.data is data
    assert heads.source.data["text"] == ["T = 0.5", "T = 2 (these tokens: 0.75 together)"]
    first, second = heads.source.data["place"]
    assert first < min(data["place"][:3]) <= max(data["place"][:3]) < second
    assert second < min(data["place"][3:])
    assert plot.y_range.end < first < data["place"][-1] < plot.y_range.start


@pytest.mark.parametrize(
    ("tokens", "probabilities", "message"),
    [
        (["a"], {}, "there are no temperatures"),
        ([], {"T = 1": []}, "there are 0 tokens and 0 probabilities of 'T = 1'"),
        (["a"], {"T = 1": [0.5, 0.5]}, "there are 1 tokens and 2 probabilities of 'T = 1'"),
        (["a"], {"T = 1": [1.0], "T = 2": [-0.1]}, "probability 0 of 'T = 2' is -0.1"),
    ],
)
def test_temperatures_that_cannot_be_drawn_are_refused(tokens, probabilities, message):
    with pytest.raises(ValueError, match=message):
        temperatures(tokens, probabilities)


LENGTHS = [1, 64, 256]
SECONDS = {"without a cache": [0.002, 0.008, 0.032], "<with>": [0.002, 0.0021, 0.0025]}


def test_times_are_in_milliseconds_on_both_axes():
    linear, logarithmic = tokens_per_second(LENGTHS, SECONDS).children[:2]
    for plot in (linear, logarithmic):
        lines = {r.name: r.data_source.data for r in plot.hover.renderers}
        assert list(lines) == legend_of(plot) == list(SECONDS)
        assert lines["without a cache"] == {
            "length": LENGTHS,
            "ms": [2.0, 8.0, 32.0],
            "rate": ["500", "125", "31"],
        }
        assert lines["<with>"]["ms"] == [2.0, 2.1, 2.5]
        assert plot.y_range.start < 2.0 < 32.0 < plot.y_range.end
        assert plot.x_range.end > 256
        assert len({tuple(r.glyph.line_dash) for r in plot.hover.renderers}) == 2
    assert linear.y_range.start == 0
    assert [type(p.y_scale).__name__ for p in (linear, logarithmic)] == ["LinearScale", "LogScale"]


def test_a_long_line_of_times_shows_some_markers():
    plot = tokens_per_second(range(1, 251), {"a": [0.1] * 250, "b": [0.2] * 250}).children[0]
    shown = [r.view.filter.indices for r in plot.renderers if isinstance(r.glyph, Scatter)]
    assert [len(places) for places in shown] == [MARKERS, MARKERS]
    assert set(shown[0]) & set(shown[1]) == set()


def test_times_are_told():
    words = tokens_per_second(LENGTHS, SECONDS).select_one({"type": Div}).text
    assert words == (
        "Linear axis. “without a cache” takes 2 ms at a length of 1 and <b>32 ms</b> at 256, which "
        "makes <b>31</b> tokens per second. “&lt;with&gt;” takes 2 ms at a length of 1 and "
        "<b>2.5 ms</b> at 256, which makes <b>400</b> tokens per second."
    )


def test_the_axis_of_times_is_switched_by_key_and_says_so(browser):
    chart = tokens_per_second(LENGTHS, SECONDS)
    read = "await settled(); return arg.map((id) => model(id).visible);"
    ids = [plot.id for plot in chart.children[:2]]
    with drawn(browser, chart, width=360) as run:
        assert run("return document.documentElement.scrollWidth") <= 360
        assert run(read, ids) == [True, False]
        run.page.get_by_role("button", name="Logarithmic axis").focus()
        run.page.keyboard.press("Enter")
        assert run(read, ids) == [False, True]
        told = run.page.get_by_role("status").aria_snapshot()
        assert "Logarithmic axis. “without a cache” takes 2 ms" in told
        run.page.keyboard.press("Enter")
        assert run(read, ids) == [True, False]


@pytest.mark.parametrize(
    ("lengths", "seconds", "message"),
    [
        ([], {"a": []}, r"the lengths are \[\]; give at least two"),
        ([1], {"a": [1.0]}, "give at least two"),
        ([2, 2], {"a": [1.0, 1.0]}, "ascending from 1 on"),
        ([0, 1], {"a": [1.0, 1.0]}, "ascending from 1 on"),
        ([1, 2], {}, "there are 0 lines; give 1 to 6"),
        ([1, 2], {"a": [1.0]}, "'a' has 1 times for 2 lengths"),
        ([1, 2], {"a": [1.0, 0.0]}, "the time of 'a' at length 2 is 0.0; .* above 0"),
        ([1, 2], {"a": [math.inf, 1.0]}, "the time of 'a' at length 1 is inf"),
    ],
)
def test_times_that_cannot_be_drawn_are_refused(lengths, seconds, message):
    with pytest.raises(ValueError, match=message):
        tokens_per_second(lengths, seconds)


PIECES = ["First", " <b>", "one", ":\n", "\n\n", "é"]
PROBABILITIES = [0.0001, 0.01, 0.0999, 0.1, 0.5, 1.0]


def test_a_text_is_printed_with_its_probabilities():
    assert repr(text_heat(PIECES, PROBABILITIES, "The play")).splitlines() == [
        "The play: 3.19 nats a token, 3 of 6 tokens less probable than 0.1",
        "First < 0.001 | ·<b> 0.010 | one 0.100 | :↵ 0.100 | ↵↵ 0.500 | é 1.000",
    ]
    assert (
        text_heat(["a"], [0.5]).caption
        == "Probability: 0.69 nats a token, 0 of 1 tokens less probable than 0.1"
    )
    assert text_heat(["a"], [0.0]).caption.startswith("Probability: inf nats a token")


def luminance(red: float, green: float, blue: float) -> float:
    """Of WCAG 2.2, from 0 to 255 each."""
    parts = (x / 255 for x in (red, green, blue))
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


# Page and ink of the book, light and dark (book/assets/site/colours.css), and the barest page.
PAGES = [("#ffffff", "#1c2128"), ("#14171d", "#e4e2dc"), ("#ffffff", "#000000")]


def test_a_text_keeps_its_breaks_and_shades_its_tokens(browser):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    read = """
      spans => spans.map((span) => {
        const style = getComputedStyle(span);
        return [span.title, style.borderBottomStyle, style.backgroundColor];
      })
    """
    try:
        html = text_heat(PIECES, PROBABILITIES, "The play")._repr_html_()
        page.set_content(f"<!doctype html><title>A text</title><main>{html}</main>")
        text = page.locator(".text-heat > p:nth-child(2)")
        assert text.inner_text() == "First <b>one:↵\n↵\n↵\né"
        assert "↵" not in text.aria_snapshot()
        tokens = text.locator("span[title]").evaluate_all(read)
        assert [t[0] for t in tokens] == ["< 0.001", "0.010", "0.100", "0.100", "0.500", "1.000"]
        lines = [t[1] for t in tokens]
        assert lines == ["none", "dotted", "dotted", "solid", "double", "double"]
        key = page.locator(".text-heat > p:nth-child(3) span")
        names = ["below 0.01", "0.01 to 0.1", "0.1 to 0.5", "0.5 and above"]
        assert key.all_text_contents() == names
        assert [k[1:] for k in key.evaluate_all(read)] == [tokens[i][1:] for i in (0, 1, 3, 4)]
        numbers = [[float(x) for x in re.findall(r"[\d.]+", t[2])] for t in tokens]
        opacities = [rgba[3] if len(rgba) == 4 else 1.0 for rgba in numbers]
        assert opacities[0] == 0
        assert opacities == sorted(opacities)
        assert len(set(opacities)) == 4
        for ground, ink in PAGES:
            under, over = ([int(x[i : i + 2], 16) for i in (1, 3, 5)] for x in (ground, ink))
            for (*colour, alpha), opacity in zip(numbers[1:], opacities[1:], strict=True):
                assert alpha == opacity
                mixed = [alpha * c + (1 - alpha) * u for c, u in zip(colour, under, strict=True)]
                bright, dark = sorted([luminance(*mixed), luminance(*over)], reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= 4.5
        page.get_by_text("The probabilities as numbers").click()
        rows = page.get_by_role("row").all_inner_texts()
        assert [row.split("\t") for row in rows][:3] == [
            ["token", "probability"],
            ["First", "< 0.001"],
            ["·<b>", "0.010"],
        ]
        assert len(rows) == 7
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        page.close()


@pytest.mark.parametrize(
    ("pieces", "probabilities", "message"),
    [
        ([], [], "there are 0 tokens and 0 probabilities of the text"),
        (["a", "b"], [0.5], "there are 2 tokens and 1 probabilities of the text"),
        (["a"], [1.1], "probability 0 of the text is 1.1"),
    ],
)
def test_a_text_that_cannot_be_shaded_is_refused(pieces, probabilities, message):
    with pytest.raises(ValueError, match=message):
        text_heat(pieces, probabilities)


def test_the_others_are_drawn_on_a_phone_without_an_error(browser):
    for layout in (
        counted_draws(TOKENS, [0.5, 0.4, 0.1], [60, 30, 10]),
        temperatures(TOKENS, HEATED),
    ):
        with drawn(browser, layout, width=360) as run:
            assert run("return document.documentElement.scrollWidth") <= 360
