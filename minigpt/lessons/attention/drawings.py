"""Drawings of the chapter on attention, from its own numbers."""

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
    canvas.grid(asks - width / 2, 408, output, digits=2, role="value", cell=(34, 26))
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
