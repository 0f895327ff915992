"""An order by chance that is the same on every machine and needs no generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def in_chance_order(words: Iterable[str]) -> list[str]:
    """The different words, in the order of their SHA-256.

    In alphabetical order the last tenth of a list, which models are judged by, would be that of
    the letters at its end; in the order of frequency, that of the rare words.
    """
    return sorted(set(words), key=lambda word: hashlib.sha256(word.encode()).digest())
