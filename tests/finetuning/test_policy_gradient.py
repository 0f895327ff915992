"""The policy gradient against a sum over all outputs, and a bandit whose best arm is known."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import awake, seeded
from torch import Tensor
from torch.testing import assert_close

from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.finetuning.logprobs import IGNORED, sequence_logprobs, token_logprobs
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.practice import Practice
from minigpt.model import GPT, GPTConfig

TINY = GPTConfig(vocab_size=3, context_length=4, n_layer=1, n_head=1, n_embd=8)
PROMPT = [0, 2]
OUTPUTS = [list(output) for output in itertools.product(range(3), repeat=2)]
REWARDS = torch.tensor([0.0, 1, 3, -2, 0.5, 0, 1, 1, 7], dtype=torch.float64)
rewards = st.lists(st.floats(-100, 100), min_size=2, max_size=8)
pytestmark = pytest.mark.usefixtures("one_thread")


def made() -> GPT:
    return awake(GPT(TINY)).double()


def gradient(model: GPT, value: Tensor) -> Tensor:
    found = torch.autograd.grad(value, [*model.parameters()], allow_unused=True)
    parameters = model.parameters()
    filled = [
        torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)
    ]
    return torch.cat([g.flatten() for g in filled])


def all_outputs() -> tuple[Tensor, Tensor]:
    return answer_tensors([answered(PROMPT, output) for output in OUTPUTS])


def exact_gradient(model: GPT) -> Tensor:
    """Of the expected reward, by automatic differentiation of the sum over all outputs."""
    return gradient(model, (sequence_logprobs(model, *all_outputs()).exp() * REWARDS).sum())


# The gradient.


@pytest.mark.parametrize("baseline", [0.0, 1.7])
def test_it_is_the_gradient_of_the_expected_reward(baseline):
    """Nine outputs, each as often as it is probable; a baseline changes nothing."""
    model = made()
    inputs, targets = all_outputs()
    logprobs = token_logprobs(model, inputs, targets)
    probability = logprobs.sum(1).exp().detach()
    assert_close(probability.sum().item(), 1.0)
    often = 9 * probability * (REWARDS - baseline)
    loss = policy_gradient_loss(logprobs, often, targets != IGNORED)
    # A mean over 18 tokens, where the expectation sums the two of an output.
    assert_close(-2 * gradient(model, loss), exact_gradient(model), rtol=0, atol=1e-12)


def test_the_groups_own_mean_keeps_the_direction_and_halves_the_length_for_two_samples():
    """All 81 groups of two, each as often as it is probable: (S - 1) / S of the gradient."""
    model = made()
    inputs, targets = all_outputs()
    logprobs = token_logprobs(model, inputs, targets)
    probability = logprobs.sum(1).exp().detach()
    pairs = torch.cartesian_prod(torch.arange(9), torch.arange(9))
    often = 81 * probability[pairs].prod(1, keepdim=True)
    advantages = group_advantages(REWARDS[pairs]) * often
    rows = pairs.flatten()
    counted = targets[rows] != IGNORED
    loss = policy_gradient_loss(logprobs[rows], advantages.flatten(), counted)
    expected = exact_gradient(model) / 2
    assert_close(-2 * gradient(model, loss), expected, rtol=0, atol=1e-12)


def test_the_first_loss_is_0_and_its_gradient_is_not():
    model = made()
    inputs, targets = all_outputs()
    logprobs = token_logprobs(model, inputs[:4], targets[:4])
    advantages = group_advantages(torch.tensor([[1.0, 0, 0, 1]]).double()).flatten()
    loss = policy_gradient_loss(logprobs, advantages, targets[:4] != IGNORED)
    assert loss.item() == 0
    assert gradient(model, loss).norm() > 0.01


def test_the_loss_by_hand():
    """Advantages 1 and -1, three tokens and one: the gradient is -A / 4 a token that counts."""
    logprobs = torch.tensor([[-1.0, -2, -3], [-4, 0, 0]], requires_grad=True)
    counted = torch.tensor([[True, True, True], [True, False, False]])
    loss = policy_gradient_loss(logprobs, torch.tensor([1.0, -1.0]), counted)
    loss.backward()
    assert loss.item() == -0.5
    assert logprobs.grad.tolist() == [[-0.25] * 3, [0.25, 0, 0]]


def test_what_does_not_count_may_be_anything():
    logprobs = torch.tensor([[-1.0, -math.inf]], requires_grad=True)
    loss = policy_gradient_loss(logprobs, torch.tensor([2.0]), torch.tensor([[True, False]]))
    loss.backward()
    assert loss.item() == -2 and logprobs.grad.tolist() == [[-2, 0]]


# Advantages.


def test_advantages_by_hand():
    found = group_advantages(torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 4]]))
    assert found.tolist() == [[0.5, -0.5, -0.5, 0.5], [-1, -1, -1, 3]]
    divided = group_advantages(torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 4]]), divide=True)
    assert_close(divided[0], torch.tensor([1.0, -1, -1, 1]))
    assert_close(divided[1], torch.tensor([-1.0, -1, -1, 3]) / 3**0.5)


def test_division_lifts_rare_successes():
    """One right of eight, and four: divided, the rare one weighs more than its reward says."""
    rare, even = torch.tensor([[1.0] + [0] * 7, [1.0] * 4 + [0] * 4])
    plain = group_advantages(torch.stack([rare, even]))
    divided = group_advantages(torch.stack([rare, even]), divide=True)
    assert_close((plain[0, 0] / plain[1, 0]).item(), 1.75)
    assert_close((divided[0, 0] / divided[1, 0]).item(), 7**0.5)


@given(rewards, st.booleans())
def test_advantages_add_up_to_0_and_keep_the_order(values, divide):
    given_rewards = torch.tensor([values], dtype=torch.float64)
    found = group_advantages(given_rewards, divide)
    assert abs(found.sum().item()) < 1e-6 * max(1, max(map(abs, values)))
    assert found.isfinite().all()
    order = given_rewards.argsort(stable=True)
    assert (found.gather(1, order).diff() >= 0).all()


@given(st.floats(-100, 100, width=32), st.integers(2, 9), st.booleans())
def test_equal_rewards_teach_exactly_nothing(value, count, divide):
    """0.1 three times has a mean in 32 bits that is not 0.1."""
    assert group_advantages(torch.full((1, count), value), divide).tolist() == [[0] * count]


@given(rewards)
def test_divided_advantages_have_a_spread_of_1_or_are_0(values):
    found = group_advantages(torch.tensor([values], dtype=torch.float64), divide=True)
    size = found.square().mean().sqrt().item()
    assert size == 0 or math.isclose(size, 1, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        (torch.ones(4), "rewards have the shape (4,); they must be (groups, samples)"),
        (torch.ones(4, 1), "rewards have the shape (4, 1)"),
        (torch.tensor([[1.0, math.nan]]), "a reward is not finite"),
        (torch.tensor([[1.0, math.inf]]), "a reward is not finite"),
    ],
)
def test_other_rewards_are_refused(as_readers_run_it, rewards, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        group_advantages(rewards)


def test_other_shapes_are_refused(as_readers_run_it):
    logprobs, counted = torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool)
    for given_arguments in [
        (logprobs, torch.zeros(3), counted),
        (logprobs, torch.zeros(2), counted[:, 1:]),
        (logprobs, torch.zeros(2, 3), counted),
    ]:
        with pytest.raises(ValueError, match=r"logprobs \(2, 3\), .* give an advantage a row"):
            policy_gradient_loss(*given_arguments)
    with pytest.raises(ValueError, match="no token counts"):
        policy_gradient_loss(logprobs, torch.zeros(2), ~counted)


# A bandit: one token is drawn, and each pays what it pays.

ARMS = GPTConfig(vocab_size=5, context_length=2, n_layer=1, n_head=1, n_embd=8)
PAYS = [0.1, 0.7, 0.2, 1.0, 0.0]


def practised(shuffle: bool, divide: bool = False, seed: int = 1) -> Tensor:
    """The probabilities of the arms after 60 steps of Adam."""
    model = GPT(ARMS, seeded()).double()
    settings = {"shuffle": shuffle, "divide": divide, "seed": seed}
    practice = Practice(model, [[0]], lambda prompt, answer: PAYS[answer[0]], 16, 1, **settings)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(60):
        model.zero_grad()
        practice.loss(model, *practice.batch(step, 16)).backward()
        optimizer.step()
    return model(torch.tensor([[0]])).softmax(-1).flatten().detach()


@pytest.mark.parametrize("divide", [False, True])
def test_it_finds_the_arm_that_pays_best(divide):
    found = practised(shuffle=False, divide=divide)
    assert found.argmax() == 3 and found[3] > 0.95


def test_shuffled_rewards_teach_nothing():
    """A run may wander off to any arm; on average it earns no more than at the start, 0.4."""
    earned = [practised(shuffle=True, seed=seed) @ torch.tensor(PAYS).double() for seed in range(4)]
    assert sum(earned) / 4 < 0.5
