"""Muon held to torch's, and its steps to singular values by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from small_models import seeded
from torch import Tensor
from torch.testing import assert_close

from minigpt.training.muon import Muon, orthogonalise, product_type

SHAPES = [(8, 8), (8, 8), (16, 4), (4, 16), (1, 5), (5, 1), (12, 7)]
EXACT = {"rtol": 1e-10, "atol": 1e-10}
LOW, HIGH = 0.68, 1.21  # the band that the docstring of orthogonalise promises


@pytest.fixture
def in_full_precision(monkeypatch) -> None:
    """torch's Muon multiplies in bfloat16; here it keeps the numbers as they are."""
    monkeypatch.setattr(Tensor, "bfloat16", lambda self: self.clone())


def some_matrices(dtype: torch.dtype = torch.float64, shapes=SHAPES) -> list[Tensor]:
    generator = seeded()
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def take_steps(optimizer: torch.optim.Optimizer, count: int, first: int = 0) -> None:
    """Steps with gradients that depend on the parameter's place and the step alone."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for step in range(first, first + count):
        for place, p in enumerate(params):
            p.grad = torch.randn(p.shape, generator=seeded(100 * step + place), dtype=p.dtype)
        optimizer.step()


def polynomial(values: Tensor, times: int = 5) -> Tensor:
    """What Newton and Schulz do to a singular value."""
    for _ in range(times):
        values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
    return values


def with_values(rows: int, columns: int, values: Tensor, seed: int = 0) -> Tensor:
    """A matrix of the singular values that are asked for, and of random vectors."""
    random = torch.randn(rows, columns, generator=seeded(seed), dtype=torch.float64)
    u, _, v = torch.linalg.svd(random, full_matrices=False)
    return u @ values.diag() @ v


# The same as torch's.


@pytest.mark.parametrize("rule", [None, "original", "match_rms_adamw"])
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_is_the_muon_of_torch(in_full_precision, rule, nesterov, weight_decay):
    settings = {
        "lr": 0.02,
        "weight_decay": weight_decay,
        "momentum": 0.9,
        "nesterov": nesterov,
        "adjust_lr_fn": rule,
    }
    ours, theirs = some_matrices(), some_matrices()
    take_steps(Muon(ours, **settings), 4)
    take_steps(torch.optim.Muon(theirs, **settings), 4)
    for before, p, expected in zip(some_matrices(), ours, theirs, strict=True):
        assert_close(p, expected, **EXACT)
        assert (p - before).abs().max() > 0.01


def test_other_coefficients_and_numbers_of_steps_are_those_of_torch(in_full_precision):
    settings = {"lr": 0.1, "ns_coefficients": (2.0, -1.5, 0.5), "ns_steps": 3, "eps": 1e-3}
    ours, theirs = some_matrices(), some_matrices()
    take_steps(Muon(ours, **settings), 2)
    take_steps(torch.optim.Muon(theirs, **settings), 2)
    assert_close(ours, theirs, **EXACT)


@pytest.mark.parametrize("fast", [True, False])
def test_it_is_the_muon_of_torch_up_to_its_bfloat16(fast, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    ours, theirs = some_matrices(torch.float32), some_matrices(torch.float32)
    take_steps(Muon(ours, lr=0.02, weight_decay=0.1), 1)
    take_steps(torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1), 1)
    # A step is 0.02 long in every direction that it has (twice that for 16 x 4), and bfloat16
    # keeps 8 bits, of which five products cost some.
    assert_close(ours, theirs, rtol=0, atol=0.02 * 0.05)


def test_a_state_goes_to_torch_and_back(in_full_precision):
    ours, theirs = some_matrices(), some_matrices()
    first, second = Muon(ours, lr=0.02), torch.optim.Muon(theirs, lr=0.5)
    take_steps(first, 2)
    with torch.no_grad():
        for p, trained in zip(theirs, ours, strict=True):
            p.copy_(trained)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    take_steps(first, 2, first=2)
    take_steps(second, 2, first=2)
    assert_close(theirs, ours, **EXACT)

    back = Muon(again := [p.clone() for p in theirs], lr=0.5)
    back.load_state_dict(copy.deepcopy(second.state_dict()))
    for optimizer in (second, back):
        take_steps(optimizer, 1, first=4)
    assert_close(again, theirs, **EXACT)


def test_products_are_in_bfloat16_where_that_is_faster(monkeypatch):
    single, double = torch.ones(1, 2, 3), torch.ones(1, 2, 3, dtype=torch.float64)
    for fast, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda fast=fast: fast)
        assert product_type(single) == dtype and product_type(double) == torch.float64
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")  # it is not promised
    assert product_type(single) == torch.float32
    assert product_type(single.to("meta")) == torch.float32


# Many matrices in one.


@pytest.mark.parametrize("shape", [(8, 8), (4, 16), (16, 4)])
@pytest.mark.parametrize("rule", ["original", "match_rms_adamw"])
def test_three_parts_are_three_matrices(shape, rule):
    rows, columns = shape
    settings = {"lr": 0.02, "weight_decay": 0.1, "adjust_lr_fn": rule}
    apart = some_matrices(shapes=[shape] * 6)
    stacked = [torch.cat(apart[:3]), torch.cat(apart[3:])]
    one, many = Muon([{"params": stacked, "parts": 3}], **settings), Muon(apart, **settings)
    for step in range(3):
        grads = torch.randn(6, rows, columns, generator=seeded(step), dtype=torch.float64)
        grads = grads * torch.arange(1, 7)[:, None, None]  # lengths that a joint norm would mix
        for p, grad in zip(stacked, (grads[:3], grads[3:]), strict=True):
            p.grad = grad.flatten(0, 1)
        for p, grad in zip(apart, grads, strict=True):
            p.grad = grad
        one.step()
        many.step()
    for p, parts in zip(stacked, (apart[:3], apart[3:]), strict=True):
        assert_close(p, torch.cat(parts), **EXACT)


def test_one_part_is_another_step_than_three():
    matrix = some_matrices(shapes=[(12, 4)])[0]
    moved = []
    for parts in (1, 3):
        p = matrix.clone()
        take_steps(Muon([{"params": [p], "parts": parts}], lr=0.02), 1)
        moved.append(p)
    assert (moved[0] - moved[1]).abs().max() > 0.003


# Singular values.


@pytest.mark.parametrize(("rows", "columns"), [(6, 6), (6, 20), (20, 6)])
def test_singular_values_follow_the_polynomial_and_their_vectors_stay(rows, columns):
    values = torch.tensor([3.0, 2.0, 1.0, 0.3, 0.02, 1e-4], dtype=torch.float64)
    matrices = torch.stack([with_values(rows, columns, values, seed) for seed in range(3)])
    result = orthogonalise(matrices)
    assert result.shape == matrices.shape and result.dtype == torch.float64
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    expected = polynomial(values / values.norm()).diag_embed()
    assert_close(u.mT @ result @ v.mT, expected.expand(3, 6, 6), rtol=0, atol=1e-9)
    assert_close(result, u @ expected @ v, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(8, 32), (32, 8), (24, 24), (1, 9), (160, 640)])
def test_random_matrices_come_close_to_u_times_v(rows, columns):
    generator = seeded()
    matrices = (
        torch.randn(4, rows, columns, generator=generator)
        * 10.0 ** -torch.arange(0, 8, 2)[:, None, None]
    )
    u, before, v = torch.linalg.svd(matrices, full_matrices=False)
    result = orthogonalise(matrices)
    share = before / before.norm(dim=-1, keepdim=True)
    large = share >= 1 / 500
    after = (u.mT @ result @ v.mT).diagonal(dim1=-2, dim2=-1)
    assert large.float().mean() > 0.9
    assert after[large].min() >= LOW and after.max() <= HIGH
    distance = torch.linalg.matrix_norm(result - u @ v, ord=2)
    assert (distance[large.all(dim=-1)] <= 1 - LOW + 1e-4).all()


def test_the_band_is_that_of_every_share_from_1_in_500_on():
    values = polynomial(torch.linspace(1 / 500, 1, 100_001, dtype=torch.float64))
    assert LOW < values.min() < LOW + 0.005 and HIGH - 0.01 < values.max() < HIGH
    smaller = torch.linspace(1e-6, 1 / 500, 1001, dtype=torch.float64)
    assert (polynomial(smaller) > 400 * smaller).all() and polynomial(smaller).max() < HIGH


def test_the_length_of_a_matrix_does_not_matter():
    matrices = torch.stack(some_matrices(shapes=[(6, 9)] * 2))
    assert_close(orthogonalise(matrices * 1e-4), orthogonalise(matrices * 1e4), **EXACT)


def test_a_matrix_does_not_meet_its_neighbours():
    matrices = torch.stack(some_matrices(shapes=[(6, 9)] * 3))
    alone = torch.cat([orthogonalise(matrix[None]) for matrix in matrices])
    assert_close(orthogonalise(matrices), alone, **EXACT)


# What a step leaves alone.


def test_a_zero_gradient_moves_nothing():
    for dtype in (torch.float32, torch.float64):
        assert not orthogonalise(torch.zeros(2, 3, 4, dtype=dtype)).any()
    params = some_matrices()
    optimizer = Muon(params, lr=0.02, weight_decay=0.0)
    for p in params:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for p, before in zip(params, some_matrices(), strict=True):
        assert torch.equal(p, before)


def test_parameters_without_a_gradient_stay():
    first, second = some_matrices(shapes=[(4, 4), (4, 4)])
    before = second.clone()
    optimizer = Muon([first, second], lr=0.02, weight_decay=0.5)
    first.grad = torch.ones(4, 4, dtype=torch.float64)
    optimizer.step()
    assert torch.equal(second, before) and second not in optimizer.state
    assert not torch.equal(first, some_matrices(shapes=[(4, 4)])[0])

    nobody = Muon([second], lr=0.02)
    assert nobody.step() is None and torch.equal(second, before)


def test_gradients_are_read_only():
    p = some_matrices(shapes=[(4, 6)])[0]
    for nesterov in (True, False):
        p.grad = torch.ones(4, 6, dtype=torch.float64)
        Muon([p], lr=0.02, nesterov=nesterov).step()
        assert (p.grad == 1).all()


def test_a_closure_is_asked_for_the_loss():
    p = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = Muon([p], lr=0.1, weight_decay=0.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6
    assert p.square().sum() < 6


def test_vectors_are_refused_as_torch_does():
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        Muon([torch.nn.Parameter(torch.ones(3))])
