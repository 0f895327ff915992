"""Checks for the exercises of the chapter on attention."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge, shown


def attention_parameters(function: Callable[[int, bool], int]) -> Verdict:
    """Check `attention_parameters(n_embd, bias) -> int`: learned numbers of one layer."""
    hint = "three matrices of C x C make queries, keys and values; a fourth mixes the heads"
    square = 768 * 768
    heads = "heads share the width C: more heads are narrower ones, and cost nothing"
    cases = [
        Case(
            (768, False),
            4 * square,
            hint,
            [
                (3 * square, "the projection after the heads is a matrix too"),
                (12 * 4 * square, heads),
                (12 * 3 * square, heads),
                (4 * square + 4 * 768, "without biases: look at the second argument"),
                (4 * 768, "a matrix of C x C has C * C numbers"),
            ],
        ),
        Case(
            (768, True),
            4 * square + 4 * 768,
            "a bias is one more number for each output: 3 C of them, and C",
            [
                (4 * square, "with biases: one more number for each output"),
                (4 * square + 768, "queries, keys and values have biases too"),
                (4 * square + 4, "a bias is a number for each output, not for each matrix"),
            ],
        ),
        Case((2, False), 16, hint),
    ]
    return judge(function, cases)


def my_softmax(function: Callable[[Tensor], Tensor]) -> Verdict:
    """Check `my_softmax(scores)`: shares along the last dimension, for scores of any size."""
    hint = "exp of every score, divided by the sum of its row: sum(dim=-1, keepdim=True)"
    scores = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    large = "exp(1000) is too large for a float: subtract the largest score of the row first"
    cases = [
        Case((torch.tensor([0.0, math.log(3)]),), torch.tensor([0.25, 0.75]), hint),
        Case(
            (scores,),
            torch.tensor([[0.25, 0.75], [0.5, 0.5]]),
            hint,
            [
                (scores.softmax(dim=0), "columns sum to 1: the last dimension is dim=-1"),
                (
                    scores.exp() / scores.exp().sum(),
                    "all together sum to 1: each row has a sum of its own",
                ),
                (
                    scores.exp() / scores.exp().sum(dim=-1),
                    "the sums stand in a row, as one for each column: keepdim=True",
                ),
            ],
        ),
        Case(
            (torch.tensor([1000.0, 1000.0]),), torch.tensor([0.5, 0.5]), large, [(math.nan, large)]
        ),
        Case(
            (torch.tensor([[1000.0, 1000.0], [0.0, 0.0]]),),
            torch.full((2, 2), 0.5),
            "every row has its own largest score: amax(dim=-1, keepdim=True)",
            [(math.nan, "every row has its own largest score: amax(dim=-1, keepdim=True)")],
        ),
        Case(
            (torch.tensor([[-math.inf, 0.0, 0.0]]),),
            torch.tensor([[0.0, 0.5, 0.5]]),
            "exp(-inf) is 0: what is hidden gets no share",
        ),
    ]
    return judge(function, cases)


def causal_weights(function: Callable[[Tensor], Tensor]) -> Verdict:
    """Check `causal_weights(scores) -> (T, T)`: the future hidden, then shares of the rest."""
    scores = torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, 4.0], [0.0, 0.0, math.log(2)]])
    past = torch.ones(3, 3, dtype=torch.bool).tril()
    hidden = scores.masked_fill(~past, -math.inf)
    hint = "put -inf where the key comes after the query, then softmax along each row"
    nowhere = (
        "a row whose scores are all -inf has no shares (a token may look at itself), and -inf * 0 "
        "is nan (use masked_fill or torch.where)"
    )
    cases = [
        Case(
            (scores,),
            torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]),
            hint,
            [
                (scores.softmax(dim=-1), "nothing is hidden: the first token sees all three"),
                (
                    scores.softmax(dim=-1) * past,
                    "rows do not sum to 1, as you hid weights after the softmax: hide scores",
                ),
                (
                    scores.masked_fill(~past.T, -math.inf).softmax(dim=-1),
                    "you kept the future and hid the past: keep what is on or below the diagonal",
                ),
                (
                    scores.masked_fill(~past, 0.0).softmax(dim=-1),
                    "a score of 0 still gets exp(0) = 1: hide with -inf, whose exp is 0",
                ),
                (hidden.softmax(dim=0), "shares are along rows: a row belongs to one query"),
                (hidden, "those are the scores: softmax is missing"),
                (math.nan, nowhere),
            ],
        ),
        Case((torch.zeros(1, 1),), torch.ones(1, 1), "a token alone gives itself everything"),
        Case((torch.zeros(2, 2),), torch.tensor([[1.0, 0.0], [0.5, 0.5]]), hint),
    ]
    return judge(function, cases)


def entropy(function: Callable[[Tensor], float]) -> Verdict:
    """Check `entropy(weights) -> float`: of one row, in nats, where 0 log 0 counts as 0."""
    hint = "minus the sum of w * log(w)"
    half = math.log(2)
    zero = "0 * log 0 counts as 0: leave out the weights that are 0, as w[w > 0] does"
    cases = [
        Case(
            (torch.tensor([0.5, 0.5]),),
            half,
            hint,
            [
                (1.0, "those are bits: use the natural logarithm, for nats"),
                (-half, "the sign: logarithms of shares are negative, entropy is not"),
                (half / 2, "that is the mean: add the terms up"),
                (2 * half, "weigh each -log(w) with its w"),
            ],
        ),
        Case((torch.full((4,), 0.25),), math.log(4), hint),
        Case((torch.tensor([1.0, 0.0, 0.0]),), 0.0, zero, [(math.nan, zero)]),
        Case((torch.tensor([0.0, 0.5, 0.25, 0.25]),), 1.5 * half, zero, [(math.nan, zero)]),
    ]
    return judge(function, cases)


def streaming_attention(function: Callable[[Tensor, Iterator], Tensor]) -> Verdict:
    """Check `streaming_attention(q, pairs) -> (Dv,)`: one pass over (key, value), none kept.

    The weighted average of the values, with weights softmax(q k / √D), from a running maximum,
    sum and weighted sum alone.
    """
    q = torch.tensor([2.0, 0.0, 0.0, 0.0])  # √D is 2, so that a score is the key's first number
    three = math.log(3)
    passes = "keep only the largest score, the sum and the weighted sum so far"
    scale = "divide the dot product by the square root of D, the width of a key"
    rescale = (
        "when the maximum grows from m to n, what was summed before is too large: multiply the sum "
        "and the weighted sum by exp(m - n)"
    )
    overflow = (
        "exp of a large score is inf, of a very negative one 0: subtract the largest score so far "
        "before exp, and start that from -inf"
    )
    cases = [
        Case((q, Pairs([5.0], [[1.0, 2.0]])), torch.tensor([1.0, 2.0]), passes),
        Case(
            (q, Pairs([0.0, three], [[0.0, 4.0], [4.0, 0.0]])),
            torch.tensor([3.0, 1.0]),
            passes,
            [
                (torch.tensor([3.6, 0.4]), scale),
                (
                    torch.tensor([4 * 3**0.5, 4]) / (1 + 3**0.5),
                    "divide by the square root of D, not by D",
                ),
                (torch.tensor([2.0, 2.0]), rescale),
                (torch.tensor([3.0, 3.0]), rescale),  # the sum alone was rescaled
                (torch.tensor([2.0, 2 / 3]), rescale),  # the weighted sum alone
                (torch.tensor([4.0, 4 / 3]), "divide by the sum of the weights at the end"),
                (torch.tensor([12.0, 4.0]), "divide by the sum of the weights at the end"),
            ],
        ),
        Case(
            (q, Pairs([three, 0.0], [[4.0, 0.0], [0.0, 4.0]])),
            torch.tensor([3.0, 1.0]),
            "the maximum stays when a smaller score comes: it must not fall back",
        ),
        Case(
            (q, Pairs([0.0, three, 0.0, three, 0.0, three], [[2.0 * n, 0.0] for n in range(6)])),
            torch.tensor([5.5, 0.0]),
            passes + ", and let go of a pair before you ask for the next",
        ),
        Case(
            (q, Pairs([0.0, 1000.0, -1000.0], [[1.0, 1.0], [2.0, 3.0], [5.0, 5.0]])),
            torch.tensor([2.0, 3.0]),
            overflow,
            [(math.nan, overflow)],
        ),
        Case(
            (q, Pairs([-1000.0, -1000.0], [[1.0, 0.0], [3.0, 0.0]])),
            torch.tensor([2.0, 0.0]),
            overflow,
            [(math.nan, overflow), (torch.zeros(2), overflow)],
        ),
    ]
    return judge(function, cases)


class Pairs:
    """Keys and values as an iterator gives them: once, and not while earlier ones are kept.

    What is noticed is the tensors themselves; a copy of their numbers is not.
    """

    def __init__(self, scores: list[float], values: list[list[float]]) -> None:
        """Keys start with their scores: what the query above makes of them."""
        self._pairs = [
            (torch.tensor([score, 1.0, -1.0, 0.5]), torch.tensor(value))
            for score, value in zip(scores, values, strict=True)
        ]
        self._given: list[tuple[weakref.ref, ...]] = []

    def __iter__(self) -> Pairs:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        kept = sum(any(part() is not None for part in pair) for pair in self._given)
        if kept > 2:  # a loop holds the last pair, and a start may be the first
            raise MemoryError(f"{kept} pairs were kept when the next was asked for")
        if len(self._given) == len(self._pairs):
            raise StopIteration
        key, value = (part.clone() for part in self._pairs[len(self._given)])
        self._given.append((weakref.ref(key), weakref.ref(value)))
        return key, value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pairs)  # copies were given out, so nothing can have changed

    def __repr__(self) -> str:
        if len(self._pairs) <= 3:
            return f"iter({shown(self._pairs)})"
        return f"iter([{shown(self._pairs[0])}, ... {len(self._pairs)} pairs])"
