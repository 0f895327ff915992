"""A text as token ids on disk, read without loading it: the system maps the file into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from minigpt.data.whole_file import write_whole


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
    ids = torch.as_tensor(ids)
    if ids.dim() != 1 or len(ids) == 0:
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
    stored = ids.to(torch.uint16 if vocab_size <= 2**16 else torch.int32)
    write_whole(path, save({"ids": stored}, {"vocab_size": str(vocab_size)}))


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
