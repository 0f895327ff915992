"""The checks of a token that is chosen by min-p, and of scores with a repetition penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge, name_of, shown

DRAWS = 3000
CHANCE = 0.035  # farther off than this, three thousand draws are not by these shares


def choose_by_min_p(function: Callable[[Tensor, float, float], Tensor]) -> Verdict:
    """Check `choose_by_min_p(scores, temperature, min_p) -> token`, by what it draws."""

    def call(scores: Tensor, temperature: float, min_p: float) -> Any:
        given, counts = scores.clone(), torch.zeros(len(scores))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            for _ in range(DRAWS):
                token = function(scores, temperature, min_p)
                if token is None or not torch.equal(scores, given):
                    return token
                counts[_place(token, len(scores))] += 1
        return Shares((counts / DRAWS).tolist())

    call.__name__ = name_of(function)
    scores = torch.tensor([6.0, 34.0, 22.0, 10.0, 28.0]).log()
    cases = [
        _min_p_case(scores, 1.0, 0.25, "keep what has at least min_p times the best's probability"),
        _min_p_case(scores, 1.0, 0.7, "keep what has at least min_p times the best's probability"),
        _min_p_case(scores, 3.0, 0.62, "the temperature comes first, then the cut"),
        _min_p_case(scores, 1.0, 1.0, "the best has all of its own probability: it always stays"),
        _min_p_case(scores, 1.0, 0.01, "a small share cuts little"),
    ]
    return judge(call, cases)


class Shares(tuple):
    """How often each token was drawn; equal to others up to chance, but 0 is 0."""

    def __new__(cls, shares: list[float]) -> Shares:
        return super().__new__(cls, shares)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Shares)
            and len(self) == len(other)
            and all((a == 0) == (b == 0) for a, b in zip(self, other, strict=True))
            and all(abs(a - b) < CHANCE for a, b in zip(self, other, strict=True))
        )

    __hash__ = tuple.__hash__


def _place(token: Any, size: int) -> int:
    if isinstance(token, Tensor) and token.numel() != 1:
        raise ValueError(f"gave {shown(token)}; it must be one token")
    if (isinstance(token, Tensor) and token.is_floating_point()) or int(token) != token:
        raise ValueError(f"gave {shown(token)}; it must be a token, a whole number")
    if not 0 <= int(token) < size:
        raise ValueError(f"gave {int(token)}; the tokens are 0 to {size - 1}")
    return int(token)


def _shares(probabilities: Tensor, keeps: Tensor) -> Shares:
    left = probabilities * keeps
    return Shares((left / left.sum()).tolist())


def _min_p_case(scores: Tensor, temperature: float, min_p: float, hint: str) -> Case:
    p, plain = (scores / temperature).softmax(dim=-1), scores.softmax(dim=-1)
    right = p >= min_p * p.max()
    everything = torch.ones(len(p), dtype=torch.bool)
    order = p.argsort(descending=True)
    before = torch.empty_like(p)
    before[order] = p[order].cumsum(dim=-1) - p[order]
    absolute = "min_p is a share of the best's probability, not a probability"
    only = (
        "only the best ever came. Others stay too: those with at least min_p times its "
        "probability, and what stays is drawn"
    )
    late = "cut by the probabilities after the temperature, which comes first"
    mistakes = [
        (_shares(p, p == p.max()), only),
        (_shares(p, plain >= min_p * plain.max()), late),
        (_shares(p, p >= min_p), absolute),
        (_shares(p, before < min_p), "that is top-p, which adds probabilities up"),
        (
            _shares(p, everything),
            "nothing was cut: what is too improbable needs a probability of 0",
        ),
        (_shares(plain, plain >= min_p * plain.max()), "the temperature does nothing"),
        (_shares(right / right.sum(), right), "what stays keeps its share: draw by probabilities"),
        (_shares(p, ~right), "the other way round: the improbable go, the probable stay"),
    ]
    expected = _shares(p, right)
    return Case((scores, temperature, min_p), expected, hint, _others(expected, mistakes))


def _others(expected: Any, mistakes: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """Those that are wrong here."""
    return [(answer, hint) for answer, hint in mistakes if answer != expected]


def penalised(function: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check `penalised(scores, ids, penalty) -> (V,)`: the repetition penalty."""
    scores = torch.tensor([2.0, 1.0, -1.0, -3.0, 0.5])
    cases = [
        _penalty_case(scores, torch.tensor([0, 2]), 2.0),
        _penalty_case(scores, torch.tensor([0, 4, 0, 0]), 2.0),  # 0 three times: lowered once
        _penalty_case(scores, torch.tensor([3, 1]), 1.25),
        _penalty_case(scores, torch.tensor([1, 2, 3]), 1.0),
    ]
    return judge(function, cases)


def _penalty_case(scores: Tensor, ids: Tensor, penalty: float) -> Case:
    has = torch.zeros(len(scores), dtype=torch.bool)
    has[ids] = True
    by_sign = torch.where(scores > 0, scores / penalty, scores * penalty)
    right = torch.where(has, by_sign, scores)
    each = scores.clone()
    for i in ids.tolist():
        each[i] = each[i] / penalty if each[i] > 0 else each[i] * penalty
    wrong_way = torch.where(scores > 0, scores * penalty, scores / penalty)
    mistakes = [
        (each, "once for each token that the text has, however often it has it"),
        (torch.where(has, scores / penalty, scores), "a score below 0, divided, goes up"),
        (torch.where(has, scores * penalty, scores), "a score above 0, multiplied, goes up"),
        (torch.where(has, wrong_way, scores), "the other way round: these scores went up"),
        (torch.where(has, scores - penalty, scores), "divide or multiply; do not subtract"),
        (by_sign, "only the tokens that the text has"),
        (torch.where(has, scores, by_sign), "the tokens that the text has, not all others"),
        (scores, "nothing was lowered"),
        (by_sign[ids], "return the scores of all tokens, (V,), not of the text's alone"),
    ]
    hint = "divide a score above 0 by the penalty, multiply one below; leave all others as they are"
    others = [
        (m, why) for m, why in mistakes if m.shape != right.shape or not torch.equal(m, right)
    ]
    return Case((scores, ids, penalty), right, hint, others)
