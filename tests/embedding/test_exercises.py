"""The checks of the chapter on embeddings, held to right, empty and wrong submissions."""

from __future__ import annotations

import torch
from submissions import Submissions, wrong
from torch import nn
from torch.nn import functional as F

import my_gpt
from minigpt.embedding import nearest_neighbours, sinusoidal_positions
from minigpt.lessons.embedding import exercises as check


def nearest(table, vector, k, without, score=F.cosine_similarity, out=-torch.inf):
    scores = score(table, vector[None])
    scores[[*without]] = out
    return scores.topk(k).indices.tolist()


def nearest_shifted(table, vector, k, without):
    others = table[[i for i in range(len(table)) if i not in without]]
    return F.cosine_similarity(others, vector[None]).topk(k).indices.tolist()


class Placed(nn.Module):
    def __init__(self, rows, length, n_embd):
        super().__init__()
        self.tokens, self.positions = my_gpt.Table(rows, n_embd), my_gpt.Table(length, n_embd)

    def forward(self, ids):
        return self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))


class Positionless(Placed):
    def forward(self, ids):
        return self.tokens(ids)


class ById(Placed):
    def forward(self, ids):
        return self.tokens(ids) + self.positions(ids)


class Multiplied(Placed):
    def forward(self, ids):
        return self.tokens(ids) * self.positions(torch.arange(ids.shape[1]))


class Unadded(Placed):
    def forward(self, ids):
        return self.tokens(ids) + self.positions.weight


def triple_counts(ids, size, order=(0, 1, 2)):
    first, second, third = (ids[i : len(ids) - 2 + i] for i in order)
    numbers = (first * size + second) * size + third
    return torch.bincount(numbers, minlength=size**3).view(size, size, size)


def counted_apart(ids, size):
    out = torch.zeros(size, size, size, dtype=torch.long)
    for i in range(0, len(ids) - 2, 3):
        out[tuple(ids[i : i + 3])] += 1
    return out


def pair_counts(ids, size):
    numbers = ids[:-1] * size + ids[1:]
    return torch.bincount(numbers, minlength=size**2).view(size, size)


class Clock(nn.Module):
    exponent, order = -2, ("sin", "cos")

    def __init__(self, rows, n_embd):
        super().__init__()
        self.turns = 10_000 ** (self.exponent * torch.arange(n_embd // 2) / n_embd)

    def forward(self, ids):
        angles = ids[..., None] * self.turns
        return torch.cat([getattr(angles, name)() for name in self.order], dim=-1)


class CosinesFirst(Clock):
    order = ("cos", "sin")


class Slower(Clock):
    exponent = -1


class TooSlow(Clock):
    exponent = -4


class ThePackages(Clock):
    def forward(self, ids):
        return sinusoidal_positions(10, 2 * len(self.turns))[ids]


class Flat(Clock):
    def forward(self, ids):
        return super().forward(ids.flatten())


CORRECT = {
    "nearest": nearest,
    "placed": Placed,
    "triple_counts": triple_counts,
    "clock": Clock,
}
OTHERWISE_CORRECT = [
    ("nearest", lambda table, vector, k, without: [
        i
        for i in F.cosine_similarity(table, vector[None]).argsort(descending=True).tolist()
        if i not in without
    ][:k]),
    ("placed", type("Swapped", (Placed,), {
        "forward": lambda self, ids: self.positions(torch.arange(len(ids[0])))[None]
        + self.tokens(ids)
    })),
    ("placed", lambda *sizes: Placed(*sizes).double()),
    ("clock", lambda *sizes: Clock(*sizes).double()),
]  # fmt: skip
WRONG = [
    *wrong(
        "nearest",
        (lambda t, v, k, w: nearest(t, v, k, []), "was to be left out"),
        (lambda *given: nearest(*given, score=lambda t, v: t @ v[0]), "largest dot products"),
        (
            lambda *given: nearest(*given, score=lambda t, v: -(t - v).norm(dim=1)),
            "smallest distances",
        ),
        (
            lambda *given: nearest(*given, score=lambda *two: -F.cosine_similarity(*two)),
            "those are the farthest",
        ),
        (lambda *given: nearest(*given)[::-1], "wrong order"),
        (nearest_shifted, "numbers shift"),
        (lambda t, v, k, w: nearest(t, v, k, w[:1]), "every row number in `without`"),
        (lambda *given: nearest(*given, out=0), "with -inf, as 0 would be"),
        (lambda *given: torch.tensor(nearest(*given)), ".tolist() makes a list"),
        (lambda t, v, k, w: nearest_neighbours(t, k)[0][0].tolist(), "Not yet"),
    ),
    *wrong(
        "placed",
        (Positionless, "the token's row alone"),
        (ById, "not which token it is"),
        (Multiplied, "are added, not multiplied"),
        (Unadded, "raised RuntimeError"),
        (lambda rows, length, n: my_gpt.Table(rows, n), "of the shapes [(3, 2)]; expected"),
    ),
    *wrong(
        "triple_counts",
        (pair_counts, "count three in a row"),
        (lambda *given: triple_counts(*given, order=(2, 1, 0)), "first of the three is the first"),
        (counted_apart, "number each triple"),
        (lambda *given: triple_counts(*given).double(), "expected whole numbers"),
    ),
    *wrong(
        "clock",
        (ThePackages, "all sines come first"),
        (CosinesFirst, "sines come first, then"),
        (Slower, "the exponent of hand i"),
        (TooSlow, "not 0 or 2"),
        (Flat, "a dimension comes at the end"),
        (lambda rows, n: my_gpt.Table(rows, n), "16 learned numbers; expected none"),
    ),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT
