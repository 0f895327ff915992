"""Attention held to a triple loop, to torch's own functions, and to what causality promises."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import seeded
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from minigpt.attention import (
    CausalSelfAttention,
    attention_weights,
    causal_mask,
    scaled_dot_product_attention,
)

LENGTHS = [1, 2, 31, 33, 64, 65, 200]  # below, on and above the block sizes of torch's kernel
seeds = st.integers(0, 1000)
head_counts = st.sampled_from([(1, 1), (4, 4), (4, 2), (4, 1), (6, 3)])


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=dtype)


def awake(attention: CausalSelfAttention, seed: int = 0) -> CausalSelfAttention:
    """With weights large enough that attention is far from even, and biases that are not 0."""
    generator = seeded(seed)
    with torch.no_grad():
        for parameter in attention.parameters():
            fan_in = parameter.shape[-1]
            parameter.normal_(std=1.5 / math.sqrt(fan_in), generator=generator)
    return attention


# The naive version: three loops in plain Python.


def naive_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> list[list[float]]:
    keys, values, out = k.tolist(), v.tolist(), []
    for query, may_look in zip(q.tolist(), mask.tolist(), strict=True):
        total, gathered = 0.0, [0.0] * len(values[0])
        for key, value, may in zip(keys, values, may_look, strict=True):
            score = 0.0
            for a, b in zip(query, key, strict=True):
                score += a * b
            weight = math.exp(score / math.sqrt(len(query))) if may else 0.0
            total += weight
            gathered = [g + weight * x for g, x in zip(gathered, value, strict=True)]
        out.append([g / total for g in gathered])
    return out


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("length", "keys"), [(1, 1), (3, 5), (16, 16), (64, 40), (256, 256)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_three_loops_our_function_and_torchs_agree(length, keys, masked, dtype):
    q, k, v = (randn(n, 8, seed=n, dtype=dtype) for n in (length, keys, keys + 1))
    v = v[:keys, :5]
    mask = torch.ones(length, keys, dtype=torch.bool)
    if masked:
        mask = torch.rand(length, keys, generator=seeded()) < 0.5
        mask[:, 0] = True
    ours = scaled_dot_product_attention(q, k, v, mask if masked else None)
    exact = {} if dtype == torch.float32 else {"rtol": 0, "atol": 1e-14}
    assert_close(ours, F.scaled_dot_product_attention(q, k, v, mask if masked else None), **exact)
    assert_close(ours, torch.tensor(naive_attention(q, k, v, mask), dtype=dtype), **exact)


def test_attention_by_hand():
    q = torch.tensor([[2.0, 0.0, 0.0, 0.0]])  # scores are the keys' first numbers: 2 / √4 = 1
    k = torch.tensor([[0.0, 9.0, 9.0, 9.0], [math.log(3), 9.0, 9.0, 9.0]])
    v = torch.tensor([[0.0, 4.0], [4.0, 0.0]])
    assert_close(attention_weights(q, k), torch.tensor([[0.25, 0.75]]))
    assert_close(scaled_dot_product_attention(q, k, v), torch.tensor([[3.0, 1.0]]))
    only_first = torch.tensor([[True, False]])
    assert torch.equal(scaled_dot_product_attention(q, k, v, only_first), v[:1])
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True] * 3]


@given(seeds, st.integers(1, 12), st.sampled_from([0.1, 1.0, 100.0]))
def test_weights_are_shares(seed, length, size):
    q, k = size * randn(2, 3, length, 4, seed=seed)
    weights = attention_weights(q, k, causal_mask(length))
    assert_close(weights.sum(dim=-1), torch.ones(3, length))
    assert (weights >= 0).all() and not weights.triu(1).any()


def test_a_mask_is_shared_by_the_heads_or_given_for_each():
    q, k = randn(2, 2, 3, 4, 8)
    mask = torch.rand(2, 1, 4, 4, generator=seeded()) < 0.5
    mask |= torch.eye(4, dtype=torch.bool)
    shared, each = attention_weights(q, k, mask), attention_weights(q, k, mask.repeat(1, 3, 1, 1))
    assert torch.equal(shared, each)
    for number in range(2):
        alone = attention_weights(q[number], k[number], mask[number, 0])
        assert_close(shared[number], alone)
        assert (alone == 0).equal(~mask[number].expand(3, 4, 4))


# The module: torch.nn.MultiheadAttention.


def multihead(attention: CausalSelfAttention) -> nn.MultiheadAttention:
    """torch's module with the same weights."""
    n_embd = attention.projection.in_features
    bias = attention.projection.bias is not None
    theirs = nn.MultiheadAttention(n_embd, attention.n_head, bias=bias, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(attention.qkv.weight)
        theirs.out_proj.weight.copy_(attention.projection.weight)
        if bias:
            theirs.in_proj_bias.copy_(attention.qkv.bias)
            theirs.out_proj.bias.copy_(attention.projection.bias)
    return theirs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("n_head", "length"), [(1, 1), (2, 7), (4, 65), (8, 33)])
