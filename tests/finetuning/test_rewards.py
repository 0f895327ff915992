"""Checkers, the control, and pass@k against all choices that there are."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import seeded

from minigpt.finetuning.passing import pass_at_k
from minigpt.finetuning.rewards import exact_match, shuffled


def test_the_expected_answer_is_worth_1_spaces_around_or_not():
    reward = exact_match({"2+2=": "4", "1+1=": " 2\n"})
    assert [reward("2+2=", answer) for answer in ("4", " 4\n", "44", "", "2")] == [1, 1, 0, 0, 0]
    assert reward("1+1=", "2") == 1
    sort = exact_match(lambda prompt: "".join(sorted(prompt)))
    assert (sort("312", "123"), sort("312", "1 2 3")) == (1, 0)
    with pytest.raises(ValueError, match=re.escape("expected for the prompt '2+2= '")):
        reward("2+2= ", "4")


def test_shuffling_keeps_the_numbers_and_mixes_the_groups():
    rewards = torch.arange(12.0).view(3, 4)
    found = shuffled(rewards, seeded())
    assert found.shape == (3, 4) and sorted(found.flatten().tolist()) == [*range(12)]
    assert any(row.max() - row.min() > 3 for row in found)
    assert torch.equal(found, shuffled(rewards, seeded()))
    assert not torch.equal(found, shuffled(rewards, seeded(1)))


def test_pass_at_k_by_hand():
    # Two of four are right: of the six pairs, one has none.
    assert math.isclose(pass_at_k(4, 2, 2), 5 / 6)
    assert [pass_at_k(4, 2, k) for k in (1, 3, 4)] == [0.5, 1, 1]
    assert pass_at_k(7, 0, 3) == 0


@pytest.mark.parametrize("samples", range(1, 8))
def test_pass_at_k_is_the_share_of_all_choices(samples):
    for right, k in itertools.product(range(samples + 1), range(1, samples + 1)):
        passed = [any(i < right for i in few) for few in itertools.combinations(range(samples), k)]
        assert math.isclose(pass_at_k(samples, right, k), sum(passed) / len(passed))


@given(st.integers(1, 3000), st.data())
def test_pass_at_k_is_the_product_that_was_published(samples, data):
    """As in the paper's figure 3: 1 - Π (1 - k / i), i from n - c + 1 to n."""
    right = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(1, samples))
    expected = 1 - math.prod(1 - k / i for i in range(samples - right + 1, samples + 1))
    if samples - right < k:
        expected = 1.0
    assert math.isclose(pass_at_k(samples, right, k), expected, rel_tol=1e-9, abs_tol=1e-12)


def test_pass_at_k_has_no_bias():
    """On average over all that may happen with 8 samples it is 1 - (1 - p)^k exactly."""
    for p, k in itertools.product((0.1, 0.5), (1, 3, 8)):
        mean = sum(
            math.comb(8, c) * p**c * (1 - p) ** (8 - c) * pass_at_k(8, c, k) for c in range(9)
        )
        assert math.isclose(mean, 1 - (1 - p) ** k)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 0, 1), "0 of 0 samples are right"),
        ((4, 5, 1), "5 of 4 samples are right"),
        ((4, -1, 1), "-1 of 4 samples are right"),
        ((4, 2.0, 1), "2.0 of 4 samples are right"),
        ((4, 2, 0), "k is 0; it must be from 1 to 4"),
        ((4, 2, 5), "k is 5; it must be from 1 to 4"),
    ],
)
def test_numbers_that_cannot_be_are_refused(as_readers_run_it, numbers, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        pass_at_k(*numbers)
