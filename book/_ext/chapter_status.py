"""The directives `chapter-status` and `chapter-cost`: what the last runs cost, as measured."""

from __future__ import annotations

import chapters
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADER = ("Chapter", "Run time (s)", "Peak memory (MB)", "Cells compared", "Cells ignored")


def status_rows() -> list[tuple]:
    """One row a chapter: stem, seconds, megabytes, cells compared, cells ignored."""
    rows = []
    for stem in chapters.stems():
        notebook = chapters.committed(stem)
        cost = notebook.metadata["minigpt"]
        code = chapters.code_cells(notebook)
        ignored = chapters.ignored(code)
        rows.append((stem, cost["seconds"], cost["peak_mb"], len(code) - ignored, ignored))
    return rows


def parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """Lines of MyST as nodes, as if they stood where the directive stands."""
    content = StringList(lines, source=directive.env.docname)
    holder = nodes.container()
    directive.state.nested_parse(content, directive.content_offset, holder)
    return holder.children


class ChapterStatus(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        lines = [
            "| " + " | ".join(HEADER) + " |",
            "|---|--:|--:|--:|--:|",
            *(
                f"| {{doc}}`{stem}` | " + " | ".join(map(str, rest)) + " |"
                for stem, *rest in status_rows()
            ),
            "",
            "Measured on:",
            "",
        ]
        for stem in chapters.stems():
            about = chapters.committed(stem).metadata["minigpt"]
            versions = ", ".join(f"{name} {v}" for name, v in about["versions"].items())
            lines.append(f"- {{doc}}`{stem}`: {about['machine']}; {versions}")
        return parsed(self, lines)


WORDS_PER_MINUTE = 200  # for a text with code in it


def cost_sentence(stem: str) -> str:
    """Reading time, run time and memory of one chapter."""
    cells = chapters.from_source(stem).cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    cost = chapters.committed(stem).metadata["minigpt"]
    return (
        f"**It takes** about {round(words / WORDS_PER_MINUTE)} minutes to read; its cells ran in "
        f"{cost['seconds']:.0f} seconds and {cost['peak_mb']} MB of memory on a machine with "
        f"{cost['machine'].split(', ')[1]} and no GPU."
    )


class ChapterCost(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return parsed(self, [cost_sentence(self.arguments[0])])


def setup(app) -> None:
    app.add_directive("chapter-cost", ChapterCost)
    app.add_directive("chapter-status", ChapterStatus)
