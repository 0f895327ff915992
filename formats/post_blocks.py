"""A chapter as a row of blocks, from its committed notebook: what every form of a post shares.

What a post leaves out: the set-up cells (a line at its top says where the chapter runs); the code
of a folded cell that draws a figure, which is plotting and nothing else; and folded cells that
only carry numbers into the prose. Every other folded cell stays folded, outputs included, as it
is on the page.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import built_site  # noqa: F401 (puts book/_ext on the path)
import chapters
import edition
import launch_links
import nbformat
import stills
import yaml
from notebook_prose import Prose as Converter

GLUED = "application/papermill.record/"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclasses.dataclass(frozen=True)
class Prose:
    """Plain Markdown: `$…$`, `$$…$$`, tables, no raw HTML."""

    text: str


@dataclasses.dataclass(frozen=True)
class Code:
    language: str
    text: str


@dataclasses.dataclass(frozen=True)
class Output:
    """What a cell printed."""

    text: str


@dataclasses.dataclass(frozen=True)
class Picture:
    """A still.

    Attributes:
        file: its path below the folder of stills.
        alt: its words; what is too long for them is in ``text``.
        caption: Markdown, "" for none.
        link: where on the site the live one is.
        text: the same as text, "" where there is none.
        size: width and height in CSS pixels.
    """

    file: str
    alt: str
    caption: str
    link: str
    text: str
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """A name that is the only one of its kind when all posts share a folder."""
        return self.file.replace("/", "-")


@dataclasses.dataclass(frozen=True)
class Fold:
    summary: str  # Markdown, one line
    blocks: tuple


Block = Prose | Code | Output | Picture | Fold


@dataclasses.dataclass(frozen=True)
class Post:
    stem: str
    title: str
    description: str
    date: datetime.date
    page: str
    blocks: tuple

    @property
    def tags(self) -> list[str]:
        """Four, in letters and digits alone, which is what the strictest of the sites takes."""
        return ["python", "pytorch", "machinelearning", re.sub(r"[^a-z0-9]", "", self.stem)]


def flat(blocks: tuple) -> Iterator[Block]:
    """All blocks, those in folds too."""
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from flat(block.blocks)


# What a piece of Markdown can be. In order: no alternative may begin inside another one.
PIECE = re.compile(
    r"^(?P<edge>[ >]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`\n]*)\n"
    r"(?P<fence>(?:.*\n)*?)(?P=edge)(?P=ticks)[ ]*$"
    r"|(?P<role>(?<!\w)\{[\w:+-]+\}`[^`]+`)"
    r"|(?<!`)(?P<run>`+)(?!`)(?P<code>.+?)(?<!`)(?P=run)(?!`)"
    r"|^(?P<margin>[ >]*)\$\$\n(?P<display>(?:.*\n)*?)(?P=margin)\$\$[ ]*$"
    r"|(?<![\\$])\$(?P<inline>(?=[^$\s])[^$]*?[^$\s\\])\$(?![\d$])",
    re.MULTILINE,
)
KINDS = ("fence", "role", "code", "display", "inline")
TAG = re.compile(r" ?\\tag\{([^{}]*)\}")
# What only MyST understands, or what a blog's Markdown would drop.
LEFT = re.compile(
    r"^:{3,}.*|^\([\w:-]+\)=$|\{[.#][\w-]+[^}\n]*\}|<!--[^\n]*|\{[\w:+-]+\}$"
    r"|</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>|\$\$",
    re.MULTILINE,
)
RELATIVE = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)")


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of a Markdown text: "text", or one of ``KINDS``, with what stands inside.

    ``edge`` begins every line of a fence or a displayed formula in a quotation or a list;
    ``info`` is the language of a fence, or the number of a formula.
    """

    kind: str
    inside: str
    edge: str = ""
    info: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Take Markdown apart, so that code and formulas can be told from words.

    Raises:
        ValueError: with the text of anything that is still MyST, or raw HTML.
    """
    place = 0
    for found in [*PIECE.finditer(text), None]:
        words = text[place : found.start() if found else len(text)]
        if left := LEFT.search(words):
            raise ValueError(
                f"{left[0]!r} means nothing in a blog post: notebooks must not hold it"
            )
        if words:
            yield Piece("text", words)
        if not found:
            return
        place = found.end()
        kind = next(kind for kind in KINDS if found[kind] is not None)
        inside, edge, info = found[kind], "", ""
        if kind in ("fence", "display"):
            edge = found["edge" if kind == "fence" else "margin"]
            inside = "\n".join(line[len(edge) :] for line in inside.splitlines())
        if kind == "fence":
            info = found["info"].strip()
        if kind == "display":
            info = number[1] if (number := TAG.search(inside)) else ""
            inside = TAG.sub("", inside)
        if kind == "role" or info.startswith("{"):
            raise ValueError(
                f"{found[0]!r} means nothing in a blog post: notebooks must not hold it"
            )
        yield Piece(kind, inside, edge, info)


def absolute(text: str, page: str) -> str:
    """Markdown whose links all say where on the web they lead."""

    def lead(found: re.Match) -> str:
        target = found[1]
        if target.startswith("#"):
            raise ValueError(
                f"the link to {target!r} leads nowhere: notebooks hold the addresses of sections"
            )
        return f"]({urljoin(page, target)}"

    return RELATIVE.sub(lead, text)


class Reader:
    """Reads one chapter; its stills are used up in the order in which they were taken."""

    def __init__(self, stem: str, notebook: nbformat.NotebookNode) -> None:
        self.stem, self.notebook = stem, notebook
        self.page = chapters.page(stem)
        self.language = notebook.metadata.get("language_info", {}).get("name", "python")
        taken = stills.taken(stem)
        self.stills = {k: [s for s in taken if s.kind == k] for k in ("output", "widget")}
        self.converter = Converter(
            self.page,
            chapters.BOOK / "references.bib",
            chapters.glued(notebook),
            chapters.source(stem),
            chapters.labels(),
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
        link = chapters.page(self.stem, still.anchor)
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
            if chapters.is_setup(cell):
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


def last_change(stem: str) -> datetime.date:
    """The day (UTC) on which the chapter or its notebook was last changed."""
    return edition.moment(chapters.BOOK / f"{stem}.md", chapters.notebook_path(stem)).date()


def description(stem: str) -> str:
    """What the chapter's page says of itself to search engines."""
    head = yaml.safe_load(chapters.source(stem).split("---\n", 2)[1])
    return head["myst"]["html_meta"]["description"]


