"""A data set opened by its name, and held to its digest."""

from __future__ import annotations

import functools
import hashlib
import importlib
from difflib import get_close_matches

from minigpt.data.sets.cards import SETS
from minigpt.data.sets.data_set import FETCHED, DataSet, Pair


def find_set(name: str, called: str = "name") -> DataSet:
    """The card of a data set; `called` is how an error calls the name.

    Raises:
        ValueError: no data set has the name.
    """
    if name in SETS:
        return SETS[name]
    close = get_close_matches(name, SETS, 1)
    raise ValueError(
        f"{called} is {name!r}: no data set; {f'did you mean {close[0]}? ' if close else ''}"
        f"there are {', '.join(SETS)}"
    )


@functools.lru_cache(maxsize=2)
def open_text(name: str) -> str:
    """The text of a data set; of a task, its pairs, a line each.

    Raises:
        ValueError: no such data set, or its source holds another text than it did.
        FileNotFoundError: a package that is not installed, or a text that cannot be fetched.
    """
    card = find_set(name)
    if card.comes_as == FETCHED:
        return importlib.import_module("minigpt.data.sets.fetched").fetch(card)
    if card.text:
        text = _function(card.text)()
    else:
        text = "".join(f"{row.prompt}{card.between}{row.answer}\n" for row in open_pairs(name))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if card.sha256 and digest != card.sha256:
        raise ValueError(
            f"{name} has the SHA-256 {digest}, not {card.sha256}: its source is another one than "
            f"{card.source}"
        )
    return text


def open_pairs(name: str) -> list[Pair]:
    """The pairs of a data set, whose card says what they are.

    Raises:
        ValueError: no such data set, or one that is text alone.
        FileNotFoundError: as `open_text`.
    """
    card = find_set(name)
    if not card.pairs:
        having = ", ".join(other.name for other in SETS.values() if other.pairs)
        raise ValueError(f"{name} is text, without pairs; these have some: {having}")
    return _function(card.pairs)()


def _function(place: str):
    """What a card names; imported when it is needed, for some of it needs torch."""
    module, function = place.split(":")
    return getattr(importlib.import_module(f"minigpt.data.{module}"), function)
