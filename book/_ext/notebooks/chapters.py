"""Brings the chapters' notebooks up to date, or checks that they are.

`notebooks/<stem>.ipynb` is the record of a chapter's last run and is committed.
Run this file (`make notebooks`) to run again what no longer matches its sources:
a chapter whose code changed, or every chapter when `minigpt/` or the pinned
versions changed. A chapter whose prose alone changed keeps its outputs.
"""

from __future__ import annotations

import argparse
import sys

import book_sources
import chapter_notebook
import chapter_run
import own_file
from notebook_cells import code_cells
from notebook_checks import problems
from run_inputs import is_fresh
from terminal import replace_unknown_letters

BUDGET_SECONDS, BUDGET_MB = 60, 1000  # what a chapter may cost on two cores


def update(stem: str, force: bool = False) -> str:
    """Bring one notebook up to date; returns what was done, in words."""
    notebook = chapter_notebook.committed(stem)
    cells = len(code_cells(chapter_notebook.from_source(stem)))
    complete = notebook and len(code_cells(notebook)) == cells
    if not force and complete and is_fresh(stem, notebook):
        kept = chapter_notebook.with_new_prose(stem, notebook)
        if not problems(stem, kept):
            written = chapter_notebook.write(stem, kept)
            return "prose updated, outputs kept" if written else "up to date"
    notebook = chapter_run.execute(stem)
    chapter_notebook.write(stem, notebook)
    cost = notebook.metadata["minigpt"]
    for what, limit in (("seconds", BUDGET_SECONDS), ("peak_mb", BUDGET_MB)):
        if cost[what] > limit:
            print(f"warning: {stem}: {what} {cost[what]} is over the budget of {limit}")
    return f"ran in {cost['seconds']} s, at most {cost['peak_mb']} MB"


def main() -> None:
    replace_unknown_letters()
    parser = argparse.ArgumentParser(description="Run the chapters whose code changed.")
    parser.add_argument("stems", nargs="*", help="chapters to look at (default: all)")
    parser.add_argument("--force", action="store_true", help="run them whether changed or not")
    parser.add_argument("--check", action="store_true", help="run nothing; fail if one is stale")
    arguments = parser.parse_args()
    known = book_sources.stems()
    if arguments.check:
        committed = {stem: chapter_notebook.committed(stem) for stem in known}
        sys.exit("\n".join(p for found in committed.items() for p in problems(*found)) or 0)
    own_file.write()  # which the chapters import
    for stem in arguments.stems or known:
        if stem not in known:
            parser.error(f"there is no chapter {stem!r}; there are: {', '.join(known)}")
        print(f"{stem}: {update(stem, arguments.force)}", flush=True)


if __name__ == "__main__":
    main()
