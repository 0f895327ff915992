"""A net that guesses letters: a batch of examples, the net at one of them, its losses."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing, number_text
from minigpt.lessons.primer.drawings.frame import LOSS, PARAMETER, Frame, plain


def batch_of(
    examples: Sequence[tuple[str, str, str]], drawn: Collection[int], losses: Sequence[float]
) -> Drawing:
    """Examples, of which a few are drawn, and the mean of what these cost.

    Args:
        examples: the two letters that are known, and the next one; at most 10.
        drawn: the places of those that are drawn. losses: of each of these.

    Raises:
        ValueError: more than there is room for, or not a loss for each drawn.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    if len(examples) > 10 or len(drawn) != len(losses):
        raise ValueError(
            f"{len(examples)} examples, {len(drawn)} drawn and {len(losses)} losses: there is room "
            "for 10, and each drawn one has a loss"
        )
    step = 27
    canvas = Canvas(34 + step * len(examples))
    canvas.words("examples", (54, 12), size=12.5, bold=True)
    canvas.words("surprise", (190, 12), size=12.5, bold=True)
    canvas.words("loss of the batch", (300, 12), size=12.5, bold=True)
    middle = 28 + step * len(examples) / 2
    costs = dict(zip(sorted(drawn), losses, strict=True))
    for place, (before, last, after) in enumerate(examples):
        y = 28 + step * place
        role = "token" if place in drawn else "muted"
        canvas.tokens(4, y, [before, last], role, size=12, width=24)
        canvas.line((58, y + 11), (76, y + 11), role=role, arrow=True)
        canvas.tokens(80, y, [after], role, size=12, width=24)
        if place in drawn:
            canvas.line((110, y + 11), (160, y + 11), role="token", arrow=True)
            canvas.words(number_text(costs[place], 2), (190, y + 11), size=13, mono=True)
            canvas.line((214, y + 11), (262, middle), role=LOSS, strength=0.7)
    mean = sum(losses) / len(losses)
    canvas.box(262, middle - 22, 92, 44, role=LOSS)
    canvas.words("their mean", (308, middle - 10), size=11.5)
    canvas.words(number_text(mean, 3), (308, middle + 9), size=14, mono=True, bold=True)
    return canvas.shown(
        f"A column of {len(examples)} examples, two letters and the next one. {len(drawn)} are "
        f"drawn; they cost {', '.join(number_text(loss, 2) for loss in losses)}, and the batch the "
        f"mean, {number_text(mean, 3)}."
    )


def net_at_work(
    letters: tuple[str, str],
    rows: tuple[Sequence[float], Sequence[float]],
    hidden: Sequence[float],
    guesses: Sequence[tuple[str, float, float]],
) -> Drawing:
    """From two letters to shares: two rows, their sum bent, scores, shares.

    Args:
        letters: the one before the last, and the last. rows: of each, from its table.
        hidden: tanh of their sum.
        guesses: the best letters, each with its score and its share; at most 5.

    Raises:
        ValueError: rows of unlike lengths, or too many guesses.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    width = len(hidden)
    if {len(row) for row in rows} != {width} or len(guesses) > 5:
        raise ValueError(f"rows of {[*map(len, rows)]} and {width} numbers, {len(guesses)} guesses")
    canvas = Canvas(268 + 26 * len(guesses))
    cell = (160 / width, 22)
    largest = max(abs(n) for row in (*rows, hidden) for n in row)
    looks = {"cell": cell, "digits": None, "largest": largest}
    for letter, row, x, name in zip(
        letters, rows, (4, 196), ("table `before`", "table `last`"), strict=True
    ):
        canvas.tokens(x + 62, 4, [letter], size=15, width=36)
        canvas.line((x + 80, 34), (x + 80, 56), role="token", arrow=True)
        canvas.grid(x, 60, row, **looks)
        canvas.words(f"its row in {name}".replace("`", ""), (x + 80, 94), "muted", 12)
        canvas.line((x + 80, 104), (180, 130), arrow=True)
    canvas.words("+, then tanh", (180, 106), "muted", 12)
    canvas.grid(100, 134, hidden, **looks)
    canvas.words("hidden", (268, 145), "muted", 12, "start")
    canvas.line((180, 158), (180, 188), arrow=True)
    canvas.words("dot product with the row of each of 27 signs", (180, 200), "muted", 12)
    canvas.line((180, 210), (180, 230), arrow=True)
    for name, x in (("score", 92), ("share, after softmax", 236)):
        canvas.words(name, (x, 242), size=12, bold=True)
    for place, (letter, score, share) in enumerate(guesses):
        y = 256 + 26 * place
        canvas.tokens(4, y, [letter], size=12, width=26)
        canvas.words(number_text(score, 2), (92, y + 11), size=13, mono=True)
        long = max(1.0, 160 * share / guesses[0][2])
        canvas.box(140, y, long, 20, role="query")
        canvas.words(
            number_text(share, 3), (146 + long, y + 11), size=13, anchor="start", mono=True
        )
    told = ", ".join(f"{letter} {number_text(share, 3)}" for letter, _, share in guesses)
    return canvas.shown(
        f"The rows of {letters[0]} and {letters[1]}, {width} numbers each, are added and bent by "
        f"tanh; dot products with a row for each letter are the scores, and softmax makes shares "
        f"of them. The best: {told}."
    )


def losses_by_step(losses: Sequence[float], smooth: int = 10) -> Drawing:
    """The loss of each batch, the mean of a few in a row, and the loss of guessing one of 27.

    Args:
        losses: a step each. smooth: how many a mean is taken of.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    canvas, steps = Canvas(230), len(losses)
    frame = Frame(canvas, (30, 20, 312, 172), (0, steps), (2, 3.6))
    frame.ticks(range(0, steps + 1, 50), (2, 2.5, 3, 3.5))
    guessing = math.log(27)
    canvas.line(frame.at(0, guessing), frame.at(steps, guessing), role="muted", dashed=True)
    canvas.words(
        f"knowing nothing: {number_text(guessing, 3)}",
        (342, frame.at(0, guessing)[1] - 9),
        "muted",
        12,
        "end",
    )
    for step, loss in enumerate(losses, start=1):
        canvas.circle(frame.at(step, min(3.6, max(2, loss))), 1.8, LOSS)
    means = [sum(losses[i : i + smooth]) / smooth for i in range(0, steps, smooth)]
    middles = [i + (smooth + 1) / 2 for i in range(0, steps, smooth)]
    frame.curve(middles, means, PARAMETER)
    last = f"the last {smooth}: {number_text(means[-1], 2)}"
    canvas.words(last, (342, frame.at(0, 3.1)[1]), PARAMETER, 12.5, "end")
    canvas.words("loss", (30, 8), LOSS, 12)
    canvas.words("step", (186, 222), "muted", 12)
    return canvas.shown(
        f"{steps} points, the losses of the batches, and a line through the means of {smooth}: "
        f"from {number_text(means[0], 2)} down to {number_text(means[-1], 2)}, below the "
        f"{plain(guessing)} of knowing nothing."
    )
