"""Merges in a word of any length, in the memory of a window of it."""

from __future__ import annotations

from collections.abc import Mapping

from minigpt.tokenizer.merges import apply_merges, apply_merges_long

WINDOW = 2**14  # bytes; a window takes some 4 MB
TRIES = 8  # borders, before windows are made twice as long


def merge_by_windows(
    word: str, merges: Mapping[str, str], lengths: Mapping[str, int], size: int = WINDOW
) -> str:
    """The same tokens as by `apply_merges_long`, which takes some 250 bytes for each of the word.

    A row of tokens is what the merges make of its bytes exactly where that is so for every two
    neighbours alone: what would merge across their border in the row would do so in the two. So
    windows are merged one after the other, each from a border in the one before, and only the two
    tokens beside such a border must be looked at.

    Args:
        word: one character a byte.
        merges: a pair to its token, as of `apply_merges`.
        lengths: a token that is a merge to its bytes.
        size: of a window, in bytes.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    done, start, window = [], 0, word[:size]
    tokens = following = apply_merges_long(window, merges)
    while start + size < len(word):
        most = len(tokens) * 3 // 4  # at its end a window does not see what comes
        for kept in range(most, max(0, most - TRIES), -1):
            border = start + sum(lengths.get(token, 1) for token in tokens[:kept])
            if (text := word[border : border + size]) != window:  # a run of one byte
                window, following = text, apply_merges_long(text, merges)
            pair = tokens[kept - 1] + following[0]
            before, after = (lengths.get(token, 1) for token in pair)
            if apply_merges(word[border - before : border + after], merges) == pair:
                break
        else:
            return merge_by_windows(word, merges, lengths, 2 * size)
        done.append(tokens[:kept])
        start, tokens = border, following
    return "".join([*done, tokens])
