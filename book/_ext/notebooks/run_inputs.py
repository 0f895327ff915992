"""What a chapter's outputs depend on, and whether a notebook's still belong to it."""

from __future__ import annotations

import hashlib
import json

import book_sources
import chapter_notebook
import nbformat
import own_file
from notebook_cells import code_cells

SLIDES = {"slide", "slide-output"}  # tags of cells that talks show


def run_metadata(cell: nbformat.NotebookNode) -> dict:
    """A cell's metadata without what only people and talks read, and no run depends on."""
    kept = {key: value for key, value in cell.metadata.items() if key not in ("minigpt", "tags")}
    tags = [tag for tag in cell.metadata.get("tags", []) if tag not in SLIDES]
    return kept | ({"tags": tags} if tags else {})


def inputs_digest(stem: str) -> str:
    """SHA-256 of everything that a chapter's outputs depend on."""
    digest, root = hashlib.sha256(), book_sources.ROOT
    for cell in code_cells(chapter_notebook.from_source(stem)):
        digest.update(json.dumps([cell.source, run_metadata(cell)], sort_keys=True).encode())
    digest.update(own_file.known(stem).encode())
    package = (path for path in root.glob("minigpt/**/*") if path.is_file())
    for path in (root / "requirements.txt", *sorted(package)):
        if "__pycache__" in path.parts:
            continue
        data = path.read_bytes()
        text = data if path.suffix == ".safetensors" else data.replace(b"\r\n", b"\n")
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + text + b"\0")
    return digest.hexdigest()


def is_fresh(stem: str, notebook: nbformat.NotebookNode | None) -> bool:
    """Whether a notebook's outputs belong to the sources as they are now."""
    return notebook is not None and notebook.metadata.get("minigpt", {}).get(
        "inputs"
    ) == inputs_digest(stem)
