"""The chapters that a command is given."""

from __future__ import annotations

import argparse

import chapters


def chosen_chapters(about: str) -> list[str]:
    """The stems on the command line, all of them when there are none; ``about`` is its help.

    An unknown chapter ends the command, with the list of those there are.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stems", nargs="*", help="chapters (default: all)")
    stems, known = parser.parse_args().stems, chapters.stems()
    for stem in stems:
        if stem not in known:
            parser.error(f"there is no chapter {stem!r}; there are: {', '.join(known)}")
    return stems or known
