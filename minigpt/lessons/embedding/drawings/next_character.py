"""What comes next: a stretch and its targets, counted pairs, scores, and a loss that falls."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text
from minigpt.lessons.drawing.token_text import VISIBLE


def seen(text: str) -> str:
    """A character as a drawing shows it."""
    return text.translate(VISIBLE)


def shifted(inputs: Sequence[str], targets: Sequence[str]) -> Drawing:
    """A stretch of text, and below each character the one that follows it.

    Args:
        inputs: 2 to 9 characters. targets: as many, the same from the second on.

    Raises:
        ValueError: too few or too many, or targets that are not what follows.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if not 2 <= len(inputs) <= 9 or [*inputs[1:]] != [*targets[:-1]]:
        raise ValueError(
            f"inputs {''.join(inputs)!r} and targets {''.join(targets)!r}: give 2 to 9 "
            "characters, and of each the one that follows"
        )
    canvas = Canvas(184)
    left, step = 62, (WIDTH - 62) / (len(inputs) + 1)
    size = {"width": step - 5, "gap": 5}
    whole = [seen(text) for text in (*inputs, targets[-1])]
    canvas.tokens(left, 14, whole, role="muted", **size)
    above = canvas.tokens(left, 78, whole[:-1], role="token", **size)
    below = canvas.tokens(left, 142, whole[1:], role="gradient", **size)
    for (x, y), (end_x, end_y) in zip(
        (box.bottom for box in above), (box.top for box in below), strict=True
    ):
        canvas.line((x, y + 3), (end_x, end_y - 3), role="ink", arrow=True)
    for text, y in (("text", 26), ("inputs", 90), ("targets", 154)):
        canvas.words(text, (4, y), "muted", 12, "start")
    pairs = ", ".join(f"{a} {b}" for a, b in itertools.pairwise(whole))
    return canvas.shown(
        f"The text {''.join(whole)} of {len(whole)} characters as {len(inputs)} inputs, and below "
        f"each its target, the character that follows: {pairs}."
    )


def pair_shares(
    firsts: Sequence[str], seconds: Sequence[str], shares: Float[Tensor, "F S"]
) -> Drawing:
    """How often characters follow characters, in percent, a row a first one.

    Args:
        firsts: of the rows; at most 8. seconds: of the columns; at most 7.
        shares: from 0 to 1.

    Raises:
        ValueError: more than there is room for, or not a share a pair.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(firsts) > 8 or len(seconds) > 7 or shares.shape != (len(firsts), len(seconds)):
        raise ValueError(
            f"{len(firsts)} rows and {len(seconds)} columns for shares of {tuple(shares.shape)}: "
            "there is room for 8 and 7"
        )
    canvas = Canvas(60 + 26 * len(firsts))
    canvas.words("… is followed by", (74 + 20 * len(seconds), 12), "muted", 12)
    canvas.grid(
        74, 48, 100 * shares, cell=(40, 26), digits=0, rows=[seen(c) for c in firsts],
        columns=[seen(c) for c in seconds], role="token", largest=100,
    )  # fmt: skip
    best = shares.argmax(dim=1).tolist()
    told = ", ".join(
        f"after {seen(first)} {100 * shares[i, best[i]]:.0f} for {seen(seconds[best[i]])}"
        for i, first in enumerate(firsts)
    )
    return canvas.shown(f"What follows each of some characters, in percent; the largest: {told}.")


def scored(
    word: str, row: Float[Tensor, " C"], words: Sequence[str], rows: Float[Tensor, "V C"]
) -> Drawing:
    """A row of one table, compared with every row of another: scores, then probabilities.

    Args:
        word: whose row was looked up. row: its at most 3 numbers.
        words: that may come next, at most 5. rows: of the second table, a row a word.

    Raises:
        ValueError: more than there is room for, or rows of another width.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(words) > 5 or rows.shape != (len(words), len(row)) or len(row) > 3:
        raise ValueError(
            f"a row of {len(row)} numbers, {len(words)} words and rows of {tuple(rows.shape)}: "
            "there is room for 3 numbers and 5 words, a row each"
        )
    scores = rows @ row
    shares = scores.softmax(dim=0)
    step, width = 32, 34 * len(row)
    canvas = Canvas(104 + step * len(words))
    canvas.tokens(4, 8, [word], width=46)
    canvas.line((54, 20), (74, 20), role="token", arrow=True)
    looks = {"cell": (34, 22), "role": "token"}
    largest = float(max(row.abs().max(), rows.abs().max()))
    canvas.grid(78, 9, row, largest=largest, **looks)
    canvas.words("its row of the reading table", (86 + width, 20), "muted", 11, "start")
    canvas.words("scoring table", (52 + width / 2, 66), size=12, bold=True)
    canvas.words("score", (52 + width + 48, 66), size=12, bold=True)
    canvas.words("probability", (52 + width + 132, 66), size=12, bold=True)
    canvas.line((78 + width / 2, 34), (78 + width / 2, 54), role="token", arrow=True)
    for place, text in enumerate(words):
        y = 84 + step * place
        canvas.words(text, (46, y + 12), "muted", 12, "end", mono=True)
        canvas.grid(52, y + 1, rows[place], largest=largest, cell=(34, 22), role="gradient")
        x = 52 + width
        canvas.line((x + 4, y + 12), (x + 28, y + 12), arrow=True)
        canvas.words(number_text(scores[place].item(), 2), (x + 48, y + 12), mono=True)
        share = shares[place].item()
        canvas.box(x + 78, y + 2, max(1, 84 * share), 20, role="token")
        canvas.words(
            number_text(share, 2), (x + 84 + 84 * share, y + 12), anchor="start", mono=True
        )
    best = int(shares.argmax())
    return canvas.shown(
        f"The row of “{word}” meets each row of the scoring table: "
        + ", ".join(
            f"{text} scores {number_text(s, 2)}"
            for text, s in zip(words, scores.tolist(), strict=True)
        )
        + f". The softmax makes probabilities of them, {number_text(shares[best].item(), 2)} for "
        f"“{words[best]}”."
    )


