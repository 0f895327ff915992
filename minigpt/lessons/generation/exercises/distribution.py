"""The checks of a distribution that is sharpened or cut."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge


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
