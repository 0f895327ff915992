"""Gradients of single numbers, and a small net that learns with them.

Written in the chapters of https://minigpt-book.github.io/minigpt/
"""


# Numbers that learn: gradients in forty lines

import itertools
import math

counter = itertools.count()  # next(counter) gives 0, 1, 2, …


class Number:
    """A number that remembers what it was made of, and with which slopes."""

    def __init__(self, data, made_of=(), slopes=()):
        self.data = data
        self.grad = 0.0  # its gradient, once backward was called
        self.made_of = made_of
        self.slopes = slopes  # its slope for each of those
        self.order = next(counter)  # a number made later has a larger one

    def __add__(self, other):
        other = as_number(other)
        return Number(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = as_number(other)
        slopes = (other.data, self.data)
        return Number(self.data * other.data, (self, other), slopes)

    def __pow__(self, n):
        return Number(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __sub__(self, other):
        return self + other * -1.0

    def __truediv__(self, other):
        return self * other**-1.0

    __radd__, __rmul__ = __add__, __mul__  # 2 + number, 2 * number


def as_number(x):
    return x if isinstance(x, Number) else Number(x)


def backward(loss):
    """Add to the grad of each number that the loss was made of."""
    found, waiting = {loss}, [loss]
    while waiting:  # collect all that the loss was made of
        for part in waiting.pop().made_of:
            if part not in found:
                found.add(part)
                waiting.append(part)
    loss.grad = 1.0
    for number in sorted(found, key=lambda n: n.order, reverse=True):
        for part, slope in zip(number.made_of, number.slopes):
            part.grad += slope * number.grad


def exp(x):
    e = math.exp(x.data)
    return Number(e, (x,), (e,))


def log(x):
    return Number(math.log(x.data), (x,), (1.0 / x.data,))


def tanh(x):
    t = math.tanh(x.data)  # between -1 and 1
    return Number(t, (x,), (1.0 - t * t,))


def learn(parameters, loss_of, batches, rate):
    """One step for each batch; returns the losses."""
    losses = []
    for batch in batches:
        loss = loss_of(batch)
        for number in parameters:
            number.grad = 0.0
        backward(loss)
        for number in parameters:
            number.data -= rate * number.grad
        losses.append(loss.data)
    return losses


def softmax(scores):
    """Shares of 1: e to the power of each score, divided by the sum."""
    powers = [exp(score) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def surprise(scores, right):
    """-ln of the right one's share; right is its place in scores."""
    return log(softmax(scores)[right]) * -1.0


class Net:
    """Scores for the next letter, from the last two."""

    def __init__(self, letters, width, draw):
        # draw(mean, size) gives a random number
        def table(size):
            return [[Number(draw(0, size)) for _ in range(width)]
                    for _ in range(letters)]

        self.before, self.last = table(0.3), table(0.3)
        self.next = table(0.1)

    def parameters(self):
        tables = (self.before, self.last, self.next)
        return [n for table in tables for row in table for n in row]

    def scores(self, before, last):
        pairs = zip(self.before[before], self.last[last])
        hidden = [tanh(a + b) for a, b in pairs]
        return [sum(h * n for h, n in zip(hidden, row)) for row in self.next]

    def loss(self, batch):
        return sum(surprise(self.scores(before, last), right)
                   for before, last, right in batch) / len(batch)
