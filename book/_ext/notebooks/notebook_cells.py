"""What a notebook's cells are, say of themselves and show."""

from __future__ import annotations

import ast
import re

import nbformat

CELL_SECONDS = 300  # a cell that runs longer has hung
SETUP = "setup-cell"  # the tag of the cell that notebooks have and chapters have not
HEADING = re.compile(r"^(?:\((?P<label>[\w:-]+)\)=\n)?#+ (?P<heading>.+)$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)  # where # begins a comment


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is one that notebooks have and chapters have not."""
    return SETUP in cell.metadata.get("tags", [])


def is_ignored(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell has outputs that nbval does not compare."""
    return "nbval-ignore-output" in cell.metadata.get("tags", [])


def ignored(code: list[nbformat.NotebookNode]) -> int:
    """How many of the cells have outputs that nbval does not compare."""
    return sum(map(is_ignored, code))


def reason(cell: nbformat.NotebookNode) -> str:
    """Why a cell's outputs are not compared, as its metadata says; empty where it does not."""
    about = cell.metadata.get("minigpt")
    return str(about.get("not_compared") or "").strip() if isinstance(about, dict) else ""


def sections(notebook: nbformat.NotebookNode) -> list[tuple[str | None, str]]:
    """For each code cell, the label (in a chapter's source) and words of the heading above it."""
    here: tuple[str | None, str] = (None, "the beginning")
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.append(here)
        else:
            for match in HEADING.finditer(FENCED.sub("", cell.source)):
                here = (match["label"], match["heading"].strip())
    return found


def glued(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The values that a chapter's cells glue into its prose."""
    return {
        output.metadata.scrapbook.name: str(ast.literal_eval(text))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if (text := output.get("data", {}).get("application/papermill.record/text/plain"))
    }


def printed(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell shows as text and nothing else: no figure, which has words beside it."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        found += [output.get("text", ""), data.get("text/markdown", "")]
        found += [data.get("text/plain", "")] if data.keys() == {"text/plain"} else []
    return [text for text in found if text]


def take_outputs(cells: list[nbformat.NotebookNode], ran: list[nbformat.NotebookNode]) -> None:
    """Give code cells the outputs of the same cells in an earlier run."""
    for cell, old in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
