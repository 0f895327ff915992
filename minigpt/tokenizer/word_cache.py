"""Words that were encoded before, and their ids: text is the same few words over and over."""

from functools import cached_property

from minigpt.tokenizer.merges import FIRST_MERGE, LONG_WORD, apply_merges, apply_merges_long
from minigpt.tokenizer.windowed_merges import WINDOW, merge_by_windows

# A tokenizer remembers at most so many words, then starts afresh, each of at most so many
# characters: 131,072 English words take about 20 MB, the worst conceivable ones 200 MB.
CACHED_WORDS = 2**17
CACHED_LENGTH = 32


class WordCache(dict[str, tuple[int, ...]]):
    """Word to ids: looked up where known, worked out where not, bounded in size.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """

    def __init__(self, ids: list[int], merges: list[tuple[int, int]]) -> None:
        symbol = {number: chr(index) for index, number in enumerate(ids)}
        self.ids = ids  # of the 256 bytes, then of the merges by rank
        self.merges = {
            symbol[left] + symbol[right]: chr(FIRST_MERGE + rank)
            for rank, (left, right) in enumerate(merges)
        }

    def __missing__(self, word: str) -> tuple[int, ...]:
        symbols = word.encode().decode("latin-1")  # one character per byte
        if len(symbols) > WINDOW:
            tokens = merge_by_windows(symbols, self.merges, self.lengths)
        else:
            apply = apply_merges if len(symbols) <= LONG_WORD else apply_merges_long
            tokens = apply(symbols, self.merges)
        ids = tuple(map(self.ids.__getitem__, map(ord, tokens)))
        if len(word) <= CACHED_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids

    @cached_property
    def lengths(self) -> dict[str, int]:
        """How many bytes each token has that is a merge."""
        lengths: dict[str, int] = {}
        for pair, token in self.merges.items():
            lengths[token] = sum(lengths.get(half, 1) for half in pair)
        return lengths
