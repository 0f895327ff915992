"""Pictures that fit a page: one that is much taller is cut where nothing is drawn."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from PIL import Image

RATIO = 1.75  # height over width up to which a picture is shrunk to fit rather than cut
PIECE = 1.4  # and the most that a piece of a cut one has, so that it fills the width
SIDE = 0.04  # of the width, left and right, may hold a frame


def blank_runs(picture: Image.Image) -> list[tuple[int, int]]:
    """First and past-the-last row of every run of rows of one colour, frame aside."""
    grey, side = picture.convert("L"), round(SIDE * picture.width)
    runs: list[tuple[int, int]] = []
    for row in range(picture.height):
        low, high = grey.crop((side, row, picture.width - side, row + 1)).getextrema()
        if low != high:
            continue
        if runs and runs[-1][1] == row:
            runs[-1] = (runs[-1][0], row + 1)
        else:
            runs.append((row, row + 1))
    return runs


def cuts(height: int, limit: int, runs: list[tuple[int, int]]) -> list[int]:
    """Rows at which to cut so that no piece is taller than ``limit``.

    Each cut goes through the middle of the tallest blank run in the lower half of what fits;
    where there is none, at the limit.
    """
    rows = [0]
    while height - rows[-1] > limit:
        first, last = rows[-1] + limit // 2, rows[-1] + limit
        fitting = [run for run in runs if first <= sum(run) // 2 <= last]
        widest = max(fitting, key=lambda run: (run[1] - run[0], run[0]), default=(last, last))
        rows.append(sum(widest) // 2)
    return rows[1:]


def pieces(path: Path) -> list[tuple[bytes, int, int]]:
    """A PNG as one or more: bytes, width and height in pixels of each, from the top down."""
    with Image.open(path) as picture:
        picture.load()
    width, height = picture.size
    if height <= RATIO * width:
        return [(path.read_bytes(), width, height)]
    rows = [0, *cuts(height, round(PIECE * width), blank_runs(picture)), height]
    out = []
    for top, bottom in itertools.pairwise(rows):
        data = io.BytesIO()
        picture.crop((0, top, width, bottom)).save(data, "PNG", optimize=True)
        out.append((data.getvalue(), width, bottom - top))
    return out
