"""Ways to run a chapter's committed notebook: Colab, Binder, or a download.

The theme's own buttons point at the Markdown source, which Colab cannot read and
JupyterLab opens as text.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import book_sources
import web_addresses
from chapter_status import status_rows


def ways(stem: str, download: str) -> list[dict]:
    """What the menu of one chapter offers; `download` is the notebook's address on the site."""
    name = web_addresses.repository().removeprefix("https://github.com/")
    path = f"notebooks/{stem}.ipynb"
    return [
        {
            "text": "Colab",
            "note": "in the browser, with a Google account",
            "url": f"https://colab.research.google.com/github/{name}/blob/main/{path}",
        },
        {
            "text": "Binder",
            "note": "in the browser, no account, slower to start",
            "url": f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/{path}",
        },
        {
            "text": "Download notebook",
            "note": "for Jupyter on your machine",
            "url": download,
            "download": True,
        },
    ]


def add_menu(app, pagename, templatename, context, doctree) -> None:
    if pagename not in book_sources.stems():
        return
    seconds, megabytes = next(row[1:3] for row in status_rows() if row[0] == pagename)
    context["launch"] = {
        "ways": ways(pagename, context["pathto"](f"notebooks/{pagename}.ipynb", 1)),
        "cost": f"The last run took {seconds} s and at most {megabytes} MB, without a GPU.",
    }


def copy_notebooks(app, error) -> None:
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    for stem in book_sources.stems():
        shutil.copy(book_sources.notebook_path(stem), folder)


def setup(app) -> None:
    app.connect("html-page-context", add_menu)
    app.connect("build-finished", copy_notebooks)
