"""Parts of a built page for where nothing is clicked."""

from __future__ import annotations

import copy
import re

from bs4 import Tag


def unlinked(tag: Tag) -> Tag:
    """A copy without links, anchors and the source of formulas, for where nothing is clicked."""
    tag = copy.copy(tag)
    for one in tag.select("annotation, .eqno"):
        one.decompose()
    for one in tag.select("a, span.xref, semantics"):
        one.unwrap()
    for one in [tag, *tag.find_all(True)]:
        one.attrs.pop("id", None)
    return tag


def inner(tag: Tag) -> str:
    """The HTML inside a tag, in one line."""
    return re.sub(r"\s+", " ", tag.decode_contents()).strip()
