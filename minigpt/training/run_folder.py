"""Which folder a run may have: its own, or one that holds nothing a run would write."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from minigpt.data.token_file import source_of
from minigpt.data.whole_file import read_json, write_whole
from minigpt.model import GPTConfig
from minigpt.training.batches import Batches
from minigpt.training.processes import Processes
from minigpt.training.recipe import Recipe

LOCK = ".minigpt.lock"
# What a run writes besides run.json.
NAMES = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",  # `load` would prefer what it names
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "adapter",
    "log.jsonl",
    "states",
    "tensorboard",
    "tokens",
)

# What `write_whole` leaves of a run's own files when the process is killed while it writes.
UNFINISHED = re.compile(
    r"\.(?:(?:run|config|tokenizer|tokenizer_config|adapter_config)\.json|log\.jsonl|chat_template\.jinja"
    r"|(?:model|adapter_model|training|validation|before-stop|step-\d+)\.safetensors)\.\d+\.tmp"
)


@contextmanager
def own_folder(folder: Path, processes: Processes | None = None) -> Iterator[None]:
    """Inside a ``with``, a folder is one run's alone; it is made if it is not there.

    A lock says so, which ends with its process, however that ends. At the end a folder that was
    made and that nothing was written into is removed. Who holds the folder may ask for it again.

    Args:
        folder: any; those above it are made, too.
        processes: that share the run; the first one holds the folder for all.

    Raises:
        BlockingIOError: another run is at work in it.
        FileExistsError: it holds a file of a name that a run writes, and none wrote it; or it is a
            file itself.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    with ExitStack() as stack:
        (processes or Processes()).first(lambda: stack.enter_context(_locked(folder)))
        yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder.absolute() / LOCK, timeout=0, is_singleton=True)
    if lock.is_locked:  # by who called us
        yield
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    if not (there := [folder, *folder.parents][len(missing)]).is_dir():
        raise FileExistsError(f"{there} is a file, and no folder: choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            error.errno, f"no folder can be made there ({error.strerror}): choose another", folder
        ) from None
    try:
        with _acquired(lock, folder):
            _check_free(folder)
            yield
    finally:
        with suppress(OSError):  # one that is not empty, and so all above it
            for path in missing:
                path.rmdir()


@contextmanager
def _acquired(lock: FileLock, folder: Path) -> Iterator[None]:
    try:
        lock.acquire()
    except Timeout:
        raise BlockingIOError(
            f"another run is at work in {folder}: wait for its end, stop it, or choose another "
            "folder"
        ) from None
    try:
        yield
    finally:
        if sys.platform != "win32":  # where releasing it removes it
            (folder / LOCK).unlink(missing_ok=True)
        lock.release()


def _check_free(folder: Path) -> None:
    """Raise FileExistsError for what a run would write over, unless one wrote it."""
    if (folder / "run.json").exists():
        return
    found = []
    for name in NAMES:
        path = folder / name
        found += (
            sorted(path.iterdir()) if path.is_dir() else [path] if os.path.lexists(path) else []
        )
    found = [path for path in found if not _is_of_tokens(path)]
    if found:
        raise FileExistsError(
            f"{folder} holds {found[0].relative_to(folder)}, which no run has left there: move it "
            "elsewhere, or choose another folder"
        )


def _is_of_tokens(path: Path) -> bool:
    """Whether a file is one of `text_tokens`, which are written before run.json."""
    inside = path.parent.name == "tokens"
    return inside and bool(UNFINISHED.fullmatch(path.name) or source_of(path))


def check_settings(
    folder: Path,
    config: GPTConfig,
    recipe: Recipe,
    training: Batches,
    validation: Batches,
    origin: str | None = None,
    tuning: Mapping[str, Any] | None = None,
) -> None:
    """See that the run in a folder, if there is one, is such a run; nothing is written.

    Raises:
        ValueError: the folder holds a run with other settings or texts.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    if not (path := folder / "run.json").exists():
        return
    earlier = read_json(path)
    now = _settings(config, recipe, training, validation, origin, tuning)
    if differences := _differences(earlier, now):
        raise ValueError(
            f"the run in {folder} was started with other settings, {', '.join(differences)}: give "
            f"the same to go on with it, or choose another folder{_further(folder)}"
        )


def _further(folder: Path) -> str:
    if not (folder / "model.safetensors").exists():
        return ""
    return f"; there, with the same text, --from {folder} would train its model further"


def claim_folder(
    folder: Path,
    config: GPTConfig,
    recipe: Recipe,
    training: Batches,
    validation: Batches,
    origin: str | None = None,
    command: str = "",
    tuning: Mapping[str, Any] | None = None,
) -> None:
    """Make a folder that is held this run's, or see that it is, and tidy up after a kill."""
    check_settings(folder, config, recipe, training, validation, origin, tuning)
    if not (path := folder / "run.json").exists():
        settings: dict[str, Any] = _settings(config, recipe, training, validation, origin, tuning)
        settings |= {"command": command} if command else {}
        write_whole(path, (json.dumps(settings, indent=2) + "\n").encode())
    for inside in (folder, *(folder / name for name in ("states", "tokens", "adapter"))):
        for path in inside.glob(".*.tmp"):
            if UNFINISHED.fullmatch(path.name):
                path.unlink()


def steps_of(folder: Path) -> tuple[int, int] | None:
    """How many steps the run in a folder has taken, by its newest state, and of how many.

    None if there is no run.

    Raises:
        ValueError: a run.json that no run wrote.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    if not (path := folder / "run.json").exists():
        return None
    states = [path.stem.removeprefix("step-") for path in (folder / "states").glob("step-*")]
    settings = read_json(path)
    recipe = settings.get("recipe") if isinstance(settings, dict) else None
    if not isinstance(recipe, dict) or "steps" not in recipe:
        raise ValueError(
            f"{path} is not what a run wrote: the folder is damaged, or of another kind"
        )
    return max(map(int, states), default=0), recipe["steps"]


def _settings(
    config: GPTConfig,
    recipe: Recipe,
    training: Batches,
    validation: Batches,
    origin: str | None,
    tuning: Mapping[str, Any] | None,
) -> dict[str, dict[str, Any]]:
    """What decides how a run goes."""
    texts = {"training": training.digest(), "validation": validation.digest()}
    start = {"weights": origin}
    settings = {"model": asdict(config), "recipe": asdict(recipe), "text": texts, "start": start}
    return settings | ({"tuning": dict(tuning)} if tuning else {})


def _differences(earlier: Any, now: dict[str, dict[str, Any]]) -> list[str]:
    """What a run was started with, where it is not what is asked for now."""
    found = []
    for kind, values in now.items():
        before = earlier.get(kind) if isinstance(earlier, dict) else None
        for name, value in values.items():
            was = before.get(name) if isinstance(before, dict) else None
            if was != value:
                other = {
                    "text": "another text or validation_fraction",
                    "start": "other weights to start from",
                    "vocab_size": "another tokenizer",
                }
                shown = ["none" if x is None else x for x in (was, value)]
                changed = f"{name} (was {shown[0]}, now {shown[1]})"
                found.append(other.get(kind) or other.get(name) or changed)
    return [*dict.fromkeys(found)]
