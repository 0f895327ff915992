"""Checks for the exercises of the chapter on tokenization."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minigpt.lessons.judge import Case, Verdict, judge

AB = 256  # the one merge of the tokenizer that the checks hand out


@dataclass(frozen=True)
class Small:
    """A tokenizer of bytes and one merge, that of "a" and "b"."""

    def __repr__(self) -> str:
        return "tokenizer"

    def encode(self, text: str) -> list[int]:
        """Bytes, but 256 for "ab"."""
        parts = re.findall(rb"ab|.", text.encode(), re.DOTALL)
        return [AB if part == b"ab" else part[0] for part in parts]


def pieces_by_threes(function: Callable[[str], list[str]]) -> Verdict:
    """Check `pieces_by_threes(text) -> pieces`: GPT-2's pieces, but digits by threes."""
    cases = [
        Case(
            ("1234567",),
            ["123", "456", "7"],
            "three digits a piece, from the left, and what is left over is a piece too",
            [
                (["1234567"], "the digits are all one piece: say how many a piece may hold"),
                (["123", "456"], "a digit got lost: a piece may hold one or two digits as well"),
                (["1", "234", "567"], "count from the left, as GPT-4 does"),
            ],
        ),
        Case(
            ("a 1600",),
            ["a", " ", "160", "0"],
            "no space before digits: it is a piece of its own",
            [
                (["a", " 160", "0"], "the space went to the digits: GPT-4's take none"),
                (["a", "160", "0"], "the space got lost: no part of a text may"),
            ],
        ),
        Case(
            ("I'll pay, 12  ducats",),
            ["I", "'ll", " pay", ",", " ", "12", " ", " ducats"],
            "all that is no digit is cut as before",
        ),
        Case(("٣٤٥٦",), ["٣٤٥", "٦"], r"digits of every script count, which are \p{N}"),
    ]
    return judge(function, cases)


def encode_with_special(function: Callable[[Any, str, dict[str, int]], list[int]]) -> Verdict:
    """Check `encode_with_special(tokenizer, text, special) -> ids`: names become their ids."""
    end, user = "<|end|>", "<|user|>"
    cases = [
        Case(
            (Small(), "ab<end>c", {"<end>": 300}),
            [AB, 300, 99],
            "encode what stands before the name and behind it, with the name's id between",
            [
                (
                    [AB, *b"<end>c"],
                    "the name was encoded as text: look for it before you encode",
                ),
                ([AB, 99], "the special token itself got lost: its id belongs between the two"),
                ([AB, 300], "what stands behind the name got lost"),
            ],
        ),
        Case(
            (Small(), "<end><end>", {"<end>": 300}),
            [300, 300],
            "a name may occur twice, with nothing between",
            [([300], "a name may occur twice: do not stop after the first")],
        ),
        Case(
            (Small(), f"ab|{end}", {end: 300}),
            [AB, ord("|"), 300],
            "`|` in a name is a letter, not an 'or': regex.escape(name) says so to a pattern",
        ),
        Case(
            (Small(), f"{user}ab{end}", {end: 300, user: 301}),
            [301, AB, 300],
            "the names come as they stand in the text, whatever the order in the dictionary",
        ),
        Case(
            (Small(), "ab ab", {}),
            [AB, 32, AB],
            "with no special tokens the ids are those of `encode`",
            [
                (
                    [*b"ab ab"],
                    "an empty pattern cuts at every letter: with no names, cut nothing",
                )
            ],
        ),
    ]
    return judge(function, cases)


def updated_counts(function: Callable[..., Mapping[tuple[int, int], int]]) -> Verdict:
    """Check `updated_counts(counts, piece, times, pair, new_id) -> counts` after a merge."""
    a, b, c, x = 97, 98, 99, 120

    @functools.wraps(function)
    def as_dictionary(*arguments: Any) -> Any:
        answer = function(*arguments)
        return dict(answer) if isinstance(answer, Mapping) else answer

    zero = "a pair that no longer occurs is still there, with 0: leave it out"
    cases = [
        Case(
            (Counter({(a, b): 1, (b, c): 1}), (a, b, c), 1, (a, b), 256),
            {(256, c): 1},
            "take off what the piece counted before, and add what it counts afterwards",
            [
                ({(a, b): 0, (b, c): 0, (256, c): 1}, zero),
                ({(a, b): 1, (b, c): 1, (256, c): 1}, "the piece's old pairs still count"),
                ({(b, c): 1, (256, c): 1}, "(98, 99) is gone too: its 98 was merged"),
                ({}, "the new token has a neighbour: that is a new pair"),
            ],
        ),
        Case(
            (Counter({(a, b): 7, (b, c): 5, (c, x): 2}), (a, b, c), 5, (a, b), 256),
            {(a, b): 2, (c, x): 2, (256, c): 5},
            "a piece that occurs five times counts five times, and other pieces keep theirs",
            [
                (
                    {(a, b): 6, (b, c): 4, (c, x): 2, (256, c): 1},
                    "`times` was left out: the piece occurs five times",
                ),
                ({(256, c): 5}, "the pairs of the other pieces got lost: start from `counts`"),
            ],
        ),
        Case(
            (Counter({(a, a): 4, (a, b): 2}), (a, a, a, b), 2, (a, a), 256),
            {(256, a): 2, (a, b): 2},
            "in aaab the pair counts twice and is merged once: let `merged` say what is left",
            [({(256, b): 2}, "from left to right: aaab becomes 256, 97, 98")],
        ),
    ]
    return judge(as_dictionary, cases)


def decode_stream(function: Callable) -> Verdict:
    """Check `decode_stream(tokens)`: an iterator of text that never splits a character.

    `tokens` is a list of bytes; the pieces, joined, are the text, and each piece is given
    as soon as its bytes are complete.
    """
    verdict = judge(function, [Case(([],), [], "no tokens, no text")])
    if verdict.passed and isinstance(function([]), list):
        return Verdict(
            False,
            "Not yet. decode_stream([]) returned a list: all the text at once.\n"
            "Hint: use yield, so that the text of one token comes out before the next is read.",
        )
    cases = [
        Case(
            ([b"To", b"day"],), ["To", "day"], "what is complete goes out at once, token by token"
        ),
        Case(
            ([b"\xec\x95", b"\x88"],),
            ["안"],
            "hold bytes back until they are a whole character, and yield nothing meanwhile",
            [
                (["\ufffd", "\ufffd"], "each token was decoded alone: keep the unfinished bytes"),
                (["", "안"], "yield nothing, rather than an empty string, while bytes are missing"),
            ],
        ),
        Case(
            ([b"a\xec", b"\x95\x88b"],),
            ["a", "안b"],
            "what is complete goes out at once; only the unfinished end waits",
            [(["a안b"], "the complete 'a' waited for the unfinished character behind it")],
        ),
        Case(
            ([b"a\xec"],),
            ["a", "\ufffd"],
            "at the end, unfinished bytes become U+FFFD: nothing is swallowed",
            [(["a"], "the unfinished byte at the end was swallowed: show it as U+FFFD")],
        ),
    ]
    return judge(function, cases)
