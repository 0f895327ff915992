"""Checks for the exercises of the chapter on attention."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge, name_of, shown


def softened_attention(function: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check `softened_attention(q, k, v, temperature)`: causal attention, evened or sharpened."""
    hint = "the scores q @ k.T, divided by the square root of D and by the temperature"
    cases = []
    for T, temperature in ((2, 2.0), (4, 0.5), (4, 1.0)):
        q, k, v = _queries_keys_values(T)
        scores = q @ k.T / q.shape[1] ** 0.5
        plain = _gathered(scores, v)
        mistakes = [
            (_gathered(scores * temperature, v), "divide by the temperature: 2 evens out"),
            (
                _gathered(scores * q.shape[1] ** 0.5 / temperature, v),
                "the square root of D is gone",
            ),
            ((scores / temperature).softmax(-1) @ v, "nothing is hidden: the future is seen"),
            (plain / temperature, "that scales the output: change the scores, before the softmax"),
            (plain, "the temperature has no effect: divide the scores by it"),
        ]
        right = _gathered(scores / temperature, v)
        cases.append(Case((q, k, v, temperature), right, hint, _other_than(right, mistakes)))
    return judge(function, cases)


def window_attention(function: Callable[[Tensor, Tensor, Tensor, int], Tensor]) -> Verdict:
    """Check `window_attention(q, k, v, w)`: each token sees itself and the w - 1 before it."""
    hint = "hide the scores above the diagonal and those w or more places to the left of it"
    cases = []
    for T, w in ((3, 2), (4, 3), (4, 1), (4, 4)):
        q, k, v = _queries_keys_values(T)
        scores = q @ k.T / q.shape[1] ** 0.5
        visible = torch.ones(T, T).tril().triu(1 - w)
        right = _seen(scores, v, w)
        mistakes = [
            (_seen(scores, v, w, w - 1), "the future is seen: hide what is above the diagonal too"),
            ((scores.softmax(-1) * visible) @ v, "hide scores, before the softmax, with -inf"),
            (_gathered(scores, v), "all of the past is seen: hide what is w or more places back"),
            (_seen(scores, v, w + 1), "one token too many: the token itself is one of the w"),
        ]
        if w > 1:
            few = "one token too few: the token itself is one of the w"
            mistakes.append((_seen(scores, v, w - 1), few))
        cases.append(Case((q, k, v, w), right, hint, _other_than(right, mistakes)))
    return judge(function, cases)


def previous_token_head(function: Callable[[int], tuple[Tensor, Tensor]]) -> Verdict:
    """Check `previous_token_head(T) -> (q, k)`: with which attention hands on the token before."""
    cases = []
    for T in (3, 2, 6, 1):
        values = _values(T)
        right = values[[max(0, t - 1) for t in range(T)]]
        sharper = "the right place weighs most, but others weigh too: make the scores larger"
        average = _gathered(torch.zeros(T, T), values)
        shifted = torch.full((T, T), 0.0)
        shifted[range(1, T), range(T - 1)] = 1.0
        mistakes = [
            (values, "every token looks at itself: its query fits its own key"),
            (average, "every token looks at all that it may see alike: those scores are equal"),
            (_gathered(shifted / T**0.5, values), sharper),
            (_gathered(10 * shifted / T**0.5, values), sharper),
        ]
        hint = "the query of token t must fit the key of token t - 1 far better than any other"
        told = [(wrong, text) for wrong, text in mistakes if T > 2]
        cases.append(Case((T,), right, hint, told))
    for case in cases:
        verdict = judge(_Gathers(function), [case])
        if not verdict.passed:
            return Verdict(False, _with_values(verdict.message, *case.arguments))
    return Verdict(True, f"Correct: {len(cases)} of {len(cases)} cases.")


