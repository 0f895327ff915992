"""The same text by two tokenizers, or read in two ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing
from minigpt.lessons.tokenizer.drawings.chips import labelled, spelled


def number_cuts(
    numbers: Sequence[str], tokenizers: Mapping[str, Callable[[str], list[str]]]
) -> Drawing:
    """How two tokenizers cut the same numbers, one row a number.

    Args:
        numbers: digits.
        tokenizers: a name, and what gives a number's tokens as texts.
    """
    canvas, told = Canvas(34 * len(numbers) + 26), []
    for column, (name, tokens_of) in enumerate(tokenizers.items()):
        x = 80 + 144 * column
        canvas.words(name, (x, 9), size=12, anchor="start", bold=True)
        for row, number in enumerate(numbers):
            canvas.tokens(x, 24 + 34 * row, tokens_of(number))
            told.append(f"{name} {number}: {' '.join(tokens_of(number))}")
    for row, number in enumerate(numbers):
        canvas.words(number, (70, 36 + 34 * row), "muted", 12, "end", mono=True)
    return canvas.shown(f"{len(numbers)} numbers as tokens. {'; '.join(told)}.")


def typed_and_meant(
    typed: Sequence[int], meant: Sequence[int], vocab: Sequence[bytes], names: Mapping[int, str]
) -> Drawing:
    """The ids of a text in which a special token is spelled out, and with the token itself.

    Args:
        typed, meant: the ids.
        vocab: the bytes of each token that is text.
        names: of the special tokens, by their ids.
    """
    canvas = Canvas(132)
    rows = [("typed by a user: text like any other", typed), ("put in by the program", meant)]
    for place, (title, ids) in enumerate(rows):
        y = 66 * place
        canvas.words(title, (2, y + 9), size=12, anchor="start", bold=True)
        texts = [names.get(i) or spelled(vocab[i]) for i in ids]
        boxes = labelled(canvas, 2, y + 20, texts, [*map(str, ids)], least=32, gap=3)
        for i, box in zip(ids, boxes, strict=True):
            if i in names:  # no bytes of a text make it
                canvas.box(box.x + 3, box.y + 3, box.width - 6, box.height - 6, filled=False)
    told = "; ".join(f"{title}: {', '.join(map(str, ids))}" for title, ids in rows)
    special = ", ".join(names.values())
    return canvas.shown(f"Two rows of tokens, as ids. {told}. Framed twice: {special}.")