def opening(stem: str, page: str) -> Prose:
    """Where the chapter comes from and where it runs."""
    download = f"{chapters.homepage()}notebooks/{stem}.ipynb"
    ways = [
        f"[{'the notebook, to download' if way.get('download') else way['text']}]({way['url']})"
        for way in launch_links.ways(stem, download)
    ]
    book = edition.current().title
    return Prose(
        f"*This post is a chapter of [{book}]({chapters.homepage()}). "
        f"[On the book's site]({page}) its figures move and its elements can be tried; to run its "
        f"code: {', '.join(ways)}.*"
    )


def read(stem: str) -> Post:
    """One chapter as a post.

    Raises:
        ValueError: when there is no such chapter, no notebook or no stills, when they do not
            belong together, or when something in the notebook has no form in a post.
    """
    if stem not in chapters.stems():
        known = ", ".join(chapters.stems())
        raise ValueError(f"there is no chapter {stem!r} with code; there are: {known}")
    notebook = chapters.committed(stem)
    if notebook is None:
        raise ValueError(f"notebooks/{stem}.ipynb is missing: make it with `make notebooks`")
    reader = Reader(stem, notebook)
    blocks = list(reader.read())
    first = blocks[0].text if blocks and isinstance(blocks[0], Prose) else ""
    title, _, rest = first.partition("\n")
    rest = rest.strip("\n")
    if not title.startswith("# "):
        raise ValueError(f"notebooks/{stem}.ipynb does not begin with its title")
    return Post(
        stem=stem,
        title=title.removeprefix("# "),
        description=description(stem),
        date=last_change(stem),
        page=reader.page,
        blocks=(opening(stem, reader.page), *([Prose(rest)] if rest else []), *blocks[1:]),
    )
