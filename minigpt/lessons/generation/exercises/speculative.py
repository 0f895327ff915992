"""The check of a step of speculative decoding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigpt.lessons.judge import TOLERANCE, Case, Verdict, judge, name_of, shown


def accept_or_replace(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Verdict:
    """Check `accept_or_replace(p, q)`: one step of speculative decoding.

    Returned are, for every token, the probability that it is accepted if the draft model, whose
    distribution is q, proposes it; and the distribution that a token is drawn from instead if it
    is not. The check puts the two together: tokens must come out as p has them, and no draft may
    be rejected that could be accepted (Leviathan et al. 2023, section 2.3).
    """
    steps: list[Step] = []

    def call(p: Tensor, q: Tensor) -> Any:
        given = p.clone(), q.clone()
        answer = function(p, q)
        answer = tuple(answer) if hasattr(answer, "__iter__") else answer
        if not isinstance(answer, tuple) or len(answer) != 2:
            return answer
        parts = [torch.as_tensor(part) for part in answer]
        if any(part.shape != p.shape for part in parts):
            return answer
        steps.append(Step(*given, *(part.detach().to(p.dtype) for part in parts)))
        return steps[-1]

    call.__name__ = name_of(function)
    hint = (
        "return two tensors (V,): min(1, p / q), and max(0, p - q) divided by its sum, for what "
        "the accepted drafts leave to be made up for"
    )
    never = (
        "where p and q are both 0, p / q is nan. The draft never proposes a token whose q is 0, so "
        "any number does there, as of torch.where(q > 0, p / q, 1.0)"
    )
    same = (
        "p and q are the same, so nothing is ever rejected, and max(0, p - q) sums to 0: return "
        "any distribution then, such as p"
    )
    one, other = torch.tensor([3.0, 3.0, 1.0, 1.0]) / 8, torch.tensor([1.0, 2.0, 2.0, 3.0]) / 8
    first, second = torch.tensor([0.5, 0.5, 0.0, 0.0]), torch.tensor([0.0, 0.5, 0.5, 0.0])
    cases = [
        _step_case(one, other, hint),
        _step_case(other, one, hint),
        _step_case(first, second, never, (math.nan, never)),
        _step_case(one, one, same, (math.nan, same)),
    ]
    verdict = judge(call, cases)
    if not steps:
        return verdict
    step = steps[0] if verdict.passed else steps[-1]
    said, tokens, p = (
        verdict.message + "\nPut together, tokens come out with ",
        step.tokens(),
        step.p,
    )
    if verdict.passed:
        kept = shown(step.parts()[0].sum())
        return Verdict(
            True, f"{said}{shown(tokens)}, which is p, and {kept} of the drafts are kept."
        )
    if tokens.isfinite().all() and not torch.allclose(tokens, p, **TOLERANCE):
        return Verdict(False, f"{said}{shown(tokens)}, where p is {shown(p)}.")
    return verdict


class Step(tuple):
    """Accepted and residual, equal to another if as many drafts are kept and replaced by each."""

    p: Tensor
    q: Tensor

    def __new__(cls, p: Tensor, q: Tensor, accepted: Tensor, residual: Tensor) -> Step:
        step = super().__new__(cls, (accepted, residual))
        step.p, step.q = p, q
        return step

    def parts(self) -> Tensor:
        """How often each token is a draft that is accepted, and how often a replacement, (2, V)."""
        accepted, residual = self
        kept = self.q * accepted
        return torch.stack([kept, (1 - kept.sum()) * residual])

    def tokens(self) -> Tensor:
        """How often each token comes out, (V,)."""
        return self.parts().sum(dim=0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and torch.allclose(self.parts(), other.parts(), **TOLERANCE)


def _step_case(p: Tensor, q: Tensor, hint: str, *mistakes: tuple[Any, str]) -> Case:
    kept = torch.minimum(p, q)
    missing = p - kept
    accepted = torch.where(q > 0, kept / q, 1.0)
    residual = missing / missing.sum() if missing.sum() > 0 else p
    ratio = "p / q: a draft is doubtful where q is larger than p"
    drawn = "the draft has been drawn by q already: its chance to be accepted is p / q"
    waste = "tokens come out right, but more of the drafts can be accepted: min(1, p / q)"
    accepted_wrongly = [
        ((q / p).clamp(max=1), ratio),
        (q / p, ratio),
        (p / q, "a probability is at most 1: min(1, p / q)"),
        (kept, drawn),
        (p, drawn),
        (torch.ones_like(p), "if every draft is accepted, tokens come out as q has them"),
        ((p >= q).to(p.dtype), "where q is larger than p, keep a share of p / q, not none"),
        (1 - accepted, "return the probability that a draft is accepted, not rejected"),
    ]
    negative = "no probability is negative: only tokens that q has too seldom, max(0, p - q)"
    softmax = "divide by the sum: a softmax gives a share to tokens that need none"
    residual_wrongly = [
        (p, "drawn from p again, tokens that accepted drafts give often enough come too often"),
        (missing, "a distribution sums to 1: divide max(0, p - q) by its sum"),
        (p - q, negative),
        ((p - q) / (p - q).sum(), negative),
        ((p - q).abs() / (p - q).abs().sum(), negative),
        ((q - kept) / (q - kept).sum(), "p - q: what q has too seldom is to be made up for"),
        (q, "q has proposed already: what is missing is what p has more than q"),
        ((p - q).softmax(dim=-1), softmax),
        (missing.softmax(dim=-1), softmax),
    ]
    wrong: list[tuple[Any, str]] = [
        *mistakes,
        (Step(p, q, torch.zeros_like(p), p), waste),
        (Step(p, q, p / q / (p / q).max(), p), waste),
        (Step(p, q, residual, accepted), "in the order accepted, residual"),
    ]
    for a, why in accepted_wrongly:
        wrong += [(Step(p, q, a, r), why) for r in (residual, *(r for r, _ in residual_wrongly))]
    wrong += [(Step(p, q, accepted, r), why) for r, why in residual_wrongly]
    return Case((p, q), Step(p, q, accepted, residual), hint, wrong)
