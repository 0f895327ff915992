"""The drawing of one token's attention shows what torch's own attention computes."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn import functional as F

from minigpt.lessons.attention.drawings import attention_of_one
from minigpt.lessons.drawing.canvas import number_text

TOKENS = ["the", "cat", "sat"]
Q, K, V = torch.randn(3, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def shown(*arguments) -> list[str]:
    return re.findall(r">([^<>]+)</text>", attention_of_one(*arguments)._repr_html_())


def test_scores_weights_and_output_are_torchs():
    found = shown(TOKENS, Q[2], K, V)
    output = F.scaled_dot_product_attention(Q[None], K[None], V[None], is_causal=True)[0, 2]
    assert found[-2:] == [number_text(n, 2) for n in output.tolist()]
    scores = K @ Q[2] / 2**0.5
    for number in (*scores.tolist(), *scores.softmax(0).tolist()):
        assert number_text(number, 2) in found
    for number in (*Q[2].tolist(), *K.flatten().tolist(), *V.flatten().tolist()):
        assert number_text(number, 1) in found


def test_the_arrow_of_the_largest_weight_is_the_thickest():
    query, keys = torch.tensor([4.0, 0.0]), torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    drawn = attention_of_one(TOKENS, query, keys, torch.eye(3)[:, :2])
    html = drawn._repr_html_()
    widths = [
        float(w) for w in re.findall(r'stroke="#2a9465" fill="none" stroke-width="(\S+?)"', html)
    ]
    weights = (keys @ query / 2**0.5).softmax(0)
    assert widths == [round(1 + 5 * w, 2) for w in weights.tolist()] and max(widths) == widths[1]
    assert drawn.alt.endswith("most of it from cat.") and "0.99 to cat" in drawn.alt


def test_too_few_or_too_many_are_refused():
    for tokens, keys in ((["a"], K[:1]), (["a"] * 5, torch.zeros(5, 2)), (TOKENS, K[:2])):
        with pytest.raises(ValueError, match="give 2 to 4 of each"):
            attention_of_one(tokens, Q[0], keys, keys)
