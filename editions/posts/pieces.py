"""Markdown taken apart: words, code and formulas, and what means nothing in a post."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from urllib.parse import urljoin

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
