"""Drawings of the chapter on embeddings, from its own numbers."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import Canvas, Drawing


def lookup(words: Sequence[str], ids: Sequence[int], table: Float[Tensor, "V C"]) -> Drawing:
    """Rows of a table, picked by the ids of a text.

    Args:
        words: of the vocabulary, by id; at most 6.
        ids: of the text; at most 6.
        table: a row a word, of at most 3 numbers.

    Raises:
        ValueError: more of any than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if max(len(words), len(ids)) > 6 or table.shape[1] > 3 or len(words) != len(table):
        raise ValueError(
            f"{len(words)} words, {len(ids)} ids and a table of {tuple(table.shape)}: there is "
            "room for 6, 6 and a row of 3 numbers a word"
        )
    step = 28
    canvas = Canvas(62 + step * max(len(words), len(ids)))
    width = 30 * table.shape[1]
    y = [50 + step * place for place in range(6)]
    canvas.words("text", (26, 14), size=12, bold=True)
    grid = canvas.grid(102, y[0], table, cell=(30, step), rows=words, role="token", name="table")
    canvas.words("vectors", (356 - width / 2, 14), size=12, bold=True)
    for place, row in enumerate(ids):
        (token,) = canvas.tokens(2, y[place] + 2, [words[row]], width=48)
        left = grid.row(row).right
        end = (356 - width, y[place] + step / 2)
        canvas.line((left[0] + 3, left[1]), end, role="token", arrow=True, strength=0.8)
        looks = {"cell": (30, step), "role": "token", "largest": float(table.abs().max())}
        canvas.grid(356 - width, y[place], table[row], **looks)
        canvas.words(str(row), (token.right[0] + 8, token.right[1]), "muted", 11, mono=True)
    text = " ".join(words[i] for i in ids)
    return canvas.shown(
        f"The text “{text}” as ids, a table with a row a word, and an arrow from the row of each "
        f"token to its place below the others: {len(ids)} vectors; equal tokens have equal ones."
    )
