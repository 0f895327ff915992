"""Vectors as points and as arrows: a map of letters, and directions beside lengths."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text

ROOM = 16.5  # from one letter of a map to the next


def letters_map(
    letters: Sequence[str],
    maps: Mapping[str, Float[Tensor, "n 2"]],
    marked: Collection[str],
) -> Drawing:
    """Where letters lie on maps of their vectors, beside each other.

    Letters that would cover each other are moved apart.

    Args:
        letters: as many as the maps have points.
        maps: places by the name of a map, such as "before".
        marked: letters that stand out.

    Raises:
        ValueError: a map without a place for each letter.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    wide, gap = (WIDTH - 8 * (len(maps) - 1)) / len(maps), 8
    canvas = Canvas(wide + 34)
    for at, (name, places) in enumerate(maps.items()):
        if len(places) != len(letters):
            raise ValueError(f"{len(letters)} letters and {len(places)} places on {name!r}")
        x = at * (wide + gap)
        canvas.words(name, (x + wide / 2, 12), size=12, bold=True)
        canvas.box(x + 1, 26, wide - 2, wide, filled=False, role="rule")
        low, high = places.amin(dim=0), places.amax(dim=0)
        shares = (places - low) / (high - low)
        points = torch.stack([shares[:, 0], 1 - shares[:, 1]], dim=1) * (wide - 28)
        for letter, (across, down) in zip(letters, _apart(points).tolist(), strict=True):
            point = (x + 14 + across, 40 + down)
            if letter in marked:
                canvas.circle(point, 8.5, "token")
            canvas.words(letter, point, size=13, mono=True, bold=letter in marked)
    return canvas.shown(
        f"Maps of {len(letters)} letters, {' and '.join(maps)}: each letter where its vector lies "
        f"along the two directions of most difference, {', '.join(sorted(marked))} marked."
    )


def _apart(points: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The same points, those that would cover each other moved aside, none out of the map."""
    edge = points.amax(dim=0)
    for _ in range(100):
        away = points[:, None] - points[None]  # (n, n, 2)
        far = away.norm(dim=-1)
        push = ((ROOM - far).clamp(min=0) / 2).fill_diagonal_(0)
        points = points + (away / far.clamp(min=0.1)[..., None] * push[..., None]).sum(dim=1) / 2
        points = points.clamp(min=points.new_zeros(2), max=edge)
    return points


def direction_and_length(
    name: str, row: Float[Tensor, " C"], others: Mapping[str, Float[Tensor, " C"]]
) -> Drawing:
    """Vectors as arrows from one point: their true lengths, and true angles to one of them.

    Args:
        name: of the one that lies flat. row: its numbers.
        others: the rows of 1 to 3 others, by name.

    Raises:
        ValueError: no others, or more than 3.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if not 1 <= len(others) <= 3:
        raise ValueError(f"{len(others)} other vectors: give 1 to 3")
    length = row.norm().item()
    longest = max(length, *(other.norm().item() for other in others.values()))
    scale = (WIDTH - 120) / longest
    angles = {
        text: math.acos((other @ row).item() / length / other.norm().item())
        for text, other in others.items()
    }
    tall = max(
        scale * others[text].norm().item() * math.sin(angle) for text, angle in angles.items()
    )
    base: Number = tall + 30
    canvas = Canvas(base + 40 + 20 * len(others))
    canvas.line((16, base), (16 + scale * length, base), role="query", arrow=True, width=2.5)
    canvas.words(name, (22 + scale * length, base), anchor="start", mono=True, bold=True)
    tips = {}
    for text, angle in angles.items():
        far = scale * others[text].norm().item()
        tips[text] = (16 + far * math.cos(angle), base - far * math.sin(angle))
    told = []
    for place, (text, other) in enumerate(others.items()):
        far, angle, tip = other.norm().item(), angles[text], tips[text]
        # A name stands to the right of the dashed lines that would go through it.
        beside = max(x for x, y in tips.values() if y <= tip[1])
        canvas.line((16, base), tip, role="token", arrow=True, width=2.5)
        canvas.line(tip, (tip[0], base), dashed=True, strength=0.6)
        canvas.words(text, (beside + 9, tip[1] - 6), anchor="start", mono=True, bold=True)
        dot, cosine = (other @ row).item(), math.cos(angle)
        line = f"{text}: length {number_text(far, 2)}, cosine {number_text(cosine, 2)}, dot product"
        line = f"{line} {number_text(dot, 2)}"
        canvas.words(line, (16, base + 30 + 20 * place), "muted", 12, "start")
        told.append(line)
    return canvas.shown(
        f"Arrows for rows of the table, each as long as its row and at its angle to {name}, which "
        f"lies flat and is {number_text(length, 2)} long. {'; '.join(told)}."
    )
