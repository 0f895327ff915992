"""A tokenizer.json, of whichever of the two kinds."""

from __future__ import annotations

from pathlib import Path

from minigpt.data.whole_file import read_json
from minigpt.tokenizer.bpe_tokenizer import BPETokenizer
from minigpt.tokenizer.char_tokenizer import CharTokenizer


def open_tokenizer(path: str | Path) -> BPETokenizer | CharTokenizer:
    """The tokenizer that a file holds, as `save` of either kind or transformers wrote it.

    Raises:
        FileNotFoundError: no such file. ValueError: a file that is no tokenizer we know.
    """
    contents = read_json(path)
    model = contents.get("model") if isinstance(contents, dict) else None
    if isinstance(model, dict) and model.get("type") == "WordLevel":
        return CharTokenizer.load(path)
    return BPETokenizer.load(path)
