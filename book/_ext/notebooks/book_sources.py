"""The book's sources: which chapters and labels there are, and where each file is."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
BOOK, NOTEBOOKS = ROOT / "book", ROOT / "notebooks"


def stems() -> list[str]:
    """The stems of all executable chapters, in the order of `_toc.yml`."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [stem for stem in files if "kernelspec:" in source(stem).split("\n---", 1)[0]]


def source(stem: str) -> str:
    """The MyST text of a chapter or page."""
    return (BOOK / f"{stem}.md").read_text("utf-8")


@functools.cache
def labels() -> dict[str, str]:
    """The stem of the page on which each label of a section stands."""
    return {
        label: path.stem
        for path in sorted(BOOK.glob("*.md"))
        for label in re.findall(r"^\(([\w:-]+)\)=$", path.read_text("utf-8"), re.MULTILINE)
    }


def notebook_path(stem: str) -> Path:
    """Where a chapter's notebook is committed."""
    return NOTEBOOKS / f"{stem}.ipynb"


def data_requirements() -> list[str]:
    """The packages of texts that are installed without what they depend on."""
    lines = (ROOT / "requirements-data.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
