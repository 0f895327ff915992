"""Checkpoints of a run: all that a trainer needs to go on, in files that are whole or not used."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from minigpt.data.whole_file import write_whole

KEPT = 2  # so that there is one to go back to


def save_state(folder: str | Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> Path:
    """Write a trainer's state as ``step-<steps taken>.safetensors``; the last two are kept.

    Args:
        folder: of this run's states alone; made if it is not there.
        tensors, numbers: of `Trainer.state`; what else is to be kept may stand among the numbers.

    Raises:
        OSError: the file cannot be written (a full disk); the earlier ones are as they were.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(numbers)
    path = folder / f"step-{numbers['steps_taken']:08d}.safetensors"
    # One entry, as safetensors writes several in any order: equal states give equal files.
    metadata = {"state": f"{digest_of(tensors, text)} {text}"}
    write_whole(path, save(tensors, metadata))
    found = _states(folder)
    place = found.index(path)
    # Newer ones were damaged, or the run had not gone back to before them.
    for other in found[:place] + found[place + KEPT :]:
        other.unlink()
    return path


def load_latest(folder: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest state in a folder that is whole; None if the run has none yet.

    A damaged one is passed over with a warning that names it.

    Raises:
        ValueError: there are states, and all are damaged.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    found = _states(Path(folder))
    for path in found:
        try:
            return read_state(path)
        except ValueError as error:
            used = "; the one before it is used" if path != found[-1] else ""
            warnings.warn(f"{error}{used}", stacklevel=2)
    if found:
        raise ValueError(
            f"none of the {len(found)} checkpoints in {folder} is whole: delete that folder to "
            "start the run again from its first step"
        )
    return None


def read_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers that `save_state` wrote, compared with their digest.

    Raises:
        ValueError: the file is cut short, changed, or of another kind.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"the checkpoint {path} is not whole ({error})") from None
    digest, _, text = metadata.get("state", "").partition(" ")
    if digest != digest_of(tensors, text):
        raise ValueError(f"the checkpoint {path} is not what was written: its digest differs")
    return tensors, json.loads(text)


def _states(folder: Path) -> list[Path]:
    """The newest first."""
    return sorted(folder.glob("step-*.safetensors"), reverse=True)


def digest_of(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """SHA-256 of tensors with their names, types and shapes, and of a text.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
