"""Arrows and circles in the plane: a gradient cut short, and what a matrix makes of a circle."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.boxes import Point
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def shortened(gradient: Float[Tensor, 2], cut: Float[Tensor, 2], limit: float) -> Drawing:
    """A gradient of two numbers, the limit as a circle, and the gradient cut to it.

    Args:
        gradient, cut: before and after; pointing to the upper right, at most 5 long.
        limit: the length that is allowed.

    Raises:
        ValueError: a gradient that does not fit.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    if gradient.norm() > 5 or gradient.min() < 0:
        raise ValueError(f"gradient is {gradient.tolist()}: give two from 0, at most 5 long")
    canvas = Canvas(226)
    unit, at = 36, (70.0, 186.0)

    def place(vector: Tensor) -> Point:
        return at[0] + unit * vector[0].item(), at[1] - unit * vector[1].item()

    canvas.circle(at, unit * limit, "muted", filled=False)
    canvas.words(f"limit {limit:g}", (at[0], at[1] + unit * limit - 12), "muted", 11)
    canvas.line(at, place(gradient), role="muted", arrow=True, dashed=True, width=2)
    canvas.line(at, place(cut), role="gradient", arrow=True, width=4)
    for name, vector, role, right in (
        ("before", gradient, "muted", 14),
        ("after", cut, "gradient", 30),
    ):
        x, y = place(vector)
        numbers = ", ".join(number_text(n, 1) for n in vector.tolist())
        canvas.words(f"{name}: ({numbers})", (x + right, y), role, 12, "start", bold=True)
        words = f"length {number_text(vector.norm().item(), 1)}"
        canvas.words(words, (x + right, y + 16), "muted", 12, "start")
    numbers = [", ".join(number_text(n, 1) for n in v.tolist()) for v in (gradient, cut)]
    return canvas.shown(
        f"An arrow ({numbers[0]}) of length {gradient.norm():.1f} leaves a circle of radius "
        f"{limit:g}; cut to the circle it is ({numbers[1]}), in the same direction."
    )


def circle_becomes(
    before: Float[Tensor, "2 2"], after: Float[Tensor, "2 2"], names: tuple[str, str]
) -> Drawing:
    """What two matrices make of the circle of all arrows of length 1.

    Args:
        before, after: the matrices; drawn is each divided by its own largest singular value.
        names: of the two.

    Shown in https://minigpt-book.github.io/minigpt/training.html
    """
    canvas = Canvas(204)
    sizes = [torch.linalg.svdvals(matrix).tolist() for matrix in (before, after)]
    for side, (matrix, name) in enumerate(zip((before, after), names, strict=True)):
        middle, unit = (90 + 180 * side, 98), 70 / sizes[side][0]
        canvas.circle(middle, 70, "muted", filled=False)
        points = []
        for i in range(49):
            turn = 2 * math.pi * i / 48
            arrow = torch.tensor([math.cos(turn), math.sin(turn)], dtype=matrix.dtype)
            x, y = (matrix @ arrow).tolist()
            points.append((middle[0] + unit * x, middle[1] - unit * y))
        canvas.line(*points, role="gradient" if side == 0 else "value", width=3)
        canvas.words(name, (middle[0], 12), size=13, bold=True)
        values = " and ".join(number_text(size, 2) for size in sizes[side])
        canvas.words(values, (middle[0], 186), size=12, mono=True)
    canvas.line((WIDTH / 2 - 9, 98), (WIDTH / 2 + 9, 98), role="ink", arrow=True)
    told = [" and ".join(number_text(size, 2) for size in pair) for pair in sizes]
    return canvas.shown(
        f"What two matrices make of a circle. {names[0]}: a flat ellipse, singular values "
        f"{told[0]}. {names[1]}: rounder, {told[1]}."
    )
