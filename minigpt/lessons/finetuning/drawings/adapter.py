"""A layer with an adapter, number by number, and the memory that tuning takes."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text

PARTS = (("weights", "token"), ("gradients", "gradient"), ("moments", "key"))


def adapter_by_hand(
    weight: Float[Tensor, "2 3"],
    A: Float[Tensor, "1 3"],
    B: Float[Tensor, "2 1"],
    x: Float[Tensor, 3],
    scale: Number,
) -> Drawing:
    """A frozen matrix, a thin pair beside it, and what both make of a vector.

    Args:
        weight: of the layer. A, B: of the adapter. x: what comes in.
        scale: what the adapter's part is multiplied with.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    canvas = Canvas(306)
    cell = (36, 24)
    few, own = A @ x, weight @ x
    change = scale * (B @ few)
    canvas.words("frozen", (88, 12), "muted", 12)
    canvas.words("learns", (276, 12), "gradient", 12)
    canvas.grid(130, 40, x[None], cell, role="stream", name="x")
    into = canvas.grid(20, 104, weight, cell, role="token", name="W")
    thin = canvas.grid(222, 104, A, cell, role="gradient", name="A")
    canvas.line((170, 66), (into.top[0], 84), arrow=True)
    canvas.line((200, 66), (thin.top[0], 84), arrow=True)
    middle = canvas.grid(258, 158, few[None], cell, role="gradient")
    canvas.words("A x", (240, 170), size=12, anchor="end", bold=True)
    canvas.line(thin.bottom, middle.top, arrow=True)
    up = canvas.grid(258, 206, B, cell, role="gradient")
    canvas.words("B", (240, 230), size=12, anchor="end", bold=True)
    canvas.words(f"(2, 1), × {scale:g}", (300, 230), "muted", 11, "start")
    canvas.line(middle.bottom, up.top, arrow=True)
    left = canvas.grid(38, 272, own[None], cell, role="token")
    right = canvas.grid(150, 272, change[None], cell, role="gradient")
    total = canvas.grid(262, 272, (own + change)[None], cell, role="stream")
    canvas.line((into.bottom[0], into.bottom[1]), left.top, arrow=True)
    canvas.line((up.x, up.y + 36), right.top, role="gradient", arrow=True)
    canvas.words("+", ((left.right[0] + right.x) / 2, 284), size=16, bold=True)
    canvas.words("=", ((right.right[0] + total.x) / 2, 284), size=16, bold=True)
    told = [", ".join(number_text(n, 1) for n in v.tolist()) for v in (own, change, own + change)]
    return canvas.shown(
        f"A vector goes two ways: through the frozen matrix W, which gives {told[0]}, and through "
        f"A and B, which learn and give {told[1]} after × {scale:g}. The sum is {told[2]}."
    )


def memory_of_tuning(ledgers: Mapping[str, Mapping[str, int]]) -> Drawing:
    """Bytes of weights, gradients and moments as bars, one above the other.

    Args:
        ledgers: of each way to tune what `minigpt.finetuning.tuning_bytes` gives; at most 5.

    Raises:
        ValueError: no ledger, or more than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not 1 <= len(ledgers) <= 5:
        raise ValueError(f"{len(ledgers)} ledgers: give 1 to 5")
    canvas = Canvas(50 * len(ledgers) + 34)
    most = max(sum(parts.values()) for parts in ledgers.values())
    for place, (name, parts) in enumerate(ledgers.items()):
        y = 12 + 50 * place
        total = sum(parts.values())
        canvas.words(name, (4, y), size=13, anchor="start", bold=True)
        canvas.words(f"{total / 1e6:.1f} MB", (WIDTH - 4, y), anchor="end", mono=True)
        x = 4.0
        for part, role in PARTS:
            width = (WIDTH - 8) * parts[part] / most
            canvas.box(x, y + 12, width, 18, role=role)
            x += width
    x, y = 4.0, 50 * len(ledgers) + 22
    for part, role in PARTS:
        canvas.box(x, y - 7, 14, 14, role=role)
        canvas.words(part, (x + 20, y), size=12, anchor="start")
        x += 110
    told = "; ".join(
        f"{name} " + ", ".join(f"{part} {parts[part] / 1e6:.1f} MB" for part, _ in PARTS)
        for name, parts in ledgers.items()
    )
    return canvas.shown(f"Memory that tuning keeps. {told}.")
