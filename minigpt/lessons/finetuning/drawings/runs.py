"""Runs with several seeds: a dot each, so that a difference can be held against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing

ROLES = ("value", "query", "key")


def dots_of_runs(
    shares: Mapping[str, Mapping[str, Sequence[Number]]], chance: Number | None = None
) -> Drawing:
    """A row for each way to train, in it a line for each measure, on it a dot for each seed.

    Args:
        shares: of each way the measures, of each measure a share from 0 to 1 for each seed. All
            ways have the same measures, at most 3.
        chance: the share that guessing gives.

    Raises:
        ValueError: no runs; more measures than there is room for, or other ones.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    measures = list(next(iter(shares.values()), {}))
    if not 1 <= len(measures) <= 3 or any(list(m) != measures for m in shares.values()):
        raise ValueError(f"measures {measures}: give 1 to 3, the same for each way")
    high = 20 * len(measures) + 28
    canvas = Canvas(high * len(shares) + 46)
    left, right = 96, WIDTH - 50
    for place, name in enumerate(measures):
        x = 4 + 118 * place
        canvas.circle((x + 7, 10), 6, ROLES[place])
        canvas.words(name, (x + 20, 10), size=12, anchor="start")
    for row, (way, measured) in enumerate(shares.items()):
        y = 38 + high * row
        canvas.words(way, (4, y), size=13, anchor="start", bold=True)
        for line, (name, values) in enumerate(measured.items()):
            level = y + 20 + 20 * line
            canvas.words(name, (left - 8, level), "muted", 11, "end")
            canvas.line((left, level), (right, level), role="rule", width=1)
            for value in values:
                canvas.circle((left + (right - left) * value, level), 5, ROLES[line])
            text = f"{100 * fmean(values):.0f}%"
            canvas.words(text, (WIDTH - 4, level), anchor="end", mono=True)
    bottom = 38 + high * len(shares) - 10
    for share in (0, 0.5, 1):
        at = left + (right - left) * share
        canvas.words(f"{share:.0%}", (at, bottom + 4), "muted", 11)
    if chance is not None:
        at = left + (right - left) * chance
        for row in range(len(shares)):  # not through the names
            y = 38 + high * row
            canvas.line((at, y + 11), (at, y + high - 16), role="ink", dashed=True, width=1)
    told = "; ".join(
        f"{way}: "
        + ", ".join(
            f"{name} {' '.join(f'{value:.0%}' for value in values)}"
            for name, values in measured.items()
        )
        for way, measured in shares.items()
    )
    guess = "" if chance is None else f" Guessing gives {chance:.0%}."
    return canvas.shown(f"A dot for each seed. {told}.{guess}")
