"""Widgets for readers with a kernel: driven from Python, and as a notebook stores them."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from minigpt.attention_only import AttentionOnly
from minigpt.model import GPTConfig
from minigpt.plots.token_text import token_text, typed
from minigpt.tokenizer import CharTokenizer
from minigpt.widgets import LIVE, VIEW, Explorer, Sentence
from minigpt.widgets.attention import MOST_TOKENS, head_explorer
from minigpt.widgets.embedding import neighbour_explorer
from minigpt.widgets.model import model_explorer

LETTERS = CharTokenizer.train("abc d\n")  # ids: ↵ 0, · 1, a 2, b 3, c 4, d 5
ROWS = torch.tensor(
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 3.0], [0.0, 1.0], [9.0, 9.0]]
)


def texts(html: str) -> list[list[str]]:
    """The text of a table's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.fixture
def live(monkeypatch):
    """As a reader's notebook runs it."""
    monkeypatch.delenv("MINIGPT_BOOK")


@pytest.fixture
def neighbours():
    return neighbour_explorer(ROWS, LETTERS, "a", count=3)


def test_the_neighbours_are_the_closest_by_cosine(neighbours):
    assert repr(neighbours) == (
        "Nearest to a by cosine\nb       3  1.000\nc       4  0.707\n·       1  0.000"
    )
    assert texts(neighbours.widget.children[-1].value) == [
        ["token", "id", "cosine"],
        ["b", "3", "1.000"],
        ["c", "4", "0.707"],
        ["·", "1", "0.000"],  # as far as d, and of the smaller id
    ]


def test_a_token_and_a_number_can_be_chosen(neighbours):
    drawing = neighbours.widget.children[-1]
    neighbours.controls["count"].value = 5
    assert [row[0] for row in texts(drawing.value)[1:]] == ["b", "c", "·", "d", "↵"]
    neighbours.controls["text"].value = "↵"
    assert "Nearest to ↵ by cosine" in drawing.value
    assert texts(drawing.value)[-1] == ["b", "3", "-1.000"]
    assert neighbours.controls["count"].max == 5  # the seventh row stands for no token


def test_the_neighbours_agree_with_torch():
    model = AttentionOnly(6, 8, 32, 2, 1, torch.Generator().manual_seed(3))
    table = model.token_embedding.weight
    explorer = neighbour_explorer(table, LETTERS, "b", count=5)
    cosines = torch.nn.functional.normalize(table.detach()) @ (table[3] / table[3].norm())
    expected = [i for i in cosines.argsort(descending=True).tolist() if i != 3]
    assert [int(row[1]) for row in texts(explorer.still._repr_html_())[1:]] == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Type a token"),
        ("ab", "“ab” is 2 tokens: a | b. Type one of them."),
        ("é", "This tokenizer cannot read it: character &#x27;é&#x27; at index 0"),
        ("·", "The row of · is all zeros"),
    ],
)
def test_what_is_no_token_is_answered_with_a_sentence(neighbours, text, told):
    drawing = neighbours.widget.children[-1]
    neighbours.controls["text"].value = text
    assert told in drawing.value
    neighbours.controls["text"].value = "a"
    assert len(texts(drawing.value)) == 4


def test_a_word_that_is_a_token_with_its_space_is_told():
    class Words:
        vocab, vocab_size = (" the", "t", "he"), 3

        def encode(self, text):
            return [0] if text == " the" else [1, 2]

    explorer = neighbour_explorer(torch.eye(3), Words(), "the", count=1)
    assert repr(explorer) == "“the” is 2 tokens: t | he. Type one of them. Or ·the."
    assert "Nearest to ·the" in explorer.draw("·the", 1)._repr_html_()


@pytest.mark.parametrize(
    ("rows", "count", "message"),
    [
        (5, 1, "the table has 5 rows, the tokenizer 6 tokens"),
        (6, 0, "count is 0; with 6 tokens it goes from 1 to 5"),
        (6, 6, "count is 6"),
    ],
)
def test_a_table_of_another_tokenizer_is_refused(rows, count, message):
    with pytest.raises(ValueError, match=message):
        neighbour_explorer(ROWS[:rows], LETTERS, "a", count)


@pytest.fixture
def model():
    return AttentionOnly(6, 40, 8, 2, 3, torch.Generator().manual_seed(5))


@pytest.fixture
def heads(model):
    with torch.no_grad():
        for layer in model.layers:
            layer.qkv.weight *= 100  # apart from one another at two decimals
    return head_explorer(model, LETTERS, "a bad\ncab", layer=2, head=1)


def shown(model, text: str, layer: int, head: int) -> list[list[str]]:
    """What a table of one head has to hold."""
    ids = LETTERS.encode(text)
    weights = model.attention_maps(torch.tensor([ids]))[layer - 1, 0, head - 1].tolist()
    return [
        ["·" if j > i else f"{weight:.2f}" for j, weight in enumerate(row)]
        for i, row in enumerate(weights)
    ]


