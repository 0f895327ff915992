"""What the drawings of tokens share: spelled bytes, and tokens with words below them."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.boxes import Box, Number
from minigpt.lessons.drawing.canvas import LETTER, WIDTH, Canvas
from minigpt.lessons.drawing.token_text import VISIBLE

HIGH = 24  # of a token


def spelled(data: bytes) -> str:
    """Bytes as readers see them: a space is ·, a byte that is only part of a character \\xec."""
    return data.decode("utf-8", "backslashreplace").translate(VISIBLE)


def chip_widths(texts: Sequence[str], least: Number = 0, size: Number = 13) -> list[Number]:
    """How wide each token is drawn: as wide as its text, and no narrower than `least`."""
    return [max(least, len(text) * LETTER * size + 10) for text in texts]


def labelled(
    canvas: Canvas,
    x: Number,
    y: Number,
    texts: Sequence[str],
    below: Sequence[str],
    least: Number = 34,
    gap: Number = 4,
) -> list[Box]:
    """Tokens beside each other, each with a word below it.

    Raises:
        ValueError: they do not fit beside each other.
    """
    boxes = []
    for text, label, width in zip(texts, below, chip_widths(texts, least), strict=True):
        box = canvas.box(x, y, width, HIGH, text, role="token", mono=True)
        canvas.words(label, (box.middle[0], y + HIGH + 9), "muted", 10.5)
        boxes.append(box)
        x += width + gap
    if x - gap > WIDTH:
        raise ValueError(f"{len(texts)} tokens are {x - gap:.0f} wide, of {WIDTH}: give fewer")
    return boxes
