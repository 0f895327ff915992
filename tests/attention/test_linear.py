"""The linear layer of GPT-2 held to torch's, and to how its numbers are said to start."""

from __future__ import annotations

import pytest
import torch
from small_models import seeded
from torch import nn
from torch.testing import assert_close

from minigpt.attention.linear import LARGE, linear


@pytest.mark.parametrize("bias", [True, False])
def test_weights_start_small_and_biases_at_0(bias):
    layer = linear(300, 200, bias, seeded())
    assert isinstance(layer, nn.Linear)
    assert layer.weight.shape == (200, 300)
    assert abs(layer.weight.mean()) < 0.0005  # 6 standard errors of 60,000 draws
    assert abs(layer.weight.std() - 0.02) < 0.0003
    assert all(p.requires_grad and p.dtype == torch.float32 for p in layer.parameters())
    if bias:
        assert torch.equal(layer.bias, torch.zeros(200))
    else:
        assert layer.bias is None


def test_a_layer_has_a_bias_unless_told():
    assert linear(3, 2).bias is not None


def test_numbers_come_from_the_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, same, other = (linear(4, 3, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.weight, same.weight)
    assert not torch.equal(first.weight, other.weight)
    expected = torch.empty(3, 4).normal_(std=0.02, generator=seeded())
    assert torch.equal(first.weight, expected)
    linear(4, 3)  # without one, the global generator
    assert not torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("generator", [None, seeded()], ids=["global", "own"])
def test_a_layer_takes_no_memory_on_the_meta_device(generator):
    with torch.device("meta"):
        layer = linear(50_257, 1_600, generator=generator)
    assert layer.weight.is_meta and layer.bias.is_meta
    assert layer.weight.shape == (1_600, 50_257)


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_out", [600, 601], ids=["divisible", "prime"])
@pytest.mark.parametrize("shape", [(300,), (1, 300), (1, 1, 300), (2, 1, 300), (0, 300)])
def test_one_vector_through_a_large_matrix_is_torchs(threads, bias, n_out, shape):
    layer = linear(300, n_out, bias, seeded()).double()
    assert layer.weight.numel() > LARGE
    if bias:
        nn.init.normal_(layer.bias, generator=seeded(1))
    x = torch.randn(shape, generator=seeded(2), dtype=torch.float64)
    expected = nn.functional.linear(x, layer.weight, layer.bias)
    with torch.no_grad():
        assert_close(layer(x), expected)
    x.requires_grad_()
    got = torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()])
    want = torch.autograd.grad(
        nn.functional.linear(x, layer.weight, layer.bias).square().sum(), [x, *layer.parameters()]
    )
    for ours, theirs in zip(got, want, strict=True):
        assert_close(ours, theirs)


def test_a_large_matrix_is_shared_out_for_one_vector_only(monkeypatch):
    products = []
    bmm = torch.bmm
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "bmm", lambda a, b: products.append(b.shape) or bmm(a, b))
    large, small = linear(300, 600, generator=seeded()), linear(30, 60, generator=seeded())
    with torch.no_grad():
        large(torch.zeros(1, 1, 300))
        assert products == [(2, 300, 300)]
        large(torch.zeros(1, 2, 300))
        small(torch.zeros(1, 1, 30))
    large(torch.zeros(1, 1, 300))  # gradients are on
    assert len(products) == 1
