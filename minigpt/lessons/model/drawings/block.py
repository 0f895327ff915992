"""A block: what it does to two tokens, how it is wired, and where its norms may stand."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import Canvas, Drawing, number_text
from minigpt.lessons.model.drawings.parts import ATTENTION, MLP, plus


def block_at_work(
    tokens: Sequence[str],
    columns: Sequence[str],
    x: Float[Tensor, "T C"],
    gathered: Float[Tensor, "T C"],
    computed: Float[Tensor, "T C"],
) -> Drawing:
    """Vectors to which attention adds what it gathered, and an MLP what it computed.

    Args:
        tokens: two of them. columns: what each number of a vector stands for; three of them.
        x: the vectors. gathered, computed: what the two parts add.

    Raises:
        ValueError: other shapes.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    shapes = {tuple(part.shape) for part in (x, gathered, computed)}
    if shapes != {(2, 3)} or len(tokens) != 2 or len(columns) != 3:
        raise ValueError(f"shapes {shapes}: give two tokens, and a vector of 3 numbers for each")
    canvas = Canvas(392)
    cell, left, right, middle = (32, 24), 56, 244, 104
    largest = max(part.abs().max().item() for part in (x, gathered, computed))
    looks = {"cell": cell, "digits": 0, "largest": largest}
    stream = x
    top = canvas.grid(left, 38, x, rows=tokens, columns=columns, role="stream", **looks)
    canvas.words("stream", (left - 6, 20), "stream", 12, "end", bold=True)
    for name, told, part, role, y in (
        ("attention", "between tokens", gathered, ATTENTION, 38),
        ("MLP", "within each token", computed, MLP, 186),
    ):
        box = canvas.box(right - 8, y + 2, 112, 26, name, role=role)
        canvas.line(top.right, (box.x, top.right[1]), role="stream", arrow=True)
        canvas.words(told, (box.middle[0], y - 10), "muted", 11)
        added = canvas.grid(right, y + 74, part, role=role, **looks)
        canvas.line(box.bottom, added.top, role=role, arrow=True)
        plus(canvas, middle, added.middle[1])
        canvas.line(added.left, (middle + 10, added.middle[1]), role=role, arrow=True)
        canvas.words("adds", (202, added.middle[1] - 9), "muted", 11)
        canvas.line(top.bottom, (middle, added.middle[1] - 10), role="stream", width=3)
        stream = stream + part
        top = canvas.grid(left, y + 148, stream, rows=tokens, role="stream", **looks)
        canvas.line((middle, added.middle[1] + 10), top.top, role="stream", arrow=True, width=3)
    last = ", ".join(
        f"{number_text(n, 0)} for {column}"
        for n, column in zip(stream[1].tolist(), columns, strict=True)
    )
    return canvas.shown(
        f"The vectors of “{tokens[0]}” and “{tokens[1]}”, from top to bottom. Attention reads them "
        "and adds what it gathered between tokens; the MLP reads the sum and adds what it computed "
        f"within each token. In the end the vector of “{tokens[1]}” has {last}."
    )


def block(shape: tuple[int, ...], hidden: tuple[int, ...]) -> Drawing:
    """How a block is wired: each part reads a normalised copy of the stream and adds to it.

    Args:
        shape: of the stream. hidden: of the MLP's inside.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    canvas = Canvas(366)
    line, boxes, width = 70, 160, 130
    canvas.words("stream", (line, 12), "stream", 13, bold=True)
    canvas.words(f"{shape}", (line + 34, 12), "muted", 12, "start", mono=True)
    start = 24
    for y, name, role, told in (
        (36, "attention", ATTENTION, "between tokens"),
        (192, "MLP", MLP, f"inside {hidden}"),
    ):
        norm = canvas.box(boxes, y, width, 24, "norm", filled=False)
        canvas.line((line, norm.left[1]), norm.left, role="stream", arrow=True)
        canvas.words("copy", (115, norm.left[1] - 9), "muted", 11)
        part = canvas.box(boxes, y + 44, width, 34, name, role=role)
        canvas.line(norm.bottom, part.top, arrow=True)
        canvas.words(told, (boxes + 4, y + 91), "muted", 11, "start")
        turn = y + 112
        canvas.line(
            (boxes + width - 12, part.bottom[1]),
            (boxes + width - 12, turn),
            (line + 11, turn),
            role=role,
            arrow=True,
        )
        plus(canvas, line, turn, 11)
        canvas.line((line, start), (line, turn - 11), role="stream", width=4)
        start = turn + 11
    canvas.line((line, start), (line, 346), role="stream", width=4, arrow=True)
    canvas.words("to the next block", (line, 358), "muted", 11)
    return canvas.shown(
        f"The stream, of shape {shape}, runs straight down. Twice a copy leaves it, goes through a "
        "norm and a part, first attention and then the MLP, and what comes out is added to the "
        "stream."
    )


def wirings() -> Drawing:
    """Pre-norm and post-norm beside each other.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    canvas = Canvas(236)
    for x, title, post in ((8, "pre-norm (GPT-2)", False), (192, "post-norm (2017)", True)):
        line, boxes = x + 26, x + 62
        canvas.words(title, (x + 80, 12), size=13, bold=True)
        turn, end = 134, 228
        canvas.line((line, 26), (line, turn - 11), role="stream", width=4)
        if post:
            part = canvas.box(boxes, 60, 96, 32, "part", role=ATTENTION)
            canvas.line((line, 44), (part.top[0], 44), part.top, role="stream", arrow=True)
        else:
            norm = canvas.box(boxes, 32, 96, 24, "norm", role="gradient", filled=False)
            part = canvas.box(boxes, 76, 96, 32, "part", role=ATTENTION)
            canvas.line((line, norm.left[1]), norm.left, role="stream", arrow=True)
            canvas.line(norm.bottom, part.top, arrow=True)
        canvas.line(
            part.bottom, (part.bottom[0], turn), (line + 11, turn), role=ATTENTION, arrow=True
        )
        plus(canvas, line, turn, 11)
        if post:
            box = canvas.box(line - 22, 164, 44, 24, "norm", role="gradient", filled=False, size=12)
            canvas.words("all that was", (box.right[0] + 8, 170), "muted", 11, "start")
            canvas.line((line, turn + 11), box.top, role="stream", width=4)
            canvas.line(box.bottom, (line, end), role="stream", width=4, arrow=True)
            canvas.words("added is rescaled", (box.right[0] + 8, 184), "muted", 11, "start")
        else:
            canvas.line((line, turn + 11), (line, end), role="stream", width=4, arrow=True)
            canvas.words("what was added", (line + 14, 170), "muted", 11, "start")
            canvas.words("stays as it is", (line + 14, 184), "muted", 11, "start")
    return canvas.shown(
        "Two wirings. Pre-norm: a norm stands before the part, on the copy that it reads, and the "
        "stream runs past it. Post-norm: the norm stands on the stream, behind the sum, so that "
        "all that was written before passes through it."
    )
