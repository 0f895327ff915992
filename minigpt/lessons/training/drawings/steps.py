"""A step of training: what goes round, how averages begin, how large the steps of a run are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def one_step(numbers: int, batch: tuple[int, int], loss: float, length: float) -> Drawing:
    """The round that training goes: windows, model, loss, gradient, step.

    Args:
        numbers: of the model.
        batch: how many windows, and how long they are.
        loss: of the batch, in nats. length: of its gradient.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    canvas = Canvas(344)
    rows = (
        ("token", "windows of the text", f"{batch[0]} × {batch[1]} tokens"),
        ("stream", "the model", f"{numbers:,} numbers"),
        ("query", "loss: how surprised?", f"{loss:.2f} nats"),
        ("gradient", "gradient: which way is up?", f"as many, length {length:.1f}"),
        ("value", "a step down", "how far, each number?"),
    )
    boxes = []
    for place, (role, what, size) in enumerate(rows):
        y = 6 + 68 * place
        boxes.append(canvas.box(34, y, 222, 48, role=role))
        canvas.words(what, (145, y + 16), size=13, bold=True)
        canvas.words(size, (145, y + 34), "muted", 12)
    for above, below in pairwise(boxes):
        canvas.line(above.bottom, below.top, role="ink", arrow=True)
    step, model = boxes[4].right, boxes[1].right
    canvas.line(step, (292, step[1]), (292, model[1]), model, role="value", arrow=True, width=2.5)
    canvas.words("new", (326, 172), "muted", 12)
    canvas.words("numbers", (326, 187), "muted", 12)
    return canvas.shown(
        f"A round of training: {batch[0]} windows of {batch[1]} tokens go into a model of "
        f"{numbers:,} numbers, which gives a loss of {loss:.2f} nats; its gradient, as many "
        f"numbers, is {length:.1f} long; a step against it changes the model, and the round begins "
        "again."
    )


def running_means(raw: Sequence[float], corrected: Sequence[float]) -> Drawing:
    """A running mean that begins at 0, as it is and divided by what it has seen, step by step.

    Args:
        raw, corrected: as many of each; at most 8.

    Raises:
        ValueError: not as many, or more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if len(raw) != len(corrected) or not 1 <= len(raw) <= 8:
        raise ValueError(f"{len(raw)} and {len(corrected)} means: give 1 to 8 of each")
    canvas = Canvas(184)
    wide, bottom, tall = (WIDTH - 8) / len(raw), 144, 100 / max(*raw, *corrected)
    for place, pair in enumerate(zip(raw, corrected, strict=True)):
        x = 4 + wide * place
        for side, (mean, role) in enumerate(zip(pair, ("muted", "gradient"), strict=True)):
            left, width = x + 2 + side * (wide / 2 - 1), wide / 2 - 3
            canvas.box(left, bottom - tall * mean, width, tall * mean, role=role)
            y = bottom - tall * mean - 8
            canvas.words(number_text(mean, 2), (left + width / 2, y), size=9.5, mono=True)
        canvas.words(f"step {place + 1}", (x + wide / 2, bottom + 11), "muted", 11)
    canvas.box(8, 166, 12, 12, role="muted")
    canvas.words("running mean", (26, 172), size=12, anchor="start")
    canvas.box(150, 166, 12, 12, role="gradient")
    canvas.words("divided by its share", (168, 172), size=12, anchor="start")
    told = [", ".join(number_text(x, 2) for x in means) for means in (raw, corrected)]
    return canvas.shown(
        f"Two bars a step. The running mean that began at 0: {told[0]}. Divided by the share of "
        f"the steps that it has seen: {told[1]}."
    )


def rates_of_a_run(shares: Sequence[float], warmup: int) -> Drawing:
    """The learning rate over a run, as a share of its highest, with its parts named.

    Args:
        shares: one a step. warmup: how many of them rise.

    Raises:
        ValueError: no steps after the warm-up, or a share outside of 0 and 1.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if not 0 < warmup < len(shares) or not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"{warmup} of {len(shares)} steps rise: give more steps, shares 0 to 1")
    canvas = Canvas(208)
    left, right, bottom, tall = 34, WIDTH - 8, 170, 140
    steps = len(shares)

    def place(step: int) -> tuple[float, float]:
        return left + (right - left) * step / (steps - 1), bottom - tall * shares[step]

    canvas.line((left, 20), (left, bottom), (right, bottom), role="rule")
    for share in (0, 1):
        canvas.words(str(share), (left - 10, bottom - tall * share), "muted", 11)
    kept = sorted({*range(0, steps, max(1, steps // 60)), warmup - 1, warmup, steps - 1})
    canvas.line(*map(place, kept), role="gradient", width=3)
    rise = place(warmup)[0]
    canvas.line((rise, 24), (rise, bottom), role="rule", dashed=True)
    for step in (warmup, steps):
        at = min(place(step - 1)[0], right - 12)
        canvas.words(str(step), (at, bottom + 13), "muted", 11)
    canvas.words("step", ((left + right) / 2, bottom + 13), "muted", 11)
    canvas.words("← warm-up: feel the way", (rise + 6, bottom - 12), size=11, anchor="start")
    canvas.words("large steps: cover ground", (rise + 24, 116), size=11, anchor="start")
    canvas.words("small steps: settle", (right, bottom - tall * 0.6), size=11, anchor="end")
    canvas.words("share of the highest rate", (left, 10), "muted", 11, "start")
    return canvas.shown(
        f"A line over {steps} steps: it rises from {shares[0]:.2f} to 1 within {warmup} steps, and "
        f"falls in a smooth bend to {shares[-1]:.2f} at the last one."
    )
