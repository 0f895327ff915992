"""Figures: the same output on the book's pages, in Jupyter and in Colab, equal in every run."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from bokeh.models import ColumnDataSource, Div
from bokeh.plotting import figure
from drawn_figure import SCRIPTS
from playwright.sync_api import expect

import minigpt.lessons.drawing.figure
from minigpt.lessons import show
from minigpt.lessons.drawing.figure import Figure, rounded


def line():
    plot = figure()
    plot.line([1, 2], [3, 4])
    return plot


def test_a_figure_is_json_with_its_description():
    html = show(line(), 'A "line" </script> that rises')._repr_html_()
    assert 'role="figure"' in html
    assert 'aria-label="A &quot;line&quot; &lt;/script&gt; that rises"' in html
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)[1]
    assert json.loads(data)["target_id"] == re.search(r'id="(figure-\d+)"', html)[1]


def test_text_in_a_figure_cannot_end_its_data():
    html = show(Div(text="</script>"), "A text")._repr_html_()
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)[1]
    assert "</script>" in str(json.loads(data))


def test_a_figure_needs_a_description():
    with pytest.raises(ValueError, match="alt is empty"):
        Figure(line(), " ")


def test_text_output_is_the_description():
    assert repr(show(line(), "A line")) == "<Figure: A line>"


def test_it_can_draw_itself_where_no_page_does():
    html = Figure(line(), "A line")._repr_html_()
    bootstrap = re.search(r"<script data-figure-bootstrap>(.*?)</script>", html, re.S)[1]
    assert "embed_item" in bootstrap
    assert re.findall(r"bokeh(?:-widgets)?-[\d.]+\.min\.js", bootstrap)


# Where nothing draws it.


def notebook(browser, figure: Figure, *, scripts: bool, cdn=None):
    """A page that shows a figure as a notebook does, and its figure."""
    page = browser.new_context(java_script_enabled=scripts).new_page()
    page.route("https://cdn.bokeh.org/**", cdn or (lambda route: route.abort()))
    page.set_content(f"<!doctype html><title>A notebook</title>{figure._repr_html_()}")
    return page, page.locator(".minigpt-figure")


def test_without_scripts_its_words_stand_there(browser):
    page, shown = notebook(browser, Figure(line(), "A line that rises"), scripts=False)
    expect(shown).to_have_text(
        "A line that risesThis figure is drawn by a script, which does not run here."
    )
    assert shown.bounding_box()["height"] > 20
    page.context.close()


def test_without_a_network_its_words_say_what_was_not_fetched(browser):
    page, shown = notebook(browser, Figure(line(), "A line that rises"), scripts=True)
    expect(shown).to_contain_text("A line that rises")
    expect(shown).to_contain_text("could not be fetched from https://cdn.bokeh.org/bokeh/release/")
    page.context.close()


def test_with_its_script_a_drawing_takes_their_place(browser):
    def cdn(route) -> None:
        name = re.sub(r"-[\d.]+\.min", ".min", route.request.url.rpartition("/")[2])
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(path=SCRIPTS / name, headers=headers)

    page, shown = notebook(browser, Figure(line(), "A line"), scripts=True, cdn=cdn)
    shown.locator("canvas").first.wait_for()
    expect(shown).not_to_contain_text("A line")
    page.context.close()


def test_a_drawing_that_fails_leaves_the_words(browser):
    broken = "<script>Bokeh = { embed: { embed_item: () => Promise.reject(Error('no')) } }</script>"
    page = browser.new_page()
    page.set_content(f"<!doctype html>{broken}{Figure(line(), 'A line that rises')._repr_html_()}")
    shown = page.locator(".minigpt-figure")
    expect(shown).to_contain_text("A line that rises")
    expect(shown).to_contain_text("drawn by a script, which failed: no")
    page.close()


def test_outside_the_book_bokehjs_is_sent_once(monkeypatch):
    sent = []
    monkeypatch.delenv("MINIGPT_BOOK")
    monkeypatch.setattr(minigpt.lessons.drawing.figure, "_bokehjs_sent", False)
    monkeypatch.setattr("bokeh.io.output_notebook", lambda *a, **k: sent.append(a))
    show(line(), "A line")
    show(line(), "A line")
    assert len(sent) == 1


# Numbers.


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1 / 3, 0.33333),
        (-0.123456, -0.12346),
        (3.3333333e-9, 3.3333e-9),
        (38_597_376.0, 38_597_376.0),  # whole numbers stay
        (38_597_376.4, 38_597_376.0),
        (12_345.678, 12_346.0),  # and nothing is coarser than they
        (9_999.4321, 9_999.4),
        (3e-17, 0.0),  # what is left of 0.1 + 0.2 - 0.3
        (float("nan"), {"type": "number", "value": "nan"}),
        (float("-inf"), {"type": "number", "value": "-inf"}),
        (float("inf"), {"type": "number", "value": "+inf"}),
    ],
)
def test_numbers_are_rounded_in_one_place(number, shown):
    assert str(rounded(number)) == str(shown)
    assert str(rounded({"a": [(number, "x"), True, 7]})) == str({"a": [[shown, "x"], True, 7]})


def drawn(*columns) -> list:
    """The columns of data as a page reads them."""
    plot = figure()
    plot.scatter("0", "1", source=ColumnDataSource({str(i): c for i, c in enumerate(columns)}))
    text = json.dumps(Figure(plot, "Points").item, allow_nan=False)
    entries = json.loads(re.search(r'"data": {"type": "map", "entries": (\[\[.*?\]\])}', text)[1])
    return [value for _, value in entries]


def test_arrays_become_lists_that_no_compression_can_change():
    x = np.array([[1 / 3, 2.0], [np.nan, 1e-20]])
    first, second = drawn([1 / 3, 2], x[:, 0].astype(np.float32))
    assert first == [0.33333, 2]
    nan = {"type": "number", "value": "nan"}
    assert second["array"] == [0.33333, nan]
    assert second["shape"] == [2] and second["dtype"] == "float32"
    (whole, _) = drawn(np.array([3, 4], dtype=np.int32), [0, 1])
    assert whole["array"] == [3, 4] and whole["dtype"] == "int32"


def test_two_processors_make_the_same_figure():
    x = np.random.default_rng(0).random(500)
    assert drawn(x, list(x)) == drawn(x * (1 + 1e-15), list(x * (1 - 1e-15)))
