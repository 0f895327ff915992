"""Bars: one number's gradient from batch to batch, and losses above the floor of a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing


def gradients_of_batches(gradients: Sequence[float], means: Sequence[float]) -> Drawing:
    """What each batch says of one number, and the running mean of it.

    Args:
        gradients, means: one a batch, in the order of the steps; at most 40.

    Raises:
        ValueError: not as many of each, or more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    count = len(gradients)
    if not 2 <= count <= 40 or len(means) != count:
        raise ValueError(f"{count} gradients, {len(means)} means: give 2 to 40 of each")
    canvas = Canvas(214)
    zero, tall = 94, 76 / max(map(abs, [*gradients, *means]))
    wide = (WIDTH - 8) / count
    canvas.words("the loss would grow", (4, 8), "muted", 11, "start")
    canvas.words("the loss would fall", (4, 182), "muted", 11, "start")
    for place, gradient in enumerate(gradients):
        top = min(zero, zero - tall * gradient)
        canvas.box(5 + wide * place, top, wide - 2, tall * abs(gradient), role="muted")
    canvas.line((4, zero), (WIDTH - 4, zero), role="ink", width=1)
    points = [(4 + wide * (i + 0.5), zero - tall * mean) for i, mean in enumerate(means)]
    canvas.line(*points, role="gradient", width=3)
    canvas.words("batch →", (WIDTH - 4, 182), "muted", 11, "end")
    canvas.box(6, 198, 12, 12, role="muted")
    canvas.words("one batch", (24, 204), size=12, anchor="start")
    canvas.line((120, 204), (142, 204), role="gradient", width=3)
    canvas.words("running mean", (148, 204), size=12, anchor="start")
    up = sum(gradient > 0 for gradient in gradients)
    reach = [max(map(abs, part)) for part in (gradients, means[count // 2 :])]
    return canvas.shown(
        f"The gradient of one number in {count} batches: above 0 in {up} of them, below in "
        f"{count - up}, up to {reach[0]:.4f} from it. Their running mean stays within "
        f"{reach[1]:.4f} in the second half."
    )


def losses_above_a_floor(losses: Mapping[str, float], floor: float) -> Drawing:
    """Losses as bars, with the part below a floor that none can go under.

    Args:
        losses: by name, in nats per character; at most 5.
        floor: the entropy of the language, in the same unit.

    Raises:
        ValueError: no losses or more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if not 1 <= len(losses) <= 5:
        raise ValueError(f"{len(losses)} losses: give 1 to 5")
    canvas = Canvas(46 * len(losses) + 30)
    unit = (WIDTH - 60) / max(losses.values())
    for place, (name, loss) in enumerate(losses.items()):
        y = 8 + 46 * place
        canvas.words(name, (4, y + 4), size=12, anchor="start")
        canvas.box(4, y + 14, unit * loss, 16, role="stream")
        canvas.words(f"{loss:.3f}", (10 + unit * loss, y + 22), size=12, anchor="start", bold=True)
    x, bottom = 4 + unit * floor, 46 * len(losses) + 4
    for place in range(len(losses)):
        y = 8 + 46 * place
        canvas.line((x, y + 11), (x, y + 33), role="gradient", width=3)
    words = f"the floor, {floor:.3f}, at the upright line"
    canvas.words(words, (4, bottom + 12), "gradient", 12, "start", bold=True)
    told = ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
    return canvas.shown(
        f"A bar for each loss in nats per character: {told}. A line at {floor:.3f} is the floor of "
        "this language."
    )
