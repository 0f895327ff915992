"""Two answers to one question, and what makes one of them the better."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def preferred_answer(
    answers: tuple[str, str],
    model: Sequence[Number],
    reference: Sequence[Number],
    beta: Number,
) -> Drawing:
    """The chosen answer and the rejected one: log-probabilities, log-ratios, margin, loss.

    Args:
        answers: the chosen one, the rejected one.
        model, reference: the logarithm of the probability that each gives to the two.
        beta: what a log-ratio is multiplied with.

    Raises:
        ValueError: not two numbers each.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if len(model) != 2 or len(reference) != 2:
        raise ValueError(f"{len(model)} and {len(reference)} numbers: give two each")
    canvas = Canvas(250)
    ratios = [ours - theirs for ours, theirs in zip(model, reference, strict=True)]
    margin = beta * (ratios[0] - ratios[1])
    loss = math.log1p(math.exp(-margin))
    roles = ("value", "gradient")
    for name, y in (("model", 78), ("reference", 104), ("log-ratio", 138)):
        canvas.words(name, (4, y), "muted", 12, "start")
    for side, (answer, title) in enumerate(zip(answers, ("chosen", "rejected"), strict=True)):
        x = 150 + 136 * side
        canvas.words(title, (x, 12), roles[side], 13, bold=True)
        canvas.box(x - 62, 26, 124, 28, answer, roles[side], size=12, mono=True)
        canvas.words(number_text(model[side], 1), (x, 78), mono=True)
        canvas.words(f"− ({number_text(reference[side], 1)})", (x, 104), "muted", mono=True)
        canvas.line((x - 40, 119), (x + 40, 119), role="ink", width=1)
        canvas.words(number_text(ratios[side], 1), (x, 138), roles[side], 14, mono=True, bold=True)
        canvas.line((x, 150), (218, 174), role=roles[side], arrow=True)
    parts = " − ".join(f"({number_text(r, 1)})" if r < 0 else number_text(r, 1) for r in ratios)
    line = f"margin = {beta:g} × ({parts}) = {number_text(margin, 2)}"
    canvas.words(line, (WIDTH / 2, 190), size=13, bold=True)
    line = f"loss = −ln σ({number_text(margin, 2)}) = {number_text(loss, 3)}"
    canvas.words(line, (WIDTH / 2, 220), size=13, bold=True)
    return canvas.shown(
        f"Two answers. The chosen one, {answers[0]}, has the log-probability {model[0]:.1f}, by "
        f"the reference {reference[0]:.1f}, a log-ratio of {ratios[0]:.1f}; the rejected one, "
        f"{answers[1]}, {model[1]:.1f}, {reference[1]:.1f} and {ratios[1]:.1f}. The margin is "
        f"{margin:.2f}, the loss {loss:.3f}."
    )
