"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path: str | Path, data: bytes) -> None:
    """Write to a temporary file beside it, then rename: readers see the old file or the new one.

    Raises:
        FileNotFoundError: the folder is not there.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} to write {path.name} in: make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
