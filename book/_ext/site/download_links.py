"""The directive `chapter-downloads`: each chapter's slides, exercises to hand out and answers.

Addresses are those of the published site, so that they work from any copy of the book;
`editions/downloads.py` puts the files there.
"""

from __future__ import annotations

import book_sources
import web_addresses
from chapter_status import link, parsed
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

OFFERED = {
    "slides": "slides/{stem}.html",
    "exercises": "workshop/{stem}-exercises.html",
    "answers": "workshop/{stem}-answers.html",
}


def address(path: str) -> str:
    """Where a file below the site's downloads is published."""
    return f"{web_addresses.homepage()}downloads/{path}"


class ChapterDownloads(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        lines = ["| Chapter | Slides | Hand-out | Key |", "|---|---|---|---|"]
        for stem in book_sources.stems():
            files = [
                f"[{word}]({address(path.format(stem=stem))})" for word, path in OFFERED.items()
            ]
            lines.append(f"| {link(stem)} | {' | '.join(files)} |")
        return parsed(self, lines)


def setup(app) -> None:
    app.add_directive("chapter-downloads", ChapterDownloads)
