"""How much a chapter says in prose: words that are no code, output, formula or title of a page."""

from __future__ import annotations

import re

import chapter_notebook
from notebook_cells import is_setup

NO_PROSE = re.compile(
    r"```.*?```|\$\$.*?\$\$|\$[^$\n]+\$|<[^>]+>|\]\([^)]*\)|^\|[-| ]+\|$", re.S | re.M
)
WORD = re.compile(r"\w[\w’'-]*")


def prose(stem: str) -> str:
    """A chapter's prose, what is folded included, tables too."""
    cells = chapter_notebook.in_plain_words(stem, chapter_notebook.committed(stem)).cells
    texts = [c.source for c in cells if c.cell_type == "markdown" and not is_setup(c)]
    return NO_PROSE.sub(" ", "\n\n".join(texts))


def words(stem: str) -> int:
    """How many words of prose."""
    return len(WORD.findall(prose(stem)))
