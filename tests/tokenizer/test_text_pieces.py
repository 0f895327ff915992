"""A text in blocks gives the very ids of the whole, whatever the blocks are."""

from __future__ import annotations

import random
from itertools import chain, cycle

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from minigpt.tokenizer import BPETokenizer, CharTokenizer, text_pieces, windowed_merges
from minigpt.tokenizer.merges import FIRST_MERGE, apply_merges_long
from minigpt.tokenizer.text_pieces import CUT, cut_between_words
from minigpt.tokenizer.windowed_merges import merge_by_windows

GPT2 = BPETokenizer.gpt2()
NASTY = [*" \n\t\r'sdmtlvrea19!.-_\u00e9\u4e2d\U0001f600\xa0\u3000\u2028\x1c\x85"]
NASTY += ["'ll", "'re", "   ", "\n\n\n", "\r\n", "<|endoftext|>", "word", " \n "]


def in_blocks(text: str, sizes: list[int]) -> list[str]:
    blocks, at = [], 0
    for size in cycle(sizes):
        if at >= len(text):
            return blocks
        blocks.append(text[at : at + size])
        at += size


@given(st.lists(st.sampled_from(NASTY)).map("".join), st.lists(st.integers(1, 9), min_size=1))
@example("a" * 70 + " " * 50 + "b", [7])  # words longer than many blocks
@example("'l" + "l", [2])  # a contraction cut in two
@example("no_cut_at_all" * 9, [5])
def test_the_ids_are_those_of_the_whole(text, sizes):
    blocks = in_blocks(text, sizes)
    assert [*chain.from_iterable(GPT2.encode_blocks(blocks))] == GPT2.encode(text)
    pieces = [*cut_between_words(blocks, GPT2.pattern)]
    assert "".join(pieces) == text and all(pieces)
    assert [*chain.from_iterable(map(GPT2.pieces, pieces))] == GPT2.pieces(text)


def test_a_piece_is_little_more_than_a_block():
    text = "All the world's a stage,\nAnd all the men and women merely players;\n" * 20
    pieces = [*cut_between_words(in_blocks(text, [100]), GPT2.pattern)]
    assert "".join(pieces) == text and max(map(len, pieces)) < 150


def test_what_stands_before_a_cut_is_no_white_space_to_the_pattern():
    """`re`, which looks for cuts, counts more characters as white space than the pattern does."""
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    white = regex.findall(r"\s", every, regex.VERSION1)
    assert len(white) == 25 and all(character.isspace() for character in white)
    assert CUT.findall("".join(f"{character} " for character in white)) == []


@pytest.mark.parametrize("pattern", [None, r"[\s\S]{3}|[\s\S]+"])
def test_by_another_pattern_a_text_is_one_piece(pattern):
    text = "to be or not to be, that is the question " * 3
    assert [*cut_between_words(in_blocks(text, [5]), pattern)] == [text]
    bpe = BPETokenizer.train(text, 270, pattern=pattern, progress=False)
    assert [*chain.from_iterable(bpe.encode_blocks(in_blocks(text, [5])))] == bpe.encode(text)


def test_far_too_much_without_a_cut_is_refused(monkeypatch):
    monkeypatch.setattr(text_pieces, "MOST_HELD", 1000)
    match = r"^the text has more than 1,000 characters without {}, from 'aaaa.*: break it into lin"
    fine, word = [*["some words "] * 99, "a" * 990], ["a" * 500] * 3
    assert [*cut_between_words(fine, GPT2.pattern)]
    for pattern, why in (
        (GPT2.pattern, "a space or line feed"),
        (None, "a cut by GPT-2's pattern"),
    ):
        with pytest.raises(ValueError, match=match.format(why)):
            [*cut_between_words(word, pattern)]


def test_characters_in_blocks_are_those_of_the_whole():
    tokenizer = CharTokenizer.train("abc \n")
    blocks = ["ab", "", "c\n", " a"]
    assert [*tokenizer.encode_blocks(blocks)] == [tokenizer.encode(block) for block in blocks]
    with pytest.raises(ValueError, match=r"character 'z' at index 5 is not among the 5 of the tr"):
        [*tokenizer.encode_blocks(["abc", " az"])]


# Words of any length.


def some_merges(letters: str, generator: random.Random) -> tuple[dict[str, str], dict[str, int]]:
    """Merges in any order, more awkward than any that were learnt; and lengths of their tokens."""
    bytes_of, merges = {letter: letter for letter in letters}, {}
    for _ in range(generator.randint(1, 12)):
        left, right = generator.choices([*bytes_of], k=2)
        made = bytes_of[left] + bytes_of[right]
        if made not in bytes_of.values() and len(made) <= 12:
            token = chr(FIRST_MERGE + len(merges))
            merges[left + right], bytes_of[token] = token, made
    return merges, {token: len(bytes_of[token]) for token in merges.values()}


@given(st.integers(0, 10**9), st.text("ab", max_size=90), st.integers(2, 20))
def test_merges_by_windows_are_those_of_the_whole_word(seed, word, size):
    merges, lengths = some_merges("ab", random.Random(seed))
    for each in (word, (word[:5] * 40)[:90]):
        assert merge_by_windows(each, merges, lengths, size) == apply_merges_long(each, merges)


@pytest.mark.parametrize(
    "word", ["a" * 20_001, "acgt" * 4999 + "tgca", " " * 17_000, "\u00e9" * 9000]
)
def test_a_long_word_gives_the_ids_of_the_plain_merges(monkeypatch, word):
    by_windows = GPT2.encode(word)
    assert len(word.encode()) > windowed_merges.WINDOW
    monkeypatch.setattr("minigpt.tokenizer.word_cache.WINDOW", 10**9)
    assert GPT2.encode(word) == by_windows
