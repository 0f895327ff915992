"""The chapter's drawings show what torch computes, and what it is given."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch.nn import functional as F

from minigpt.lessons.attention.drawings import (
    all_at_once,
    attention_of_one,
    averaging,
    growing,
    looks_of_the_last,
    own_share,
    queries_keys_values,
    seen_and_guessed,
    sharpness,
    split_and_joined,
)
from minigpt.lessons.drawing.canvas import Drawing, number_text
from minigpt.lessons.drawing.palette import BLUE, GREEN, ORANGE, PINK, SKY

TOKENS = ["the", "cat", "sat"]
Q, K, V = torch.randn(3, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def words(drawn: Drawing) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawn._repr_html_())


def boxes(drawn: Drawing, hue: str) -> list[tuple[float, float]]:
    """Width and height of each frame of a colour."""
    found = re.findall(r"<rect ([^>]*)/?>", drawn._repr_html_())
    sizes = [
        tuple(float(re.search(rf'\b{name}="([\d.]+)"', look)[1]) for name in ("width", "height"))
        for look in found
        if f'stroke="{hue}"' in look
    ]
    return sizes


def grounds(drawn: Drawing, hue: str) -> list[float]:
    """How deep the cells of a colour are, in their order."""
    html = drawn._repr_html_()
    return [
        float(depth)
        for depth in re.findall(
            rf'stroke="var\(--rule\)" fill="{hue}" fill-opacity="([\d.]+)"', html
        )
    ]


def texts(numbers: torch.Tensor, digits: int) -> list[str]:
    return [number_text(n, digits) for n in numbers.flatten().tolist()]


def test_the_deepest_token_is_the_one_that_is_looked_at_most():
    lines, weights = [["A", ":", "↵"], ["yes", "↵"]], [0.6, 0.04, 0.2, 0.06, 0.1]
    drawn = looks_of_the_last(lines, weights)
    percents = [text for text in words(drawn) if "%" in text]
    assert percents == ["60%", "20%", "6%", "10%"]  # 4 % is not told
    depths = grounds(drawn, ORANGE)
    assert len(depths) == 5 and max(depths) == depths[0] and min(depths) == depths[1]
    assert "60% to A, 20% to ↵, 10% to ↵" in drawn.alt
    with pytest.raises(ValueError, match="5 tokens and 4 weights"):
        looks_of_the_last(lines, weights[:4])


def test_each_row_sees_one_token_more_and_hides_the_answer():
    drawn = seen_and_guessed(["a", "b", "c", "d"])
    shown = words(drawn)
    assert shown.count("yes") == 1 + 2 + 3 and shown.count("answer") == 2
    seen = [width for width, height in boxes(drawn, SKY)]
    assert len(seen) == 6
    guesses = [text for text in shown if text in "bcd"]
    assert guesses == ["b", "c", "b", "b", "c", "c", "d"]  # columns, then a row and its guess
    assert len(boxes(drawn, PINK)) == 2 + 3
    assert "b sees 2 and must guess c" in drawn.alt
    with pytest.raises(ValueError, match="room for 3 to 6"):
        seen_and_guessed(["a", "b"])


def test_an_average_is_weights_times_vectors():
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    x = torch.tensor([[1.0, 0.0, 2.0], [3.0, 1.0, 0.0], [0.0, 5.0, 4.0]])
    drawn = averaging(TOKENS, weights, x)
    shown = words(drawn)
    assert shown[-10:-1] == texts(weights @ x, 1)
    assert "averages (3, 3)" in shown and "0.2, 0.3, 0.5" in drawn.alt
    with pytest.raises(ValueError, match="at most 4 tokens"):
        averaging(TOKENS[:2], weights, x)


def test_shares_are_as_long_as_they_say():
    weights = torch.ones(8, 8).tril()
    weights /= weights.sum(dim=1, keepdim=True)
    drawn = own_share(weights, [1, 2, 8])
    assert [text for text in words(drawn) if "%" in text] == ["100%", "50%", "12%"]
    assert [width for width, _ in boxes(drawn, SKY)] == [240, 120, 30]
    with pytest.raises(ValueError, match="count from 1"):
        own_share(weights, [0])


def test_three_matrices_make_three_vectors():
    x, matrices = torch.arange(12.0).view(3, 4) % 3, [torch.eye(4)[:, i : i + 2] for i in range(3)]
    drawn = queries_keys_values(TOKENS, x, matrices)
    for hue, matrix in zip((BLUE, ORANGE, GREEN), matrices, strict=True):
        cells = grounds(drawn, hue)
        want = torch.cat([matrix.flatten(), (x @ matrix).flatten() / (x @ matrix).max()])
        assert cells == [round(0.6 * n, 2) for n in want.tolist()]
    assert f"query {(x @ matrices[0])[-1].int().tolist()}" in drawn.alt
    with pytest.raises(ValueError, match="draw 3, 4 and 2"):
        queries_keys_values(TOKENS, x, matrices[:2])


def test_scores_weights_and_output_are_torchs():
    found = words(attention_of_one(TOKENS, Q[2], K, V))
    output = F.scaled_dot_product_attention(Q[None], K[None], V[None], is_causal=True)[0, 2]
    assert found[-2:] == texts(output, 2)
    scores = K @ Q[2] / 2**0.5
    for text in texts(scores, 2) + texts(scores.softmax(0), 2):
        assert text in found
    for text in texts(Q[2], 1) + texts(K, 1) + texts(V, 1):
        assert text in found


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


def test_the_tables_end_in_torchs_attention():
    drawn = all_at_once(TOKENS, Q, K, V)
    shown = words(drawn)
    output = F.scaled_dot_product_attention(Q[None], K[None], V[None], is_causal=True)[0]
    assert shown[-7:-1] == texts(output, 2)
    assert shown.count("−∞") == 3
    scores = Q @ K.T / math.sqrt(2)
    weights = scores.masked_fill(torch.ones(3, 3).triu(1).bool(), -math.inf).softmax(-1)
    at = shown.index("weights (3, 3)")
    assert [t for t in shown[:at] if t in texts(weights, 2)][-9:] == texts(weights, 2)
    assert ", ".join(texts(weights[2], 2)) in drawn.alt.replace("-", "−")
    with pytest.raises(ValueError, match="draw 3"):
        all_at_once(TOKENS[:2], Q[:2], K[:2], V[:2])


def test_bars_are_as_high_as_their_weights():
    drawn = sharpness({"even": [0.5, 0.5], "sharp": [0.25, 0.75]})
    assert [height for _, height in boxes(drawn, BLUE)] == [22, 22, 11, 33]
    bars = re.findall(
        rf'y="(\S+?)" width="\S+?" height="(\S+?)"[^>]* stroke="{BLUE}"', str(drawn._repr_html_())
    )
    feet = [float(y) + float(height) for y, height in bars]
    assert feet[0] == feet[1] < feet[2] == feet[3]
    assert [text for text in words(drawn) if "largest" in text] == ["largest 0.50", "largest 0.75"]
    with pytest.raises(ValueError, match="give equally many"):
        sharpness({"even": [0.5, 0.5], "one": [1.0]})


def test_heads_are_cut_from_the_whole_and_put_side_by_side():
    x, heads = torch.rand(4, 6), torch.rand(3, 2, 4, 3)
    weights, outputs, mixed = torch.rand(2, 4, 4), torch.rand(2, 4, 3), torch.rand(4, 6)
    drawn = split_and_joined(x, heads, weights, outputs, mixed)
    # Gathered by each head, then once more where they are joined.
    depths = grounds(drawn, GREEN)
    assert len(depths) == heads[2].numel() + 2 * outputs.numel()
    assert (
        depths[-12:]
        == depths[-24:-12]
        == [round(0.6 * n, 2) for n in (outputs[1] / outputs[1].max()).flatten().tolist()]
    )
    shown = words(drawn)
    assert "x (T, C) = (4, 6)" in shown and "head 2: weights (4, 4)" in shown
    assert "gathered (4, 3)" in shown and "cut into 2 heads of 3" in drawn.alt
    with pytest.raises(ValueError, match="draw 2 heads"):
        split_and_joined(x, heads[:, :1], weights[:1], outputs[:1], mixed)


def test_a_table_of_twice_the_tokens_has_four_times_the_area():
    drawn = growing([100, 200, 400])
    sizes = boxes(drawn, BLUE)
    assert all(width == height for width, height in sizes)
    areas = [width * height for width, height in sizes]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.02)
    assert areas[2] / areas[1] == pytest.approx(4, rel=0.02)
    assert [text for text in words(drawn) if "," in text] == ["10,000", "40,000", "160,000"]
    with pytest.raises(ValueError, match="give fewer"):
        growing([1, 1000])
