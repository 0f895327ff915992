"""Averages of a token and those before it, and why it may not look ahead."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import Canvas, Drawing


def seen_and_guessed(tokens: Sequence[str]) -> Drawing:
    """What each token of a text may look at, and what it has to guess.

    Args:
        tokens: 3 to 6 of them; the last is only guessed.

    Raises:
        ValueError: fewer or more.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if not 3 <= len(tokens) <= 6:
        raise ValueError(f"{len(tokens)} tokens: there is room for 3 to 6")
    count, left, top, tall = len(tokens) - 1, 56, 52, 30
    wide = 224 / count
    canvas = Canvas(top + tall * count + 8)
    canvas.words("may look at", (left + wide * count / 2, 12), size=12, bold=True)
    canvas.words("must guess", (318, 12), size=12, bold=True)
    for column, token in enumerate(tokens[:-1]):
        canvas.words(token, (left + wide * (column + 0.5), 36), mono=True, size=12)
    for row, token in enumerate(tokens[:-1]):
        y = top + tall * row
        canvas.words(token, (left - 6, y + tall / 2), anchor="end", mono=True, size=12)
        for column in range(count):
            seen, answer = column <= row, column == row + 1
            role = "token" if seen else "gradient" if answer else "rule"
            canvas.box(
                left + wide * column + 2,
                y + 2,
                wide - 4,
                tall - 4,
                "yes" if seen else "answer" if answer else "",
                role=role,
                filled=seen,
                dashed=answer,
                size=9.5 if answer else 11,
            )
        canvas.tokens(288, y + 3, [tokens[row + 1]], role="gradient", size=12, width=60)
    told = "; ".join(
        f"{tokens[row]} sees {row + 1} and must guess {tokens[row + 1]}" for row in range(count)
    )
    return canvas.shown(
        f"A row for each token: {told}. The answer of a row stands in the next column, which is "
        "hidden."
    )


def averaging(
    tokens: Sequence[str], weights: Float[Tensor, "T T"], x: Float[Tensor, "T C"]
) -> Drawing:
    """Weights times vectors, as one product of matrices.

    Args:
        tokens: their names, 3 or 4.
        weights: a row a token. x: a vector a token, of at most 4 numbers.

    Raises:
        ValueError: other shapes.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if not len(tokens) == len(weights) == len(x) <= 4 or x.shape[1] > 4:
        raise ValueError(
            f"{len(tokens)} tokens, weights {tuple(weights.shape)}, x {tuple(x.shape)}: give at "
            "most 4 tokens, with vectors of at most 4 numbers"
        )
    tall, names = 21, 58
    canvas = Canvas(46 + tall * len(tokens))
    looks = {"cell": (24, tall), "digits": 1, "rows": tokens, "role": "query"}
    grid = canvas.grid(names, 40, weights, name="weights", **looks)
    after = grid.right[0]
    canvas.words("×", (after + 9, grid.middle[1]), size=15)
    grid = canvas.grid(after + 18, 40, x, cell=(18, tall), digits=0, role="token", name="x")
    after = grid.right[0]
    canvas.words("=", (after + 9, grid.middle[1]), size=15)
    result = weights @ x
    looks = {"cell": (26, tall), "digits": 1, "role": "token", "name": "averages"}
    canvas.grid(after + 18, 40, result, **looks)
    return canvas.shown(
        f"A {len(x)} by {len(x)} grid of weights, times a grid of {len(x)} vectors, is a grid of "
        f"{len(x)} averages. The weights of the last row, that of {tokens[-1]}, are "
        f"{', '.join(f'{w:.1f}' for w in weights[-1].tolist())}."
    )


def own_share(weights: Float[Tensor, "T T"], places: Sequence[int]) -> Drawing:
    """How much of an average is the token's own vector, at some places of a text.

    Args:
        weights: a row a token.
        places: counted from 1.

    Raises:
        ValueError: a place that is not there.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if not all(1 <= place <= len(weights) for place in places):
        raise ValueError(f"places {list(places)} of {len(weights)} tokens: count from 1")
    canvas = Canvas(26 * len(places) + 26)
    canvas.words("token", (30, 10), "muted", 12)
    canvas.words("its own share of the average", (72, 10), "muted", 12, "start")
    shares = [weights[place - 1, place - 1].item() for place in places]
    for row, (place, share) in enumerate(zip(places, shares, strict=True)):
        y = 22 + 26 * row
        canvas.words(str(place), (40, y + 10), anchor="end", mono=True)
        canvas.box(60, y, 240, 20, role="muted")
        canvas.box(60, y, 240 * share, 20, role="token")
        canvas.words(f"{share:.0%}", (308, y + 10), anchor="start", mono=True)
    told = ", ".join(f"{share:.0%} at {place}" for share, place in zip(shares, places, strict=True))
    return canvas.shown(f"A bar for each place of a text, the token's own share filled: {told}.")
