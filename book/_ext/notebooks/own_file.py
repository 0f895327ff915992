"""The reader's own files: what the chapters' cells with the tag `mine` are, one after the other.

Each chapter appends its part to the file of the chapters before it. The files stand where
everybody who has the package can import them, and where a reader's own of that name comes first.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import book_sources
import jupytext
import web_addresses
from notebook_cells import code_cells

MINE = "mine"  # the tag of cells whose code the reader keeps
GPT, AUTOGRAD, TUNING = "my_gpt.py", "my_autograd.py", "my_tuning.py"
ABOUT = {
    GPT: "A GPT in one file: tokenizer, model, training and writing, a part a chapter.",
    AUTOGRAD: "Gradients of single numbers, and a small net that learns with them.",
    TUNING: "From a model that continues to one that answers; it builds on my_gpt.py.",
}


def file_name(stem: str) -> str:
    """Which file a chapter's cells go to."""
    return {"primer": AUTOGRAD, "finetuning": TUNING}.get(stem, GPT)


def path(name: str) -> Path:
    """Where a whole file is."""
    return book_sources.ROOT / name


def part(stem: str) -> str:
    """What a chapter appends to its file; empty where it keeps nothing."""
    return _kept(book_sources.source(stem))


@functools.cache  # every chapter asks for those before it
def _kept(source: str) -> str:
    cells = [
        cell.source
        for cell in code_cells(jupytext.reads(source, fmt="md:myst"))
        if MINE in cell.metadata.get("tags", [])
    ]
    title = re.search(r"^# (.+)$", source, re.MULTILINE)[1]
    return "\n\n\n".join([f"# {title}\n\n{cells[0]}", *cells[1:]]) if cells else ""


def until(stem: str, included: bool = True) -> str:
    """A chapter's file as it is when the reader leaves the chapter, or comes to it."""
    name, stems = file_name(stem), book_sources.stems()
    written = [s for s in stems[: stems.index(stem) + included] if file_name(s) == name]
    parts = [text for s in written if (text := part(s))]
    about = f'"""{ABOUT[name]}\n\nWritten in the chapters of {web_addresses.homepage()}\n"""'
    return "\n\n\n".join([about, *parts]) + "\n" if parts else ""


def whole() -> dict[str, str]:
    """Each file at the end of the book, by its name; none that no chapter writes."""
    last = {file_name(stem): stem for stem in book_sources.stems()}
    return {name: text for name, stem in last.items() if (text := until(stem))}


def write() -> None:
    """Write the files that differ from their chapters."""
    for name, text in whole().items():
        file = path(name)
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8", newline="\n")


def length(text: str | None = None) -> int:
    """How many lines of a text, or of `my_gpt.py`, are not empty."""
    lines = (whole()[GPT] if text is None else text).splitlines()
    return sum(bool(line.strip()) for line in lines)


def address(stem: str) -> str:
    """Where a chapter's file is, as it is at the chapter's end, below the site's root."""
    return f"_static/own/{stem}/{file_name(stem)}"


def sentence(stem: str) -> str:
    """How long a chapter's file is now, and how much of it is new."""
    name, now, before = file_name(stem), until(stem), until(stem, included=False)
    lines, new = length(now), length(part(stem))
    if not before:
        return f"**Your file**, `{name}`, begins with {lines} lines."
    return f"**Your file**, `{name}`, now has {lines} lines; this chapter wrote {new} of them."


def note(stem: str) -> str:
    """What a notebook says of them, in Markdown; empty where nothing is kept."""
    if not (text := part(stem)):
        return ""
    link = f"{web_addresses.homepage()}{address(stem)}"
    return (
        f"{sentence(stem)} [Download it as it is now]({link}), or run this notebook where your own "
        f"`{file_name(stem)}` is: then that one is imported.\n\n"
        f"<details><summary>What this chapter added</summary>\n\n```python\n{text}\n```\n\n"
        "</details>"
    )


def known(stem: str) -> str:
    """What a chapter can import of the readers' files: what the chapters before it wrote."""
    stems = book_sources.stems()
    return "\n".join(part(s) for s in stems[: stems.index(stem)])
