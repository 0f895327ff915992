"""What widgets show, as text, and a small tokenizer to show."""

from __future__ import annotations

import re

from minigpt.tokenizer import CharTokenizer

LETTERS = CharTokenizer.train("abc d\n")  # ids: ↵ 0, · 1, a 2, b 3, c 4, d 5


def texts(html: str) -> list[list[str]]:
    """The text of a table's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def words_of(widget) -> str:
    """What a widget of HTML says."""
    return re.sub("<[^>]*>", "", widget.value)
