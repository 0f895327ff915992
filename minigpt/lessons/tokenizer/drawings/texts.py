"""A text on its way: to tokens and back, as characters, as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing
from minigpt.lessons.tokenizer.drawings.chips import HIGH, chip_widths, labelled, spelled


def round_trip(tokens: Sequence[bytes], ids: Sequence[int]) -> Drawing:
    """A text becomes tokens, the tokens' numbers go to the model, and numbers become text again.

    Args:
        tokens: the bytes of each token of the text, in order.
        ids: their numbers.
    """
    text, texts = b"".join(tokens).decode(), [spelled(token) for token in tokens]
    canvas = Canvas(176)
    middle = WIDTH / 2
    canvas.box(20, 4, WIDTH - 40, 26, text, size=14)
    canvas.line((middle - 40, 32), (middle - 40, 58), role="ink", arrow=True)
    canvas.words("encode", (middle - 48, 45), anchor="end", size=12)
    canvas.line((middle + 40, 58), (middle + 40, 32), role="ink", arrow=True)
    canvas.words("decode", (middle + 48, 45), anchor="start", size=12)
    widths = chip_widths(texts, least=40)
    left = (WIDTH - sum(widths) - 4 * (len(widths) - 1)) / 2
    for box in labelled(canvas, left, 64, texts, [*map(str, ids)], least=40):
        canvas.line((box.middle[0], 106), (box.middle[0], 128), arrow=True)
    canvas.box(20, 132, WIDTH - 40, 38, "the model: sees the numbers, and no letter", role="stream")
    return canvas.shown(
        f"The text “{text}” is encoded as {len(ids)} tokens: "
        + ", ".join(f"“{t}” {i}" for t, i in zip(texts, ids, strict=True))
        + ". The model below sees the numbers only; decoded, they are the text again."
    )


def letters_and_bytes(text: str) -> Drawing:
    """Each character of a text, its code point, and the bytes of its UTF-8."""
    sizes = [len(character.encode()) for character in text]
    unit = WIDTH / sum(sizes)
    canvas = Canvas(134)
    for name, y in (("character", 8), ("code point", 53), ("bytes in UTF-8", 91)):
        canvas.words(name, (2, y), "muted", 10.5, "start")
    for character, size, end in zip(text, sizes, accumulate(sizes), strict=True):
        x, width = unit * (end - size), unit * size
        box = canvas.box(x + 2, 16, width - 4, 26, character, size=15)
        canvas.words(f"{ord(character):,}", (box.middle[0], 69), size=11, mono=True)
        for i, byte in enumerate(character.encode()):
            canvas.box(x + unit * i + 2, 100, unit - 4, 26, str(byte), "token", size=12, mono=True)
    told = ", ".join(f"{c} is {' '.join(map(str, c.encode()))}" for c in text)
    return canvas.shown(
        f"The {len(text)} characters of “{text}” above their {sum(sizes)} bytes: {told}."
    )


def bytes_and_tokens(text: str, tokens: Sequence[bytes]) -> Drawing:
    """The characters of a text, its bytes, and which tokens they make, below each other.

    Raises:
        ValueError: the tokens are not that text's, or it has more than 12 bytes.
    """
    data = text.encode()
    if b"".join(tokens) != data or len(data) > 12:
        raise ValueError(f"{tokens} are not the tokens of {text!r}, or more than 12 bytes")
    unit = WIDTH / len(data)
    canvas = Canvas(132)
    rows = [
        ("characters", [(c, len(c.encode())) for c in text], "muted"),
        ("bytes", [(str(byte), 1) for byte in data], "muted"),
        ("GPT-2’s tokens", [(spelled(token), len(token)) for token in tokens], "token"),
    ]
    for place, (name, cells, role) in enumerate(rows):
        y, at = 8 + 44 * place, 0
        canvas.words(name, (2, y), "muted", 10.5, "start")
        for label, size in cells:
            x, width = unit * at + 2, unit * size - 4
            canvas.box(x, y + 9, width, HIGH, label, role, size=12, mono=role == "token")
            at += size
    parts = " | ".join(spelled(token) for token in tokens)
    return canvas.shown(
        f"The {len(text)} characters of “{text}”, below them their {len(data)} bytes, and below "
        f"these the {len(tokens)} tokens that they make: {parts}."
    )
