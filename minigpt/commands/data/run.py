"""Every data set in a line, or one with its card and its first lines."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import click

from minigpt.data.sets import SETS, DataSet, find_set, open_text
from minigpt.data.sets.facts import facts, in_words

LINES, WIDTH = 5, 80
ENTRY = textwrap.TextWrapper(  # an address is not cut
    WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
)


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    if options.what == "list":
        if (extra := _extra(options)) is not None:
            raise click.UsageError(f"{extra} was given to minigpt data list: it is one of show's")
        _say_all(options.json)
        return 0
    if options.name is None:
        raise click.UsageError("NAME is missing: minigpt data list has the names")
    card = find_set(options.name, "NAME")
    lines = LINES if options.lines is None else options.lines
    if options.json:
        shown = {"lines": open_text(card.name).splitlines()[:lines]} if lines else {}
        click.echo(json.dumps(_found(card) | shown))
    else:
        _say_card(card)
        if lines:
            _say_lines(open_text(card.name), lines)
    return 0


def _extra(options: SimpleNamespace) -> str | None:
    return options.name or (None if options.lines is None else "--lines")


def _found(card: DataSet) -> dict[str, Any]:
    """What a program may want of a card: not the functions that open it."""
    return {key: value for key, value in asdict(card).items() if key not in ("text", "pairs")} | {
        "has_pairs": bool(card.pairs)
    }


def _say_all(as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_found(card) for card in SETS.values()]))
        return
    click.echo(f"{'name':<19}{'size':>8}  {'pairs':<5}  {'comes as':<9}  title")
    for card in SETS.values():
        pairs = "yes" if card.pairs else ""
        click.echo(
            f"{card.name:<19}{in_words(card.size):>8}  {pairs:<5}  {card.comes_as:<9}  {card.title}"
        )


def _say_card(card: DataSet) -> None:
    click.echo(f"{card.title}\n{textwrap.fill(card.about, WIDTH)}\n")
    for label, value in facts(card):
        click.echo(ENTRY.fill(f"{label + ':':<12}{value}"))


def _say_lines(text: str, lines: int) -> None:
    """The first lines, each cut where the terminal's may end."""
    click.echo()
    for line in text.splitlines()[:lines]:
        click.echo(line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ...")
