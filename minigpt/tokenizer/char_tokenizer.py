"""Characters as tokens: the simplest tokenizer, and what nanoGPT calls character-level.

One text or one list of ids at a time; a token is an integer from 0 to ``vocab_size - 1``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from minigpt.tokenizer import tokenizer_json
from minigpt.tokenizer.input_checks import (
    check_str,
    checked_ids,
    checked_training_text,
)
from minigpt.tokenizer.tokenizer_folder import read_tokenizer
from minigpt.tokenizer.tokenizer_reading import check_model, parse_characters


class CharTokenizer:
    """One token per character: ids are positions in the sorted list of characters.

    Attributes:
        vocab: the characters, by id.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """

    def __init__(self, vocab: Iterable[str]) -> None:
        self.vocab = tuple(vocab)
        if any(len(character) != 1 for character in self.vocab) or len(set(self.vocab)) < len(
            self.vocab
        ):
            raise ValueError(
                "vocab must be different single characters; CharTokenizer.train finds them"
            )
        self._ids = {character: number for number, character in enumerate(self.vocab)}

    def __repr__(self) -> str:
        return f"CharTokenizer({self.vocab_size} characters)"

    @classmethod
    def train(cls, text: str) -> "CharTokenizer":
        """A tokenizer of the distinct characters of a text, sorted by code point.

        Raises:
            TypeError: the text is no str. ValueError: it is empty or holds a lone surrogate.
        """
        return cls(sorted(set(checked_training_text(text))))

    @property
    def vocab_size(self) -> int:
        """How many different tokens there are."""
        return len(self.vocab)

    def encode(self, text: str) -> list[int]:
        """Text to ids, one per character.

        Raises:
            TypeError: the text is no str. ValueError: a character was not in the training text.
        """
        check_str(text)
        return self._encode(text, 0)

    def encode_blocks(self, blocks: Iterable[str]) -> Iterator[list[int]]:
        """The ids of a text that comes in blocks, some at a time: joined, those of `encode`.

        Raises:
            ValueError: a character was not in the training text.
        """
        start = 0
        for block in blocks:
            yield self._encode(block, start)
            start += len(block)

    def _encode(self, text: str, start: int) -> list[int]:
        try:
            return list(map(self._ids.__getitem__, text))
        except KeyError as error:
            character = error.args[0]
            index = start + text.index(character)
            raise ValueError(
                f"character {character!r} at index {index} is not among the "
                f"{self.vocab_size} of the training text; train on text that has it, or remove it"
            ) from None

    def decode(self, ids: Iterable) -> str:
        """Ids (a list, or a one-dimensional array or tensor of integers) to text.

        Raises:
            TypeError: not integers. ValueError: an id outside the vocabulary.
        """
        return "".join(map(self.vocab.__getitem__, checked_ids(ids, self.vocab_size)))

    def save(self, path: str | Path) -> None:
        """Write a ``tokenizer.json`` that Hugging Face's ``tokenizers`` opens; all or nothing."""
        tokenizer_json.save_characters(path, self.vocab)

    @classmethod
    def load(cls, path: str | Path) -> "CharTokenizer":
        """Read what ``save`` wrote; ValueError says what is wrong with another file."""
        return cls.from_contents(*read_tokenizer(path))

    @classmethod
    def from_contents(cls, path: Path, contents: Any) -> "CharTokenizer":
        """What a ``tokenizer.json`` holds, as `read_tokenizer` gives it with its path."""
        check_model(path, contents, "WordLevel")
        try:
            return cls(parse_characters(contents))
        except ValueError as error:
            raise ValueError(
                f"{path} is no tokenizer of single characters: {error}; if it is damaged, fetch or "
                "save it again"
            ) from None
