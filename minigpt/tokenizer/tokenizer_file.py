"""A tokenizer on disk, of whichever of the two kinds."""

from __future__ import annotations

from pathlib import Path

from minigpt.tokenizer.bpe_tokenizer import BPETokenizer
from minigpt.tokenizer.char_tokenizer import CharTokenizer
from minigpt.tokenizer.tokenizer_folder import read_tokenizer


def open_tokenizer(path: str | Path) -> BPETokenizer | CharTokenizer:
    """The tokenizer of a folder or a file, as `save` of either kind or transformers wrote it.

    Args:
        path: a ``tokenizer.json``; or a folder with one, or with ``vocab.json`` and ``merges.txt``.

    Raises:
        FileNotFoundError: no such file. ValueError: a file that is no tokenizer we know.
    """
    file, contents = read_tokenizer(path)
    model = contents.get("model") if isinstance(contents, dict) else None
    of_characters = isinstance(model, dict) and model.get("type") == "WordLevel"
    return (CharTokenizer if of_characters else BPETokenizer).from_contents(file, contents)
