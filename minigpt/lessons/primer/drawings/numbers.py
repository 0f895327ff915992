"""Shapes of tensors, the spread of numbers, scores as shares, and what a guess costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Int
from torch import Tensor

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text
from minigpt.lessons.primer.drawings.frame import LOSS, PARAMETER, Frame, Range, plain


def shapes(batches: Int[Tensor, "N B three"]) -> Drawing:
    """A number, a row of them, a table of rows, a pile of tables: all from one pile.

    Args:
        batches: at most 3 tables of at most 5 rows of 3 numbers.

    Raises:
        ValueError: more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    count, rows, columns = batches.shape
    if count > 3 or rows > 5 or columns != 3:
        raise ValueError(f"a shape of {tuple(batches.shape)}: there is room for (3, 5, 3)")
    table = batches[0]
    looks = {"cell": (26, 22), "digits": 0, "role": "token", "largest": 45}
    canvas = Canvas(136 + 22 * rows + 16 * (count - 1))

    def named(name: str, tensor: Tensor, middle: Number, y: Number) -> None:
        canvas.words(name, (middle, y), size=13, bold=True)
        canvas.words(str(tuple(tensor.shape)), (middle, y + 17), "muted", 13, mono=True)

    named("a number", table[0, 0], 80, 12)
    canvas.grid(67, 42, table[0, 0].reshape(1), **looks)
    named("a row", table[0], 260, 12)
    canvas.grid(221, 42, table[0], **looks)
    y = 128
    named("a table", table, 80, 90)
    canvas.grid(41, y, table, **looks)
    named("a pile of tables", batches, 260, 90)
    canvas.grid(206, y, table, **looks)
    right, bottom = 206 + 78, y + 22 * rows
    for shift in (16 * place for place in range(1, count)):  # what can be seen of those behind
        canvas.line(
            (right + shift - 16, y + shift),
            (right + shift, y + shift),
            (right + shift, bottom + shift),
            (206 + shift, bottom + shift),
            (206 + shift, bottom + shift - 16),
            role="token",
        )
    return canvas.shown(
        f"A number has the shape (), a row of three {tuple(table[0].shape)}, a table of {rows} "
        f"rows {tuple(table.shape)}, a pile of {count} tables {tuple(batches.shape)}."
    )


