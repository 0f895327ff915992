"""A text as token ids on disk, read without loading it: the system maps the file into memory."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from minigpt.data.whole_file import replacing


def write_tokens(path: str | Path, ids: Sequence[int] | Tensor, vocab_size: int) -> None:
    """Write ids into a file, 2 bytes each if the vocabulary has at most 65,536 tokens, else 4.

    The file is a safetensors file with one tensor, ``ids``; it is written whole or not at all.

    Args:
        path: where to; its folder must be there.
        ids: integers from 0 to `vocab_size` - 1.
        vocab_size: tokens of the tokenizer that made them.

    Raises:
        ValueError: no ids, some that are no integers, or one outside the vocabulary.
        FileNotFoundError: no such folder.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    with replacing(path) as temporary:
        write_token_blocks(temporary, [ids], vocab_size)


def write_token_blocks(
    path: Path, blocks: Iterable[Sequence[int] | Tensor], vocab_size: int, source: str = ""
) -> None:
    """Write what `write_tokens` does of ids that come in blocks, and are never all in memory.

    Args:
        path: where to, at once; `minigpt.data.whole_file.replacing` gives a temporary one.
        blocks, vocab_size: as of `write_tokens`; blocks may be empty, if not all of them are.
        source: what the ids were made from, for `source_of` to tell again.

    Raises:
        ValueError: as `write_tokens`.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    small = vocab_size <= 2**16
    about = {"vocab_size": str(vocab_size)} | ({"source": source} if source else {})
    room = len(_header(about, small, 10**15, 0))  # a beginning that any count fits into
    count, ids = 0, torch.empty(0, dtype=torch.long)
    with path.open("wb") as file:
        file.write(bytes(room))
        for block in blocks:
            ids = torch.as_tensor(block)
            if ids.numel():
                _check_ids(ids, vocab_size)
                file.write(ids.to(torch.uint16 if small else torch.int32).numpy())
                count += len(ids)
        if count == 0:
            raise ValueError(
                f"ids has the shape {tuple(ids.shape)}; give a list of at least one token"
            )
        file.seek(0)
        file.write(_header(about, small, count, room))


def _check_ids(ids: Tensor, vocab_size: int) -> None:
    if ids.dim() != 1:
        raise ValueError(f"ids has the shape {tuple(ids.shape)}; give a list of at least one token")
    if ids.is_floating_point():
        raise ValueError(f"ids hold {ids.dtype}; they must be integers, as a tokenizer gives them")
    ids = ids.long()  # torch finds no least number among uint16
    least, most = int(ids.min()), int(ids.max())
    if least < 0 or most >= vocab_size:
        raise ValueError(
            f"id {least if least < 0 else most} is not in a vocabulary of {vocab_size} tokens, 0 "
            f"to {vocab_size - 1}: write the ids with the tokenizer that made them"
        )


def _header(about: dict[str, str], small: bool, count: int, room: int) -> bytes:
    """How a safetensors file of one tensor begins: a length, and JSON with spaces behind it."""
    end = count * (2 if small else 4)
    layout = {"dtype": "U16" if small else "I32", "shape": [count], "data_offsets": [0, end]}
    text = json.dumps({"__metadata__": about, "ids": layout}, separators=(",", ":")).encode()
    length = max(len(text) + -len(text) % 8, room - 8)  # of 8, so that the numbers are aligned
    return struct.pack("<Q", length) + text.ljust(length)


def source_of(path: str | Path) -> str | None:
    """What `write_token_blocks` was told of the source; "" if nothing, None if no such file is
    there, or it is no whole file of tokens.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    return about.get("source", "") if "vocab_size" in about else None


def open_tokens(path: str | Path, vocab_size: int) -> Tensor:
    """The ids in a file that `write_tokens` wrote, (tokens,), as uint16 or int32.

    Nothing is read until it is used, so that training needs little memory for it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is cut short or of another kind, or another vocabulary's.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: write_tokens makes one")
    try:
        with safe_open(path, "pt") as file:
            stored = (file.metadata() or {}).get("vocab_size")
            ids = file.get_tensor("ids")
    except SafetensorError as error:
        raise ValueError(f"{path} is no whole file of tokens ({error}): write it again") from None
    if stored != str(vocab_size):
        raise ValueError(
            f"{path} holds ids of a vocabulary of {stored} tokens, not {vocab_size}: write it "
            "again with the tokenizer of this model"
        )
    return ids
