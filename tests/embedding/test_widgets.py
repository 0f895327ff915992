"""The explorer of neighbours, driven from Python."""

from __future__ import annotations

import pytest
import torch
from widgets_shown import LETTERS, texts

from minigpt.attention import AttentionOnly
from minigpt.lessons.embedding.widgets import neighbour_explorer

ROWS = torch.tensor(
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 3.0], [0.0, 1.0], [9.0, 9.0]]
)


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
