"""Checks for the exercises of the chapter on generation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from minigpt.lessons.judge import TOLERANCE, Case, Verdict, judge, shown


def sharpened(function: Callable[[Tensor, float], Tensor]) -> Verdict:
    """Check `sharpened(probabilities, temperature) -> (V,)`: the same at another temperature."""
    hint = "p ** (1 / temperature), divided by the sum of these powers"
    small = (
        "0.4 ** 1000 is 0 as a float, and 0 / 0 is nan: divide by the largest probability before "
        "the power"
    )
    zero = "a probability of 0 stays 0 at every temperature"
    sharp, flat = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.64, 0.36])
    cases = [
        Case((sharp, 0.5), torch.tensor([4.0, 1.0, 1.0]) / 6, hint, _sharpened_wrongly(sharp, 0.5)),
        Case((flat, 2.0), torch.tensor([4.0, 3.0]) / 7, hint, _sharpened_wrongly(flat, 2.0)),
        Case((flat, 1.0), flat, "a temperature of 1 changes nothing"),
        Case((torch.tensor([0.8, 0.2, 0.0]), 2.0), torch.tensor([2.0, 1.0, 0.0]) / 3, zero),
        Case(
            (torch.tensor([0.4, 0.2, 0.4]), 0.001),
            torch.tensor([0.5, 0.0, 0.5]),
            small,
            [(math.nan, small)],
        ),
    ]
    return judge(function, cases)


def _sharpened_wrongly(p: Tensor, t: float) -> list[tuple[Tensor, str]]:
    scores = (
        "softmax takes logits: a logit is the logarithm of a probability, up to a number that is "
        "the same for all"
    )
    inverse = "1 / temperature is the exponent: below 1, a temperature makes the likely likelier"
    powers = p ** (1 / t)
    return [
        (p / t, "divide logits by the temperature; of probabilities, take a power"),
        (p, "dividing all probabilities alike changes nothing once they sum to 1: take a power"),
        ((p / t).softmax(dim=-1), scores),
        (p.softmax(dim=-1), scores),
        (powers.softmax(dim=-1), "divide the powers by their sum; a softmax takes exp once more"),
        (powers, "probabilities sum to 1: divide the powers by their sum"),
        (p**t, inverse),
        (p**t / (p**t).sum(), inverse),
        (p.log() / t, "those are logits: softmax makes probabilities of them"),
    ]


def top_p(function: Callable[[Tensor, float], list[int]]) -> Verdict:
    """Check `top_p(probabilities, p) -> ids`: the fewest best whose sum reaches p, best first."""
    hint = "from the best down, keep ids until their probabilities sum to p or more"
    crossing = "the token with which the sum reaches p is kept too, so that one stays at least"
    longer = "one token too many: a sum that equals p has reached it"
    single = "the sum has to reach p, not every token's own probability"
    places = "those are places in the sorted order: return the ids that stand there"
    p = torch.tensor([0.1, 0.5, 0.05, 0.35])
    cases = [
        Case(
            (p, 0.9),
            [1, 3, 0],
            hint,
            [
                ([1, 3], crossing),
                ([1, 3, 0, 2], "one token too many: stop when the sum has reached p"),
                ([0, 1, 3], "best first: yours are in the order of their ids"),
                ([0, 3, 1], "best first: yours begin with the least likely"),
                ([0, 1, 2], places),
                ([0, 1, 2, 3], "sort first: begin with the most likely token, not with id 0"),
                ([2, 0, 3, 1], "begin with the most likely token: descending=True"),
                (p[[1, 3, 0]].tolist(), "those are the probabilities: return the tokens' ids"),
                ([], single),
                ([1], "that is min-p, a share of the best one's probability"),
            ],
        ),
        Case((p, 0.5), [1], hint, [([1, 3], longer), ([], crossing)]),
        Case((p, 0.2), [1], hint, [([], crossing), ([1, 3], single)]),
        Case(
            (torch.tensor([0.25, 0.0, 0.625, 0.0, 0.125]), 1.0),  # eighths: their sum is exact
            [2, 0, 4],
            "the fewest whose sum is 1: those with a probability of 0 are not needed",
            [([2, 0], crossing)],
        ),
        Case((torch.tensor([1.0]), 1.0), [0], "a token alone stays"),
    ]
    return judge(function, cases)


def tokens_read(function: Callable[[int, int], tuple[int, int]]) -> Verdict:
    """Check `tokens_read(n_prompt, n_new) -> (without, with)`: a KV cache."""

    def call(n_prompt: int, n_new: int) -> Any:
        answer = function(n_prompt, n_new)
        return tuple(answer) if isinstance(answer, list) else answer

    call.__name__ = getattr(function, "__name__", "your function")
    hint = (
        "the first new token needs the prompt read. Without a cache, each further one needs "
        "everything read again, one token longer; with a cache, only the token before it"
    )
    cases = [
        Case(
            (n_prompt, n_new),
            (n_new * n_prompt + n_new * (n_new - 1) // 2, n_prompt + n_new - 1),
            hint,
            _read_wrongly(n_prompt, n_new),
        )
        for n_prompt, n_new in ((5, 3), (10, 1), (1, 6), (200, 50))
    ]
    return judge(call, cases)


def _read_wrongly(n: int, m: int) -> list[tuple[tuple[int | float, int], str]]:
    """The mistakes with a prompt of n tokens and m new ones: in both numbers, or in one."""
    without, cached, whole = m * n + m * (m - 1) // 2, n + m - 1, n + m
    last = "the last new token is written, but never read: nothing is asked after it"
    square = "the text grows by a token at a time: add up the lengths that were read"
    forgot = "the prompt is read too"
    scores = "count tokens, not the pairs of tokens that attention compares"
    mistakes = [
        (without + whole, whole, last),
        (m * (m - 1) // 2, m - 1, forgot),
        (m * (m + 1) // 2, m, forgot),
        (whole**2, cached, square),
        (whole**2 / 2, cached, square),
        (whole * m, cached, square),
        (n * m, cached, "the new tokens are read again too, not the prompt alone"),
        (whole * (whole - 1) // 2, cached, "the prompt is read at once, not token by token"),
        (whole * (whole + 1) // 2, cached, "the prompt is read at once, not token by token"),
        (sum((n + i) ** 2 for i in range(m)), n * n + sum(range(n + 1, whole)), scores),
        (without, without, "with a cache, no token is read twice"),
    ]
    pairs = [
        ((cached, without), "in the order without, with"),
        ((cached, cached), "without a cache, everything is read again for each new token"),
    ]
    for wrong, wrong_cached, hint in mistakes:
        alone = ((wrong, cached), (wrong, whole), (without, wrong_cached))
        pairs += [(pair, hint) for pair in ((wrong, wrong_cached), *alone)]
    return pairs


def write_until(function: Callable[[Iterator[str], str], Iterator[str]]) -> Verdict:
    """Check `write_until(pieces, stop)`: a generator of the text before `stop`, as it comes.

    What counts is the text that is given out between one piece taken and the next, in however
    many parts.
    """
    keep = "keep the end of the text that stop begins with, and give out what comes before it"
    early = "the beginning of stop was given out, before it was sure to be no stop"
    single = "stop may be spread over pieces: look for it in what is kept back plus the new piece"
    whole = "everything was kept to the end: yield what is sure before you take the next piece"
    late = "give out what is sure before you take the next piece"
    on = "the text ends at the first stop: nothing after it is given out"
    more = "a piece was taken that is not needed: return when stop is complete"
    given = "stop itself is not part of the text"
    fewer = "no more than needed: keep back only an end of the text that stop begins with"
    lost = "what was kept back and turned out to be no stop is part of the text"
    rest = "no piece is left, so stop cannot come any more: give out what is kept back"
    again = "'aab' may begin at the second letter of 'aaa': stop can begin inside a false beginning"

    def case(
        pieces: list[str], stop: str, right: list[str], hint: str, *wrong: tuple[list[str], str]
    ) -> Case:
        mistakes = [(Written(pieces, texts), hint) for texts, hint in wrong]
        return Case((pieces, stop), Written(pieces, right), hint, mistakes)

    cases = [
        case(
            ["To ", "be", "\n", "or"],
            "\n",
            ["To ", "be", ""],
            "give out each piece until stop comes, and end there",
            (["To ", "be", "\n"], given),
            (["To ", "be", "", "or", ""], on),
            (["To ", "be", "\n", "or", ""], on),
            (["To ", "be", "", ""], more),
            (["To ", "be", "", "", ""], more),
            (["", "To ", "be"], late),
            (["", "", "To be"], late),
            (["", "", "", "", "To be"], whole),
            (["", "", "", "", "To be\n"], whole),
            (["To", " b", "e"], fewer),
        ),
        case(
            ["To be\nor not\nto be"],
            "\n",
            ["To be"],
            "stop may stand in the middle of a piece",
            (["To be\nor not\nto be", ""], "stop may stand in the middle of a piece"),
            ([""], "what stands before stop in the same piece is part of the text"),
            (["To be\n"], given),
            (["To be\nor not"], "the first stop ends the text, not the last"),
            (["To beor notto be", ""], on),
        ),
        case(
            ["Hi.", "\n", "\nRO", "MEO:"],
            "\n\n",
            ["Hi.", "", ""],
            single,
            (["Hi.", "\n", "\nRO", "MEO:", ""], single),
            (["Hi.", "\n", ""], early),
            (["Hi.", "", "\n"], given),
            (["Hi.", "", "\n\n"], given),
            (["Hi", ".", ""], fewer),
            (["H", "i", "."], fewer),
        ),
        case(
            ["one\n", "two", "\n"],
            "\n\n",
            ["one", "\ntwo", "", "\n"],
            keep,
            (["one", "two", "", ""], lost),
            (["one", "two", "", "\n"], lost),
            (["one", "\ntwo", "", ""], rest),
            (["one", "\ntwo", ""], rest),
            (["", "one\ntwo", "", "\n"], fewer),
            (["one", "\ntw", "o", "\n"], fewer),
            (["on", "e\nt", "w", "o\n"], fewer),
        ),
        case(
            ["aa", "ab", "cd"],
            "aab",
            ["", "a"],
            again,
            (["", "aaab", "cd", ""], again),
            (["", "aaa", "bcd", ""], again),
        ),
        case(
            list("the end."),
            "end!",
            ["t", "h", "", "e ", "", "", "", "end.", ""],
            keep,
            (["", "", "", "t", "h", "e", " ", "e", "nd."], fewer),
        ),
        case([], "\n", [""], "no pieces make no text"),
    ]
    return judge(_traced(function), cases)


def _traced(function: Callable[[Iterator[str], str], Any]) -> Callable[[list[str], str], Any]:
    """The function on an iterator of the pieces, with what it gave out for each as the answer."""

    def call(pieces: list[str], stop: str) -> Any:
        source = Pieces(pieces)
        answer = function(source, stop)
        if not hasattr(answer, "__iter__"):
            return answer
        for text in answer:
            if not isinstance(text, str):
                raise TypeError(f"gave out {shown(text)}, which is no string")
            source.given[-1] += text
        before, *texts = source.given
        return Written(pieces, texts, before)

    call.__name__ = getattr(function, "__name__", "your function")
    return call


class Pieces:
    """Pieces of text as an iterator; `given` has a place for what is given out before each."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces, self.given, self.asked = pieces, [""], 0

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> str:
        self.asked += 1
        if self.asked > len(self.pieces) + 10:  # a loop that nothing else would end
            raise RuntimeError("asked for pieces again and again after their end")
        if self.asked <= len(self.pieces) + 1:
            self.given.append("")
        if self.asked > len(self.pieces):
            raise StopIteration
        return self.pieces[self.asked - 1]


class Written:
    """What was given out for each piece that was taken, and at the end, if that was reached."""

    def __init__(self, pieces: Sequence[str], texts: Sequence[str], before: str = "") -> None:
        self.pieces, self.texts, self.before = list(pieces), list(texts), before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and vars(self) == vars(other)

    def __repr__(self) -> str:
        places = [*(f"for {piece!r}" for piece in self.pieces), "at the end"]
        parts = [f"{self.before!r} before the first piece"] if self.before else []
        parts += [f"{text!r} {place}" for text, place in zip(self.texts, places, strict=False)]
        return ", ".join(parts) or "nothing, and took no piece"


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

    call.__name__ = getattr(function, "__name__", "your function")
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
