"""Learning rates held to torch's schedulers, to values by hand, and to their own promises."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, SequentialLR

from minigpt.training.schedule import warmup_cosine, warmup_trapezoid


def rates_of_torch(steps: int, make_scheduler) -> list[float]:
    """The rate of every step, with a highest rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make_scheduler(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


# The same as torch's.


@pytest.mark.parametrize(("steps", "final"), [(40, 0.0), (40, 0.1), (7, 0.5), (1, 0.1), (3, 1.0)])
def test_without_warmup_it_is_cosine_annealing(steps, final):
    expected = rates_of_torch(steps, lambda o: CosineAnnealingLR(o, T_max=steps, eta_min=final))
    shares = [warmup_cosine(step, steps, warmup=0, final=final) for step in range(steps)]
    assert shares == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("steps", "warmup"), [(50, 10), (12, 2), (9, 8)])
def test_with_warmup_it_is_a_line_and_then_cosine_annealing(steps, warmup):
    def make(optimizer):
        up = LinearLR(optimizer, 1 / warmup, 1.0, total_iters=warmup - 1)
        down = CosineAnnealingLR(optimizer, T_max=steps - warmup, eta_min=0.1)
        return SequentialLR(optimizer, [up, down], [warmup])

    shares = [warmup_cosine(step, steps, warmup) for step in range(steps)]
    assert shares == pytest.approx(rates_of_torch(steps, make), abs=1e-12)


@pytest.mark.parametrize(("steps", "warmup", "falling"), [(50, 10, 20), (12, 2, 10), (9, 3, 1)])
def test_a_trapezoid_is_two_lines_and_a_constant(steps, warmup, falling):
    def make(optimizer):
        up = LinearLR(optimizer, 1 / warmup, 1.0, total_iters=warmup - 1)
        flat = ConstantLR(optimizer, 1.0, total_iters=steps)
        down = LinearLR(optimizer, 1.0, 0.0, total_iters=falling)
        return SequentialLR(optimizer, [up, flat, down], [warmup, steps - falling])

    shares = [warmup_trapezoid(step, steps, warmup, falling / steps) for step in range(steps)]
    assert shares == pytest.approx(rates_of_torch(steps, make), abs=1e-12)


# By hand.


def test_a_cosine_by_hand():
    half = (1 + math.cos(math.pi / 4)) / 2, (1 + math.cos(3 * math.pi / 4)) / 2
    expected = [0.5, 1.0, 1.0, 0.2 + 0.8 * half[0], 0.6, 0.2 + 0.8 * half[1]]
    shares = [warmup_cosine(step, 6, warmup=2, final=0.2) for step in range(6)]
    assert shares == pytest.approx(expected, abs=1e-12)


def test_a_trapezoid_by_hand():
    shares = [warmup_trapezoid(step, 10, warmup=3, decay=0.4) for step in range(10)]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25], abs=1e-12)


def test_a_trapezoid_without_room_for_its_top_is_a_triangle():
    shares = [warmup_trapezoid(step, 6, warmup=6, decay=1.0) for step in range(6)]
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 3 / 6, 2 / 6, 1 / 6], abs=1e-12)


@pytest.mark.parametrize("schedule", [warmup_cosine, warmup_trapezoid])
def test_the_warmup_is_100_steps_and_then_the_rate_is_highest(schedule):
    assert [schedule(step, 2000) for step in (0, 49, 99, 100)] == pytest.approx([0.01, 0.5, 1, 1])


# Properties.

runs = st.integers(1, 300).flatmap(
    lambda steps: st.tuples(st.just(steps), st.integers(0, steps), st.floats(0, 1))
)


@given(runs)
def test_a_cosine_stays_in_range_and_never_jumps(run):
    steps, warmup, final = run
    shares = [warmup_cosine(step, steps, warmup, final) for step in range(steps)]
    assert min(shares) > 0 and max(shares) == 1
    falling = steps - warmup
    steepest = max(1 / max(1, warmup), math.pi / 2 / max(1, falling))
    jumps = [b - a for a, b in pairwise(shares)]
    assert all(abs(jump) <= steepest + 1e-12 for jump in jumps)
    assert all(jump > 0 for jump in jumps[: max(0, warmup - 1)])
    assert all(jump <= 0 for jump in jumps[warmup:])
    if falling:
        assert 0 <= shares[-1] - final <= (1 - math.cos(math.pi / falling)) / 2 + 1e-12


@given(runs)
def test_a_trapezoid_stays_in_range_and_never_jumps(run):
    steps, warmup, decay = run
    decay = max(decay, 1 / steps)
    shares = [warmup_trapezoid(step, steps, warmup, decay) for step in range(steps)]
    assert min(shares) > 0 and max(shares) <= 1
    steepest = max(1 / max(1, warmup), 1 / (decay * steps))
    assert all(abs(b - a) <= steepest + 1e-9 for a, b in pairwise(shares))
    assert shares[-1] == pytest.approx(min(1 / (decay * steps), steps / max(1, warmup)))
    if warmup + decay * steps <= steps:
        assert max(shares) == 1


# Errors.


@pytest.mark.parametrize("schedule", [warmup_cosine, warmup_trapezoid])
@pytest.mark.parametrize("step", [-1, 10, 11])
def test_a_step_outside_the_run_is_refused(schedule, step):
    with pytest.raises(ValueError, match=rf"^step {step} is not one of the run's, 0 to 9$"):
        schedule(step, 10, warmup=0)


@pytest.mark.parametrize("schedule", [warmup_cosine, warmup_trapezoid])
@pytest.mark.parametrize("warmup", [-1, 11])
def test_a_warmup_longer_than_the_run_is_refused(schedule, warmup):
    match = rf"^warmup is {warmup} steps; it must be from 0 to the run's 10$"
    with pytest.raises(ValueError, match=match):
        schedule(0, 10, warmup=warmup)


@pytest.mark.parametrize("final", [-0.1, 1.1, math.nan])
def test_a_final_that_is_no_share_is_refused(final):
    with pytest.raises(ValueError, match=rf"^final is {final}; it is a share of the learning rate"):
        warmup_cosine(0, 10, warmup=0, final=final)


@pytest.mark.parametrize("decay", [-0.1, 0.0, 1.1, math.nan])
def test_a_decay_that_is_no_share_is_refused(decay):
    with pytest.raises(ValueError, match=rf"^decay is {decay}; it is a share of the steps, above"):
        warmup_trapezoid(0, 10, warmup=0, decay=decay)
