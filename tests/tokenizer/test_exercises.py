"""The checks of the chapter on tokenization, held to right, empty and wrong submissions."""

from __future__ import annotations

import codecs
import functools
from collections import Counter
from itertools import pairwise

import numpy as np
from submissions import Submissions

from minigpt.lessons.tokenizer import exercises as check


def most_frequent_pair(ids):
    counts = Counter(pairwise(ids))
    return min(counts, key=lambda pair: (-counts[pair], pair))


def merge_pair(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def merge_in_place(ids, pair, new_id):
    for i in range(len(ids) - 1):
        if tuple(ids[i : i + 2]) == pair:
            ids[i : i + 2] = [new_id]
    return ids


def merge_overlapping(ids, pair, new_id):
    out = []
    for i, token in enumerate(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
        elif not (i and tuple(ids[i - 1 : i + 1]) == pair):
            out.append(token)
    return out


def merge_loses_the_end(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids) - 1:
        merged = tuple(ids[i : i + 2]) == pair
        out.append(new_id if merged else ids[i])
        i += 2 if merged else 1
    return out


def encode_word(ids, ranks):
    while True:
        known = [pair for pair in pairwise(ids) if pair in ranks]
        if not known:
            return ids
        pair = min(known, key=ranks.get)
        ids = merge_pair(ids, pair, 256 + ranks[pair])


def encode_from_the_left(ids, ranks):
    while pair := next((p for p in pairwise(ids) if p in ranks), None):
        ids = merge_pair(ids, pair, 256 + ranks[pair])
    return ids


def encode_in_the_dictionarys_order(ids, ranks):
    for pair, rank in ranks.items():
        ids = merge_pair(ids, pair, 256 + rank)
    return ids


def encode_once(ids, ranks):
    known = [pair for pair in pairwise(ids) if pair in ranks]
    pair = min(known, key=ranks.get, default=None)
    return merge_pair(ids, pair, 256 + ranks[pair]) if pair else ids


def decode_stream(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        if text := decoder.decode(token):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def stream_swallowing_the_end(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    yield from (text for token in tokens if (text := decoder.decode(token)))


CORRECT = {
    "bytes_per_token": lambda text, ids: len(text.encode()) / len(ids),
    "most_frequent_pair": most_frequent_pair,
    "merge_pair": merge_pair,
    "encode_word": encode_word,
    "decode_stream": decode_stream,
}

WRONG = [  # check, submission, a part of the hint that it must earn
    ("bytes_per_token", lambda text, ids: len(text) / len(ids), "counted characters"),
    ("bytes_per_token", lambda text, ids: len(ids) / len(text.encode()), "turn the fraction over"),
    ("bytes_per_token", lambda text, ids: len(text.encode()) // len(ids), "use /"),
    ("bytes_per_token", lambda text, ids: text.bytes / len(ids), "raised AttributeError"),
    ("most_frequent_pair", lambda ids: Counter(ids).most_common(1)[0][0], "most frequent token"),
    (
        "most_frequent_pair",
        lambda ids: Counter(pairwise(ids)).most_common(1)[0][0],
        "not the first",
    ),
    ("most_frequent_pair", lambda ids: min(pairwise(ids)), "the count decides first"),
    ("merge_pair", merge_in_place, "changed what it was given"),
    ("merge_pair", merge_overlapping, "skip two places"),
    ("merge_pair", merge_loses_the_end, "Hint"),
    ("merge_pair", lambda ids, pair, new_id: list(ids), "nothing was merged"),
    ("encode_word", encode_from_the_left, "lowest rank comes first"),
    ("encode_word", encode_once, "look again"),
    ("encode_word", encode_in_the_dictionarys_order, "lowest rank"),
    (
        "decode_stream",
        lambda tokens: (t.decode("utf-8", "replace") for t in tokens),
        "decoded alone",
    ),
    ("decode_stream", lambda tokens: (t.decode() for t in tokens), "raised UnicodeDecodeError"),
    ("decode_stream", lambda tokens: list(decode_stream(tokens)), "all the text at once"),
    ("decode_stream", stream_swallowing_the_end, "was swallowed"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG


def test_unusual_answers_get_a_verdict_too():
    pair = check.most_frequent_pair
    assert "raised ValueError" in pair(lambda ids: np.array([97, 97])).message
    assert pair(functools.partial(most_frequent_pair)).passed
    assert "your function(" in pair(functools.partial(min)).message
    exact = lambda text, ids: np.float64(len(text.encode()) / len(ids))  # noqa: E731
    assert check.bytes_per_token(exact).passed
