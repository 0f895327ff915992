"""The check of a step of Muon."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.lessons.training.exercises.tensors import Tensors, several
from minigpt.training.muon import orthogonalise

KEPT = 0.95


def muon_step(function: Callable[..., tuple[Tensor, Tensor]]) -> Verdict:
    """Check `muon_step(weight, gradient, mean, rate)`: the new weight and the new mean."""
    wide = torch.tensor([[1.0, -2.0, 0.5], [0.5, 1.0, 2.0]], dtype=torch.float64)
    pull = torch.tensor([[2.0, 0.5, -1.0], [1.0, 3.0, 0.5]], dtype=torch.float64)
    first = (wide, pull, torch.zeros_like(wide), 0.1)
    later = (wide, pull, torch.tensor([[0.1, -0.3, 0.2], [0.4, 0.1, -0.2]]).double(), 0.1)
    tall = (wide.T.clone(), pull.T.clone(), torch.zeros_like(wide.T), 0.2)
    hint = (
        "mean = 0.95 * mean + 0.05 * gradient; then weight - rate * scale * evened(...) of the "
        "mean that looks one step ahead. Return weight, mean"
    )
    cases = [
        Case(given, _muon(*given), words, _slips(*given))
        for given, words in (
            (first, hint),
            (later, "a mean that is not 0. " + hint),
            (tall, "three rows and two columns: a tall matrix moves farther by sqrt(rows/columns)"),
        )
    ]
    return judge(several(function), cases)


def _evened(matrix: Tensor) -> Tensor:
    return orthogonalise(matrix[None])[0]


def _muon(weight: Tensor, gradient: Tensor, mean: Tensor, rate: float) -> Tensors:
    mean = KEPT * mean + (1 - KEPT) * gradient
    move = _scale(weight) * _evened(KEPT * mean + (1 - KEPT) * gradient)
    return Tensors([weight - rate * move, mean])


def _scale(weight: Tensor) -> float:
    return math.sqrt(max(1.0, weight.shape[0] / weight.shape[1]))


def _slips(weight: Tensor, gradient: Tensor, mean: Tensor, rate: float) -> list[tuple[Any, str]]:
    """The mistakes of one step; where the old mean is 0, some of them do not show."""
    right, new = _muon(weight, gradient, mean, rate)
    ahead = KEPT * new + (1 - KEPT) * gradient
    move, scale = (weight - right) / rate, _scale(weight)

    def moved(move: Tensor, mean: Tensor = new) -> Tensors:
        return Tensors([weight - rate * move, mean])

    shape = weight.shape[0] / weight.shape[1]
    slips = [
        (moved(-move), "the sign: a step goes against the gradient"),
        (Tensors([weight - move, new]), "the step is times the rate"),
        (Tensors([new, right]), "in the order weight, mean"),
        (Tensors([right]), "return the weight and the mean: the next step needs both"),
        (Tensors([right, ahead]), "the weight is right; keep the mean, not what looks ahead"),
        (Tensors([right, mean]), "the weight is right; return the new mean"),
        (moved(scale * ahead), "the step is evened: evened(...) of the mean that looks ahead"),
    ]
    if bool(mean.any()):  # else mean and gradient have one direction
        plain = "evened is what looks one step ahead: 0.95 * mean + 0.05 * gradient, once more"
        slips += [
            (moved(scale * _evened(new)), plain),
            (moved(scale * _evened(gradient)), "the running mean is evened, not the gradient"),
            (moved(scale * _evened(KEPT * mean + (1 - KEPT) * gradient)), plain),
        ]
        added = KEPT * mean + gradient
        slips.append(
            (
                moved(scale * _evened(KEPT * added + gradient), added),
                "a running mean: 0.05 of the new gradient",
            )
        )
    if scale != 1:
        slips += [
            (moved(move / scale), "a tall matrix moves sqrt(rows / columns) times as far"),
            (moved(move / scale * shape), "the root of rows / columns"),
            (moved(move / scale / scale), "rows / columns, not columns / rows"),
        ]
    elif shape != 1:
        wide = "a wide matrix moves as far as a square one: max(1, rows / columns)"
        slips += [(moved(move * shape**0.5), wide), (moved(move / shape**0.5), wide)]
    return slips
