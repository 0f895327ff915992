"""Files that are written whole or not at all, and JSON that must be whole to be read."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_whole(path: str | Path, data: bytes) -> None:
    """Write to a temporary file beside it, then rename: readers see the old file or the new one.

    The data is on the disk before the name is changed, so that this holds after a power cut too.

    Raises:
        FileNotFoundError: the folder is not there.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """For a file that is written bit by bit: inside a ``with``, the temporary file to write to.

    At its end that file takes the name, as `write_whole` does it; after an error it is removed.

    Raises:
        FileNotFoundError: the folder is not there.

    Used in the chapter https://minigpt-book.github.io/minigpt/training.html
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} to write {path.name} in: make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: str | Path) -> Any:
    """What a file of JSON holds.

    Raises:
        FileNotFoundError: no such file. ValueError: one that is not JSON, or not all of it.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: check the name")
    try:
        # "sig": Windows' editors put a mark before it. ValueError: not JSON, or not UTF-8.
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no whole JSON file ({error}): it is of another kind, or was cut short"
        ) from None
