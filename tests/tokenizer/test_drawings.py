"""The drawings of the chapter on tokenization show the tokenizer's own words and numbers."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import regex

from minigpt.lessons.drawing.canvas import ROLES, Drawing
from minigpt.lessons.tokenizer import drawings as draw
from minigpt.lessons.tokenizer.drawings.pieces import KINDS, kind
from minigpt.tokenizer import BPETokenizer
from my_gpt import PATTERN, learn_merges, pair_counts, replay, vocabulary

GPT2 = BPETokenizer.gpt2()
TOY = tuple(b"aaabdaaabac")


def words(drawing: Drawing) -> list[str]:
    """What is written in a drawing, in order."""
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def widths(drawing: Drawing, role: str) -> list[float]:
    """How wide the boxes of a role are."""
    boxes = re.findall(r"<rect [^>]*>", drawing._repr_html_())
    mine = [box for box in boxes if f'stroke="{ROLES[role]}"' in box]
    return [float(re.search(r' width="([\d.]+)"', box)[1]) for box in mine]


def labels(word: str, tokenizer: BPETokenizer = GPT2) -> list[str]:
    return words(draw.merge_tree(tokenizer, word))


# The tree.


def test_strawberry_as_the_chapters_caption_says():
    shown = labels("strawberry")
    letters, merges = [*"strawberry"], ["er", "st", "ra", "ber", "ry", "raw", "berry"]
    assert shown == [f"{i}." for i in range(1, 8)] + letters + merges
    drawn = draw.merge_tree(GPT2, "strawberry")
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
        draw.merge_tree(GPT2, word)


def test_what_is_split_before_it_is_merged_is_refused():
    with pytest.raises(ValueError, match="'abc' is split before it is merged"):
        draw.merge_tree(small("ab|c"), "abc")


# Texts, bytes and tokens.


def test_a_round_trip_shows_the_text_its_tokens_and_their_ids():
    ids = GPT2.encode("Shall I compare thee?")
    drawn = draw.round_trip([GPT2.token_bytes(i) for i in ids], ids)
    shown = words(drawn)
    assert shown[:3] == ["Shall I compare thee?", "encode", "decode"]
    assert " ".join(shown[3:-1]) == "Sh 2484 all 439 ·I 314 ·compare 8996 ·thee 17903 ? 30"
    assert "“·thee” 17903" in drawn.alt and "6 tokens" in drawn.alt


def test_too_many_tokens_for_a_row_are_refused():
    with pytest.raises(ValueError, match=r"12 tokens are \d+ wide, of 360"):
        draw.round_trip([b"word"] * 12, range(12))


def test_characters_stand_above_their_bytes():
    drawn = draw.letters_and_bytes("aé안")
    assert " ".join(words(drawn)[3:]) == "a 97 97 é 233 195 169 안 50,504 236 149 136"
    assert [len(c.encode()) for c in "aé안"] == [1, 2, 3]
    assert drawn.alt.endswith("a is 97, é is 195 169, 안 is 236 149 136.")


def test_tokens_stand_below_the_bytes_that_they_are_made_of():
    tokens = [GPT2.token_bytes(i) for i in GPT2.encode("안녕 a")]
    drawn = draw.bytes_and_tokens("안녕 a", tokens)
    shown = words(drawn)
    names = ["characters", "bytes", "GPT-2’s tokens"]
    at = [shown.index(name) for name in names]
    assert shown[1 : at[1]] == [*"안녕 a"]
    assert shown[at[1] + 1 : at[2]] == [str(byte) for byte in "안녕 a".encode()]
    assert shown[at[2] + 1 :] == ["\\xec", "\\x95", "\\x88", "\\xeb", "\\x85", "\\x95", "·a"]
    assert widths(drawn, "token") == pytest.approx([41] * 6 + [86], abs=0.1)  # as many as bytes
    with pytest.raises(ValueError, match="are not the tokens of 'ab'"):
        draw.bytes_and_tokens("ab", [b"b", b"a"])


# Merges.


def test_pairs_that_overlap_are_counted_and_not_all_replaced():
    drawn = draw.counted_pairs(TOY, (97, 97))
    assert words(drawn)[-1] == "counted 4 times, replaced 2 times"
    assert words(drawn)[:-1:2] == [*"aaabdaaabac"]
    assert drawn._repr_html_().count("stroke-dasharray") == 2  # those that cannot be
    assert words(draw.counted_pairs(TOY, (97, 98)))[-1] == "counted 2 times, replaced 2 times"


def test_each_row_is_what_a_merge_makes_of_the_one_above():
    merges = learn_merges({TOY: 1}, 3)
    drawn = draw.merge_rows(TOY, merges)
    titles = [text for text in words(drawn) if "tokens" in text]
    assert titles == [
        "the bytes; 11 tokens",
        "rank 0: 97, 97 becomes 256; 9 tokens",
        "rank 1: 97, 98 becomes 257; 7 tokens",
        "rank 2: 256, 257 becomes 258; 5 tokens",
    ]
    assert words(drawn)[-10:] == ["aaab", "258", "d", "100", "aaab", "258", "a", "97", "c", "99"]
    assert drawn.alt.endswith("then 258 100 258 97 99.")
    assert len(widths(drawn, "token")) == 6  # two new tokens in each of three rows


def test_rows_of_encoding_show_the_ranks_and_end_in_the_readers_ids():
    merges = learn_merges({TOY: 1}, 3)
    new_ids = {pair: 256 + rank for rank, pair in enumerate(merges)}
    drawn = draw.ranked_rows(b"caaab", new_ids, vocabulary(merges))
    assert " ".join(words(drawn)[:14]) == "c 99 – a 97 0 a 97 0 a 97 1 b 98"
    assert tuple(int(w) for w in words(drawn)[-5:] if w.isdigit()) == replay(
        tuple(b"caaab"), new_ids
    )
    bold = re.findall(r'font-weight="650"[^>]*>([^<]+)<', drawn._repr_html_())
    assert bold == ["0", "0", "1", "2"]  # a pair of rank 0 stands twice in the first row
    assert "c aa ab, ranks – 2; then c aaab, ranks –." in drawn.alt


# Pieces.


def test_the_kinds_are_the_patterns_alternatives():
    for alternative in ("letters", "numbers", "ending"):
        assert KINDS[alternative] in PATTERN
    assert [kind(piece) for piece in ["'ll", " a", "1", " !", "\n ", "'x"]] == [
        *("ending", "letters", "numbers", "signs", "space", "signs")
    ]


def test_a_cut_text_shows_each_piece_with_its_kind():
    pieces = regex.findall(PATTERN, "I'll pay 1600 ducats, to-morrow!")
    drawn = draw.cut(pieces)
    shown = words(drawn)
    assert shown[0].endswith("·pay·1600·ducats,·to-morrow!")
    kinds = [*("letters", "ending", "letters", "numbers", "letters")]
    kinds += ["signs", "letters", "signs", "letters", "signs"]
    assert shown[2::2] == kinds
    assert "“·1600” numbers" in drawn.alt and "10 pieces" in drawn.alt


def test_a_pair_is_weighed_by_how_often_its_pieces_occur():
    pieces = {tuple(b" the"): 7, tuple(b" that"): 3, tuple(b"thth"): 2, tuple(b"no"): 9}
    th = tuple(b"th")
    assert pair_counts(pieces)[th] == 14
    drawn = draw.weighed(pieces, th, most=2)
    shown = words(drawn)
    assert shown[-4:] == ["and in 1 other pieces", "4 times", "“th”, in 3 pieces", "14 times"]
    assert shown[:6] == ["·", "t", "h", "e", "7 times", "·"]
    assert len(widths(drawn, "token")) == 4  # t and h, twice


def test_the_sum_is_the_readers_count_on_real_text():
    text = "the other thing that he thought, then this and that with the rest"
    pieces = Counter(tuple(piece.encode()) for piece in regex.findall(PATTERN, text))
    th = tuple(b"th")
    assert words(draw.weighed(pieces, th))[-1] == f"{pair_counts(pieces)[th]} times" == "10 times"


# Side by side.


def test_numbers_stand_beside_their_tokens():
    cuts = {"A": lambda n: [n[:2], n[2:]], "B": lambda n: [n]}
    drawn = draw.number_cuts(["1600", "1623"], cuts)
    assert " ".join(words(drawn)) == "A 16 00 16 23 B 1600 1623 1600 1623"
    assert "A 1623: 16 23" in drawn.alt and "B 1600: 1600" in drawn.alt


def test_a_special_token_is_framed_twice_and_only_where_it_is_meant():
    text, end = "The end.<|endoftext|>", "<|endoftext|>"
    typed, meant = GPT2.encode(text), GPT2.encode(text, allowed_special={end})
    drawn = draw.typed_and_meant(typed, meant, GPT2.vocab, {50256: end})
    shown = words(drawn)
    assert [int(w) for w in shown if w.isdigit()] == [*typed, *meant]
    assert shown[-8:] == ["The", "464", "·end", "886", ".", "13", "&lt;|endoftext|&gt;", "50256"]
    assert len(re.findall(r'<rect [^>]*fill="none"', drawn._repr_html_())) == 1
