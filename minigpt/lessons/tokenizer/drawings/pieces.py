"""Text cut into pieces before any merge, and what a piece counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import regex

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing
from minigpt.lessons.drawing.token_text import VISIBLE
from minigpt.lessons.tokenizer.drawings.chips import HIGH, chip_widths, labelled, spelled

KINDS = {
    "ending": r"'(?:[sdmt]|ll|ve|re)",
    "letters": r" ?\p{L}+",
    "numbers": r" ?\p{N}+",
    "space": r"\s+",
    "signs": r"(?s:.+)",
}


def kind(piece: str) -> str:
    """Which of the pattern's alternatives a piece belongs to."""
    return next(name for name, pattern in KINDS.items() if regex.fullmatch(pattern, piece))


def cut(pieces: Sequence[str]) -> Drawing:
    """The pieces of a text, each with the kind that it is, in as many rows as they need."""
    texts, rows, row, wide = [piece.translate(VISIBLE) for piece in pieces], [], [], 0
    for place, width in enumerate(chip_widths(texts, least=44)):
        if row and wide + width > WIDTH:
            rows.append(row)
            row, wide = [], 0
        row.append(place)
        wide += width + 7
    rows.append(row)
    canvas = Canvas(56 * len(rows) + 24)
    canvas.words("".join(pieces).translate(VISIBLE), (WIDTH / 2, 9), size=13, mono=True)
    for number, row in enumerate(rows):
        kinds = [kind(pieces[i]) for i in row]
        labelled(canvas, 1, 30 + 56 * number, [texts[i] for i in row], kinds, least=44, gap=7)
    told = ", ".join(f"“{text}” {kind(piece)}" for text, piece in zip(texts, pieces, strict=True))
    return canvas.shown(f"The text is cut into {len(pieces)} pieces: {told}.")


def weighed(pieces: Mapping[tuple[int, ...], int], pair: tuple[int, int], most: int = 5) -> Drawing:
    """How often a pair occurs in a text: the sum over the pieces that hold it.

    Args:
        pieces: how often each piece, as bytes, occurs.
        pair: of bytes.
        most: how many of the most frequent pieces are shown; the others make the last row.
    """
    holding = {ids: times for ids, times in pieces.items() if pair in pairwise(ids)}
    shown = sorted(holding, key=lambda ids: (-holding[ids], ids))[:most]
    counts = {ids: holding[ids] * [*pairwise(ids)].count(pair) for ids in holding}
    others = len(holding) - len(shown)
    canvas = Canvas(30 * (len(shown) + 2) + 4)
    for row, ids in enumerate(shown):
        y = 30 * row
        for i, byte in enumerate(ids):
            inside = pair in (ids[i : i + 2], ids[max(0, i - 1) : i + 1])
            role = "token" if inside else "muted"
            canvas.box(4 + 27 * i, y + 2, 25, HIGH, spelled(bytes([byte])), role, mono=True)
        canvas.words(f"{counts[ids]:,} times", (WIDTH - 6, y + 14), size=13, anchor="end")
    y = 30 * len(shown)
    rest = sum(counts.values()) - sum(counts[ids] for ids in shown)
    canvas.words(f"and in {others:,} other pieces", (4, y + 14), "muted", 12, "start")
    canvas.words(f"{rest:,} times", (WIDTH - 6, y + 14), size=13, anchor="end")
    canvas.line((WIDTH - 84, y + 30), (WIDTH - 4, y + 30), role="ink")
    name = spelled(bytes(pair))
    canvas.words(
        f"“{name}”, in {len(holding):,} pieces", (4, y + 44), size=12, anchor="start", bold=True
    )
    total = f"{sum(counts.values()):,} times"
    canvas.words(total, (WIDTH - 6, y + 44), size=13, anchor="end", bold=True)
    told = ", ".join(f"“{spelled(bytes(ids))}” {counts[ids]}" for ids in shown)
    return canvas.shown(
        f"How often “{name}” occurs, piece by piece: {told}, and {others} other pieces {rest}; "
        f"{sum(counts.values())} in all."
    )
