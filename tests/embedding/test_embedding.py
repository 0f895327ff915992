"""Embeddings held to torch.nn.Embedding, to Llama's rotary positions, and to loops below."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import seeded
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from minigpt.attention import causal_mask, scaled_dot_product_attention
from minigpt.embedding import (
    PositionEmbedding,
    TokenEmbedding,
    position_angles,
    rotate,
    sinusoidal_positions,
)
from minigpt.embedding.tables import check_ids

VOCAB_SIZE = 11
ids_in = st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=40)
widths = st.integers(1, 32).map(lambda pairs: 2 * pairs)
bases = st.floats(1.5, 1_000_000)
positions = st.integers(0, 20_000)


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=dtype)


class TokensAndPositions(nn.Module):
    """The sum that enters a GPT's first block."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = TokenEmbedding(VOCAB_SIZE, 6, seeded(1))
        self.positions = PositionEmbedding(8, 6, seeded(2))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.tokens(ids) + self.positions(ids.shape[-1])


# Tokens: a product with one-hot vectors, and torch.nn.Embedding.


@given(ids_in)
def test_a_look_up_is_a_product_with_one_hot_vectors(ids):
    ids = torch.tensor(ids)
    tokens = TokenEmbedding(VOCAB_SIZE, 6, seeded())
    one_hot = F.one_hot(ids, VOCAB_SIZE).float()
    assert torch.equal(tokens(ids), one_hot @ tokens.weight)  # bit for bit: all else is + 0


@given(ids_in)
def test_tokens_are_those_of_torch_forward_and_backward(ids):
    ids = torch.tensor([ids, ids[::-1]])  # a batch
    tokens = TokenEmbedding(VOCAB_SIZE, 6, seeded())
    theirs = nn.Embedding.from_pretrained(tokens.weight.detach().clone(), freeze=False)
    assert torch.equal(tokens(ids), theirs(ids))
    upstream = randn(*ids.shape, 6, seed=1)
    tokens(ids).backward(upstream)
    theirs(ids).backward(upstream)
    assert torch.equal(tokens.weight.grad, theirs.weight.grad)


@given(ids_in)
def test_only_rows_in_use_learn_and_each_use_counts(ids):
    tokens = TokenEmbedding(VOCAB_SIZE, 6, seeded())
    tokens(torch.tensor(ids)).sum().backward()
    uses = torch.tensor([ids.count(token) for token in range(VOCAB_SIZE)])
    assert torch.equal(tokens.weight.grad, uses[:, None].expand(-1, 6).float())


def test_tokens_come_in_any_shape_and_none_at_all():
    tokens = TokenEmbedding(VOCAB_SIZE, 6, seeded())
    assert torch.equal(tokens(torch.tensor(3)[None])[0], tokens.weight[3])
    assert tokens(torch.zeros(2, 3, 4, dtype=torch.int32)).shape == (2, 3, 4, 6)
    assert tokens(torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0, 6)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_tokens_of_the_meta_device_have_a_shape_alone(dtype):
    with torch.device("meta"):
        tokens = TokenEmbedding(50257, 1600)
    vectors = tokens(torch.empty(2, 3, dtype=dtype, device="meta"))
    assert vectors.is_meta and vectors.shape == (2, 3, 1600)


# Positions that are learned.


def test_positions_are_the_rows_of_their_table():
    table = PositionEmbedding(5, 6, seeded())
    assert torch.equal(table(5), table.weight)
    assert torch.equal(table(2, start=3), table.weight[3:])
    assert table(0).shape == table(0, start=5).shape == (0, 6)
    table(3).sum().backward()
    assert table.weight.grad.sum(dim=1).tolist() == [6, 6, 6, 0, 0]


@pytest.mark.parametrize("table", [TokenEmbedding, PositionEmbedding])
def test_tables_start_small(table):
    weight = table(500, 200, seeded()).weight
    assert weight.requires_grad and weight.dtype == torch.float32
    assert abs(weight.mean()) < 0.0005  # 7 standard errors of 100,000 draws
    assert abs(weight.std() - 0.02) < 0.0003
    assert torch.equal(weight, table(500, 200, seeded()).weight)
    assert not torch.equal(weight, table(500, 200, seeded(1)).weight)


