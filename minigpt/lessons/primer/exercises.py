"""Checks for the exercises of the first chapter, on what readers add to `my_autograd.py`.

The readers' own `Number` is taken from where their function was written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import tensor

from minigpt.lessons.judge import Case, Verdict, judge, name_of

NO_NUMBER = "no Number"
OTHERS = "a Number that is made of others"


def sigmoid(function: Callable) -> Verdict:
    """Check `sigmoid(x) -> Number`: one operation, by its value and its slope."""

    def seen(x: float) -> Any:
        x = _numbers(function, [x])[0]
        return _value_and_slopes(function(x), [x])

    def case(x: float) -> Case:
        s = 1 / (1 + math.exp(-x))
        return Case(
            (x,),
            tensor([s, s * (1 - s)]),
            "the first number is the value, the second the slope: judge yours by a nudge",
            [
                (NO_NUMBER, "return a Number: of the value, of what it was made of, of the slope"),
                (OTHERS, "that is right as a formula; here make one Number, of (x,), with a slope"),
                (tensor([s, s]), "the value is right; the slope is that times 1 minus it"),
                (tensor([1 - s, s - s * s]), "e to the power of minus x"),
            ],
        )

    return judge(_Called(seen, function), [case(0.0), case(2.0), case(-1.0)])


def by_nudging(function: Callable) -> Verdict:
    """Check `by_nudging(loss_of, number) -> float`: a slope, and the number as it was."""

    def seen(start: float) -> Any:
        x = _numbers(function, [start])[0]
        slope = function(lambda: x * x * x + 1.0, x)
        left = round(1e4 * (x.data - start), 3)
        return None if slope is None else [float(getattr(slope, "data", slope)), left]

    def case(x: float) -> Case:
        slope, back = 3 * x * x, "put the number back where it was"
        return Case(
            (x,),
            tensor([slope, 0.0]),
            "the first number is the slope of x * x * x + 1, the second how many nudges x is left "
            "from where it was: a difference of two losses, divided by the way between the nudges",
            [
                (tensor([2 * slope, 0.0]), "from one nudge to the other the way is 0.0002"),
                (tensor([-slope, 0.0]), "the loss above, minus the loss below"),
                (tensor([0.0, 0.0]), "loss_of() reads number.data: it must be nudged there"),
                (tensor([slope, 1.0]), back),
                (tensor([slope, -1.0]), back),
            ],
        )

    return judge(_Called(seen, function), [case(2.0), case(-1.0)])


def learn_with_momentum(function: Callable) -> Verdict:
    """Check `learn_with_momentum(parameters, loss_of, batches, rate)`: losses, step by step."""

    def seen(starts: list[float], targets: list[float], rate: float) -> Any:
        numbers = _numbers(function, starts)

        def loss_of(target: float) -> Any:
            return sum((n - (target + place)) ** 2 for place, n in enumerate(numbers))

        return function(numbers, loss_of, targets, rate)

    def case(starts: list[float], targets: list[float], rate: float) -> Case:
        def losses(**how: Any) -> Any:
            return tensor(_losses(starts, targets, rate, **how))

        return Case(
            (starts, targets, rate),
            losses(),
            "these are the losses, step by step, of numbers that should come to 1, 2 …",
            [
                (losses(keep=0.0), "that is `learn` as it was: keep 0.9 of the speed"),
                (losses(late=True), "change the speed first, then move by the new one"),
                (losses(fresh=0.1), "the whole gradient is added to the speed, not a tenth"),
                (losses(shared=True), "each parameter has a speed of its own"),
                (losses(cleared=False), "clear the gradients before each backward"),
            ],
        )

    return judge(
        _Called(seen, function),
        [case([0.0], [1.0] * 4, 0.1), case([0.0, 5.0], [1.0] * 4, 0.1)],
    )


def dot(function: Callable) -> Verdict:
    """Check `dot(a, b) -> Number`: one number, made of all of a and b."""

    def seen(a: list[float], b: list[float]) -> Any:
        a, b = _numbers(function, a), _numbers(function, b)
        return _value_and_slopes(function(a, b), [*a, *b])

    def case(a: list[float], b: list[float]) -> Case:
        value = sum(x * y for x, y in zip(a, b, strict=True))
        return Case(
            (a, b),
            tensor([value, *b, *a]),
            "the first number is the value, the others the slopes: for all of a, then all of b",
            [
                (NO_NUMBER, "return a Number: of the value, of what it was made of, of the slopes"),
                (OTHERS, "right as a formula, but of many Numbers: make one, of (*a, *b)"),
                (tensor([value, *a, *b]), "the slope for a number of a is its partner in b"),
            ],
        )

    return judge(_Called(seen, function), [case([2.0, -1.0], [3.0, 5.0]), case([4.0], [0.5])])


class _Called:
    """A reader's function, called with plain numbers, by its own name and lines."""

    def __init__(self, call: Callable, function: Callable) -> None:
        self.call, self.__name__ = call, name_of(function)
        self.__code__ = getattr(function, "__code__", None)

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)


def _numbers(function: Callable, values: Sequence[float]) -> list[Any]:
    own = getattr(function, "__globals__", {}).get("Number")
    if own is None:
        from my_autograd import Number as own
    return [own(value) for value in values]


def _value_and_slopes(answer: Any, made_of: Sequence[Any]) -> Any:
    """The value of a number, and its slope for each of those that it must be made of."""
    if answer is None:
        return None
    if not hasattr(answer, "made_of"):
        return NO_NUMBER
    if {id(n) for n in answer.made_of} != {id(n) for n in made_of}:
        return OTHERS
    slopes = dict.fromkeys(map(id, made_of), 0.0)
    for part, slope in zip(answer.made_of, answer.slopes, strict=True):
        slopes[id(part)] += slope
    return [answer.data, *slopes.values()]


def _losses(
    starts: Sequence[float],
    targets: Sequence[float],
    rate: float,
    keep: float = 0.9,
    fresh: float = 1.0,
    late: bool = False,
    shared: bool = False,
    cleared: bool = True,
) -> list[float]:
    """The losses of the squares' sum, with momentum, or with one of its mistakes."""
    places, losses = [*starts], []
    speeds, slopes = [0.0] * len(places), [0.0] * len(places)
    for target in targets:
        gaps = [place - target - i for i, place in enumerate(places)]
        losses.append(sum(gap * gap for gap in gaps))
        for i, gap in enumerate(gaps):
            slopes[i] = 2 * gap + (0.0 if cleared else slopes[i])
            own = 0 if shared else i
            before = speeds[own]
            speeds[own] = keep * before + fresh * slopes[i]
            places[i] -= rate * (before if late else speeds[own])
    return losses
