"""Ids on a line, and rows of a table: picked, multiplied, reached by gradients."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import LETTER, WIDTH, Canvas, Drawing


def half_way(triples: Sequence[Sequence[tuple[str, int]]]) -> Drawing:
    """Two tokens on the line of their ids, and the one half-way between, for several pairs.

    Args:
        triples: three tokens with their ids, the middle one second; 1 to 4 such triples.

    Raises:
        ValueError: not three tokens, or more triples than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if not 1 <= len(triples) <= 4 or any(len(triple) != 3 for triple in triples):
        raise ValueError(f"{len(triples)} lines of tokens: give 1 to 4, of three tokens each")
    canvas = Canvas(74 * len(triples))
    told = []
    for place, triple in enumerate(triples):
        y = 40 + 74 * place
        canvas.line((20, y), (WIDTH - 20, y), role="rule")
        for x, (text, token_id), role in zip((50, 180, 310), triple, ROLES_OF_THREE, strict=True):
            width = max(30, 8 * len(text) + 14)
            canvas.tokens(x - width / 2, y - 34, [text], role=role, width=width)
            canvas.circle((x, y), 3.5, role)
            canvas.words(f"{token_id}", (x, y + 15), "muted", 12, mono=True)
        (left, a), (middle, m), (right, b) = triple
        told.append(f"between “{left}” {a} and “{right}” {b} lies “{middle}” {m}")
    return canvas.shown(f"Tokens on the line of their ids: {'; '.join(told)}.")


ROLES_OF_THREE = ("token", "gradient", "token")


def lookup(
    words: Sequence[str],
    ids: Sequence[int],
    table: Float[Tensor, "V C"],
    columns: Sequence[str] = (),
) -> Drawing:
    """Rows of a table, picked by the ids of a text: an arrow to each row, and one from there.

    Args:
        words: of the vocabulary, by id; at most 6, of 5 letters at most.
        ids: of the text; at most 6.
        table: a row a word, of at most 3 numbers.
        columns: what the numbers mean, in 4 letters at most.

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
    looks = {"cell": (30, step), "role": "token", "largest": float(table.abs().max())}
    grid = canvas.grid(
        134, y[0], table, rows=words, columns=columns, name="" if columns else "table", **looks
    )
    if columns:
        canvas.words(f"table {tuple(table.shape)}", (grid.top[0], 14), size=12, bold=True)
    canvas.words("vectors", (356 - width / 2, 14), size=12, bold=True)
    for place, row in enumerate(ids):
        (token,) = canvas.tokens(2, y[place] + 2, [words[row]], width=44)
        (x, middle), picked = token.right, grid.row(row)
        canvas.words(str(row), (x + 8, middle), "muted", 11, mono=True)
        vector = canvas.grid(356 - width, y[place], table[row], **looks)
        name = picked.left[0] - 6 - LETTER * 12 * len(words[row])  # where it begins
        to_row = (x + 15, middle), (name - 3, picked.left[1])
        from_row = (picked.right[0] + 3, picked.right[1]), vector.left
        for way in (to_row, from_row):
            canvas.line(*way, role="token", arrow=True, strength=0.8)
    text = " ".join(words[i] for i in ids)
    meaning = f" Its columns mean {', '.join(columns)}." if columns else ""
    return canvas.shown(
        f"The text “{text}” as ids, and a table with a row a word. An arrow leads from each id to "
        "its row, and one from there to the vector at the token's place: "
        f"{len(ids)} vectors; equal tokens have equal ones."
        f"{meaning}"
    )


def one_hot_product(words: Sequence[str], picked: int, table: Float[Tensor, "V C"]) -> Drawing:
    """A one-hot vector times a table: each row times 0 or 1, and their sum.

    Args:
        words: of the vocabulary, by id; at most 6.
        picked: the id that is written as a one-hot vector.
        table: a row a word, of at most 3 numbers.

    Raises:
        ValueError: more of any than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(words) > 6 or len(words) != len(table) or table.shape[1] > 3:
        raise ValueError(
            f"{len(words)} words and a table of {tuple(table.shape)}: there is room for 6, and a "
            "row of 3 numbers a word"
        )
    step, top, width = 28, 40, 30 * table.shape[1]
    bottom = top + step * len(words)
    canvas = Canvas(bottom + 62)
    one_hot = [float(i == picked) for i in range(len(words))]
    largest = {"largest": float(table.abs().max())}
    canvas.grid(
        52, top, [[n] for n in one_hot], cell=(28, step), digits=0, rows=words, role="muted"
    )
    canvas.grid(106, top, table, cell=(30, step), role="token", **largest)
    right = WIDTH - 4 - width
    canvas.words("one-hot", (66, 16), size=12, bold=True)
    canvas.words(f"table {tuple(table.shape)}", (106 + width / 2, 16), size=12, bold=True)
    canvas.words("products", (right + width / 2, 16), size=12, bold=True)
    for i, weight in enumerate(one_hot):
        y = top + step * (i + 0.5)
        role = "token" if i == picked else "muted"
        canvas.words("×", (93, y), "muted", 13)
        canvas.line((110 + width, y), (right - 6, y), role=role, arrow=True)
        canvas.grid(
            right, y - step / 2, table[i] * weight, cell=(30, step), role="token", **largest
        )
    canvas.line((right, bottom + 6), (right + width, bottom + 6), role="ink")
    canvas.words("their sum", (right - 8, bottom + 28), "muted", 12, "end")
    total = (table * table.new_tensor(one_hot)[:, None]).sum(dim=0)
    canvas.grid(right, bottom + 14, total, cell=(30, step), role="token", **largest)
    return canvas.shown(
        f"The one-hot vector of “{words[picked]}” has a 1 beside row {picked} of the table and 0 "
        f"beside the others. Each row times its number, added up, is row {picked}."
    )


def reached(
    words: Sequence[str], reading: Float[Tensor, "V C"], scoring: Float[Tensor, "V C"]
) -> Drawing:
    """The gradients of two tables, that which is read and that which scores, row beside row.

    Args:
        words: of the vocabulary, by id; at most 6.
        reading: the gradient of the table that is read, at most 3 numbers a row.
        scoring: that of the table that scores.

    Raises:
        ValueError: more than there is room for, or not a row a word.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(words) > 6 or reading.shape != scoring.shape or reading.shape != (len(words), 3):
        raise ValueError(
            f"{len(words)} words and gradients of {tuple(reading.shape)} and "
            f"{tuple(scoring.shape)}: give at most 6 words, and 3 numbers a word in both"
        )
    cell, largest = (46, 26), float(max(reading.abs().max(), scoring.abs().max()))
    canvas = Canvas(44 + 26 * len(words))
    looks = {"cell": cell, "digits": 2, "role": "gradient", "largest": largest}
    for x, name, gradient in ((52, "reading table", reading), (218, "scoring table", scoring)):
        canvas.words(name, (x + 69, 16), size=12, bold=True)
        names = words if gradient is reading else ()
        canvas.grid(x, 34, gradient, rows=names, **looks)
    untouched = [words[i] for i, row in enumerate(reading.abs().sum(dim=1).tolist()) if not row]
    return canvas.shown(
        "The gradients of two tables, a row a word. In the reading table the rows of "
        f"{' and '.join(untouched) or 'no word'} are all 0; in the scoring table "
        f"{int((scoring != 0).any(dim=1).sum())} of {len(words)} rows have a gradient."
    )
