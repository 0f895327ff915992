"""Characters as tokens: the simplest tokenizer, and what nanoGPT calls character-level.

One text or one list of ids at a time; a token is an integer from 0 to ``vocab_size - 1``.
"""

from collections.abc import Iterable
from pathlib import Path

from minigpt.tokenizer import tokenizer_json
from minigpt.tokenizer.input_checks import (
    check_str,
    checked_ids,
    checked_training_text,
)


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
        try:
            return list(map(self._ids.__getitem__, text))
        except KeyError as error:
            character = error.args[0]
            raise ValueError(
                f"character {character!r} at index {text.index(character)} is not among the "
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
        return cls(tokenizer_json.load_characters(path))
