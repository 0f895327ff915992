"""A text that comes in blocks, cut anew where no word crosses, to be encoded piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from minigpt.tokenizer.presplit import GPT2_PATTERN

# A space or line feed after what is no white space. In GPT-2's pattern what stands before it ends
# a word whatever follows, as only words of white space look ahead; and it begins the next word.
CUT = re.compile(r"\S[ \n]")
MOST_HELD = 2**27  # characters that wait for a cut; encoding needs some 10 bytes for each


def cut_between_words(blocks: Iterable[str], pattern: str | None) -> Iterator[str]:
    """The same text in pieces whose words, one piece after the other, are those of the whole.

    A text without a space or line feed is one piece, and so is any that is cut into words by
    another pattern than GPT-2's, which might cross any place.

    Raises:
        ValueError: more than `MOST_HELD` characters without a place to cut.

    Used in the chapter https://minigpt-book.github.io/minigpt/training.html
    """
    held, count = [], 0
    for block in blocks:
        match = CUT.search(block) if pattern == GPT2_PATTERN else None
        if match:
            place = match.end() - 1
            yield "".join([*held, block[:place]])
            held, count, block = [], 0, block[place:]
        held.append(block)
        count += len(block)
        if count > MOST_HELD:
            why = "a space or line feed" if pattern == GPT2_PATTERN else "a cut by GPT-2's pattern"
            raise ValueError(
                f"the text has more than {MOST_HELD:,} characters without {why}, from "
                f"{held[0][:20]!r} on, and so many cannot be encoded at once: break it into lines, "
                "or give a tokenizer of characters"
            )
    if count:
        yield "".join(held)
