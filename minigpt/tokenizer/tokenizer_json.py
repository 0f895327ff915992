"""Tokenizers on disk, as the ``tokenizer.json`` that Hugging Face's ``tokenizers`` reads.

JSON holds text and tokens are bytes, so each byte is written as one visible character, by the
table that GPT-2 introduced: a byte that is visible in Latin-1 stands for itself, the other 68
follow from U+0100 on. A space is ``Ġ``, a newline ``Ċ``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minigpt.data.whole_file import read_json, write_whole

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


def _read_model(path: str | Path, model_type: str) -> dict[str, Any]:
    """The contents of a tokenizer file whose model is of the given type."""
    contents = read_json(path)
    model = contents.get("model") if isinstance(contents, dict) else None
    model = model if isinstance(model, dict) else {}
    found = model.get("type", "BPE" if "merges" in model else None)  # old files name no type
    if found != model_type:
        raise ValueError(
            f"{path} is no tokenizer.json with a {model_type} model (it has {found}); "
            "load it with the class that saved it"
        )
    return contents


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
            for text, number in specials.items()
        ],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }


def _split_on(pattern: str) -> dict[str, Any]:
    """The step that cuts a text into the matches of a pattern."""
    split = {"type": "Split", "pattern": {"Regex": pattern}}
    return split | {"behavior": "Isolated", "invert": False}


def save_characters(path: str | Path, vocab: Sequence[str]) -> None:
    """Write a vocabulary of single characters; each character of a text is a word.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    ids = {character: number for number, character in enumerate(vocab)}
    model = {"type": "WordLevel", "vocab": ids, "unk_token": ""}
    write_json(path, _contents_of(model, _split_on(r"[\s\S]"), {"type": "Fuse"}, {}))


def load_characters(path: str | Path) -> list[str]:
    """Read what ``save_characters`` wrote; ValueError names what is wrong with another file.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    contents = _read_model(path, "WordLevel")
    try:
        _refuse_other_steps(contents)
        ids = contents["model"]["vocab"]
        if not ids or {*ids.values()} != {*range(len(ids))} or any(len(word) != 1 for word in ids):
            raise ValueError("no vocabulary of single characters with ids from 0 on")
        return sorted(ids, key=ids.__getitem__)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no tokenizer of single characters ({error}); "
            "load a file that CharTokenizer.save wrote"
        ) from None


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
    steps = [BYTE_LEVEL] if pattern is None else [_split_on(pattern), BYTE_LEVEL]
    pre_tokenizer = {"type": "Sequence", "pretokenizers": steps}
    write_json(path, _contents_of(model, pre_tokenizer, BYTE_LEVEL, specials))


def load_bpe(path: str | Path, default_pattern: str) -> dict[str, Any]:
    """Read what ``save_bpe`` wrote, or GPT-2's own file, as the arguments of ``BPETokenizer``.

    Raises:
        FileNotFoundError: no such file. ValueError: what is wrong with it, and its path.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    contents = _read_model(path, "BPE")
    try:
        return _parse_bpe(contents, default_pattern)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no byte-level BPE tokenizer that this package can run "
            f"({type(error).__name__}: {error}); load a file that BPETokenizer.save wrote"
        ) from None


def _parse_bpe(contents: dict[str, Any], default_pattern: str) -> dict[str, Any]:
    """Vocabulary, merges, special tokens and pattern; raises at whatever ours would not obey."""
    model = contents["model"]
    for setting, plain in PLAIN_BPE.items():
        if (model.get(setting) or None) != (plain or None) and setting != "type":
            raise ValueError(f"{setting} is {model[setting]!r}")
    _refuse_other_steps(contents)
    if _adds_tokens(contents.get("post_processor")):
        raise ValueError("it adds tokens around the text")
    added = contents["added_tokens"]
    if any(token[side] for token in added for side in ("single_word", "lstrip", "rstrip")):
        raise ValueError("its special tokens take the spaces beside them")
    if not all(token["special"] for token in added):
        raise ValueError("it has added tokens that are recognised always")
    specials = {token["content"]: token["id"] for token in added}
    ids = model["vocab"] | specials
    if {*ids.values()} != {*range(len(ids))}:
        raise ValueError(f"{len(ids)} tokens have other ids than 0 to {len(ids) - 1}")
    merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    return {
        "vocab": [
            text.encode() if text in specials else from_visible(text)
            for text in sorted(ids, key=ids.__getitem__)
        ],
        "merges": [(ids[left], ids[right]) for left, right in merges],
        "special_tokens": specials,
        "pattern": _parse_pattern(contents["pre_tokenizer"], default_pattern),
    }


def _adds_tokens(post_processor: dict[str, Any] | None) -> bool:
    """Whether the last step puts tokens around the text; transformers writes one that does not."""
    step = post_processor or BYTE_LEVEL
    plain = step["type"] == "TemplateProcessing" and [*map(list, step["single"])] == [["Sequence"]]
    return not plain and step["type"] != "ByteLevel"


def _refuse_other_steps(contents: dict[str, Any]) -> None:
    """Raise ValueError for a step around the model that would give other ids than ours."""
    for step in ("truncation", "padding", "normalizer"):
        if contents.get(step):
            raise ValueError(f"its {step} is {contents[step]}")


def _parse_pattern(pre_tokenizer: Any, default_pattern: str) -> str | None:
    """The pattern that cuts text into words, None for a text that stays whole."""
    *splits, last = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    if last["type"] != "ByteLevel" or last["add_prefix_space"]:
        raise ValueError(f"it cuts words by {last}")
    if not splits:
        return default_pattern if last.get("use_regex", True) else None
    pattern = splits[0]["pattern"].get("Regex")
    if splits != [_split_on(pattern)] or last["use_regex"]:
        raise ValueError(f"it cuts words by {splits}")
    return pattern