def test_the_module_is_torchs_forward_and_backward(n_head, length, bias, dtype):
    attention = awake(CausalSelfAttention(16, n_head, bias=bias)).to(dtype)
    theirs = multihead(attention).to(dtype)
    x = randn(3, length, 16, dtype=dtype).requires_grad_()
    x_theirs = x.detach().clone().requires_grad_()
    out = attention(x)
    out_theirs, weights_theirs = theirs(
        *[x_theirs] * 3,
        attn_mask=~causal_mask(length),  # theirs says what is hidden
        need_weights=True,
        average_attn_weights=False,
    )
    # In float32 an output sums 16 products of up to 10 numbers that were rounded before.
    close = {} if dtype == torch.float64 else {"rtol": 1e-5, "atol": 5e-5}
    assert_close(out, out_theirs, **close)
    assert_close(attention.weights(x), weights_theirs)
    upstream = randn(*out.shape, seed=1, dtype=dtype)
    out.backward(upstream)
    out_theirs.backward(upstream)
    # And a gradient as many as 195 of some 10 each.
    close = {} if dtype == torch.float64 else {"rtol": 1e-5, "atol": 4e-4}
    assert_close(x.grad, x_theirs.grad, **close)
    assert_close(attention.qkv.weight.grad, theirs.in_proj_weight.grad, **close)
    assert_close(attention.projection.weight.grad, theirs.out_proj.weight.grad, **close)
    if bias:
        assert_close(attention.qkv.bias.grad, theirs.in_proj_bias.grad, **close)
        assert_close(attention.projection.bias.grad, theirs.out_proj.bias.grad, **close)


