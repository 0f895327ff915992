"""Figures: the same output on the book's pages, in Jupyter and in Colab, equal in every run."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from bokeh.models import Div
from bokeh.plotting import figure

import minigpt.figure
from minigpt.figure import Figure, show


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


def test_outside_the_book_bokehjs_is_sent_once(monkeypatch):
    sent = []
    monkeypatch.delenv("MINIGPT_BOOK")
    monkeypatch.setattr(minigpt.figure, "_bokehjs_sent", False)
    monkeypatch.setattr("bokeh.io.output_notebook", lambda *a, **k: sent.append(a))
    show(line(), "A line")
    show(line(), "A line")
    assert len(sent) == 1


def test_two_runs_give_the_same_bytes():
    code = (
        "from bokeh.plotting import figure; from minigpt.figure import show; p = figure();"
        "p.line([1, 2], [3, 4]); print(show(p, 'A line')._repr_html_())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
