"""The checks of the first chapter, held to right, empty and wrong submissions."""

from __future__ import annotations

import math

from submissions import Submissions

from minigpt.lessons.primer import exercises as check
from my_autograd import Number, as_number, backward, exp


def sigmoid(x):
    s = 1 / (1 + math.exp(-x.data))
    return Number(s, (x,), (s * (1 - s),))


def by_nudging(loss_of, number, way=0.0002, sign=1.0, end=0.0):
    start = number.data
    number.data = start + 0.0001
    above = loss_of().data
    number.data = start - 0.0001
    below = loss_of().data
    number.data = start + end
    return sign * (above - below) / way


def nudging_nothing(loss_of, number):
    return (loss_of().data - loss_of().data) / 0.0002


def nudging_with_numbers(loss_of, number):
    number.data += 0.0001
    above = loss_of()
    number.data -= 0.0002
    below = loss_of()
    number.data += 0.0001
    return (above - below) * 5000.0


def learn_with_momentum(
    parameters, loss_of, batches, rate, keep=0.9, fresh=1.0, late=False, clear=True
):
    speeds, losses = [0.0] * len(parameters), []
    for batch in batches:
        loss = loss_of(batch)
        for number in parameters:
            number.grad = 0.0 if clear else number.grad
        backward(loss)
        for i, number in enumerate(parameters):
            before = speeds[i]
            speeds[i] = keep * before + fresh * number.grad
            number.data -= rate * (before if late else speeds[i])
        losses.append(loss.data)
    return losses


def one_speed_for_all(parameters, loss_of, batches, rate):
    speed, losses = 0.0, []
    for batch in batches:
        loss = loss_of(batch)
        for number in parameters:
            number.grad = 0.0
        backward(loss)
        for number in parameters:
            speed = 0.9 * speed + number.grad
            number.data -= rate * speed
        losses.append(loss.data)
    return losses


def dot(a, b):
    value = sum(x.data * y.data for x, y in zip(a, b, strict=True))
    return Number(value, (*a, *b), [y.data for y in b] + [x.data for x in a])


def dot_with_slopes_exchanged(a, b):
    return Number(dot(a, b).data, (*a, *b), [x.data for x in (*a, *b)])


def dot_in_another_order(a, b):
    value = sum(x.data * y.data for x, y in zip(a, b, strict=True))
    return Number(value, (*b, *a), [x.data for x in a] + [y.data for y in b])


CORRECT = {
    "sigmoid": sigmoid,
    "by_nudging": by_nudging,
    "learn_with_momentum": learn_with_momentum,
    "dot": dot,
}

OTHERWISE_CORRECT = [("by_nudging", nudging_with_numbers), ("dot", dot_in_another_order)]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("sigmoid", lambda x: sigmoid(x).data, "return a Number"),
    ("sigmoid", lambda x: as_number(1.0) / (exp(x * -1.0) + 1.0), "here make one Number"),
    ("sigmoid", lambda x: Number(sigmoid(x).data, (x,), (sigmoid(x).data,)), "times 1 minus it"),
    ("sigmoid", lambda x: sigmoid(Number(x.data)), "here make one Number"),
    ("sigmoid", lambda x: Number(1 - sigmoid(x).data, (x,), sigmoid(x).slopes), "minus x"),
    ("sigmoid", lambda x: Number(sigmoid(x).data, (x,), (1.0,)), "judge yours by a nudge"),
    ("by_nudging", lambda *given: by_nudging(*given, way=0.0001), "the way is 0.0002"),
    ("by_nudging", lambda *given: by_nudging(*given, sign=-1.0), "minus the loss below"),
    ("by_nudging", lambda *given: by_nudging(*given, end=-0.0001), "put the number back"),
    ("by_nudging", nudging_nothing, "it must be nudged there"),
    ("learn_with_momentum", lambda *given: learn_with_momentum(*given, keep=0.0), "as it was"),
    ("learn_with_momentum", lambda *given: learn_with_momentum(*given, late=True), "speed first"),
    ("learn_with_momentum", lambda *given: learn_with_momentum(*given, fresh=0.1), "not a tenth"),
    ("learn_with_momentum", lambda *given: learn_with_momentum(*given, clear=False), "clear the"),
    ("learn_with_momentum", one_speed_for_all, "a speed of its own"),
    ("dot", lambda a, b: dot(a, b).data, "return a Number"),
    ("dot", lambda a, b: sum(x * y for x, y in zip(a, b, strict=True)), "of many Numbers"),
    ("dot", dot_with_slopes_exchanged, "its partner in b"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT
