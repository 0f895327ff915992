"""The tree of merges is the tokenizer's own way to a word's tokens."""

from __future__ import annotations

import re

import pytest

from minigpt.lessons.tokenizer.drawings import merge_tree
from minigpt.tokenizer import BPETokenizer

GPT2 = BPETokenizer.gpt2()


def labels(word: str, tokenizer: BPETokenizer = GPT2) -> list[str]:
    return re.findall(r">([^<>]+)</text>", merge_tree(tokenizer, word)._repr_html_())


def test_strawberry_as_the_chapters_caption_says():
    shown = labels("strawberry")
    letters, merges = [*"strawberry"], ["er", "st", "ra", "ber", "ry", "raw", "berry"]
    assert shown == [f"{i}." for i in range(1, 8)] + letters + merges
    drawn = merge_tree(GPT2, "strawberry")
    assert "10 bytes" in drawn.alt and "7 merges" in drawn.alt
    assert drawn.alt.endswith("What is left on top: “st”, “raw”, “berry”.")


def small(pattern: str | None = None) -> BPETokenizer:
    """With the merges bc and ab, in this order of ranks."""
    vocab = [bytes([byte]) for byte in range(256)] + [b"bc", b"ab"]
    return BPETokenizer(vocab, [(98, 99), (97, 98)], {}, pattern)


def test_the_merge_of_lowest_rank_comes_first_wherever_it_stands():
    assert labels("abc", small()) == ["1.", "a", "b", "c", "bc"]
    assert labels("abb", small()) == ["1.", "a", "b", "b", "ab"]


def test_bytes_of_a_character_and_a_space_can_be_seen():
    assert labels(" é")[-5:-3] == ["·", "\\xc3"]


@pytest.mark.parametrize("word", ["x", "a word of many letters"])
def test_what_has_no_room_is_refused(word):
    with pytest.raises(ValueError, match="the tree has room for 2 to 12"):
        merge_tree(GPT2, word)


def test_what_is_split_before_it_is_merged_is_refused():
    with pytest.raises(ValueError, match="'abc' is split before it is merged"):
        merge_tree(small("ab|c"), "abc")
