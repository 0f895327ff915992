"""A chapter's committed notebook and its stills, read as blocks.

What a post leaves out: the set-up cells (a line at its top says where the chapter runs); the code
of a folded cell that draws a figure, which is plotting and nothing else; and folded cells that
only carry numbers into the prose. Every other folded cell stays folded, outputs included, as it
is on the page.
"""

from __future__ import annotations

import re

import book_sources
import nbformat
import notebook_cells
import web_addresses
from notebook_prose import Prose as Converter

from editions.built import stills
from editions.posts.blocks import Block, Code, Fold, Output, Picture, Prose
from editions.posts.pieces import absolute, pieces
from editions.shared import edition

GLUED = "application/papermill.record/"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Reader:
    """Reads one chapter; its stills are used up in the order in which they were taken."""

    def __init__(self, stem: str, notebook: nbformat.NotebookNode) -> None:
        self.stem, self.notebook = stem, notebook
        self.page = web_addresses.page(stem)
        self.language = notebook.metadata.get("language_info", {}).get("name", "python")
        taken = stills.taken(stem)
        self.stills = {k: [s for s in taken if s.kind == k] for k in ("output", "widget")}
        self.converter = Converter(
            self.page,
            book_sources.BOOK / "references.bib",
            notebook_cells.glued(notebook),
            book_sources.source(stem),
            book_sources.labels(),
        )
        self.widget = re.compile(
            rf"^> (?P<words>(?:(?!\n\n)[\s\S])*?) ?\[Open the page\]\({re.escape(self.page)}\)\.$",
            re.MULTILINE,
        )

    def picture(self, kind: str, caption: str) -> Picture:
        if not self.stills[kind]:
            raise ValueError(
                f"{self.stem}: the notebook has more {kind}s than there are stills of: build the "
                "site with `make book` and take them again with `make stills`"
            )
        still = self.stills[kind].pop(0)
        joined = " ".join(still.text.split())
        text = "" if re.fullmatch(r"<Figure: .*>", joined) else still.text
        alt = " ".join(still.alt.split())
        if text and alt == joined and len(alt) > 150:  # the whole of it stands below the picture
            alt = alt[:150].rsplit(" ", 1)[0] + " …"
        link = web_addresses.page(self.stem, still.anchor)
        if kind == "widget":
            caption += f" [Open it there]({link})."
        size = (still.width, still.height)
        return Picture(still.file, alt, caption, link, text, size)

    def prose(self, text: str) -> list[Block]:
        """A cell of Markdown: its words, its folds, and pictures of the page's own elements."""
        levels: list[tuple[str, list[Block]]] = [("", [])]
        lines: list[str] = []

        def flush() -> None:
            words = "\n".join(lines)
            lines.clear()
            place = 0
            for found in self.widget.finditer(words):
                self.words(words[place : found.start()], levels[-1][1])
                caption = re.sub(r"\n> ?", " ", found["words"])
                levels[-1][1].append(self.picture("widget", caption))
                place = found.end()
            self.words(words[place:], levels[-1][1])

        fence = ""
        for line in text.split("\n"):
            ticks = re.match(r"(?:`{3,}|~{3,})", line)
            if ticks and (not fence or line.startswith(fence)):
                fence = "" if fence else ticks[0]
            opened = re.fullmatch(r"<details><summary>(.*)</summary>", line)
            if opened and not fence:
                flush()
                levels.append((opened[1], []))
            elif line == "</details>" and not fence and len(levels) > 1:
                flush()
                summary, inside = levels.pop()
                levels[-1][1].append(Fold(summary, tuple(inside)))
            else:
                lines.append(line)
        flush()
        if len(levels) > 1:
            raise ValueError(f"{self.stem}: the fold {levels[-1][0]!r} is never closed")
        return levels[0][1]

    def words(self, text: str, blocks: list[Block]) -> None:
        if not text.strip():
            return
        text = absolute(text.strip("\n"), self.page)
        list(pieces(text))  # refuses what no blog understands
        blocks.append(Prose(text))

    def outputs(self, cell: nbformat.NotebookNode) -> list[Block]:
        """What a code cell shows, printed texts that follow each other in one block."""
        blocks: list[Block] = []
        captioned = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        for output in cell.outputs:
            data = output.get("data", {})
            if output.output_type == "stream":
                text = output.text
            elif output.output_type == "error":
                text = f"{output.ename}: {output.evalue}"
            elif "text/html" in data:
                caption = absolute(self.converter.convert(captioned), self.page)
                blocks.append(self.picture("output", caption))
                continue
            elif "text/markdown" in data:
                self.words(data["text/markdown"], blocks)
                continue
            elif any(kind.startswith(GLUED) for kind in data):
                continue
            else:
                text = data["text/plain"]
            text = ANSI.sub("", text).strip("\n")
            if blocks and isinstance(blocks[-1], Output):
                text = f"{blocks.pop().text}\n{text}"
            if text:
                blocks.append(Output(text))
        return blocks

    def code(self, cell: nbformat.NotebookNode) -> list[Block]:
        tags = set(cell.metadata.get("tags", []))
        options = cell.metadata.get("mystnb", {})
        summary = options.get("code_prompt_show", prompt())
        if "remove-cell" in tags:
            return []
        shown = [] if "remove-output" in tags else self.outputs(cell)
        code = [Code(self.language, cell.source)]
        if "remove-input" in tags:
            return shown
        if "hide-cell" in tags:
            if cell.outputs and not shown and "remove-output" not in tags:
                return []  # numbers for the prose, which has them
            return [Fold(summary, (*code, *shown))]
        if "hide-input" in tags:
            drawn = any(isinstance(block, Picture) for block in shown)
            return shown if drawn else [Fold(summary, tuple(code)), *shown]
        if "hide-output" in tags and shown:
            return [*code, Fold("Show the output", tuple(shown))]
        return [*code, *shown]

    def read(self) -> tuple:
        blocks: list[Block] = []
        for cell in self.notebook.cells:
            if notebook_cells.is_setup(cell):
                continue
            try:
                if cell.cell_type == "markdown":
                    blocks += self.prose(cell.source)
                elif cell.cell_type == "code":
                    blocks += self.code(cell)
            except ValueError as error:
                raise ValueError(f"notebooks/{self.stem}.ipynb: {error}") from error
        if over := sum(map(len, self.stills.values())):
            raise ValueError(
                f"{self.stem}: the notebook shows {over} pictures fewer than there are stills: "
                "build the site with `make book` and take them again with `make stills`"
            )
        return tuple(blocks)


def prompt() -> str:
    """What stands on a folded cell that has no words of its own."""
    return edition.configuration()["nb_code_prompt_show"]
