"""The checks of the chapter on attention, held to right, empty and wrong submissions."""

from __future__ import annotations

import functools
import math

import torch
from submissions import Submissions
from torch.nn import functional as F

from minigpt.attention import causal_mask
from minigpt.lessons.attention import exercises as check


def my_softmax(scores):
    powers = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def softmax_with_one_maximum(scores):
    powers = (scores - scores.max()).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def softmax_in_place(scores):
    scores -= scores.amax(dim=-1, keepdim=True)
    return scores.softmax(dim=-1)


def causal_weights(scores):
    return scores.masked_fill(~causal_mask(len(scores)), -math.inf).softmax(dim=-1)


def hidden(scores, keep, value):
    return scores.masked_fill(~keep(torch.ones_like(scores)).bool(), value)


def entropy(weights):
    return -sum(w * math.log(w) for w in weights.tolist() if w > 0)


def streaming_attention(q, pairs, scale=None, grow=True, start=-math.inf):
    scale = len(q) ** -0.5 if scale is None else scale
    maximum, total, gathered = torch.tensor(start), torch.tensor(0.0), 0.0
    for key, value in pairs:
        score = (q @ key) * scale
        higher = torch.maximum(maximum, score)
        shrink = (maximum - higher).exp() if grow else 1.0
        weight = (score - higher).exp()
        total, gathered = total * shrink + weight, gathered * shrink + weight * value
        maximum = higher
    return gathered / total


def streaming_with_the_first_as_start(q, pairs):
    key, gathered = next(pairs)
    maximum, total = q @ key / len(q) ** 0.5, 1.0
    for key, value in pairs:
        score = q @ key / len(q) ** 0.5
        higher = max(maximum, score)
        shrink, weight = (maximum - higher).exp(), (score - higher).exp()
        total, gathered = total * shrink + weight, gathered * shrink + weight * value
        maximum = higher
    return (gathered / total).tolist()


def streaming_without_maximum(q, pairs):
    total, gathered = 0.0, 0.0
    for key, value in pairs:
        weight = (q @ key / len(q) ** 0.5).exp()
        total, gathered = total + weight, gathered + weight * value
    return gathered / total


def attention_of_all_pairs(q, pairs):
    keys, values = map(torch.stack, zip(*pairs, strict=True))
    return (keys @ q / len(q) ** 0.5).softmax(dim=-1) @ values


CORRECT = {
    "attention_parameters": lambda n_embd, bias: 4 * n_embd**2 + (4 * n_embd if bias else 0),
    "my_softmax": my_softmax,
    "causal_weights": causal_weights,
    "entropy": entropy,
    "streaming_attention": streaming_attention,
}

OTHERWISE_CORRECT = [
    ("my_softmax", lambda scores: F.softmax(scores, dim=-1)),
    ("entropy", lambda weights: torch.special.entr(weights).sum()),
    ("streaming_attention", streaming_with_the_first_as_start),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("attention_parameters", lambda n_embd, bias: 3 * n_embd**2, "projection after the heads"),
    ("attention_parameters", lambda n_embd, bias: 12 * 4 * n_embd**2, "cost nothing"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2, "with biases"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2 + n_embd * bias, "biases too"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2 + 4 * n_embd, "without biases"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(-1, keepdim=True), "exp(1000)"),
    ("my_softmax", lambda scores: scores.softmax(dim=0), "columns sum to 1"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(), "sum of its own"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(-1), "keepdim=True"),
    ("my_softmax", softmax_with_one_maximum, "every row has its own"),
    ("my_softmax", softmax_in_place, "build a new tensor"),
    ("causal_weights", lambda scores: scores.softmax(-1), "nothing is hidden"),
    ("causal_weights", lambda scores: scores.softmax(-1).tril(), "rows do not sum to 1"),
    ("causal_weights", lambda s: hidden(s, torch.triu, -math.inf).softmax(-1), "kept the future"),
    (
        "causal_weights",
        lambda s: hidden(s, functools.partial(torch.tril, diagonal=-1), -math.inf).softmax(-1),
        "a token may look at itself",
    ),
    ("causal_weights", lambda s: hidden(s, torch.tril, 0.0).softmax(-1), "hide with -inf"),
    ("causal_weights", lambda s: hidden(s, torch.tril, -math.inf).softmax(0), "along rows"),
    ("causal_weights", lambda s: hidden(s, torch.tril, -math.inf), "softmax is missing"),
    ("causal_weights", lambda s: (s + s.new_ones(3, 3).triu(1) * -math.inf).softmax(-1), "* 0"),
    ("causal_weights", lambda s: s.masked_fill_(~causal_mask(len(s)), -9e9).softmax(-1), "a new"),
    ("entropy", lambda weights: entropy(weights) / math.log(2), "those are bits"),
    ("entropy", lambda weights: -entropy(weights), "the sign"),
    ("entropy", lambda weights: -(weights * weights.log()).sum(), "leave out the weights"),
    ("entropy", lambda weights: -sum(w * math.log(w) for w in weights), "leave out the weights"),
    ("entropy", lambda weights: -(weights * weights.log()).mean(), "that is the mean"),
    ("entropy", lambda weights: -weights.log().sum(), "weigh each"),
    ("streaming_attention", streaming_without_maximum, "exp of a large score is inf"),
    ("streaming_attention", attention_of_all_pairs, "3 pairs were kept"),
    ("streaming_attention", lambda q, pairs: attention_of_all_pairs(q, list(pairs)), "let go"),
    ("streaming_attention", lambda *given: streaming_attention(*given, scale=1.0), "square root"),
    ("streaming_attention", lambda *given: streaming_attention(*given, scale=0.25), "not by D"),
    ("streaming_attention", lambda *given: streaming_attention(*given, grow=False), "grows from m"),
    ("streaming_attention", lambda *given: streaming_attention(*given, start=0.0), "from -inf"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT
