"""CommonMark as posts use it: its parser, a line as HTML, and blocks of code."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from editions.posts.maths import as_text


def parser() -> MarkdownIt:
    """CommonMark with tables and formulas, and without raw HTML."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return markdown.use(dollarmath_plugin, allow_labels=False, allow_space=False)


def inline_html(markdown: str) -> str:
    """One line of Markdown as HTML, its formulas as text."""
    rendering = parser()
    rendering.add_render_rule(
        "math_inline", lambda self, tokens, i, options, env: as_text(tokens[i].content)
    )
    return rendering.renderInline(markdown)


def fenced(language: str, text: str) -> str:
    """Text as a block of code whose fence is longer than any in it."""
    ticks = longer_run(text, at_least=3)
    return f"{ticks}{language}\n{text}\n{ticks}"


def longer_run(text: str, at_least: int) -> str:
    """A run of backticks that is longer than any in a text."""
    runs = [0, *map(len, re.findall(r"`+", text))]
    return "`" * max(at_least, max(runs) + 1)


def unwrapped(text: str) -> str:
    """The same Markdown with every paragraph on one line."""
    lines = text.split("\n")
    for token in reversed(parser().parse(text)):
        if token.type == "paragraph_open" and token.map[1] - token.map[0] > 1:
            first, *others = lines[slice(*token.map)]
            joined = " ".join([first, *(re.sub(r"^[ >]*", "", line) for line in others)])
            lines[slice(*token.map)] = [joined]
    return "\n".join(lines)
