"""Explorers for readers with a kernel: their stills, and what a notebook stores of them."""

from __future__ import annotations

import json

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from widgets_shown import LETTERS

from minigpt.lessons.drawing.token_text import token_text, typed
from minigpt.lessons.embedding.widgets import neighbour_explorer
from minigpt.lessons.explorer import LIVE, VIEW, Explorer, Sentence


@pytest.fixture
def neighbours():
    """One of them, for all."""
    return neighbour_explorer(torch.eye(6), LETTERS, "a", count=3)


def test_the_book_shows_a_still(neighbours):
    bundle = neighbours._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(neighbours)
    assert bundle["text/html"].startswith(neighbours.still._repr_html_())
    assert bundle["text/html"].endswith(f"<small>{LIVE}</small></p>")
    assert "widget" not in vars(neighbours)  # none was made, which a notebook would record


def test_a_readers_notebook_shows_the_widget(neighbours, live):
    bundle = neighbours._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VIEW}
    assert bundle[VIEW]["model_id"] == neighbours.widget.model_id
    assert neighbours.widget.children[:-1] == tuple(neighbours.controls.values())


def test_a_sentence_is_escaped():
    assert Sentence("a < b")._repr_html_() == "<p>a &lt; b</p>"
    assert repr(Explorer(Sentence, {"text": "a < b"}, dict)) == "a < b"


def test_white_space_is_visible_and_can_be_typed():
    visible = [token_text(LETTERS, i) for i in range(6)]
    assert visible == list("↵·abcd")
    assert typed("".join(visible)) == "\n abcd"


CELL = """
import torch
from minigpt.attention import AttentionOnly
from minigpt.lessons.attention.widgets import head_explorer
from minigpt.tokenizer import CharTokenizer

model = AttentionOnly(3, 8, 4, 2, 1, torch.Generator().manual_seed(0))
head_explorer(model, CharTokenizer.train("abc"), "abcab")
"""


def run_in_a_kernel() -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL, id="a")])
    quiet = ["--IPKernelApp.log_level=40"]
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", record_timing=False, extra_arguments=quiet
    )
    return client.execute()


def test_a_stored_notebook_holds_the_still_and_the_same_bytes_each_time():
    first, second = run_in_a_kernel(), run_in_a_kernel()
    (output,) = first.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    assert LIVE in output.data["text/html"]
    assert "widgets" not in first.metadata
    assert nbformat.writes(first) == nbformat.writes(second)
    assert "widget-view" not in json.dumps(first)


def test_a_reader_with_a_kernel_gets_the_widget(live):
    ran = run_in_a_kernel()
    (output,) = ran.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html", VIEW}
    states = ran.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    descriptions = {state["state"].get("description") for state in states.values()}
    assert {"Text", "Layer", "Head"} <= descriptions
