"""A tokenizer's files as programs leave them in a folder, read as one ``tokenizer.json``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minigpt.data.whole_file import read_json
from minigpt.tokenizer.tokenizer_json import BYTE_LEVEL, CHARACTER_TO_BYTE, PLAIN_SPECIAL
from minigpt.tokenizer.tokenizer_reading import part

# Vocabulary and merges in a file each: transformers' names, and OpenAI's own.
PAIRS = {"vocab.json": "merges.txt", "encoder.json": "vocab.bpe"}
# What no merge makes is a special token if it looks like one; else the merges were cut short.
LOOKS_SPECIAL = re.compile(r"<.+>|\[.+\]")


def read_tokenizer(path: str | Path) -> tuple[Path, Any]:
    """The file of a tokenizer, and what it holds, in the form of a ``tokenizer.json``.

    Args:
        path: a file; or a folder with ``tokenizer.json`` or one of the `PAIRS`, where the tokens
            of ``added_tokens.json`` and ``tokenizer_config.json`` count too.

    Raises:
        FileNotFoundError: no such file. ValueError: one that is damaged, or files that disagree.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    path = Path(path)
    file = _file_in(path) if path.is_dir() else path
    for vocab, merges in PAIRS.items():
        if file.name == merges:
            file = file.with_name(vocab)
    contents = read_json(file)
    paired = file.name in PAIRS and isinstance(contents, dict)
    if paired and not isinstance(contents.get("model"), dict):  # "model" may be a token
        contents = paired_contents(contents, read_merges(file.with_name(PAIRS[file.name])))
    if path.is_dir() and isinstance(contents, dict):
        _add_tokens(contents, path)
    return file, contents


def _file_in(folder: Path) -> Path:
    """The file of a folder from which its tokenizer is read."""
    for name in ("tokenizer.json", *PAIRS):
        if (folder / name).is_file():
            return folder / name
    pairs = " or ".join(f"{vocab} with {merges}" for vocab, merges in PAIRS.items())
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:9]) or "nothing"
    raise FileNotFoundError(
        f"{folder} has no tokenizer.json, nor {pairs}; it holds {held}. Where it is another "
        "tokenizer's, save that one as tokenizer.json, as transformers' AutoTokenizer does"
    )


def read_merges(path: Path) -> list[list[str]]:
    """The pairs of a ``merges.txt`` or ``vocab.bpe``: two tokens a line, by rank.

    Raises:
        FileNotFoundError: no such file. ValueError: a line that is no pair, by its number.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: a vocabulary needs its merges beside it")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} holds no merges: it is not UTF-8 ({error})") from None
    merges = []
    for number, line in enumerate(lines, 1):
        pair = line.split(" ")
        if not line or (number == 1 and line.startswith("#version")):
            continue
        if len(pair) != 2 or "" in pair:
            raise ValueError(f"{path}, line {number}: {line!r} is no merge, such as 'Ġ t'")
        merges.append(pair)
    if not merges:
        raise ValueError(f"{path} holds no merges, two tokens a line: save or fetch it again")
    return merges


def paired_contents(vocab: Mapping[str, Any], merges: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Vocabulary and merges as GPT-2's ``tokenizer.json`` holds them.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    made = CHARACTER_TO_BYTE.keys() | {left + right for left, right in merges}
    specials = [text for text in vocab if text not in made and LOOKS_SPECIAL.fullmatch(text)]
    return {
        "added_tokens": [_special(text, vocab[text]) for text in specials],
        "pre_tokenizer": BYTE_LEVEL | {"use_regex": True},
        "model": {"type": "BPE", "vocab": {**vocab}, "merges": merges},
    }


def _special(text: str, number: Any) -> dict[str, Any]:
    return {"id": number, "content": text, **PLAIN_SPECIAL, "special": True}


def _add_tokens(contents: dict[str, Any], folder: Path) -> None:
    """Put the tokens that the files beside a tokenizer name among its own."""
    tokens = [_special(*pair) for pair in _settings(folder / "added_tokens.json").items()]
    settings = _settings(path := folder / "tokenizer_config.json")
    if settings.get("add_prefix_space"):
        raise ValueError(
            f"{path} sets add_prefix_space, by which a text would begin with a space; this package "
            "adds none: set it to false if the text needs none"
        )
    for number, token in part(settings, "added_tokens_decoder", dict, {}).items():
        part(token if isinstance(token, dict) else {}, "content", str)
        tokens.append({**token, "id": int(number) if number.isdecimal() else number})
    given = part(contents, "added_tokens", list, [])
    if tokens and all(isinstance(token, dict) for token in given):
        by_text = {str(token.get("content")): token for token in [*given, *tokens]}
        contents["added_tokens"] = [*by_text.values()]


def _settings(path: Path) -> dict[str, Any]:
    contents = read_json(path) if path.is_file() else {}
    if not isinstance(contents, dict):
        raise ValueError(f"{path} is {contents!r:.60}; it must be an object")
    return contents
