"""Directives that tell of the chapters' last runs, as measured and recorded.

`chapter-status` is the table of all chapters, `chapter-checks` what of each is not compared and
why, `chapter-versions` what they ran with, `chapter-cost` a sentence about one of them.
"""

from __future__ import annotations

import re

import book_sources
import chapter_notebook
import notebook_cells
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADER = ("Chapter", "Seconds", "MB", "Cells")


def status_rows() -> list[tuple]:
    """One row a chapter: stem, seconds, megabytes, cells compared, cells ignored."""
    rows = []
    for stem in book_sources.stems():
        notebook = chapter_notebook.committed(stem)
        cost = notebook.metadata["minigpt"]
        code = notebook_cells.code_cells(notebook)
        ignored = notebook_cells.ignored(code)
        rows.append((stem, cost["seconds"], cost["peak_mb"], len(code) - ignored, ignored))
    return rows


def parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """Lines of MyST as nodes, as if they stood where the directive stands."""
    content = StringList(lines, source=directive.env.docname)
    holder = nodes.container()
    directive.state.nested_parse(content, directive.content_offset, holder)
    return holder.children


def link(stem: str) -> str:
    """A link to a chapter by its title up to the colon, which has room in a phone's table."""
    title = re.search(r"^# (.+)$", book_sources.source(stem), re.MULTILINE)[1]
    return f"{{doc}}`{title.split(':')[0]} <{stem}>`"


def check_lines() -> list[str]:
    """A list item a chapter: the command that verifies it, and each cell that is not compared."""
    lines = []
    for stem in book_sources.stems():
        lines.append(f"- {link(stem)}: `make verify CHAPTER={stem}`")
        notebook = chapter_notebook.from_source(stem)
        places = notebook_cells.sections(notebook)
        for cell, (label, heading) in zip(notebook_cells.code_cells(notebook), places, strict=True):
            if notebook_cells.is_ignored(cell):
                place = f"{{ref}}`{label}`" if label else heading
                lines.append(f"  - {place}: {notebook_cells.reason(cell)}")
    return lines


def version_lines() -> list[str]:
    """What the chapters ran with, in a list item for those that have the same, or one sentence."""
    groups: dict[str, list[str]] = {}
    for stem in book_sources.stems():
        about = chapter_notebook.committed(stem).metadata["minigpt"]
        versions = ", ".join(f"{name} {v}" for name, v in about["versions"].items())
        where = f"{about['machine']} ({about['processor']})"
        groups.setdefault(f"{where}; {versions}", []).append(link(stem))
    if len(groups) == 1:
        return [f"All chapters: {what}" for what in groups]
    return [f"- {', '.join(which)}: {what}" for what, which in groups.items()]


class ChapterStatus(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        lines = ["| " + " | ".join(HEADER) + " |", "|---|--:|--:|--:|"]
        for stem, seconds, megabytes, compared, ignored in status_rows():
            cells = f"{compared} of {compared + ignored}"
            lines.append(f"| {link(stem)} | {seconds} | {megabytes} | {cells} |")
        return parsed(self, lines)


class ChapterChecks(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return parsed(self, check_lines())


class ChapterVersions(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return parsed(self, version_lines())


WORDS_PER_MINUTE = 200  # of prose and of code alike, whose words are shorter and weigh more


def minutes_to_read(stem: str) -> int:
    """All that stands open on a chapter's page: prose, code, and what it printed."""
    words = 0
    for cell in chapter_notebook.committed(stem).cells:
        tags = set(cell.metadata.get("tags", []))
        if tags & {"hide-cell", notebook_cells.SETUP}:
            continue
        words += 0 if "hide-input" in tags else len(cell.source.split())
        words += sum(len(text.split()) for text in notebook_cells.printed(cell))
    return round(words / WORDS_PER_MINUTE)


def cost_sentence(stem: str) -> str:
    """Reading time, run time and memory of one chapter."""
    cost = chapter_notebook.committed(stem).metadata["minigpt"]
    return (
        f"**It takes** about {minutes_to_read(stem)} minutes to read, code and all; its cells ran "
        f"in {cost['seconds']:.0f} seconds and {cost['peak_mb']} MB of memory on a machine with "
        f"{cost['machine'].split(', ')[1]} and no GPU."
    )


class ChapterCost(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return parsed(self, [cost_sentence(self.arguments[0])])


def setup(app) -> None:
    app.add_directive("chapter-checks", ChapterChecks)
    app.add_directive("chapter-cost", ChapterCost)
    app.add_directive("chapter-status", ChapterStatus)
    app.add_directive("chapter-versions", ChapterVersions)