def distance_attention(function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check `distance_attention(q, k, v, slopes)`: a penalty for each place further back."""
    hint = "scores - slopes[:, None, None] * distance, with distance[t, s] = t - s"
    cases = []
    for T, slopes in ((2, [1.0]), (4, [0.5, 0.0, 2.0]), (3, [2.0, 0.5, 0.0])):
        alone, slope = _queries_keys_values(T), torch.tensor(slopes)[:, None, None]
        q, k, v = (torch.stack([part + h for h in range(len(slopes))]) for part in alone)
        scores = q @ k.transpose(1, 2) / q.shape[2] ** 0.5
        distance = torch.arange(T)[:, None] - torch.arange(T)
        right = _gathered(scores - slope * distance, v)
        mistakes = [
            (
                _gathered(scores + slope * distance, v),
                "that favours what is far: take the penalty off",
            ),
            (_gathered(scores, v), "distance has no effect: q at t, k at s are t - s apart"),
            (
                (scores - slope * distance).softmax(-1) @ v,
                "nothing is hidden: the future is seen",
            ),
            (
                _gathered(scores - slope * distance / q.shape[2] ** 0.5, v),
                "take the penalty off the scaled scores: it is divided by the root of D here",
            ),
            (
                _gathered(scores - slope * distance.ne(0), v),
                "every other token is penalised alike: twice as far costs twice as much",
            ),
            (
                _gathered(scores - slope[0] * distance, v),
                "every head has a slope of its own: slopes[:, None, None]",
            ),
        ]
        given = (q, k, v, torch.tensor(slopes))
        cases.append(Case(given, right, hint, _other_than(right, mistakes)))
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


def _queries_keys_values(T: int) -> tuple[Tensor, ...]:
    """Of at most four tokens, two numbers each."""
    q = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, -1.0]])
    k = torch.tensor([[0.0, 1.0], [2.0, 0.5], [1.0, -1.0], [0.5, 0.0]])
    return q[:T], k[:T], _values(T)


def _values(T: int) -> Tensor:
    """Two numbers a token, in no order."""
    places = torch.arange(float(T))
    return torch.stack([places**2 - 3, 5 - 2 * places], dim=1)


def _gathered(scores: Tensor, v: Tensor) -> Tensor:
    """The values by the softmax of causal scores."""
    past = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~past, -math.inf).softmax(dim=-1) @ v


def _seen(scores: Tensor, v: Tensor, back: int, ahead: int = 0) -> Tensor:
    """The values by the softmax of scores of `back` tokens, the own one included."""
    ones = torch.ones(scores.shape, dtype=torch.bool)
    hidden = ones.triu(1 + ahead) | ones.tril(-back)
    return scores.masked_fill(hidden, -math.inf).softmax(-1) @ v


def _other_than(right: Tensor, mistakes: list[tuple[Tensor, str]]) -> list[tuple[Tensor, str]]:
    """Those wrong answers that are wrong for this case."""
    return [(wrong, hint) for wrong, hint in mistakes if not torch.allclose(wrong, right)]


def _with_values(message: str, T: int) -> str:
    """The message, which compares what attention gathers, with the values that it gathers."""
    values = f"with v = {shown(_values(T))}, attention(q, k, v)"
    nothing = "returned None; expected"
    if nothing in message:
        return message.replace(nothing, f"{nothing} q and k: {values} must be", 1)
    return message.replace(" returned ", f": {values} is ", 1)


class _Gathers:
    """What causal attention gathers with the reader's queries and keys."""

    def __init__(self, function: Callable[[int], tuple[Tensor, Tensor]]) -> None:
        self.function = function
        self.__name__ = name_of(function)
        if code := getattr(function, "__code__", None):
            self.__code__ = code  # a verdict shows the line of an exception

    def __call__(self, T: int) -> Tensor | None:
        found = self.function(T)
        if found is None:
            return None
        q, k = (part.to(torch.get_default_dtype()) for part in found)
        if q.shape != k.shape or q.dim() != 2 or len(q) != T:
            raise ValueError(
                f"q is {tuple(q.shape)} and k is {tuple(k.shape)}; both must be ({T}, D)"
            )
        return _gathered(q @ k.T / q.shape[1] ** 0.5, _values(T))


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
