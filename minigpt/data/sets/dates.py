"""Days as people write them, and as ISO 8601 does: ``March 4, 1987`` and ``1987-03-04``."""

from __future__ import annotations

import re
from datetime import date

import torch

from minigpt.data.sets.data_set import Pair

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
# Not by strftime, whose names are those of the machine's language.
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August")
MONTHS += ("September", "October", "November", "December")
WAYS = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{day}.{number}.{year}",
    "{year}/{short}/{day}",
)
NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}
NUMBERS |= {name[:3]: number for name, number in NUMBERS.items()}
ROWS, SEED = 100_000, 1

LONG = re.compile(r"(?P<day>\d+) (?P<month>[A-Z][a-z]+) (?P<year>\d{4})")
AMERICAN = re.compile(r"(?P<month>[A-Z][a-z]+) (?P<day>\d+), (?P<year>\d{4})")
DOTS = re.compile(r"(?P<day>\d+)\.(?P<month>\d+)\.(?P<year>\d{4})")
SLASHES = re.compile(r"(?P<year>\d{4})/(?P<month>[A-Z][a-z]{2})/(?P<day>\d+)")


def problems(rows: int, generator: torch.Generator) -> list[Pair]:
    """A day from 1900 to 2099 and one of four ways to write it, all equally probable."""
    first, last = FIRST.toordinal(), LAST.toordinal()
    days = torch.randint(first, last + 1, (rows,), generator=generator).tolist()
    ways = torch.randint(0, len(WAYS), (rows,), generator=generator).tolist()
    found = []
    for number, way in zip(days, ways, strict=True):
        day = date.fromordinal(number)
        found.append(Pair(written(day, way), day.isoformat()))
    return found


def written(day: date, way: int) -> str:
    """A day in one of the four `WAYS`."""
    month = MONTHS[day.month - 1]
    parts = {"day": day.day, "month": month, "number": day.month, "short": month[:3]}
    return WAYS[way].format(**parts, year=day.year)


def solution(prompt: str) -> str:
    """The day that a prompt names, as ISO 8601 writes it; read by rules of its own.

    Raises:
        ValueError: written in none of the four ways, or no such day.
    """
    matches = (pattern.fullmatch(prompt) for pattern in (LONG, AMERICAN, DOTS, SLASHES))
    if (found := next(filter(None, matches), None)) is None:
        raise ValueError(f"{prompt!r} is no date: write it as {written(date(1987, 3, 4), 0)!r}")
    month = found["month"]
    try:
        number = int(month) if month.isdigit() else NUMBERS[month]
        return date(int(found["year"]), number, int(found["day"])).isoformat()
    except (KeyError, ValueError):
        raise ValueError(f"{prompt!r} is no day: look at its day and its month") from None


def pairs() -> list[Pair]:
    """Those of the data set."""
    return problems(ROWS, torch.Generator().manual_seed(SEED))