def spreads(lists: Mapping[str, Sequence[float]], across: Range) -> Drawing:
    """Numbers as dots on a line each, with their mean and the root of their variance.

    Args:
        lists: two or three lists of numbers, by name; more than ten are spread upwards too.
        across: the least and the largest number of the line.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    canvas, told = Canvas(92 * len(lists)), []
    for place, (name, numbers) in enumerate(lists.items()):
        y = 92 * place
        mean = sum(numbers) / len(numbers)
        variance = sum((n - mean) ** 2 for n in numbers) / len(numbers)
        frame = Frame(canvas, (16, y + 20, 328, 44), across, (0, 1))
        canvas.words(name, (16, y + 10), size=12.5, anchor="start", bold=True)
        root = math.sqrt(variance)
        measures = f"mean {plain(mean, 2)}, variance {plain(variance)}, root {plain(root)}"
        canvas.words(measures, (344, y + 10), "muted", 12.5, "end")
        left, right = frame.at(mean - root, 0.5), frame.at(mean + root, 0.5)
        canvas.box(left[0], left[1] - 9, right[0] - left[0], 18, role="stream")
        canvas.line(frame.at(mean, 0), frame.at(mean, 1), role="stream", width=2)
        many = len(numbers) > 10
        for i, number in enumerate(numbers):
            height = 0.06 + 0.9 * (0.618 * i % 1) if many else 0.5
            canvas.circle(frame.at(number, height), 1.6 if many else 5, PARAMETER)
        frame.ticks(range(math.ceil(across[0]), math.floor(across[1]) + 1))
        these = f"{len(numbers)} numbers" if many else ", ".join(map(plain, numbers))
        told.append(f"{name}: {these}; {measures}")
    return canvas.shown(
        "Dots on a line, a stroke at their mean, and a bar as far to both sides as the root of "
        f"their variance. {'. '.join(told)}."
    )


def shares(labels: Sequence[str], scores: Sequence[float]) -> Drawing:
    """Scores, e to the power of each, and each power's share of their sum, as bars.

    Args:
        labels: at most 6. scores: one a label, from −4 to 4.

    Raises:
        ValueError: more than there is room for, or not a score a label.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    if len(labels) != len(scores) or len(labels) > 6 or max(map(abs, scores)) > 4:
        raise ValueError(f"{len(labels)} labels, scores {list(scores)}: at most 6, from -4 to 4")
    powers = [math.exp(score) for score in scores]
    total = sum(powers)
    canvas = Canvas(62 + 30 * len(labels))
    columns = (("score", 24, 2), ("e to the score", 138, 2), ("share", 252, 3))
    for name, x, _ in columns:
        canvas.words(name, (x + 48, 12), size=12.5, bold=True)
    most = max(map(abs, scores))
    for place, (label, score, power) in enumerate(zip(labels, scores, powers, strict=True)):
        y = 28 + 30 * place
        canvas.words(label, (10, y + 11), size=14, mono=True)
        for (_, x, digits), number, share in zip(
            columns,
            (score, power, power / total),
            (abs(score) / most, power / max(powers), power / max(powers)),
            strict=True,
        ):
            role = "query" if number >= 0 else "key"
            canvas.box(x, y, max(96 * share, 0.5), 22, role=role)
            text, long = number_text(number, digits), share > 0.7
            place_at = (x + 48 * share, y + 11) if long else (x + 96 * share + 6, y + 11)
            anchor = "middle" if long else "start"
            canvas.words(text, place_at, size=12.5, anchor=anchor, mono=True)
    y = 28 + 30 * len(labels)
    canvas.line((138, y + 2), (348, y + 2), role="rule")
    canvas.words(number_text(total, 2), (186, y + 17), size=12.5, mono=True)
    canvas.words("1", (300, y + 17), size=12.5, mono=True)
    canvas.words("sum", (120, y + 17), "muted", 12, "end")
    told = "; ".join(
        f"{label}: {number_text(score, 2)}, {number_text(power, 2)}, "
        f"{number_text(power / total, 3)}"
        for label, score, power in zip(labels, scores, powers, strict=True)
    )
    return canvas.shown(
        f"Three bars a letter: its score, e to the power of it, and the share that this is of the "
        f"sum, {number_text(total, 2)}. {told}."
    )


def surprises(marked: Mapping[str, float]) -> Drawing:
    """Minus the logarithm of a probability, from near 0 to 1, with some points named.

    Args:
        marked: probabilities by what they are called.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    canvas = Canvas(250)
    frame = Frame(canvas, (30, 20, 312, 190), (0, 1), (0, 4.5))
    frame.ticks((0, 0.25, 0.5, 0.75, 1), (0, 1, 2, 3, 4))
    xs = [0.0115 * 1.05**i for i in range(92)]
    xs = [x for x in xs if x < 1] + [1.0]
    frame.curve(xs, [-math.log(x) for x in xs], LOSS)
    told = []
    for name, p in marked.items():
        cost = -math.log(p) + 0.0
        at = frame.at(p, cost)
        canvas.circle(at, 5, LOSS)
        text = f"{name}: {number_text(cost, 2)}"
        end = p > 0.8
        place = (at[0] + (4 if end else 10), at[1] - (20 if end else 6))
        canvas.words(text, place, size=12.5, anchor="end" if end else "start")
        told.append(f"{name}, p = {plain(p)}: {number_text(cost, 2)}")
    canvas.words("surprise", (30, 8), LOSS, 12)
    canvas.words("p, the share that the right letter got", (WIDTH / 2, 238), "muted", 12)
    return canvas.shown(
        "A curve that falls from high above, at a probability near 0, to 0 at 1. "
        f"{'; '.join(told)}."
    )