@settings(max_examples=30)
@given(seeds, st.integers(1, 40), head_counts)
def test_the_module_is_the_written_out_function(seed, length, head_count):
    n_head, n_kv_head = head_count
    attention = awake(CausalSelfAttention(24, n_head, n_kv_head), seed)
    x = randn(2, length, 24, seed=seed)
    q, k, v = attention.heads(x)
    assert q.shape == (2, n_head, length, 24 // n_head)
    assert k.shape == v.shape == (2, n_kv_head, length, 24 // n_head)
    k, v = (shared.repeat_interleave(n_head // n_kv_head, dim=1) for shared in (k, v))
    each = scaled_dot_product_attention(q, k, v, causal_mask(length))  # (B, H, T, D)
    together = attention.projection(torch.cat(list(each.unbind(dim=1)), dim=-1))
    assert_close(attention(x), together)
    weights = attention.weights(x)
    assert weights.shape == (2, n_head, length, length)
    assert_close(weights.sum(dim=-1), torch.ones(2, n_head, length))
    assert not weights.triu(1).any()
    assert_close(weights @ v, each)


@settings(max_examples=20)
@given(seeds, st.integers(1, 20), head_counts)
def test_shared_heads_are_full_attention_with_those_heads_repeated(seed, length, head_count):
    n_head, n_kv_head = head_count
    shared = awake(CausalSelfAttention(24, n_head, n_kv_head), seed)
    full = CausalSelfAttention(24, n_head)

    def repeated(rows):
        heads = rows.unflatten(0, (-1, 24 // n_head))
        queries, *others = heads.split([n_head, n_kv_head, n_kv_head])
        others = [each.repeat_interleave(n_head // n_kv_head, dim=0) for each in others]
        return torch.cat([queries, *others]).flatten(0, 1)

    weights = shared.state_dict()
    for name in ("qkv.weight", "qkv.bias"):
        weights[name] = repeated(weights[name])
    full.load_state_dict(weights)
    x = randn(2, length, 24, seed=seed)
    assert_close(shared(x), full(x))
    assert_close(shared.weights(x), full.weights(x))


def test_weights_start_as_gpt2s_do():
    attention = CausalSelfAttention(96, 4, generator=seeded())
    assert attention.qkv.weight.shape == (3 * 96, 96)
    for layer in (attention.qkv, attention.projection):
        assert abs(layer.weight.mean()) < 0.001
        assert abs(layer.weight.std() - 0.02) < 0.0006
        assert not layer.bias.any()
    again, other = (CausalSelfAttention(96, 4, generator=seeded(seed)) for seed in (0, 1))
    assert torch.equal(attention.qkv.weight, again.qkv.weight)
    assert torch.equal(attention.projection.weight, again.projection.weight)
    assert not torch.equal(attention.qkv.weight, other.qkv.weight)
    assert {name for name, _ in CausalSelfAttention(8, 2, bias=False).named_parameters()} == {
        "qkv.weight",
        "projection.weight",
    }


# No token sees a later one.


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("head_count", [(4, 4), (4, 2)])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_future_changes_no_bit(length, head_count, dtype):
    attention = awake(CausalSelfAttention(32, *head_count)).to(dtype)
    x = randn(2, length, 32, dtype=dtype)
    before = attention(x)
    for place in sorted({1, length // 2, length - 1} & set(range(1, length))):
        for other in (randn(32, seed=1, dtype=dtype), 1e15 * randn(32, seed=2, dtype=dtype)):
            changed = x.clone()
            changed[:, place:] = other
            after = attention(changed)
            assert torch.equal(after[:, :place], before[:, :place])
            assert not torch.equal(after[:, place], before[:, place])


@settings(max_examples=20)
@given(seeds, st.integers(2, 70), st.data())
def test_no_gradient_comes_from_the_future(seed, length, data):
    place = data.draw(st.integers(0, length - 2), label="place")
    attention = awake(CausalSelfAttention(8, 2), seed)
    x = randn(1, length, 8, seed=seed).requires_grad_()
    attention(x)[:, place].sum().backward()
    reached = x.grad[0].any(dim=-1)
    assert not reached[place + 1 :].any()
    assert reached[place]


# Gradients.


def test_gradients_of_the_function_are_those_of_differences():
    q, k, v = (randn(2, n, 3, seed=n, dtype=torch.float64).requires_grad_() for n in (4, 5, 6))
    v = v[:, :5]
    mask = torch.rand(4, 5, generator=seeded()) < 0.6
    mask[:, 2] = True
    for choice in (None, mask):
        assert torch.autograd.gradcheck(
            lambda q, k, v, choice=choice: scaled_dot_product_attention(q, k, v, choice), (q, k, v)
        )


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("n_kv_head", [2, 1])
def test_gradients_of_the_module_are_those_of_differences(n_kv_head, padded):
    attention = awake(CausalSelfAttention(4, 2, n_kv_head)).double()
    x = randn(2, 5, 4, dtype=torch.float64).requires_grad_()
    keep = torch.tensor([[0, 1, 1, 0, 1], [1, 1, 1, 0, 0]]).bool() if padded else None
    names, values = zip(*attention.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(
            attention, dict(zip(names, values, strict=True)), (x, keep)
        )

    assert torch.autograd.gradcheck(run, (x, *values))


# Dropout.


def test_dropout_is_for_training_only():
    x = randn(2, 9, 16)
    attention = awake(CausalSelfAttention(16, 4, dropout=0.5))
    plain = awake(CausalSelfAttention(16, 4))
    torch.manual_seed(0)
    assert not torch.equal(attention(x), attention(x))
    assert torch.equal(plain(x), plain.eval()(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))
    assert torch.equal(attention(x), plain(x))
    assert torch.equal(attention.train().weights(x), plain.weights(x))  # for pictures: never


def test_dropout_keeps_what_is_expected():
    attention = awake(CausalSelfAttention(8, 1, dropout=0.25, bias=False))
    one = randn(1, 1, 8).expand(20_000, -1, -1)  # a token alone: its one weight is 1
    torch.manual_seed(0)
    out, kept = attention(one), attention.eval()(one)
    dropped = ~out.any(dim=-1).squeeze()
    assert abs(dropped.float().mean() - 0.25) < 0.015  # 5 standard errors
    assert_close(out[~dropped], kept[~dropped] / 0.75)
    several = randn(1, 6, 8).expand(20_000, -1, -1)
    expected = attention(several)[0]
    attention.train()
    means = attention(several).mean(dim=0)
    assert_close(means, expected, rtol=0, atol=0.05 * expected.abs().max().item())


# Padding.


@settings(max_examples=25)
@given(seeds, st.integers(1, 20), head_counts, st.data())
def test_padding_anywhere_changes_nothing_for_real_tokens(seed, length, head_count, data):
    row = st.lists(st.booleans(), min_size=length, max_size=length).filter(any)
    keep = torch.tensor(data.draw(st.lists(row, min_size=1, max_size=3), label="keep"))
    attention = awake(CausalSelfAttention(24, *head_count), seed)
    x = randn(len(keep), length, 24, seed=seed).requires_grad_()
    out, weights = attention(x, keep), attention.weights(x, keep)
    for number, real in enumerate(keep):
        alone = x[number : number + 1, real]
        assert_close(out[number, real], attention(alone)[0])
        assert_close(weights[number][:, real][:, :, real], attention.weights(alone)[0])
        assert not weights[number][:, real][:, :, ~real].any()
    assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
    assert out.isfinite().all()
    out[keep].square().sum().backward()
    for leaf in (x, *attention.parameters()):
        assert leaf.grad.isfinite().all()
    assert not x.grad[~keep].any()


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_by_example(side):
    attention = awake(CausalSelfAttention(16, 4))
    short, long = randn(1, 3, 16, seed=1), randn(1, 40, 16, seed=2)
    padding = randn(1, 37, 16, seed=3)
    order = [padding, short] if side == "left" else [short, padding]
    batch = torch.cat([long, torch.cat(order, dim=1)])
    real = slice(37, None) if side == "left" else slice(3)
    keep = torch.ones(2, 40, dtype=torch.bool)
    keep[1] = False
    keep[1, real] = True
    out = attention(batch, keep)
    assert_close(out[1, real], attention(short)[0])
    assert_close(out[0], attention(long)[0])
    loud = batch.clone()
    loud[1, ~keep[1]] *= 1e6
    assert torch.equal(attention(loud, keep)[keep], out[keep])


def test_keeping_everything_is_no_padding():
    attention = awake(CausalSelfAttention(16, 4))
    x = randn(2, 33, 16)
    keep = torch.ones(2, 33, dtype=torch.bool)
    assert_close(attention(x, keep), attention(x))
    assert torch.equal(attention.weights(x, keep), attention.weights(x))


# What the compiler and the exporter of torch take.


@pytest.mark.parametrize("n_kv_head", [4, 2])
def test_the_module_can_be_compiled_and_exported(n_kv_head, as_readers_run_it):
    attention, x = awake(CausalSelfAttention(16, 4, n_kv_head)), randn(2, 5, 16)
    compiled = torch.compile(attention, fullgraph=True, backend="eager")
    assert torch.equal(compiled(x), attention(x))
    length = torch.export.Dim("length", min=2, max=256)
    exported = torch.export.export(attention, (x,), dynamic_shapes=({1: length},)).module()
    for other in (x, randn(2, 100, 16)):
        assert_close(exported(other), attention(other))
    keep = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    assert torch.equal(compiled(x, keep), attention(x, keep))


# Errors.


def test_a_query_that_may_look_at_nothing_is_refused():
    q, k, v = randn(3, 4, 8), randn(5, 8), randn(5, 8)
    q, k, v = q, k.expand(3, -1, -1), v.expand(3, -1, -1)
    mask = torch.ones(3, 4, 5, dtype=torch.bool)
    mask[1, 2] = False
    match = (
        r"query 2 may look at none of the 5 keys \(row \(1, 2\) of the mask is all False\), so "
        "its weights cannot sum to 1: let it see at least itself"
    )
    with pytest.raises(ValueError, match=match):
        attention_weights(q, k, mask)
    with pytest.raises(ValueError, match=match):
        scaled_dot_product_attention(q, k, v, mask)


def test_a_sequence_of_padding_alone_is_refused():
    attention, x = CausalSelfAttention(8, 2), randn(3, 4, 8)
    keep = torch.tensor([[True] * 4, [True] + [False] * 3, [False] * 4])
    match = r"sequence 2 of the batch is padding throughout \(all 4 tokens\): leave it out"
    for use in (attention, attention.weights):
        with pytest.raises(ValueError, match=match):
            use(x, keep)


@pytest.mark.parametrize("shape", [(1, 3, 6), (3, 8), (3,)])
def test_vectors_of_another_shape_are_refused(shape, as_readers_run_it):
    attention = CausalSelfAttention(8, 2)
    for use in (attention, attention.weights):
        with pytest.raises(ValueError, match=r"x has the shape \(.*\); it must be \(B, T, 8\)"):
            use(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 3), (2, 4), (3,), (2, 3, 1)])
def test_a_keep_of_another_shape_is_refused(shape, as_readers_run_it):
    attention = CausalSelfAttention(8, 2)
    for use in (attention, attention.weights):
        with pytest.raises(ValueError, match=r"keep has the shape \(.*a token, \(2, 3\)"):
            use(torch.zeros(2, 3, 8), torch.ones(shape, dtype=torch.bool))


def test_a_mask_of_integers_is_refused(as_readers_run_it):
    attention, x = CausalSelfAttention(8, 2), randn(1, 3, 8)
    with pytest.raises(ValueError, match=r"keep holds torch.int64; .*: keep\.bool\(\)"):
        attention(x, torch.ones(1, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"mask holds torch.float32; .*: mask\.bool\(\)"):
        attention_weights(x, x, torch.ones(3, 3))


@pytest.mark.parametrize("sizes", [(10, 3), (8, 16), (8, 0), (8, -2), (0, 1)])
def test_heads_that_do_not_divide_the_width_are_refused(sizes):
    match = rf"n_embd {sizes[0]} cannot be cut into n_head {sizes[1]} heads .*: choose a number"
    with pytest.raises(ValueError, match=match):
        CausalSelfAttention(*sizes)


@pytest.mark.parametrize("n_kv_head", [3, 8, 0, -1])
def test_shared_heads_that_do_not_divide_the_heads_are_refused(n_kv_head):
    match = f"n_head 4 cannot share n_kv_head {n_kv_head} heads of keys and values: choose a number"
    with pytest.raises(ValueError, match=match):
        CausalSelfAttention(16, 4, n_kv_head)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, math.nan])
def test_dropout_is_a_share(dropout):
    with pytest.raises(ValueError, match=rf"dropout is {dropout}; it is a share, from 0 up to"):
        CausalSelfAttention(16, 4, dropout=dropout)
