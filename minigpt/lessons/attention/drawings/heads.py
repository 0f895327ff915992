"""One layer of several heads: split, each for itself, joined and mixed."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.boxes import Grid
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing

CELL = (11, 11)


def split_and_joined(
    x: Float[Tensor, "T C"],
    heads: Float[Tensor, "3 H T D"],
    weights: Float[Tensor, "H T T"],
    outputs: Float[Tensor, "H T D"],
    mixed: Float[Tensor, "T C"],
) -> Drawing:
    """Vectors, their queries, keys and values cut into 2 heads, what each gathers, and the whole.

    Args:
        x: what comes in. heads: queries, keys and values.
        weights, outputs: of each head. mixed: what comes out.

    Raises:
        ValueError: not 2 heads, or more numbers than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    count, T, D = outputs.shape
    if count != 2 or D > 4 or T > 5:
        raise ValueError(f"{count} heads, {T} tokens, D = {D}: draw 2 heads, at most 5 and 4")
    canvas, middle = Canvas(6 * (11 * T + 46) - 20), WIDTH / 2
    step, looks = 11 * T + 46, {"cell": CELL, "digits": None}
    top = [26 + step * stage for stage in range(6)]

    def named(text: str, grid: Grid) -> None:
        canvas.words(text, (grid.top[0], grid.y - 9), size=11)

    start = canvas.grid(middle - 11 * D, top[0], x, role="stream", **looks)
    named(f"x (T, C) = {tuple(x.shape)}", start)
    halves = []
    for kind, (role, at) in enumerate((("query", 62), ("key", middle), ("value", WIDTH - 62))):
        pair = [
            canvas.grid(at + side, top[1], heads[kind, h], role=role, **looks)
            for h, side in enumerate((-11 * D - 3, 3))
        ]
        canvas.words(("queries", "keys", "values")[kind], (at, top[1] - 9), size=11)
        canvas.line(start.bottom, (at, top[1] - 18), role=role, arrow=True)
        halves.append(pair)
    joined_at = (middle - 11 * D, middle)
    for h, at in enumerate((72, 200)):
        table = canvas.grid(at - 5.5 * T, top[2], weights[h], role="query", **looks)
        named(f"head {h + 1}: weights {tuple(weights[h].shape)}", table)
        for kind, role in ((0, "query"), (1, "key")):
            aim = (table.top[0] + 12 * (kind - 0.5), top[2] - 18)
            canvas.line(halves[kind][h].bottom, aim, role=role, arrow=True, strength=0.8)
        gathered = canvas.grid(at - 5.5 * D, top[3], outputs[h], role="value", **looks)
        named(f"gathered {tuple(outputs[h].shape)}", gathered)
        canvas.line(table.bottom, (at, top[3] - 18), role="query", arrow=True)
        from_values = halves[2][h].bottom
        aim = (gathered.right[0] + 3, gathered.middle[1])
        down = gathered.right[0] + 22
        level, right = top[3] - 28, from_values[0]
        way = [(right, level), (down, level), (down, aim[1])] if h == 0 else [(right, aim[1])]
        canvas.line(from_values, *way, aim, role="value", arrow=True, strength=0.8)
        part = canvas.grid(joined_at[h], top[4], outputs[h], role="value", **looks)
        canvas.line(gathered.bottom, part.top, role="value", arrow=True)
    canvas.words("joined (T, C)", (middle, top[4] + 11 * T + 9), size=11)
    end = canvas.grid(middle - 11 * D, top[5], mixed, role="stream", **looks)
    canvas.line((middle, top[4] + 11 * T + 17), (middle, top[5] - 3), arrow=True)
    canvas.words("projection", (middle + 8, top[5] - 12), "muted", 11, "start")
    canvas.words("(T, C) again", (end.right[0] + 8, end.middle[1]), size=11, anchor="start")
    return canvas.shown(
        f"Vectors of {2 * D} numbers become queries, keys and values, cut into 2 heads of {D}. "
        f"Each head has weights of its own, {T} by {T}, and gathers {D} numbers a token. Side by "
        f"side these are {2 * D} again, and the projection mixes them."
    )
