"""LayerNorm on one vector: its mean goes, and its deviation becomes 1."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import Canvas, Drawing, number_text
from minigpt.lessons.drawing.palette import BLUE, ORANGE

HALF = 42  # height above and below the 0 of each step


def norm_in_steps(x: Float[Tensor, " C"]) -> Drawing:
    """The numbers of a vector as bars: as they are, less their mean, over their deviation.

    Args:
        x: 2 to 6 numbers, not all the same.

    Raises:
        ValueError: more or fewer, or equal ones.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    if not 2 <= len(x) <= 6 or (x == x[0]).all():
        raise ValueError(f"{x.tolist()}: give 2 to 6 numbers, not all the same")
    mean, deviation = x.mean().item(), x.std(correction=0).item()
    steps = (
        ("as it is", x, f"mean {number_text(mean, 2)}"),
        ("minus the mean", x - mean, f"deviation {number_text(deviation, 2)}"),
        ("÷ the deviation", (x - mean) / deviation, "mean 0, deviation 1"),
    )
    height = 2 * HALF + 34
    canvas = Canvas(3 * height + 4)
    largest = max(step.abs().max().item() for _, step, _ in steps)
    for place, (name, numbers, told) in enumerate(steps):
        zero = place * height + HALF + 20
        canvas.words(name, (4, zero - 10), size=13, anchor="start", bold=True)
        canvas.words(told, (4, zero + 10), "muted", 12, "start")
        canvas.line((132, zero), (352, zero), role="rule")
        step = 220 / len(x)
        for i, number in enumerate(numbers.tolist()):
            middle, tall = 132 + step * (i + 0.5), HALF * abs(number) / largest
            top = zero - tall if number >= 0 else zero
            if tall >= 0.5:
                canvas.box(middle - 15, top, 30, tall, role=BLUE if number >= 0 else ORANGE)
            digits = 0 if float(number).is_integer() else 2
            y = zero - tall - 10 if number >= 0 else zero + tall + 10
            canvas.words(number_text(number, digits), (middle, y), size=12, mono=True)
        if place < 2:
            canvas.line((60, zero + 24), (60, zero + height - 26), arrow=True)
    shown = ", ".join(number_text(n, 2) for n in steps[2][1].tolist())
    return canvas.shown(
        f"The numbers {', '.join(number_text(n, 0) for n in x.tolist())} as bars, then less their "
        f"mean, {number_text(mean, 2)}, then divided by their deviation, "
        f"{number_text(deviation, 2)}: {shown}. The bars keep their order."
    )
