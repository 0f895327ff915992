"""What is to be known of a data set before it is opened: where from, how large, what it may be
used for, and what a row of it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PACKAGE, GENERATED, FETCHED, PYTHON = "package", "generated", "fetched", "Python"


class Pair(NamedTuple):
    """A row of a task: what is given, and what is to follow. A label is an answer too."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class DataSet:
    """The card of a data set.

    Args:
        name: that it is opened by.
        title: for people.
        about: one sentence.
        comes_as: ``PACKAGE``, ``GENERATED``, ``FETCHED`` or ``PYTHON``.
        source: what a reader needs to find or make it again.
        licence: what may be done with the text.
        text: ``module:function`` of this folder that gives the text; empty where the pairs, a
            line each, are the text.
        pairs: likewise, of its pairs; empty where it has none.
        between: what stands between prompt and answer in the text of pairs.
        row: what prompt and answer of a pair are.
        characters, size: of the text; `size` in bytes of UTF-8. None where that is not the same
            for all, or was never counted.
        sha256: of the text in UTF-8, hexadecimal; empty where the text is not the same for all.
        varies: with what, for people; empty where it does not.
        floor: the least loss that any model can have on a long text of this kind, in nats per
            character, where that is known.
        checker: what says whether an answer or a text is right, for people; or empty.
        url: of a text that is fetched.
        begins: the first lines of the text, where it is the same for all.
    """

    name: str
    title: str
    about: str
    comes_as: str
    source: str
    licence: str
    text: str = ""
    pairs: str = ""
    between: str = ""
    row: str = ""
    characters: int | None = None
    size: int | None = None
    sha256: str = ""
    varies: str = ""
    floor: float | None = None
    checker: str = ""
    url: str = ""
    begins: str = ""
