"""How sharp weights are without the division, and how large their table grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing


def sharpness(rows: Mapping[str, Sequence[float]]) -> Drawing:
    """The weights of one query as bars, a row a way of making them.

    Args:
        rows: weights by what they are called.

    Raises:
        ValueError: rows of other lengths, or none.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    if len({len(weights) for weights in rows.values()}) != 1:
        raise ValueError(f"rows of {[len(w) for w in rows.values()]} weights: give equally many")
    tall, step = 44, 72
    canvas = Canvas(step * len(rows) + 4)
    for place, (name, weights) in enumerate(rows.items()):
        bottom = step * place + 22 + tall
        wide = (WIDTH - 8) / len(weights)
        canvas.words(name, (4, bottom - tall - 10), size=12, anchor="start", bold=True)
        canvas.words(
            f"largest {max(weights):.2f}", (WIDTH - 4, bottom - tall - 10), size=12, anchor="end"
        )
        for i, weight in enumerate(weights):
            canvas.box(
                4 + wide * i + 1, bottom - tall * weight, wide - 2, tall * weight, role="query"
            )
        canvas.line((4, bottom), (WIDTH - 4, bottom), width=1)
    told = "; ".join(f"{name}: largest {max(weights):.2f}" for name, weights in rows.items())
    return canvas.shown(f"The weights of one query over {len(weights)} keys, as bars. {told}.")


def growing(lengths: Sequence[int]) -> Drawing:
    """Tables of T × T beside each other, as large as they are.

    Args:
        lengths: T of each, growing.

    Raises:
        ValueError: more than fit.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    side = (WIDTH - 20 * len(lengths)) / sum(lengths)
    if side * min(lengths) < 12:
        raise ValueError(f"lengths {list(lengths)}: the smallest would be a dot; give fewer")
    tall = side * max(lengths)
    canvas = Canvas(tall + 52)
    x = 10.0
    for length in lengths:
        size = side * length
        canvas.box(x, tall - size + 4, size, size, role="query")
        middle = max(x + size / 2, 28)
        canvas.words(f"T = {length}", (middle, tall + 18), size=12, bold=True)
        canvas.words(f"{length * length:,}", (middle, tall + 36), "muted", 12)
        x += size + 20
    told = ", ".join(f"{length:,} tokens, {length * length:,} weights" for length in lengths)
    return canvas.shown(f"Squares of growing size: {told}.")
