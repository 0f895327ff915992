"""The check of the loss of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from minigpt.lessons.judge import Case, Verdict, judge


def cross_entropy(function: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check `cross_entropy(logits, targets)`: the mean of -ln softmax(logits)[target]."""
    shares = [[[1, 3], [2, 2]], [[9, 1], [1, 4]]]
    logits = torch.tensor(shares, dtype=torch.float32).log()
    targets = torch.tensor([[1, 1], [0, 1]])
    given = torch.tensor([[3 / 4, 1 / 2], [9 / 10, 4 / 5]])  # what the softmax gives the targets
    logs = logits.log_softmax(dim=-1)
    hint = (
        "the mean of -ln p, where p is the target's number in softmax(logits): .gather(-1, "
        "targets[..., None]) picks one number of every vector"
    )
    across = "each vector of scores is a softmax of its own: along the last dimension, dim=-1"
    no_shares = "targets are ids, which pick one number of each vector; they are no probabilities"
    twice = "softmax was taken twice: F.cross_entropy and log_softmax want the scores"
    one = "one number for the whole batch: the mean of all"
    every = "each place has its own target: .gather(-1, targets[..., None])"
    middle = (
        "F.cross_entropy takes dimension 1 for the vocabulary, and here T is as large as V: "
        "flatten(0, 1) makes (B * T, V) of the logits"
    )
    wide = torch.tensor([[[0.0, math.log(2), 0.0, 0.0], [0.0, 0.0, 0.0, math.log(5)], [0.0] * 4]])
    surprises = -given.log()
    loss = surprises.mean()
    large = "exp(1000) is too large for a float: subtract the largest score of each vector first"
    small = (
        "exp(-1000) is 0 as a float, and ln 0 is -inf: never take the softmax, but its logarithm, "
        "scores - logsumexp(scores)"
    )
    own = "every vector has a largest score of its own: amax(dim=-1, keepdim=True)"
    cases = [
        Case(
            (logits, targets),
            loss.item(),
            hint,
            _as_floats(
                [
                    (given.mean(), "those are probabilities: take the logarithm of each"),
                    (-given.mean(), "those are probabilities: take the logarithm of each"),
                    (1 - given.mean(), "that is 1 - p: the loss is -ln p"),
                    (-given.mean().log(), "first the logarithm of each, then the mean"),
                    (-loss, "the sign: logarithms of probabilities are negative"),
                    (loss / math.log(2), "those are bits: the natural logarithm makes nats"),
                    (loss / math.log(10), "use the natural logarithm, for nats"),
                    (surprises.sum(), "that is the sum: divide by all B * T predictions"),
                    (surprises.sum() / 2, "divide by all B * T predictions, not by B or T"),
                    (surprises, one),
                    (surprises.mean(dim=1), one),
                    (surprises.mean(dim=0), one),
                    (surprises.sum(dim=1), one),
                    (loss.exp(), "that is the perplexity, exp of the loss"),
                    (loss / 2, "a prediction counts once, not once a score: divide by B * T"),
                    (F.cross_entropy(logits, targets), middle),
                    (_picked(logits.log_softmax(dim=1), targets), across),
                    (_picked(logits.log_softmax(dim=0), targets), across),
                    (_picked(logits - logits.logsumexp((0, 1, 2)), targets), across),
                    (_picked(logits, targets), "those are scores: the softmax is missing"),
                    (_picked(logs.exp().log_softmax(dim=-1), targets), twice),
                    (-(targets * logs).sum(dim=-1).mean(), no_shares),
                    (-(targets[..., None] * logs).sum(dim=-1).mean(), no_shares),
                    (-(targets[..., None] * logs).mean(), no_shares),
                    (-logs.mean(), every),
                    (-logs.sum(dim=-1).mean(), every),
                    (-logs[..., targets].mean(), every),
                ]
            ),
        ),
        Case(
            (wide, torch.tensor([[1, 3, 2]])),
            (math.log(5 / 2) + math.log(8 / 5) + math.log(4)) / 3,
            hint + ". Here B is 1, T is 3 and V is 4",
        ),
        Case(
            (torch.tensor([[[1000.0, 1000.0], [0.0, 0.0]]]), torch.tensor([[0, 1]])),
            math.log(2),
            large,
            [(math.nan, large), (math.inf, large), (-math.inf, own)],
        ),
        Case(
            (torch.tensor([[[1000.0, 0.0]]]), torch.tensor([[1]])),
            1000.0,
            small,
            [(math.nan, large), (math.inf, small)],
        ),
    ]
    return judge(function, cases)


def _picked(logs: Tensor, targets: Tensor) -> Tensor:
    """Minus the mean of the targets' numbers."""
    return -logs.gather(-1, targets[..., None]).mean()


def _as_floats(mistakes: list[tuple[Tensor, str]]) -> list[tuple[Any, str]]:
    """Where one number is expected, a mistake may be a float or a tensor of it, as answers may."""
    return [(wrong if wrong.dim() else wrong.item(), hint) for wrong, hint in mistakes]
