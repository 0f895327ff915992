"""What the pages' scripts fetch of each other."""

from __future__ import annotations

import re
from pathlib import Path

import book_sources

ASSETS = book_sources.ROOT / "book" / "assets"
FETCHES = re.compile(
    r'\b(?:from|import) "(\.[\w./-]+\.js)"'  # a module that another imports
    r'|new Worker\(new URL\("([\w./-]+\.js)"'  # and a worker that it starts
)


def fetched_by(script: Path) -> set[Path]:
    """The scripts that one imports, and the worker that it starts."""
    found = FETCHES.findall(script.read_text("utf-8"))
    return {(script.parent / (module or worker)).resolve() for module, worker in found}
