"""The directive `own-file`: the reader's own file as a chapter leaves it, its additions marked.

It is offered for download too, at each chapter's stage.
"""

from __future__ import annotations

from pathlib import Path

import book_sources
import own_file
from chapter_status import parsed
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class OwnFile(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        stem = self.arguments[0]
        text, before = own_file.until(stem), own_file.until(stem, included=False)
        if not text:
            raise self.error(f"book/{stem}.md has no cells with the tag {own_file.MINE!r}")
        name = own_file.file_name(stem)
        first = len(before.splitlines()) + 2 if before else 0
        last = len(text.splitlines())
        emphasised = f":emphasize-lines: {first + 1}-{last}\n" if before else ""
        fold = [
            own_file.sentence(stem),
            "",
            f"::::{{dropdown}} Show {name}" + (", its new lines marked" if before else ""),
            ":class-container: mg-own-file",
            f"```{{code-block}} python\n{emphasised}",
            text,
            "```",
            "::::",
        ]
        link = nodes.raw(
            "",
            f'<p class="mg-own-download"><a href="{own_file.address(stem)}" download="{name}">'
            f"Download {name} as it is now</a></p>",
            format="html",
        )
        return [*parsed(self, "\n".join(fold).splitlines()), link]


def write_files(app, error) -> None:
    """Write each chapter's stage of its file where its page links to it."""
    if error or app.builder.format != "html":
        return
    for stem in book_sources.stems():
        if own_file.part(stem):
            path = Path(app.outdir) / own_file.address(stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(own_file.until(stem), "utf-8", newline="\n")


def setup(app) -> None:
    app.add_directive("own-file", OwnFile)
    app.connect("build-finished", write_files)
