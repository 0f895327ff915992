"""Checks for the exercises of the chapter on tokenization."""

from __future__ import annotations

from collections.abc import Callable

from minigpt.lessons.judge import Case, Verdict, judge


def bytes_per_token(function: Callable[[str, list[int]], float]) -> Verdict:
    """Check `bytes_per_token(text, ids) -> float`: UTF-8 bytes over tokens."""
    cases = [
        Case(
            ("hello world", [31373, 995]),
            5.5,
            "divide the number of UTF-8 bytes of the text by the number of tokens",
            [(2 / 11, "that is tokens per byte: turn the fraction over"), (5, "use /, not //")],
        ),
        Case(
            ("안녕", [1, 2]),
            3.0,
            "`text.encode('utf-8')` gives the bytes",
            [(1.0, "you counted characters: a Korean syllable is three bytes in UTF-8")],
        ),
    ]
    return judge(function, cases)


def most_frequent_pair(function: Callable[[list[int]], tuple[int, int]]) -> Verdict:
    """Check `most_frequent_pair(ids) -> (left, right)`; among equals the smallest pair."""
    cases = [
        Case(
            ([97, 97, 97, 98, 100, 97, 97, 97, 98, 97, 99],),
            (97, 97),
            "count every pair of neighbours, `zip(ids, ids[1:])`, and take the most frequent",
            [(97, "that is the most frequent token: count pairs of neighbours")],
        ),
        Case(
            ([256, 97, 98, 100, 256, 97, 98, 97, 99],),
            (97, 98),
            "two pairs occur twice, and the smaller one wins: compare (count, pair)",
            [
                (
                    (256, 97),
                    "both pairs occur twice; the rule takes the smaller pair, not the first",
                ),
            ],
        ),
        Case(
            ([5, 6, 5, 6, 5, 6, 1, 2, 1, 2],),
            (5, 6),
            "the count decides first; the ids matter only among equal counts",
            [((1, 2), "you took the smallest pair: the count decides first")],
        ),
    ]
    return judge(function, cases)


def merge_pair(function: Callable[[list[int], tuple[int, int], int], list[int]]) -> Verdict:
    """Check `merge_pair(ids, pair, new_id) -> ids`: left to right, without overlap."""
    cases = [
        Case(
            ([97, 97, 97, 98], (97, 97), 256),
            [256, 97, 98],
            "walk from left to right; after a merge go on behind both tokens",
            [
                ([256, 256, 98], "a token can be merged once: skip two places after a merge"),
                ([97, 256, 98], "go from left to right: the first pair wins"),
                ([97, 97, 97, 98], "nothing was merged: compare ids[i] and ids[i + 1] with pair"),
            ],
        ),
        Case(
            ([1, 2, 3, 1, 2], (1, 2), 256),
            [256, 3, 256],
            "every occurrence is merged, also the last one",
            [
                ([256, 3, 1, 2], "you stopped after the first occurrence"),
                ([256, 3], "the last tokens got lost: look at the end of your loop"),
            ],
        ),
        Case(
            ([1, 2, 1], (1, 2), 256),
            [256, 1],
            "a last token that has no neighbour stays as it is",
            [([256], "the last token got lost: it has no right neighbour, and still belongs")],
        ),
        Case(([], (1, 2), 256), [], "an empty list has nothing to merge: return an empty list"),
    ]
    return judge(function, cases)


def encode_word(function: Callable[[list[int], dict[tuple[int, int], int]], list[int]]) -> Verdict:
    """Check `encode_word(ids, ranks) -> ids`: the pair of lowest rank first; ids are 256 + rank."""
    a, b, c = 97, 98, 99
    cases = [
        Case(([a, b], {(a, b): 0}), [256], "merge the known pair: its new id is 256 + its rank"),
        Case(
            ([a, b, c], {(a, b): 1, (b, c): 0}),  # not in the order of the ranks
            [a, 256],
            "among the pairs that are present, merge the one of lowest rank",
            [([257, c], "you merged the first pair from the left: the lowest rank comes first")],
        ),
        Case(
            ([a, b, c], {(b, c): 0, (a, b): 1, (257, c): 2}),
            [a, 256],
            "ranks decide, not lengths",
            [([258], "you looked for the longest token: the order of the ranks decides")],
        ),
        Case(
            ([a, b, c], {(a, b): 0, (256, c): 1}),
            [257],
            "a merge makes new pairs: look again until none is known",
            [([256, c], "you stopped after one merge: look again until no pair is known")],
        ),
        Case(
            ([a, b, c, c], {(b, c): 0, (256, c): 1, (a, b): 2}),
            [a, 257],
            "after each merge start again from the lowest rank",
        ),
        Case(([a, c], {(a, b): 0}), [a, c], "no known pair: return the ids as they are"),
    ]
    return judge(function, cases)


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
            ([b"To", b" be"],), ["To", " be"], "what is complete goes out at once, token by token"
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
