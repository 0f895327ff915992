"""Folders that are replaced as a whole."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace(new: Path, folder: Path) -> None:
    """Put ``new``, from a folder of its own on the same disk, where ``folder`` is or would be.

    The old one waits beside ``new``, and comes back when the new one cannot take its place.
    """
    old = new.with_name(f"{new.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise
    if old.exists():
        shutil.rmtree(old)
