"""The checks of the chapter on attention, held to right, empty and wrong submissions."""

from __future__ import annotations

import math

import torch
from submissions import Submissions
from torch.nn import functional as F

from minigpt.lessons.attention import exercises as check


def scaled(q, k):
    return q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5


def mixed(scores, v, hidden=None):
    hidden = torch.ones(scores.shape[-2:]).triu(1).bool() if hidden is None else hidden
    return scores.masked_fill(hidden, -math.inf).softmax(dim=-1) @ v


def softened_attention(q, k, v, temperature):
    scale = 1 / (temperature * q.shape[-1] ** 0.5)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)


def outside(T, w):
    places = torch.arange(T)
    distance = places[:, None] - places
    return (distance < 0) | (distance >= w)


def window_attention(q, k, v, w, more=0):
    return mixed(scaled(q, k), v, outside(len(q), w + more))


def two_sided_window(q, k, v, w):
    places = torch.arange(len(q))
    return mixed(scaled(q, k), v, (places[:, None] - places).abs() >= w)


def previous_token_head(T, sharp=1000.0, back=1):
    keys = torch.eye(T)
    return sharp * keys[[max(0, t - back) for t in range(T)]], keys


def distance_attention(q, k, v, slopes, sign=-1.0, power=1, slope=None):
    places = torch.arange(q.shape[1])
    distance = (places[:, None] - places) ** power
    slope = slopes[:, None, None] if slope is None else slope
    return mixed(scaled(q, k) + sign * slope * distance, v)


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
    "softened_attention": softened_attention,
    "window_attention": window_attention,
    "previous_token_head": previous_token_head,
    "distance_attention": distance_attention,
    "streaming_attention": streaming_attention,
}

OTHERWISE_CORRECT = [
    ("softened_attention", lambda q, k, v, t: mixed(scaled(q, k) / t, v)),
    (
        "window_attention",
        lambda q, k, v, w: F.scaled_dot_product_attention(
            q, k, v, attn_mask=torch.ones(len(q), len(q)).bool().tril().triu(1 - w)
        ),
    ),
    (
        "previous_token_head",  # angles instead of places of their own
        lambda T: [
            torch.stack([f(torch.arange(T) * 0.5 - shift) for f in (torch.sin, torch.cos)], 1) * 9e3
            for shift in (0.5, 0.0)
        ],
    ),
    ("streaming_attention", streaming_with_the_first_as_start),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("softened_attention", lambda q, k, v, t: mixed(scaled(q, k) * t, v), "2 evens out"),
    ("softened_attention", lambda q, k, v, t: mixed(q @ k.T / t, v), "root of D is gone"),
    ("softened_attention", lambda q, k, v, t: (scaled(q, k) / t).softmax(-1) @ v, "future is seen"),
    ("softened_attention", lambda q, k, v, t: mixed(scaled(q, k), v) / t, "before the softmax"),
    ("softened_attention", lambda q, k, v, t: mixed(scaled(q, k), v), "no effect"),
    ("window_attention", lambda *given: window_attention(*given, more=1), "past is seen"),
    ("window_attention", lambda q, k, v, w: mixed(scaled(q, k), v), "past is seen"),
    ("window_attention", lambda *given: window_attention(*given, more=-1), "one token too few"),
    ("window_attention", two_sided_window, "the future is seen"),
    (
        "window_attention",
        lambda q, k, v, w: scaled(q, k).softmax(-1).tril().triu(1 - w) @ v,
        "before the softmax",
    ),
    ("previous_token_head", lambda T: previous_token_head(T, back=0), "fits its own key"),
    ("previous_token_head", lambda T: (torch.zeros(T, 2), torch.zeros(T, 2)), "are equal"),
    ("previous_token_head", lambda T: previous_token_head(T, sharp=1.0), "scores larger"),
    ("previous_token_head", lambda T: (torch.eye(T), torch.eye(T + 1)), "both must be (3, D)"),
    ("previous_token_head", lambda T: previous_token_head(T)[::-1], "are equal"),
    ("previous_token_head", lambda T: previous_token_head(T, back=2), "fit the key"),
    ("distance_attention", lambda *given: distance_attention(*given, sign=1.0), "favours what"),
    ("distance_attention", lambda *given: distance_attention(*given, slope=0.0), "no effect"),
    ("distance_attention", lambda *given: distance_attention(*given, power=0), "no effect"),
    (
        "distance_attention",
        lambda *given: distance_attention(*given, slope=given[3][0]),
        "a slope of its own",
    ),
    (
        "distance_attention",
        lambda q, k, v, s: distance_attention(q, k, v, s / q.shape[2] ** 0.5),
        "divided by the root of D",
    ),
]
WRONG += [
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


def test_a_head_is_told_which_values_it_was_to_hand_on():
    values = "with v = [[-3.0, 5.0], [-2.0, 3.0], [1.0, 1.0]], attention(q, k, v)"
    empty = check.previous_token_head(lambda T: None)
    assert f"returned None; expected q and k: {values} must be [[-3.0," in empty.message
    itself = check.previous_token_head(lambda T: previous_token_head(T, back=0)).message
    assert f"(3): {values} is [[-3.0, 5.0], [-2.0, 3.0], [1.0, 1.0]]; expected [[-3.0," in itself
