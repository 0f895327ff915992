"""What posts are made of: a chapter as a row of blocks, which every form of a post shares."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator


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
