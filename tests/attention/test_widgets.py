"""The explorer of heads, driven from Python."""

from __future__ import annotations

import pytest
import torch
from widgets_shown import LETTERS, texts

from minigpt.attention import AttentionOnly
from minigpt.lessons.attention.widgets import MOST_TOKENS, head_explorer


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


def test_a_text_of_several_lines_keeps_its_line_breaks(model):
    import ipywidgets

    explorer = head_explorer(model, LETTERS, "a\nb")
    assert isinstance(explorer.controls["text"], ipywidgets.Textarea)  # a Text drops them
