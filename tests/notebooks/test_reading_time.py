"""How long a chapter takes to read: what stands open on its page is counted, code and all."""

from __future__ import annotations

import chapter_notebook
import chapter_status
import nbformat
import notebook_cells
import pytest

v4 = nbformat.v4
HUNDRED = "word " * 100


def code(source: str, *outputs, tags: tuple[str, ...] = ()):
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


PRINTED = v4.new_output("stream", name="stdout", text=HUNDRED)
LISTING = v4.new_output("display_data", {"text/plain": "x", "text/markdown": HUNDRED})
FIGURE = v4.new_output("display_data", {"text/plain": HUNDRED, "text/html": HUNDRED})


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        ([v4.new_markdown_cell(HUNDRED * 4)], 2),
        ([v4.new_markdown_cell(HUNDRED * 4), code(HUNDRED * 4)], 4),
        ([code(HUNDRED, PRINTED, LISTING, FIGURE), code(HUNDRED)], 2),
        ([code(HUNDRED * 9, PRINTED, PRINTED, tags=("hide-input",))], 1),
        ([code(HUNDRED * 9, PRINTED, PRINTED, tags=("hide-cell",))], 0),
        ([code(HUNDRED * 9, tags=(notebook_cells.SETUP,))], 0),
    ],
)
def test_what_is_counted(monkeypatch, cells, minutes):
    monkeypatch.setattr(chapter_notebook, "committed", lambda stem: v4.new_notebook(cells=cells))
    assert chapter_status.minutes_to_read("any") == minutes
