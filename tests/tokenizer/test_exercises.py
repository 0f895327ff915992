"""The checks of the chapter on tokenization, held to right, empty and wrong submissions."""

from __future__ import annotations

import codecs
from collections import Counter

import regex
from submissions import Submissions

from minigpt.lessons.tokenizer import exercises as check
from my_gpt import PATTERN, merged, pair_counts


def by_threes(digits):
    """The reader's pattern, with another alternative for digits."""
    pattern = PATTERN.replace(r" ?\p{N}+", digits)
    assert pattern != PATTERN
    return lambda text: regex.findall(pattern, text)


def encode_with_special(tokenizer, text, special):
    if not special:
        return tokenizer.encode(text)
    names = "|".join(map(regex.escape, special))
    ids = []
    for part in regex.split(f"({names})", text):
        ids += [special[part]] if part in special else tokenizer.encode(part)
    return ids


def special_by_partition(tokenizer, text, special):
    """Without a regular expression: the first name in what is left of the text."""
    ids = []
    while found := [(text.index(name), name) for name in special if name in text]:
        _, name = min(found)
        before, _, text = text.partition(name)
        ids += [*tokenizer.encode(before), special[name]]
    return ids + tokenizer.encode(text)


def special_unescaped(tokenizer, text, special):
    parts = regex.split(f"({'|'.join(special)})", text) if special else [text]
    ids = []
    for part in parts:
        ids += [special[part]] if part in special else tokenizer.encode(part or "")
    return ids


def special_empty_pattern(tokenizer, text, special):
    ids = []
    for part in regex.split(f"({'|'.join(map(regex.escape, special))})", text):
        ids += [special[part]] if part in special else tokenizer.encode(part)
    return ids


def special_one_after_the_other(tokenizer, text, special):
    """Each name once, in the order of the dictionary."""
    ids = []
    for name, number in special.items():
        before, found, text = text.partition(name)
        ids += tokenizer.encode(before) + ([number] if found else [])
    return ids + tokenizer.encode(text)


def updated_counts(counts, piece, times, pair, new_id):
    counts = Counter(counts)
    counts.subtract(pair_counts({piece: times}))
    counts.update(pair_counts({merged(piece, pair, new_id): times}))
    return +counts


def counts_with_zeros(counts, piece, times, pair, new_id):
    counts = Counter(counts)
    counts.subtract(pair_counts({piece: times}))
    counts.update(pair_counts({merged(piece, pair, new_id): times}))
    return counts


def counts_in_place(counts, piece, times, pair, new_id):
    counts.subtract(pair_counts({piece: times}))
    counts.update(pair_counts({merged(piece, pair, new_id): times}))
    return +counts


def counts_of_the_piece(counts, piece, times, pair, new_id):
    return pair_counts({merged(piece, pair, new_id): times})


def counts_only_added(counts, piece, times, pair, new_id):
    return Counter(counts) + pair_counts({merged(piece, pair, new_id): times})


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
    "pieces_by_threes": by_threes(r"\p{N}{1,3}"),
    "encode_with_special": encode_with_special,
    "updated_counts": updated_counts,
    "decode_stream": decode_stream,
}
ALSO_CORRECT = [
    ("encode_with_special", special_by_partition),
    ("updated_counts", lambda *arguments: dict(updated_counts(*arguments))),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("pieces_by_threes", lambda text: regex.findall(PATTERN, text), "all one piece"),
    ("pieces_by_threes", by_threes(r" ?\p{N}{1,3}"), "went to the digits"),
    ("pieces_by_threes", by_threes(r"\p{N}{3}"), "a digit got lost"),
    ("pieces_by_threes", by_threes(r"[0-9]{1,3}"), "every script"),
    ("pieces_by_threes", by_threes(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"), "from the left"),
    ("encode_with_special", lambda t, text, special: t.encode(text), "encoded as text"),
    ("encode_with_special", special_unescaped, "not an 'or'"),
    ("encode_with_special", special_empty_pattern, "an empty pattern"),
    ("encode_with_special", special_one_after_the_other, "a name may occur twice"),
    ("updated_counts", counts_with_zeros, "with 0"),
    ("updated_counts", counts_in_place, "changed what it was given"),
    ("updated_counts", counts_of_the_piece, "of the other pieces got lost"),
    ("updated_counts", counts_only_added, "old pairs still count"),
    (
        "updated_counts",
        lambda counts, piece, times, pair, new_id: updated_counts(counts, piece, 1, pair, new_id),
        "`times` was left out",
    ),
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
    otherwise_correct = ALSO_CORRECT
