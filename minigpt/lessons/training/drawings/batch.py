"""What a batch asks, and how it is read in parts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text

SPACE = {" ": "␣", "\n": "⏎"}


def surprises_of_a_window(text: str, chances: Sequence[float]) -> Drawing:
    """A window, its targets, the probability of each and its surprise, as a bar.

    Args:
        text: the window and one character more, 3 to 9 in all.
        chances: the probability that a model gave each character but the first.

    Raises:
        ValueError: too little or too much text, or not a probability a target.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if not 3 <= len(text) <= 9 or len(chances) != len(text) - 1:
        raise ValueError(f"{len(text)} characters, {len(chances)} chances: give 3 to 9, one less")
    canvas = Canvas(268)
    shown = [SPACE.get(character, character) for character in text]
    surprises = [-math.log(chance) for chance in chances]
    mean = sum(surprises) / len(surprises)
    left, step = 66, (WIDTH - 70) / len(chances)
    for name, y in (("window", 20), ("target", 72), ("chance", 112), ("surprise", 236)):
        canvas.words(name, (2, y), "muted", 12, "start")
    tall, bottom = 84 / max(surprises), 222
    for place, (chance, surprise) in enumerate(zip(chances, surprises, strict=True)):
        x = left + step * place
        middle = x + step / 2
        width = min(28, step - 4)
        (token,) = canvas.tokens(middle - width / 2, 8, [shown[place]], width=width)
        (target,) = canvas.tokens(
            middle - width / 2, 60, [shown[place + 1]], role="query", width=width
        )
        canvas.line(token.bottom, target.top, arrow=True)
        canvas.words(number_text(chance, 2), (middle, 112), size=11, mono=True)
        canvas.box(
            middle - width / 2, bottom - tall * surprise, width, tall * surprise, role="query"
        )
        canvas.words(number_text(surprise, 1), (middle, 236), size=11, mono=True)
    y = bottom - tall * mean
    canvas.line((left, y), (WIDTH - 2, y), role="gradient", dashed=True)
    canvas.words(f"loss, their mean: {mean:.2f}", (left, 258), "gradient", 13, "start", bold=True)
    told = ", ".join(
        f"{a} then {b} ({chance:.2f}, {surprise:.1f})"
        for a, b, chance, surprise in zip(shown, shown[1:], chances, surprises, strict=False)
    )
    return canvas.shown(
        "Each character of a window with the one that follows as its target, its probability and "
        f"its surprise: {told}. The mean of the surprises is the loss, {mean:.2f}."
    )


def batch_in_parts(windows: int, lengths: Sequence[float], whole: float) -> Drawing:
    """A batch cut in equal parts, whose gradients add up to that of the whole.

    Args:
        windows: of the batch, at most 16.
        lengths: of the parts' gradients, each already divided by how many there are.
        whole: the length of their sum.

    Raises:
        ValueError: a batch that does not divide, or one that has no room.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    parts = len(lengths)
    if windows > 16 or not 1 < parts <= 4 or windows % parts:
        raise ValueError(f"{windows} windows in {parts} parts: give up to 16, in 2 to 4 parts")
    canvas = Canvas(60 + 54 * parts)
    each, middle = windows // parts, 40 + 27 * parts - 8
    canvas.words("windows", (76, 12), size=12, bold=True)
    canvas.words("gradient ÷ " + str(parts), (214, 12), size=12, bold=True)
    canvas.words("in .grad", (322, 12), size=12, bold=True)
    for part, length in enumerate(lengths):
        y = 34 + 54 * part
        for window in range(each):
            canvas.box(4, y + 9 * window, 144, 7, role="token")
        box = canvas.box(176, y + 2, 76, 30, f"{length:.2f} long", "gradient", size=12)
        canvas.line((152, box.left[1]), box.left, arrow=True)
        canvas.line(box.right, (292, middle), role="gradient", arrow=True)
    canvas.circle((306, middle), 13, "gradient")
    canvas.words("+", (306, middle), size=16, bold=True)
    canvas.words(f"{whole:.2f} long", (322, middle + 26), size=12, bold=True)
    canvas.words("one step", (322, middle + 42), "muted", 11)
    told = ", ".join(f"{length:.2f}" for length in lengths)
    return canvas.shown(
        f"A batch of {windows} windows in {parts} parts of {each}. Their gradients, each divided "
        f"by {parts}, are {told} long and add up to one of {whole:.2f}, with which one step is "
        "taken."
    )
