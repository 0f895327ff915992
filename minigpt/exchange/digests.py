"""What a file of weights says of itself, by which one changed bit is found when it is read.

A file's metadata holds a SHA-256 of each tensor, and what no tensor shows: the number of heads,
by which the same matrices are cut, and a digest of the tokenizer beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from minigpt.model import GPTConfig

SHA256 = "sha256 "  # and the name of a tensor or file
HEADS = "n_head"


def with_digests(tensors: Mapping[str, Tensor], said: Mapping[str, str]) -> bytes:
    """A safetensors file of tensors, their digests and other metadata; equal ones are equal bytes.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    said = dict(said) | {SHA256 + name: _digest(tensor) for name, tensor in tensors.items()}
    data = memoryview(save(dict(tensors), said))
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8:end]))
    header["__metadata__"] = dict(sorted(said.items()))  # safetensors writes them in any order
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers stand where their type needs it
    return b"".join([len(text).to_bytes(8, "little"), text, data[end:]])


def check_digest(name: str, tensor: Tensor, said: Mapping[str, str], path: Path) -> None:
    """Raise ValueError if a tensor is not the one that the metadata of its file says."""
    if SHA256 + name in said and said[SHA256 + name] != _digest(tensor):
        raise ValueError(
            f"{name} in {path} is not what was saved: its SHA-256 differs, so the file was "
            "damaged, or changed by a program that kept the old digests: copy, fetch or save it "
            "again"
        )


def check_heads(config: GPTConfig, said: Mapping[str, str], path: Path) -> None:
    """Raise ValueError if weights were saved with another number of heads; no shape shows it."""
    if said.get(HEADS, str(config.n_head)) != str(config.n_head):
        raise ValueError(
            f"n_head is {config.n_head}, and {path} was saved with {said[HEADS]:.60}: set it back "
            "in config.json"
        )


def file_digest(contents: bytes) -> str:
    """SHA-256 of a file's contents, for a file's metadata.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    return hashlib.sha256(contents).hexdigest()


def _digest(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy()).hexdigest()
