"""The steps of attention on a few tokens, with every number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def attention_of_one(
    tokens: Sequence[str],
    query: Float[Tensor, " D"],
    keys: Float[Tensor, "T D"],
    values: Float[Tensor, "T D"],
) -> Drawing:
    """What the last of a few tokens takes from each: query, keys, scores, weights, values, sum.

    Args:
        tokens: 2 to 4 of them, of which the last one asks.
        query: its own. keys, values: of all.

    Raises:
        ValueError: too few or too many tokens, or not a key and a value for each.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    count = len(tokens)
    if not 2 <= count <= 4 or len(keys) != count or len(values) != count:
        raise ValueError(
            f"{count} tokens, {len(keys)} keys and {len(values)} values: give 2 to 4 of each"
        )
    scores = keys @ query / math.sqrt(len(query))
    weights = scores.softmax(dim=0)
    output = weights @ values
    canvas = Canvas(452)
    middles = [60 + (WIDTH - 60) * (place + 0.5) / count for place in range(count)]
    asks = middles[-1]
    width = 34 * len(query)
    for text, y in zip(
        ("query", "keys", "scores", "weights", "values", "output"),
        (56, 118, 206, 262, 336, 420),
        strict=True,
    ):
        canvas.words(text, (4, y), "muted", 12, "start")
    for token, middle in zip(tokens, middles, strict=True):
        role = "query" if middle == asks else "token"
        canvas.tokens(middle - 30, 6, [token], role=role, width=60)
    canvas.grid(asks - width / 2, 44, query, role="query")
    for place, middle in enumerate(middles):
        left, weight = middle - width / 2, weights[place].item()
        canvas.line((asks, 70), (middle, 104), role="query", arrow=True, strength=0.7)
        canvas.grid(left, 106, keys[place], role="key")
        canvas.line((middle, 132), (middle, 194), role="key", arrow=True)
        canvas.words(number_text(scores[place].item(), 2), (middle, 206), mono=True)
        canvas.line((middle, 216), (middle, 236), arrow=True)
        canvas.box(middle - 32, 240, 64, 44, filled=False, role="rule")
        tall = 44 * weight
        canvas.box(middle - 32, 284 - tall, 64, tall, role="query")
        canvas.words(number_text(weight, 2), (middle, 262), mono=True, bold=True)
        canvas.grid(left, 324, values[place], role="value")
        looks = {"width": 1 + 5 * weight, "strength": 0.25 + 0.75 * weight}
        canvas.line((middle, 350), (asks, 406), role="value", arrow=True, **looks)
    canvas.words("q · k ÷ √D", (4, 162), "muted", 11, "start")
    canvas.words("softmax", (4, 234), "muted", 11, "start")
    canvas.words("weight × value, added up", (4, 384), "muted", 11, "start")
    wide = 40 * len(query)
    canvas.grid(asks - wide / 2, 408, output, digits=2, role="value", cell=(40, 26))
    best = int(weights.argmax())
    shown = ", ".join(
        f"{number_text(weight, 2)} to {token}"
        for weight, token in zip(weights.tolist(), tokens, strict=True)
    )
    return canvas.shown(
        f"The query of {tokens[-1]} meets every key; the softmax makes weights of the scores: "
        f"{shown}. The values, each as thick an arrow as its weight, add up to the output, most of "
        f"it from {tokens[best]}."
    )


