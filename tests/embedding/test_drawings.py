"""The drawing of a lookup shows the table's own rows, in the text's order."""

from __future__ import annotations

import re

import pytest
import torch

from minigpt.lessons.embedding.drawings import lookup

WORDS, IDS = ["the", "cat", "saw"], [0, 1, 0]
TABLE = torch.tensor([[0.1, 0.2], [1.1, -1.2], [2.1, 2.2]])


def test_each_id_gets_its_row():
    html = lookup(WORDS, IDS, TABLE)._repr_html_()
    numbers = re.findall(r">(−?\d\.\d)</text>", html)
    rows = [["0.1", "0.2"], ["1.1", "−1.2"], ["2.1", "2.2"]]
    expected = [n for row in (*rows, *(rows[i] for i in IDS)) for n in row]
    assert numbers == expected
    assert [int(n) for n in re.findall(r">(\d)</text>", html)] == IDS
    heads = re.findall(r'd="M300\.0,(\S+?) ', html)  # an arrow ends where a row begins
    assert len(heads) in (0, len(IDS)) and html.count("Z") == len(IDS)


def test_it_is_told_in_words():
    alt = lookup(WORDS, IDS, TABLE).alt
    assert "“the cat the”" in alt and "3 vectors; equal tokens have equal ones" in alt


@pytest.mark.parametrize(
    ("words", "ids", "table"),
    [(WORDS, [0] * 7, TABLE), (WORDS, IDS, torch.zeros(3, 4)), (WORDS, IDS, torch.zeros(4, 2))],
)
def test_more_than_there_is_room_for_is_refused(words, ids, table):
    with pytest.raises(ValueError, match="there is room for 6, 6 and a row of 3 numbers a word"):
        lookup(words, ids, table)
