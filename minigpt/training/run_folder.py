"""Which folder a run may have: its own, or one that is not there yet."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from minigpt.data.whole_file import read_json, write_whole
from minigpt.model import GPTConfig
from minigpt.training.recipe import Recipe

MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
)

# What `write_whole` leaves of a run's own files when the process is killed while it writes.
UNFINISHED = re.compile(
    r"\.(?:(?:run|config|tokenizer|tokenizer_config)\.json|log\.jsonl"
    r"|(?:model|training|validation|step-\d+)\.safetensors)\.\d+\.tmp"
)


def check_folder(
    folder: Path, config: GPTConfig, recipe: Recipe, training: Tensor, validation: Tensor
) -> None:
    """See that such a run may start in a folder, or go on there; nothing is written.

    Raises:
        ValueError: the folder holds a run with other settings or texts.
        FileExistsError: it holds a model of another origin.
        FileNotFoundError: there is no folder to make it in.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    if not folder.parent.is_dir():
        raise FileNotFoundError(
            f"no folder {folder.parent} to make {folder.name} in: make it first"
        )
    path = folder / "run.json"
    if not path.exists():
        if any((folder / name).exists() for name in MODEL_FILES):
            raise FileExistsError(
                f"{folder} holds a model that no run of this kind left there: choose another folder"
            )
        return
    earlier = read_json(path)
    if differences := _differences(earlier, _settings(config, recipe, training, validation)):
        raise ValueError(
            f"the run in {folder} was started with {', '.join(differences)}: give the same "
            "settings to go on with it, or choose another folder"
        )


def claim_folder(
    folder: Path, config: GPTConfig, recipe: Recipe, training: Tensor, validation: Tensor
) -> None:
    """Make the folder this run's, or see that it is."""
    check_folder(folder, config, recipe, training, validation)
    folder.mkdir(exist_ok=True)
    if not (path := folder / "run.json").exists():
        settings = _settings(config, recipe, training, validation)
        write_whole(path, (json.dumps(settings, indent=2) + "\n").encode())
    for inside in (folder, folder / "states", folder / "tokens"):
        for path in inside.glob(".*.tmp"):
            if UNFINISHED.fullmatch(path.name):
                path.unlink()


def _settings(
    config: GPTConfig, recipe: Recipe, training: Tensor, validation: Tensor
) -> dict[str, dict[str, Any]]:
    """What decides how a run goes."""
    texts = {"training": _digest(training), "validation": _digest(validation)}
    return {"model": asdict(config), "recipe": asdict(recipe), "text": texts}


def _differences(earlier: Any, now: dict[str, dict[str, Any]]) -> list[str]:
    """What a run was started with, where it is not what is asked for now."""
    found = []
    for kind, values in now.items():
        before = earlier.get(kind) if isinstance(earlier, dict) else None
        for name, value in values.items():
            was = before.get(name) if isinstance(before, dict) else None
            if was != value:
                text = kind == "text"
                found.append(f"another {name} text" if text else f"{name} {was!r}, not {value!r}")
    return found


def _digest(ids: Tensor) -> str:
    digest = hashlib.sha256()
    for part in ids.split(2**20):
        digest.update(part.int().numpy())
    return digest.hexdigest()
