"""What the editions' commands share: the arguments that they take, and how a refusal is told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import book_sources
import terminal


def parser(about: str) -> argparse.ArgumentParser:
    """For the beginning of a program: a parser whose help is ``about``, line by line."""
    terminal.replace_unknown_letters()
    return argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def chosen_chapters(about: str) -> list[str]:
    """The stems on the command line, all of them when there are none; ``about`` is its help.

    An unknown chapter ends the command, with the list of those there are.
    """
    taker = parser(about)
    taker.add_argument("stems", nargs="*", help="chapters (default: all)")
    stems, known = taker.parse_args().stems, book_sources.stems()
    for stem in stems:
        if stem not in known:
            taker.error(f"there is no chapter {stem!r}; there are: {', '.join(known)}")
    return stems or known


@contextmanager
def refusals_told() -> Iterator[None]:
    """End the command with the words of a `ValueError` from the block, and no traceback."""
    try:
        yield
    except ValueError as error:
        sys.exit(str(error))
