"""Where tokens stand: what a shuffle leaves alike, rows added for places, hands of clocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def shuffled(
    texts: Sequence[Sequence[str]], results: Sequence[Float[Tensor, "T C"]], marked: str
) -> Drawing:
    """What a step makes of the tokens of two sentences, with lines between equal results.

    Args:
        texts: the words of the two, at most 6 each, the same ones.
        results: a row a word, at most 3 numbers.
        marked: a word whose line stands out.

    Raises:
        ValueError: not two, more than there is room for, or other words.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(texts) != 2 or len(results) != 2 or sorted(texts[0]) != sorted(texts[1]):
        raise ValueError(f"{len(texts)} texts: give two, of the same words")
    if len(texts[0]) > 6 or any(len(rows) != len(texts[0]) for rows in results):
        raise ValueError(f"{len(texts[0])} words: there is room for 6, with a result each")
    step, cell = 32, 38
    width = cell * results[0].shape[1]
    canvas = Canvas(34 + step * len(texts[0]))
    sides = ((0, 46), (WIDTH - 42, WIDTH - 46 - width))
    rows_at = []
    for text, rows, (word_x, grid_x) in zip(texts, results, sides, strict=True):
        largest = float(max(r.abs().max() for r in results))
        middle = (word_x + grid_x + (width if word_x < grid_x else 42)) / 2
        canvas.words(f"sentence {'AB'[len(rows_at)]}", (middle, 12), size=12, bold=True)
        for place, word in enumerate(text):
            y = 28 + step * place
            canvas.tokens(word_x, y, [word], width=42)
            looks = {"digits": 2, "role": "stream", "largest": largest}
            canvas.grid(grid_x, y, rows[place], cell=(cell, 24), **looks)
        rows_at.append((grid_x, grid_x + width))
    joined = []
    left_over = [*range(len(texts[1]))]
    for i, word in enumerate(texts[0]):
        j = next(j for j in left_over if texts[1][j] == word)
        left_over.remove(j)
        if not bool((results[0][i] - results[1][j]).abs().max() < 1e-9):
            continue
        joined.append(word)
        ends = ((rows_at[0][1] + 2, 40 + step * i), (rows_at[1][0] - 2, 40 + step * j))
        role, wide = ("query", 2.5) if word == marked else ("muted", 1.2)
        canvas.line(*ends, role=role, width=wide)
    return canvas.shown(
        f"The results for each word of “{' '.join(texts[0])}” and of “{' '.join(texts[1])}”. A "
        f"line joins equal results of one word: {', '.join(joined) or 'there are none'}."
    )


def sums(
    words: Sequence[str], tokens: Float[Tensor, "T C"], positions: Float[Tensor, "T C"]
) -> Drawing:
    """A token's row plus its position's row, for each word of a text.

    Args:
        words: at most 6. tokens, positions: a row a word, of at most 3 numbers.

    Raises:
        ValueError: more than there is room for, or not as many rows.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(words) > 6 or tokens.shape != positions.shape or tokens.shape[1] > 3:
        raise ValueError(
            f"{len(words)} words, rows of {tuple(tokens.shape)} and {tuple(positions.shape)}: "
            "there is room for 6 words and 3 numbers, the same of both"
        )
    step, width = 30, 32 * tokens.shape[1]
    both = tokens + positions
    largest = float(max(tokens.abs().max(), positions.abs().max(), both.abs().max()))
    canvas = Canvas(36 + step * len(words))
    starts = [43 + place * (width + 14) for place in range(3)]
    names = ("token", "position", "both")
    for x, name in zip(starts, names, strict=True):
        canvas.words(name, (x + width / 2, 12), size=12, bold=True)
    for place, word in enumerate(words):
        y = 28 + step * place
        canvas.tokens(0, y, [word], width=40)
        parts = (tokens[place], "token"), (positions[place], "position"), (both[place], "stream")
        for x, (row, role) in zip(starts, parts, strict=True):
            canvas.grid(x, y + 2, row, cell=(32, 20), role=role, largest=largest)
        for x, sign in ((starts[1] - 7, "+"), (starts[2] - 7, "=")):
            canvas.words(sign, (x, y + 12), "muted")
    same = [i for i, word in enumerate(words) if words.index(word) != i]
    repeated = f" “{words[same[0]]}” stands twice, and its two sums differ." if same else ""
    return canvas.shown(
        f"For each word of “{' '.join(words)}” its row of the token table plus the row of its "
        f"position, number by number.{repeated}"
    )


def clocks(positions: Sequence[int], turns: Sequence[float]) -> Drawing:
    """Hands of clocks that turn at several speeds, a column a position.

    Args:
        positions: at most 6.
        turns: radians that each hand turns a position, at most 4, the fastest first.

    Raises:
        ValueError: more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if not 1 <= len(positions) <= 6 or not 1 <= len(turns) <= 4:
        raise ValueError(
            f"{len(positions)} positions and {len(turns)} hands: there is room for 6 and 4"
        )
    left, step, tall = 62, (WIDTH - 62) / len(positions), 84
    radius = 20
    canvas = Canvas(24 + tall * len(turns))
    canvas.words("position", (4, 12), "muted", 12, "start")
    for i, position in enumerate(positions):
        canvas.words(str(position), (left + step * (i + 0.5), 12), size=13, bold=True)
    for j, turn in enumerate(turns):
        y = 52 + tall * j
        canvas.words(f"hand {j}", (4, y), "muted", 12, "start")
        for i, position in enumerate(positions):
            middle = (left + step * (i + 0.5), y)
            sin, cos = math.sin(position * turn), math.cos(position * turn)
            canvas.circle(middle, radius, "rule", filled=False)
            tip = (middle[0] + radius * cos, middle[1] - radius * sin)
            canvas.line(middle, tip, role="position", arrow=True, width=2.2)
            for number, below in ((sin, 10), (cos, 23)):
                text = number_text(number, 2)
                canvas.words(text, (middle[0], y + radius + below), "muted", 11, mono=True)
    slowest = number_text(turns[-1], 3)
    return canvas.shown(
        f"{len(turns)} hands at {len(positions)} positions. The first turns by "
        f"{number_text(turns[0], 3)} radians a position, the last by {slowest}. Below each hand "
        "stand the height and the width of its tip, its sine and cosine."
    )
