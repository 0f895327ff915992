"""Tokenizers on disk, as the ``tokenizer.json`` that Hugging Face's ``tokenizers`` reads.

JSON holds text and tokens are bytes, so each byte is written as one visible character, by the
table that GPT-2 introduced: a byte that is visible in Latin-1 stands for itself, the other 68
follow from U+0100 on. A space is ``Ġ``, a newline ``Ċ``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minigpt.data.whole_file import write_whole

VISIBLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
HIDDEN = [byte for byte in range(256) if byte not in VISIBLE]
BYTE_ORDER = bytes(VISIBLE + HIDDEN)  # by their characters; GPT-2's first 256 ids, in order
BYTE_TO_CHARACTER = {byte: chr(byte) for byte in VISIBLE}
BYTE_TO_CHARACTER |= {byte: chr(0x100 + index) for index, byte in enumerate(HIDDEN)}
CHARACTER_TO_BYTE = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}

BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": False,
}
PLAIN_BPE = {
    "type": "BPE",
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}
PLAIN_SPECIAL = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}

ANY_CHARACTER = r"[\s\S]"


def to_visible(token: bytes) -> str:
    """Bytes as visible characters: ``b" the"`` is ``"Ġthe"``.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    return token.decode("latin-1").translate(BYTE_TO_CHARACTER)


def from_visible(characters: str) -> bytes:
    """The bytes that visible characters stand for; ``KeyError`` for one that stands for none.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    return bytes(map(CHARACTER_TO_BYTE.__getitem__, characters))


def write_json(path: str | Path, contents: dict[str, Any]) -> None:
    """Write a file of JSON whole or not at all.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    write_whole(path, (json.dumps(contents, ensure_ascii=False, indent=1) + "\n").encode())


def _contents_of(
    model: dict[str, Any], pre_tokenizer: Any, decoder: Any, specials: Mapping[str, int]
) -> dict[str, Any]:
    """The whole ``tokenizer.json``; the steps that ours do not have are null."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": text, **PLAIN_SPECIAL, "special": True}
            for text, number in sorted(specials.items(), key=lambda special: special[1])
        ],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }


def split_on(pattern: str) -> dict[str, Any]:
    """The step that cuts a text into the matches of a pattern.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    split = {"type": "Split", "pattern": {"Regex": pattern}}
    return split | {"behavior": "Isolated", "invert": False}


def save_characters(path: str | Path, vocab: Sequence[str]) -> None:
    """Write a vocabulary of single characters; each character of a text is a word.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    ids = {character: number for number, character in enumerate(vocab)}
    model = {"type": "WordLevel", "vocab": ids, "unk_token": ""}
    write_json(path, _contents_of(model, split_on(ANY_CHARACTER), {"type": "Fuse"}, {}))


def save_bpe(
    path: str | Path,
    vocab: Sequence[bytes],
    merges: Sequence[tuple[int, int]],
    specials: Mapping[str, int],
    pattern: str | None,
) -> None:
    """Write a byte-level BPE tokenizer; equal tokenizers give equal files.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    written = [to_visible(token) for token in vocab]
    for text, number in specials.items():
        written[number] = text
    model = PLAIN_BPE | {
        "vocab": {token: number for number, token in enumerate(written)},
        "merges": [[written[left], written[right]] for left, right in merges],
    }
    steps = [BYTE_LEVEL] if pattern is None else [split_on(pattern), BYTE_LEVEL]
    pre_tokenizer = {"type": "Sequence", "pretokenizers": steps}
    write_json(path, _contents_of(model, pre_tokenizer, BYTE_LEVEL, specials))