def falling(losses: Mapping[int, Number], lines: Mapping[str, Number]) -> Drawing:
    """The loss after some steps, as a line, beside what other ways of guessing cost.

    Args:
        losses: by steps, which begin with 0; drawn on a scale by factors of ten.
        lines: names of other ways, and their losses, drawn dashed.

    Raises:
        ValueError: fewer than two points.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if len(losses) < 2:
        raise ValueError(f"{len(losses)} points make no line: give at least two")
    canvas = Canvas(236)
    left, right, top, bottom = 40, WIDTH - 16, 24, 190
    every = [*losses.values(), *lines.values()]
    low, high = math.floor(min(every)), math.ceil(max(every))
    far = math.log1p(max(losses))

    def across(steps: Number) -> Number:
        return left + (right - left) * math.log1p(steps) / far

    def down(loss: Number) -> Number:
        return bottom - (bottom - top) * (loss - low) / (high - low)

    canvas.line((left, top - 8), (left, bottom), (right, bottom), role="rule")
    for loss in range(low, high + 1):
        canvas.words(str(loss), (left - 8, down(loss)), "muted", 12, "end")
    for name, loss in lines.items():
        canvas.line((left, down(loss)), (right, down(loss)), dashed=True)
        at_left = loss < (low + high) / 2  # where the line of losses is still high
        x, anchor = (left + 8, "start") if at_left else (right, "end")
        canvas.words(f"{name}: {loss:.2f}", (x, down(loss) - 11), "muted", 12, anchor)
    points = [(across(steps), down(loss)) for steps, loss in losses.items()]
    canvas.line(*points, role="stream", width=2.5)
    for (steps, loss), point in zip(losses.items(), points, strict=True):
        canvas.circle(point, 3.5, "stream")
        if loss > min(every) + 0.2:  # above the line, which goes down to the right
            canvas.words(f"{loss:.2f}", (point[0] + 5, point[1] - 11), size=11, anchor="start")
        else:
            canvas.words(f"{loss:.2f}", (point[0], point[1] + 14), size=11)
        canvas.words(f"{steps:,}", (point[0], bottom + 14), "muted", 12)
    canvas.words("steps of training", ((left + right) / 2, bottom + 34), "muted", 12)
    told = ", ".join(f"{loss:.2f} after {steps:,} steps" for steps, loss in losses.items())
    beside = ", ".join(f"{name} {loss:.2f}" for name, loss in lines.items())
    return canvas.shown(f"A line of losses that falls: {told}. Dashed beside it: {beside}.")
