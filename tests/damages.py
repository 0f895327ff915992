"""JSON with one place of it damaged: a file of it is refused in words, or means what it says."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

VALUES = (None, True, 0.5, 10**30, "\ud800", [], {}, [None])
FEW = 3  # the places of a long list or object that are tried: its first, middle and last
# What Python says of itself, and not of the file.
INTERNAL = re.compile(
    r"\w+(Error|Exception)\b|has no attribute|not (iterable|subscriptable|hashable|callable)|"
    r"unhashable|NoneType|indices must be|can't multiply|not supported between|unpack|unexpected "
    r"keyword|positional argument|codec can't encode"
)


def damages(contents: Any, most: int = 20) -> Iterator[tuple[str, Any]]:
    """Where, and the contents with that place left out, or holding something else.

    Of a list or object with more than `most` places, few are tried.
    """
    for path in _places(contents, most):
        where = "/".join(map(str, path))
        for value in (..., *VALUES):
            changed = copy.deepcopy(contents)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if value is ...:
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
            yield f"{where} = {'left out' if value is ... else repr(value)}", changed


def _places(contents: Any, most: int, path: tuple = ()) -> Iterator[tuple]:
    keys = [*contents] if isinstance(contents, dict) else [*range(len(contents))]
    if len(keys) > most:
        keys = keys[:: max(1, (len(keys) - 1) // (FEW - 1))]
    for key in keys:
        yield (*path, key)
        if isinstance(contents[key], dict | list):
            yield from _places(contents[key], most, (*path, key))