@pytest.mark.parametrize("seed", range(3))
def test_without_positions_order_is_invisible(seed):
    """Attention of the whole sequence: shuffled words give the same vectors, shuffled."""
    generator = seeded(seed)
    order = torch.randperm(VOCAB_SIZE, generator=generator)
    tokens = torch.randn(VOCAB_SIZE, 8, generator=generator)
    learned = torch.randn(VOCAB_SIZE, 8, generator=generator)
    angles = position_angles(VOCAB_SIZE, 8)

    def alone(x):
        return scaled_dot_product_attention(x, x, x)

    def with_learned(x):
        return alone(x + learned)

    def with_sinusoids(x):
        return alone(x + sinusoidal_positions(len(x), 8))

    def with_rotations(x):
        turned = rotate(x, angles)
        return scaled_dot_product_attention(turned, turned, x)

    def with_a_causal_mask(x):
        return scaled_dot_product_attention(x, x, x, causal_mask(len(x)))

    assert_close(alone(tokens[order]), alone(tokens)[order])
    for placed in (with_learned, with_sinusoids, with_rotations, with_a_causal_mask):
        assert (placed(tokens[order]) - placed(tokens)[order]).abs().max() > 0.1, placed


# Sines and cosines.


def test_angles_and_sinusoids_by_hand():
    angles = position_angles(3, 4, base=100.0)
    assert angles.dtype == torch.float64
    assert_close(angles, torch.tensor([[0, 0], [1, 0.1], [2, 0.2]], dtype=torch.float64))
    assert_close(position_angles(2, 4, base=100.0, start=1), angles[1:])
    expected = [[0, 1, 0, 1], [0.841471, 0.540302, 0.099833, 0.995004]]
    vectors = sinusoidal_positions(2, 4, base=100.0)
    assert vectors.dtype == torch.float32
    assert_close(vectors, torch.tensor(expected), atol=1e-6, rtol=0)
    assert position_angles(0, 4).shape == (0, 2)


def test_sinusoids_in_64_bits_where_they_are_the_default(in_64_bits):
    angles = position_angles(5, 6)
    vectors = sinusoidal_positions(5, 6)
    assert_close(vectors, torch.stack([angles.sin(), angles.cos()], -1).flatten(-2), rtol=0, atol=0)


