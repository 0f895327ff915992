"""Characters that are spread over tokens, and what a stream can give out."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing

ROW = 32
HELD = "waits"


def characters_of_tokens(pieces: Sequence[bytes]) -> Drawing:
    """A row a token: its bytes, and the text that can be given out once it has come.

    Args:
        pieces: the bytes of each token.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    canvas = Canvas(34 + ROW * len(pieces))
    for text, x in (("token", 26), ("its bytes", 130), ("given out", 300)):
        canvas.words(text, (x, 12), "muted", 12)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    told = []
    for place, piece in enumerate(pieces):
        y = 28 + ROW * place
        text = decoder.decode(piece)
        canvas.words(str(place + 1), (26, y + 12), size=13, mono=True)
        for i, byte in enumerate(piece):
            whole = byte < 128
            role = "token" if whole else "position"
            canvas.box(56 + 38 * i, y, 34, 24, f"{byte:02x}", role, size=13, mono=True)
        canvas.line((56 + 38 * len(piece) + 4, y + 12), (256, y + 12), role="rule", arrow=True)
        if text:
            canvas.box(264, y, 72, 24, text.replace(" ", "␣"), "value", size=14)
        else:
            canvas.words(HELD, (300, y + 12), "muted", 12)
        told.append(f"{piece.hex(' ')} gives {f'“{text}”' if text else 'nothing yet'}")
    return canvas.shown("Tokens as bytes, and what can be shown after each: " + "; ".join(told))
