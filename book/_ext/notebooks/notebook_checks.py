"""What keeps a committed notebook from being published."""

from __future__ import annotations

import chapter_notebook
import nbformat
from notebook_cells import code_cells, ignored, is_ignored, reason
from run_inputs import is_fresh


def problems(stem: str, notebook: nbformat.NotebookNode | None) -> list[str]:
    """What keeps a committed notebook from being published, in words."""
    where, mend = f"notebooks/{stem}.ipynb", "run `make notebooks`"
    if notebook is None:
        return [f"{where} is missing or cannot be read: {mend}"]
    now = chapter_notebook.in_plain_words(stem, notebook)
    wanted = [(c.cell_type, c.source, c.metadata) for c in now.cells]
    found = [(c.cell_type, c.source, c.metadata) for c in notebook.cells]
    code = code_cells(notebook)
    out = []
    if found != wanted:
        out.append(f"{where} does not have the cells of book/{stem}.md: {mend}")
    if not is_fresh(stem, notebook):
        out.append(f"{where} is older than the code it ran: {mend}")
    for number, cell in enumerate(code):
        tags = set(cell.metadata.get("tags", []))
        if cell.execution_count is None:
            out.append(f"{where}: code cell {number} was never run: {mend}")
        if any("NBVAL" in line for line in cell.source.splitlines()) or "nbval-skip" in tags:
            out.append(f"{where}: code cell {number} hides from nbval: compare it")
        if "raises-exception" in tags and not any(o.output_type == "error" for o in cell.outputs):
            out.append(f"{where}: code cell {number} is tagged raises-exception and raises nothing")
        if any(o.output_type == "stream" and o.name == "stderr" for o in cell.outputs):
            out.append(f"{where}: code cell {number} writes to stderr: mend the warning")
        if is_ignored(cell) and not reason(cell):
            out.append(
                f"{where}: code cell {number} is tagged nbval-ignore-output and does not say why: "
                'add `:minigpt: {not_compared: "…"}` below its tags'
            )
        if reason(cell) and not is_ignored(cell):
            out.append(
                f"{where}: code cell {number} says why it is not compared, and is compared: take "
                "the reason out, or tag the cell nbval-ignore-output"
            )
    if code and not any(c.outputs for c in code):
        out.append(f"{where} holds no outputs, so nbval would compare nothing: {mend}")
    if (skipped := ignored(code)) * 10 > len(code):
        out.append(f"{where}: {skipped} of {len(code)} code cells ignore outputs; at most 1 in 10")
    return out