def test_heads_and_layers_can_be_chosen(heads, model):
    drawing, seen = heads.widget.children[-1], []
    assert [slider.max for slider in (heads.controls["layer"], heads.controls["head"])] == [3, 2]
    for layer in (1, 2, 3):
        for head in (1, 2):
            heads.controls["layer"].value = layer
            heads.controls["head"].value = head
            found = texts(drawing.value)
            assert found[0] == ["looks at →", *"a·bad↵cab"]
            assert [row[1:] for row in found[1:]] == shown(model, "a bad\ncab", layer, head)
            assert f"Layer {layer}, head {head}: who looks at whom" in drawing.value
            seen.append(found)
    assert all(seen.count(table) == 1 for table in seen)


def test_another_text_can_be_typed(heads, model):
    drawing = heads.widget.children[-1]
    heads.controls["text"].value = "dab"
    assert [row[1:] for row in texts(drawing.value)[1:]] == shown(model, "dab", 2, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is nothing to show: the text has 0 tokens"),
        ("é", "There is nothing to show: character"),
        ("a" * 33, f"the text has 33 tokens; the table shows 1 to {MOST_TOKENS}: shorten it."),
    ],
)
def test_a_text_without_a_table_is_answered_with_a_sentence(heads, text, told):
    drawing = heads.widget.children[-1]
    heads.controls["text"].value = text
    assert told in drawing.value
    heads.controls["text"].value = "a"
    assert texts(drawing.value)[1] == ["a", "1.00"]


@pytest.mark.parametrize(
    ("text", "layer", "head", "message"),
    [
        ("a", 4, 1, "layer is 4; the model has layers 1 to 3"),
        ("a", 1, 0, "head is 0; the model has heads 1 to 2"),
        ("", 1, 1, "the text has 0 tokens"),
    ],
)
def test_a_start_that_is_not_there_is_refused(model, text, layer, head, message):
    with pytest.raises(ValueError, match=message):
        head_explorer(model, LETTERS, text, layer, head)


@pytest.fixture
def sizes():
    return model_explorer(GPTConfig(65, 6, n_layer=2, n_head=2, n_embd=10, bias=False))


def test_a_model_is_drawn_for_its_sizes(sizes):
    lines = repr(sizes).splitlines()
    # 6 tokens, as the context has no room for more: (65 + 6) × 10, 2 × 1,220, and a last norm.
    assert lines[0].split() == ["GPT", "(1,", "6,", "65)", "3,160", "100.0", "%"]
    assert sizes.drawing.value == sizes.still._repr_html_()


def test_other_sizes_can_be_chosen(sizes):
    told = sizes.drawing
    sizes.controls["n_layer"].value = 5
    assert "<b>blocks</b> <em>× 5</em>" in told.value
    sizes.controls["vocab_size"].value = 50257
    assert "<code>(1, 6, 50257)</code>" in told.value
    sizes.controls["n_head"].value = 5
    assert "in 5 heads: softmax(mask(q kᵀ / √2)) v" in told.value
    sizes.controls["n_embd"].value = 400
    assert "5 × 1,920,800" in told.value  # 12 × 400 × 400 + 2 × 400


def test_sizes_that_do_not_fit_are_answered_with_a_sentence(sizes):
    told = sizes.drawing
    sizes.controls["n_head"].value = 3
    assert told.value == (
        "<p>There is no such model: n_embd 10 cannot be cut into n_head 3 heads of equal width: "
        "choose a number of heads that divides it.</p>"
    )
    sizes.controls["n_embd"].value = 12
    assert "in 3 heads" in told.value


def test_the_sliders_hold_what_they_start_with():
    config = GPTConfig(70, 8, n_layer=49, n_head=30, n_embd=1650)
    explorer = model_explorer(config)
    for name, control in explorer.controls.items():
        assert control.value == getattr(config, name)
    width = explorer.controls["n_embd"]
    assert (width.value - width.min) % width.step == 0  # else a page would move it
    usual = model_explorer(GPTConfig(65, 8, n_layer=1, n_head=2, n_embd=32)).controls["n_embd"]
    assert [(slider.min, slider.step) for slider in (width, usual)] == [(1, 1), (16, 16)]
    assert 70 in explorer.controls["vocab_size"].options


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
from minigpt.attention_only import AttentionOnly
from minigpt.tokenizer import CharTokenizer
from minigpt.widgets.attention import head_explorer

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


def test_a_text_of_several_lines_keeps_its_line_breaks(model):
    import ipywidgets

    explorer = head_explorer(model, LETTERS, "a\nb")
    assert isinstance(explorer.controls["text"], ipywidgets.Textarea)  # a Text drops them