@settings(max_examples=40)
@given(st.integers(0, 60), widths, bases)
def test_sinusoids_are_those_of_the_paper(length, width, base):
    expected = torch.empty(length, width)
    for pos in range(length):  # Vaswani et al. 2017, section 3.5
        for i in range(width // 2):
            expected[pos, 2 * i] = math.sin(pos / base ** (2 * i / width))
            expected[pos, 2 * i + 1] = math.cos(pos / base ** (2 * i / width))
    assert_close(sinusoidal_positions(length, width, base), expected, atol=1.2e-7, rtol=0)


@given(positions, positions, st.integers(0, 2000), widths, bases)
def test_products_of_sinusoids_depend_on_the_offset_alone(first, second, offset, width, base):
    def product(start):
        angles = position_angles(1, width, base, start)
        other = position_angles(1, width, base, start + offset)
        return (angles.sin() * other.sin() + angles.cos() * other.cos()).sum()

    # Angles up to 22,000 are known to 4e-12 radians, of which a product sums width / 2.
    assert_close(product(first), product(second), rtol=0, atol=width * 4e-12)


@settings(max_examples=25)
@given(widths, bases)
def test_products_of_sinusoids_in_float32_too(width, base):
    vectors = sinusoidal_positions(64, width, base)
    products = vectors @ vectors.T
    for offset in range(64):
        same = products.diagonal(offset)
        # A product sums width squares or products, each of at most 1 and known to 1.2e-7.
        assert_close(same, same[:1].expand_as(same), rtol=0, atol=width * 4.8e-7)


# Rotary positions: Llama's, the paper's, and their properties.


@settings(max_examples=40)
@given(st.integers(1, 40), widths, bases)
def test_rotations_are_those_of_llama(length, width, base):
    q, k = randn(2, 2, 3, length, width, dtype=torch.float64)
    angles = position_angles(length, width, base)
    twice = torch.cat([angles, angles], dim=-1)[None]
    for mine, theirs in zip(
        (rotate(q, angles), rotate(k, angles)),
        apply_rotary_pos_emb(q, k, twice.cos(), twice.sin()),
        strict=True,
    ):
        assert_close(mine, theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("heads", "width", "theta"), [(4, 64, 10_000.0), (2, 16, 500_000.0)])
def test_rotations_are_those_of_llamas_own_angles(heads, width, theta):
    config = LlamaConfig(
        hidden_size=width,
        num_attention_heads=heads,
        rope_parameters={"rope_type": "default", "rope_theta": theta},
    )
    q, k = randn(2, 2, heads, 100, width // heads)
    cos, sin = LlamaRotaryEmbedding(config)(q, torch.arange(100)[None])
    theirs, _ = apply_rotary_pos_emb(q, k, cos, sin)
    # Llama's angles are float32, so at position 100 only known to some 4e-6.
    mine = rotate(q, position_angles(100, width // heads, theta))
    assert_close(mine, theirs, rtol=1.3e-6, atol=3e-5)
    assert_close(mine[:, :, :16], theirs[:, :, :16])


@given(st.integers(1, 20), widths, bases)
def test_the_paper_pairs_neighbours_which_only_reorders_dimensions(length, width, base):
    x = randn(length, width, dtype=torch.float64)
    angles = position_angles(length, width, base)
    pairs = torch.stack([x[:, : width // 2], x[:, width // 2 :]], dim=-1)  # neighbours at last
    turned = torch.view_as_complex(pairs) * torch.polar(torch.ones_like(angles), angles)
    back = torch.cat([turned.real, turned.imag], dim=-1)
    assert_close(rotate(x, angles), back, rtol=0, atol=1e-14)


def test_rotation_by_hand():
    quarter = torch.tensor([[0.0, 0.0], [math.pi / 2, math.pi]])
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    assert_close(rotate(x, quarter), torch.tensor([[1.0, 2.0, 3.0, 4.0], [-3.0, -2.0, 1.0, -4.0]]))


@given(st.integers(1, 30), widths, bases)
def test_rotations_keep_lengths_and_leave_position_0(length, width, base):
    x = randn(3, length, width)
    turned = rotate(x, position_angles(length, width, base))
    assert turned.dtype == x.dtype
    assert torch.equal(turned[:, 0], x[:, 0])
    assert_close(turned.norm(dim=-1), x.norm(dim=-1))


@given(positions, positions, st.integers(0, 2000), widths, bases)
def test_scores_of_rotated_vectors_depend_on_the_offset_alone(first, second, offset, width, base):
    q, k = randn(2, 1, width, dtype=torch.float64)

    def score(start):
        query = rotate(q, position_angles(1, width, base, start + offset))
        return (query @ rotate(k, position_angles(1, width, base, start)).T).squeeze()

    assert_close(score(first), score(second), rtol=0, atol=width * 1e-10)


# What the compiler and the exporter of torch take.


def test_embeddings_can_be_compiled_and_exported(as_readers_run_it):
    model, ids = TokensAndPositions(), torch.tensor([[1, 2, 3], [4, 4, 0]])
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    assert torch.equal(compiled(ids), model(ids))
    length = torch.export.Dim("length", min=2, max=8)
    exported = torch.export.export(model, (ids,), dynamic_shapes=({1: length},)).module()
    for ids in (torch.tensor([[5, 6], [7, 8]]), torch.arange(8).expand(2, -1)):
        assert torch.equal(exported(ids), model(ids))


# Errors.


@pytest.mark.parametrize(("ids", "bad"), [([0, 11], 11), ([3, -1], -1), ([[99], [12]], 99)])
def test_ids_without_a_row_are_refused(ids, bad):
    match = rf"token id {bad} has no row: .* has 11 \(ids 0 to 10\): encode with the tok"
    with pytest.raises(ValueError, match=match):
        TokenEmbedding(VOCAB_SIZE, 6)(torch.tensor(ids))


@pytest.mark.parametrize(("ids", "kind"), [([[1, 2]], "list"), (np.ones((1, 2)), "ndarray")])
def test_what_is_no_tensor_is_told_how_to_become_one(ids, kind, as_readers_run_it):
    with pytest.raises(ValueError, match=rf"^ids are a {kind}; give a tensor: torch.as_tensor\("):
        check_ids(ids)


@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3)])
def test_ids_that_are_no_batch_are_refused(shape):
    match = (
        rf"^ids have the shape {re.escape(str(shape))}; they must be \(B, T\), one sequence a row: "
        r"ids\[None\] makes one sequence a batch$"
    )
    with pytest.raises(ValueError, match=match):
        check_ids(torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2, 0)])
def test_ids_that_are_a_batch_pass(shape):
    check_ids(torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize(("length", "start"), [(6, 0), (1, 5), (3, 3)])
def test_positions_without_a_row_are_refused(length, start):
    match = (
        rf"^{length} tokens from position {start} on need {length + start} positions, but "
        "context_length is 5: shorten the sequence, or build the model with a longer context"
    )
    with pytest.raises(ValueError, match=match):
        PositionEmbedding(5, 6)(length, start)


@pytest.mark.parametrize(("length", "start"), [(-1, 0), (2, -1)])
def test_negative_positions_are_refused(length, start):
    match = f"length {length} and start {start} must not be negative"
    for use in (PositionEmbedding(5, 6), lambda *where: position_angles(where[0], 6, start=start)):
        with pytest.raises(ValueError, match=match):
            use(length, start)


@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (-1, 4)])
def test_tables_without_rows_or_columns_are_refused(sizes):
    for table, rows in ((TokenEmbedding, "vocab_size"), (PositionEmbedding, "context_length")):
        match = f"{rows} is {sizes[0]} and n_embd is {sizes[1]}; both must be at least 1"
        with pytest.raises(ValueError, match=match):
            table(*sizes)


@pytest.mark.parametrize(("width", "better"), [(5, 6), (0, 2), (1, 2), (-2, 2)])
def test_odd_widths_are_refused(width, better):
    match = f"width is {width}; .* must be even and at least 2, such as {better}"
    for use in (position_angles, sinusoidal_positions):
        with pytest.raises(ValueError, match=match):
            use(3, width)


@pytest.mark.parametrize("base", [1.0, 0.0, -10.0, math.nan])
def test_bases_that_turn_nothing_slower_are_refused(base):
    for use in (position_angles, sinusoidal_positions):
        with pytest.raises(ValueError, match=rf"base is {base}; it must be above 1, such as 10000"):
            use(3, 4, base)


@pytest.mark.parametrize(
    ("length", "width", "angles"), [(3, 4, (2, 2)), (3, 4, (3, 3)), (3, 5, (3, 2)), (1, 4, (3, 2))]
)
def test_angles_of_another_shape_are_refused(length, width, angles):
    match = (
        rf"x has {length} positions of {width} dimensions, the angles have the shape "
        rf"\({angles[0]}, {angles[1]}\), not \({length}, {width // 2}\): use "
        rf"position_angles\({length}, {width}\) with an even head_dim"
    )
    with pytest.raises(ValueError, match=match):
        rotate(torch.zeros(length, width), torch.zeros(angles))


def test_ids_that_are_no_integers_are_refused(as_readers_run_it):
    with pytest.raises(ValueError, match=r"ids hold torch.float32; they must be integers"):
        TokenEmbedding(4, 2)(torch.tensor([]))


def test_angles_of_one_dimension_are_refused(as_readers_run_it):
    with pytest.raises(ValueError, match=r"the angles have the shape \(2,\), not \(3, 2\)"):
        rotate(torch.zeros(3, 4), torch.zeros(2))