def queries_keys_values(
    tokens: Sequence[str],
    x: Float[Tensor, "T C"],
    matrices: Sequence[Float[Tensor, "C D"]],
) -> Drawing:
    """The same vectors times three matrices: queries, keys and values.

    Args:
        tokens: 3 of them. x: a vector each, of at most 4 numbers.
        matrices: for queries, keys and values, to 2 numbers.

    Raises:
        ValueError: other shapes.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if len(tokens) != 3 or x.shape[1] > 4 or [m.shape[1] for m in matrices] != [2] * 3:
        shapes = [tuple(m.shape) for m in matrices]
        raise ValueError(f"{len(tokens)} tokens, x {tuple(x.shape)}, {shapes}: draw 3, 4 and 2")
    tall, step = 21, 4 * 21 + 44
    canvas = Canvas(step * 3)
    looks = {"cell": (20, 24), "digits": 0, "rows": tokens, "role": "token", "name": "x"}
    vectors = canvas.grid(60, step * 1.5 - 36, x, **looks)
    made = zip(("query", "key", "value"), "qkv", matrices, strict=True)
    for place, (role, letter, matrix) in enumerate(made):
        y = step * place + 30
        looks = {"cell": (24, tall), "digits": 0, "role": role}
        grid = canvas.grid(186, y, matrix, name=f"W_{letter}", **looks)
        canvas.line(vectors.right, grid.left, role=role, arrow=True)
        result = canvas.grid(
            280, y + 7, x @ matrix, cell=(34, 24), digits=0, role=role, name=letter
        )
        canvas.line(grid.right, result.left, role=role, arrow=True)
    last = tokens[-1]
    found = [[round(n) for n in (x @ m)[-1].tolist()] for m in matrices]
    return canvas.shown(
        f"The vectors x, times three matrices, are queries q, keys k and values v. {last} has the "
        f"query {found[0]}, the key {found[1]} and the value {found[2]}."
    )


def all_at_once(
    tokens: Sequence[str],
    q: Float[Tensor, "T D"],
    k: Float[Tensor, "T D"],
    v: Float[Tensor, "T D"],
) -> Drawing:
    """All of causal attention as tables: scores, the future hidden, weights, outputs.

    Args:
        tokens: 3 of them. q, k, v: two numbers each.

    Raises:
        ValueError: other shapes.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if len(tokens) != 3 or not q.shape == k.shape == v.shape == (3, 2):
        raise ValueError(f"{len(tokens)} tokens, q {tuple(q.shape)}: draw 3, with 2 numbers each")
    scores = q @ k.T / math.sqrt(2)
    future = scores.new_ones(3, 3).triu(1).bool()
    weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)
    hidden = [(row, column) for row, column in future.nonzero().tolist()]
    canvas = Canvas(392)
    query = canvas.grid(60, 40, q, cell=(28, 22), digits=0, rows=tokens, role="query", name="q")
    canvas.words("×", (124, query.middle[1]), size=15)
    keys = canvas.grid(136, 52, k.T, cell=(34, 24), digits=0, role="key", name="kᵀ")
    canvas.words("÷ √D", (keys.middle[0], 114), "muted", 12)
    canvas.words("=", (keys.right[0] + 8, query.middle[1]), size=15)
    looks = {"cell": (34, 22), "digits": 1, "role": "query"}
    table = canvas.grid(256, 40, scores, **looks)
    canvas.words("scores (3, 3)", (table.top[0], 29), size=12, bold=True)
    masked = canvas.grid(256, 158, scores, hidden=hidden, **looks)
    for row, column in hidden:
        canvas.words("−∞", masked.cell(row, column).middle, "muted", 13)
    canvas.line(table.bottom, masked.top, arrow=True)
    canvas.words("hide the future", (masked.x - 8, 140), "muted", 12, "end")
    shares = canvas.grid(60, 300, weights, rows=tokens, name="weights", **looks | {"digits": 2})
    turn = (shares.top[0], masked.middle[1])
    canvas.line(masked.left, turn, (shares.top[0], 276), arrow=True)
    canvas.words("softmax, row by row", (shares.top[0] + 8, 236), "muted", 12, "start")
    canvas.words("×", (shares.right[0] + 11, shares.middle[1]), size=15)
    value = canvas.grid(182, 300, v, cell=(28, 22), digits=0, role="value", name="v")
    canvas.words("=", (value.right[0] + 11, shares.middle[1]), size=15)
    looks = {"cell": (40, 22), "digits": 2, "role": "value"}
    canvas.grid(260, 300, weights @ v, name="output", **looks)
    rows = "; ".join(
        f"{token}: {', '.join(f'{w:.2f}' for w in row)}"
        for token, row in zip(tokens, weights.tolist(), strict=True)
    )
    return canvas.shown(
        "Queries times keys give a table of scores, a row a query. What lies above its diagonal is "
        f"hidden, and the softmax of each row makes weights: {rows}. Times the values they are the "
        "outputs."
    )
