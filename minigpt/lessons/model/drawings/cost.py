"""What a model costs: its numbers as areas, and what a block keeps for the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing
from minigpt.lessons.model.drawings.parts import ATTENTION, MLP
from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_count, parameter_counts

ACROSS, DOWN = 352, 216  # of the large model


def areas(large: tuple[str, GPTConfig], small: tuple[str, GPTConfig]) -> Drawing:
    """The learned numbers of two models as areas, on one scale.

    Args:
        large, small: a name and sizes each; the small one has at most a tenth of the numbers.

    Raises:
        ValueError: the small one has more.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    (name, config), (other, little) = large, small
    total, less = parameter_count(config), parameter_count(little)
    if 10 * less > total:
        raise ValueError(f"{other} has {less:,} numbers, {name} {total:,}: give one ten times less")
    counts = parameter_counts(config)
    canvas = Canvas(DOWN + 116)
    canvas.words(f"{name}: {total:,} numbers", (4, 10), size=13, anchor="start", bold=True)
    top, x = 24.0, 4.0
    for part, role in (("token_embedding", "token"), ("position_embedding", "position")):
        wide = ACROSS * counts[part] / total
        box = canvas.box(x, top, wide, DOWN, role=role)
        if part == "token_embedding":
            canvas.words("token table", (box.middle[0], box.middle[1] - 8), size=13)
            canvas.words(_percent(counts[part], total), (box.middle[0], box.middle[1] + 10))
        x += wide
    n = config.n_layer
    columns = next(c for c in (4, 6, 3, 2, 1) if n % c == 0)
    wide, tall = (4 + ACROSS - x) / columns, DOWN * columns / n
    inside = counts["attention"] / (counts["attention"] + counts["mlp"])
    for i in range(n):
        left, y = x + (i % columns) * wide, top + (i // columns) * tall
        canvas.box(left, y, wide * inside, tall, role=ATTENTION)
        canvas.box(left + wide * inside, y, wide * (1 - inside), tall, role=MLP)
    side = (less / total * ACROSS * DOWN) ** 0.5
    y = top + DOWN + 14
    legend = (
        ("token", "token table", "token_embedding"),
        ("position", "positions", "position_embedding"),
        (ATTENTION, f"attention, {n} times", "attention"),
        (MLP, f"MLP, {n} times", "mlp"),
    )
    for i, (role, words, part) in enumerate(legend):
        at = y + 6 + 19 * i
        canvas.box(4, at - 6, 12, 12, role=role)
        told = f"{words}: {_percent(counts[part], total)}"
        canvas.words(told, (22, at), size=12, anchor="start")
    canvas.box(300, y, side, side, role="stream")
    canvas.words(f"{other}:", (290, y + 8), size=12, anchor="end", bold=True)
    canvas.words(f"{less:,}", (290, y + 25), size=12, anchor="end")
    shares = ", ".join(f"{words} {_percent(counts[part], total)}" for _, words, part in legend)
    return canvas.shown(
        f"The {total:,} numbers of {name} as an area, divided into {shares}. Beside it, on the "
        f"same scale, a square of {side:.0f} by {side:.0f} units: the {less:,} numbers of {other}."
    )


def _percent(part: int, total: int) -> str:
    return f"{part / total:.1%}".replace("%", " %")


def kept_by_a_block(kept: Sequence[tuple[str, str, int]]) -> Drawing:
    """What a block keeps of each token for the way back, in vectors of C numbers.

    Args:
        kept: a name, "attention" or "MLP", and how many vectors, in the order of their making.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    roles: Mapping[str, str] = {"attention": ATTENTION, "MLP": MLP}
    step, left, wide = 25, 190, 36
    canvas = Canvas(step * len(kept) + 40)
    for place, (name, half, times) in enumerate(kept):
        y = 4 + step * place
        canvas.words(name, (left - 8, y + 9), size=12, anchor="end")
        for i in range(times):
            canvas.box(left + i * (wide + 3), y, wide, 18, "C", role=roles[half], size=11)
    total = sum(times for _, _, times in kept)
    canvas.words(
        f"together {total} C", (left, step * len(kept) + 18), size=13, anchor="start", bold=True
    )
    told = ", ".join(f"{name} {times}" for name, _, times in kept)
    return canvas.shown(
        f"What a block keeps of a token, in vectors of C numbers: {told}; together {total}."
    )
