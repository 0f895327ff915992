"""The words of HTML, for where no markup is read."""

from __future__ import annotations

import html
import re


def plain(shown: str) -> str:
    """The characters of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", shown))
