"""The check of a step of AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.lessons.training.exercises.tensors import Tensors, several


def adamw_step(function: Callable[..., tuple[Tensor, Tensor, Tensor]]) -> Verdict:
    """Check `adamw_step(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, decay)`.

    Returned are the new weight, mean and square.
    """
    weight, gradient, zeros = torch.tensor([1.0, -2.0]), torch.tensor([2.0, -4.0]), torch.zeros(2)
    first = Given(weight, gradient, zeros, zeros, 1, 0.1, 0.9, 0.96, eps=0.0, weight_decay=0.0)
    with_eps = first._replace(gradient=torch.tensor([0.5, 0.0]), eps=0.5)
    with_decay = first._replace(weight_decay=0.5)
    hint = (
        "mean = beta_1 * mean + (1 - beta_1) * gradient; square likewise, with beta_2 and "
        "gradient**2; both divided by 1 - beta**step, for this step only; then weight - lr * mean "
        "/ (sqrt(square) + eps). Return weight, mean, square"
    )
    not_a_number = (
        "nan comes from the root of a negative number (square averages gradient**2), or from 0 / 0 "
        "(1 - beta**step, where step counts from 1)"
    )
    denominator = "eps keeps the denominator from 0: sqrt(square) + eps, after the bias correction"
    cases = [
        Case(first, _adamw(first), hint, [*_slips(first), (math.nan, not_a_number)]),
        Case(
            with_eps,
            _adamw(with_eps),
            denominator,
            [*_slips(with_eps), (math.nan, denominator)],
        ),
        Case(
            with_decay,
            _adamw(with_decay),
            "decoupled: lr * weight_decay * weight is taken off as well, apart from the averages",
            _slips(with_decay),
        ),
    ]
    state = _adamw(with_decay)
    for step, now in ((2, [-1.0, 1.0]), (3, [0.5, 3.0])):
        given = Given(state[0], torch.tensor(now), *state[1:], step, 0.1, 0.9, 0.96, 0.001, 0.5)
        cases.append(Case(given, _adamw(given), f"step {step}. " + hint, _slips(given)))
        state = _adamw(given)
    return judge(several(function), cases)


class Given(NamedTuple):
    """What a step is given, in the order of the reader's arguments."""

    weight: Tensor
    gradient: Tensor
    mean: Tensor
    square: Tensor
    step: int
    lr: float
    beta_1: float
    beta_2: float
    eps: float
    weight_decay: float


def _adamw(given: Given) -> Tensors:
    """Weight, mean and square after a step of Loshchilov and Hutter (2019), algorithm 2.

    As in PyTorch, the decay too is times the learning rate.
    """
    weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay = given
    mean = beta_1 * mean + (1 - beta_1) * gradient
    square = beta_2 * square + (1 - beta_2) * gradient**2
    move = mean / (1 - beta_1**step) / ((square / (1 - beta_2**step)).sqrt() + eps)
    return Tensors([weight - lr * move - lr * weight_decay * weight, mean, square])


def _slips(given: Given) -> list[tuple[Any, str]]:
    """The mistakes of one step."""
    weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay = given
    right = _adamw(given)
    _, m, v = right
    rest = [m, v]
    c_1, c_2 = 1 - beta_1**step, 1 - beta_2**step
    kept = weight - lr * weight_decay * weight
    decayed = gradient + weight_decay * weight

    def moved(move: Tensor, kept: Tensor = kept) -> Tensors:
        return Tensors([kept - lr * move, *rest])

    def corrected(by_1: float, by_2: float) -> Tensors:
        return moved(m / by_1 / ((v / by_2).sqrt() + eps))

    move = m / c_1 / ((v / c_2).sqrt() + eps)
    bias = (
        "bias correction: averages that start at 0 are too small, so divide mean by 1 - "
        "beta_1**step and square by 1 - beta_2**step"
    )
    power = "1 - beta**step, a power: step counts from 1 and is this step's number"
    inside = "eps stands outside the root: sqrt(square) + eps"
    l2 = (
        "weight_decay * weight in the gradient is Adam with L2, and goes through the averages: "
        "AdamW takes lr * weight_decay * weight off the weight alone"
    )
    mixed = "beta is the share of the old average, 1 - beta that of the new gradient"
    slips = [
        (_adamw(given._replace(gradient=decayed, weight_decay=0.0)), l2),
        (moved(move, weight), "the weight decay is missing"),
        (moved(move, weight - weight_decay * weight), "the decay is times lr too"),
        (moved(move, weight + lr * weight_decay * weight), "decay makes weights smaller: minus"),
        (
            Tensors([(weight - lr * move) * (1 - lr * weight_decay), *rest]),
            "the decay is of the weight as it was before the step",
        ),
        (corrected(1.0, 1.0), bias),
        (corrected(c_1, 1.0), bias),
        (corrected(1.0, c_2), bias),
        (corrected(1 - beta_1, 1 - beta_2), power),
        (corrected(1 - beta_1 ** (step + 1), 1 - beta_2 ** (step + 1)), power),
        (corrected(c_2, c_1), "beta_1 corrects the mean, beta_2 the square"),
        (moved(m / c_1 / (v / c_2 + eps).sqrt()), inside),
        (moved(m / c_1 / ((v + eps) / c_2).sqrt()), inside),
        (
            moved(m / c_1 / ((v.sqrt() + eps) / c_2**0.5)),
            "eps comes last: correct the square, take its root, then add eps",
        ),
        (moved(m / c_1 / (v / c_2 + eps)), "divide by the root of the square"),
        (moved(gradient / ((v / c_2).sqrt() + eps)), "the mean moves the weight, not the gradient"),
        (moved(m / c_1), "divide by the root of the square: every weight has its own step size"),
        (moved(-move), "the sign: a step goes against the gradient, weight - lr * ..."),
        (Tensors([kept - move, *rest]), "the step is times lr"),
        (
            Tensors([right[0], m / c_1, v / c_2]),
            "the weight is right; return the averages as they are, before the bias correction",
        ),
        (Tensors([right[0], mean, square]), "the weight is right; return the new averages"),
        (Tensors([m, v, right[0]]), "in the order weight, mean, square"),
        (Tensors([right[0]]), "return weight, mean and square: the next step needs all three"),
        (_adamw(given._replace(beta_1=beta_2, beta_2=beta_1)), "beta_1 is the mean's"),
        (_adamw(given._replace(beta_1=1 - beta_1, beta_2=1 - beta_2)), mixed),
    ]
    squares = [
        (beta_2 * square + (1 - beta_2) * m**2, "gradient**2, not the square of the mean"),
        (square + gradient**2, "square is an average: (1 - beta_2) * gradient**2"),
    ]
    for wrong, hint in squares:
        slips.append(
            (Tensors([kept - lr * m / c_1 / ((wrong / c_2).sqrt() + eps), m, wrong]), hint)
        )
    return slips
