"""Delete pages that an earlier build left and the book no longer has.

Sphinx never removes an output, so a chapter that was renamed would stay published.
"""

from __future__ import annotations

from pathlib import Path

import book_sources

NOT_DOCUMENTS = {"404", "search"}  # pages that Sphinx makes without a source


def remove_stale(app, error) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    kept = app.env.found_docs | NOT_DOCUMENTS
    for page in out.rglob("*.html"):
        name = page.relative_to(out).with_suffix("").as_posix()
        if name not in kept and not name.startswith(("_static/", "downloads/")):
            page.unlink()
    for notebook in (out / "notebooks").glob("*.ipynb"):
        if notebook.stem not in book_sources.stems():
            notebook.unlink()


def setup(app) -> None:
    app.connect("build-finished", remove_stale, priority=900)
