"""DPO's loss by hand, and pairs as a source of batches."""

from __future__ import annotations

import copy
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
from minigpt.finetuning.logprobs import IGNORED, reference_logprobs, sequence_logprobs
from minigpt.finetuning.preferences import Preferences, dpo_loss
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=12, n_layer=1, n_head=2, n_embd=16)
PROMPTS = [[1, 2, 3], [6], [11], [3, 3]]
CHOSEN = [*map(answered, PROMPTS, [[4, 5], [7, 8, 9, 10], [2], [3, 12]])]
REJECTED = [*map(answered, PROMPTS, [[9, 9, 9, 9, 12], [7, 12], [12], [4, 12]])]
numbers = st.floats(-50, 50)
pytestmark = pytest.mark.usefixtures("one_thread")


def made(seed: int = 0) -> GPT:
    return awake(GPT(CONFIG), seed).double()


def pairs_of(reference: GPT, beta: float = 0.1, count: int = 4) -> Preferences:
    rows = [answer_tensors(examples[:count]) for examples in (CHOSEN, REJECTED)]
    return Preferences(*rows, tuple(reference_logprobs(reference, *x) for x in rows), beta)


def of(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# The loss.


def test_one_pair_by_hand():
    """Log-ratios of 0.2 and -0.3 at β = 0.1: rewards 0.02 and -0.03, -ln σ(0.05) = 0.668."""
    loss, chosen, rejected = dpo_loss(of(-2.8), of(-5.3), of(-3.0), of(-5.0), beta=0.1)
    assert_close((chosen, rejected), (of(0.02), of(-0.03)))
    assert_close(loss.item(), math.log(1 + math.exp(-0.05)))
    assert round(loss.item(), 3) == 0.668


def test_the_gradient_by_hand():
    """∓ β σ(-0.05) a pair, and half of it where the loss is a mean of two (section 4)."""
    chosen, rejected = of(-2.8, -1).requires_grad_(), of(-5.3, -1).requires_grad_()
    dpo_loss(chosen, rejected, of(-3.0, -1), of(-5.0, -1), beta=0.1)[0].backward()
    expected = of(0.1 / (1 + math.exp(0.05)) / 2, 0.1 / 2 / 2)
    assert_close((chosen.grad, rejected.grad), (-expected, expected))


@given(numbers, numbers, st.floats(0.01, 5))
def test_where_policy_and_reference_agree_it_is_ln_2(chosen, rejected, beta):
    loss, *rewards = dpo_loss(of(chosen), of(rejected), of(chosen), of(rejected), beta)
    assert_close(loss.item(), math.log(2))
    assert [reward.item() for reward in rewards] == [0, 0]


@given(numbers, numbers, numbers, st.floats(0.01, 5))
def test_what_lifts_both_answers_alike_changes_nothing(chosen, rejected, more, beta):
    before = dpo_loss(of(chosen), of(rejected), of(0), of(0), beta)[0]
    after = dpo_loss(of(chosen + more), of(rejected + more), of(0), of(0), beta)[0]
    assert_close(after, before, rtol=1e-9, atol=1e-9)


def test_a_pair_that_is_quite_wrong_costs_its_distance_and_no_overflow():
    assert_close(dpo_loss(of(-1e5), of(0), of(0), of(0), 1.0)[0], of(1e5)[0])


@pytest.mark.parametrize("beta", [0, -1, math.inf, math.nan])
def test_a_beta_that_is_not_above_0_is_refused(as_readers_run_it, beta):
    message = f"beta is {beta}; it must be a finite number above 0"
    with pytest.raises(ValueError, match=re.escape(message)):
        dpo_loss(of(0), of(0), of(0), of(0), beta)
    with pytest.raises(ValueError, match=re.escape(message)):
        pairs_of(made(), beta)


# Pairs as batches.


def test_a_batch_has_the_loss_of_its_answers_one_by_one():
    policy, reference = made(1), made(2)
    pairs = pairs_of(reference, beta=0.3)
    (batch,) = pairs.all(4)
    found, chosen, rejected = pairs.loss_and_rewards(policy, *batch)
    ratios = [
        (
            sequence_logprobs(policy, *answer_tensors([example]))
            - sequence_logprobs(reference, *answer_tensors([example]))
        ).item()
        for example in CHOSEN + REJECTED
    ]
    assert_close(chosen, 0.3 * of(*ratios[:4]))
    assert_close(rejected, 0.3 * of(*ratios[4:]))
    margins = (0.3 * (c - r) for c, r in zip(ratios[:4], ratios[4:], strict=True))
    assert_close(found.item(), sum(math.log1p(math.exp(-m)) for m in margins) / 4)
    assert_close(pairs.loss(policy, *batch), found)


def test_rows_are_filled_up_no_further_than_a_batch_needs():
    pairs = pairs_of(made())
    assert pairs.tokens == 9 + 10 and pairs.tokens_per_row == 19 / 4
    shapes = {tuple(inputs.shape) for inputs, _, _ in pairs.all(1)}
    assert shapes == {(1, 2, 7), (1, 2, 4), (1, 2, 1), (1, 2, 3)}
    second, last = pairs.all(1, first=1, every=2)
    assert torch.equal(torch.cat([second[2], last[2]]), pairs.reference[1::2])


def test_an_epoch_deals_out_every_pair_once_and_steps_need_no_memory():
    pairs = pairs_of(made())
    seen = [pairs.batch(step, 2)[2] for step in range(4)]
    for epoch in (seen[:2], seen[2:]):
        assert_close(torch.cat(epoch).sort(0).values, pairs.reference.sort(0).values)
    assert torch.equal(pairs_of(made()).batch(3, 2)[2], seen[3])
    orders = {tuple(map(tuple, pairs.batch(step, 4)[2].tolist())) for step in range(20)}
    assert len(orders) > 5


def test_parts_of_a_batch_add_up_to_the_whole():
    policy, pairs = made(1), pairs_of(made(2))
    whole = pairs.batch(0, 4)
    parts = [*zip(*(x.split([1, 3]) for x in whole), strict=True)]
    losses = [pairs.loss(policy, *part) * pairs.weight(*part) for part in parts]
    assert_close(sum(losses) / pairs.weight(*whole), pairs.loss(policy, *whole))


def taken(model: GPT, pairs: Preferences, steps: range, optimizer=None) -> tuple[list[float], dict]:
    """A loop as small as can be, and what it would go on with."""
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in steps:
        model.zero_grad()
        loss = pairs.loss(model, *pairs.batch(step, 4))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, optimizer


def test_training_starts_at_ln_2_and_learns_the_choices():
    model = made()
    pairs = pairs_of(model)
    losses, _ = taken(model, pairs, range(30))
    assert_close(losses[0], math.log(2))
    (batch,) = pairs.all(4)
    loss, chosen, rejected = pairs.loss_and_rewards(model, *batch)
    assert loss < 0.4 and (chosen > rejected).all()


def test_a_run_that_stopped_goes_on_as_if_it_had_not():
    through, stopped = made(), made()
    expected, _ = taken(through, pairs_of(made()), range(6))
    first, optimizer = taken(stopped, pairs_of(made()), range(3))
    again = made(5)
    again.load_state_dict(copy.deepcopy(stopped.state_dict()))
    other = torch.optim.AdamW(again.parameters(), lr=3e-3)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    rest, _ = taken(again, pairs_of(made()), range(3, 6), other)
    assert first + rest == expected


def test_a_part_is_the_first_pairs_and_a_digest_is_of_all_that_decides():
    pairs = pairs_of(made())
    for tokens, count in [(0, 1), (6, 1), (7, 1), (12, 1), (13, 2), (15, 3), (19, 4), (99, 4)]:
        part = pairs.part(tokens)
        assert len(part) == count, tokens
        assert torch.equal(part.reference, pairs.reference[:count])
        assert next(part.all(9))[0].shape[0] == count
    others = [pairs_of(made(1)), pairs_of(made(), 0.2), pairs_of(made(), count=3)]
    assert pairs_of(made()).digest() == pairs.digest()
    assert len({pairs.digest(), *(other.digest() for other in others)}) == 4


def test_other_rows_are_refused(as_readers_run_it):
    model = made()
    chosen, rejected = answer_tensors(CHOSEN), answer_tensors(REJECTED)
    reference = (torch.zeros(4), torch.zeros(4))
    with pytest.raises(ValueError, match="have 4, 4, 4, 4, 4, 3 rows: give one a pair"):
        Preferences(chosen, rejected, (torch.zeros(4), torch.zeros(3)))
    none = tuple(x[:0] for x in chosen)
    with pytest.raises(ValueError, match=r"0, 0, 0, 0, 0, 0 rows: .* at least one pair"):
        Preferences(none, none, (torch.zeros(0), torch.zeros(0)))
    with pytest.raises(ValueError, match=re.escape("rejected inputs (4, 7) and targets (4, 6)")):
        Preferences(chosen, (rejected[0], rejected[1][:, 1:]), reference)
    cut = (chosen[0][:, :2], chosen[1][:, :2])
    with pytest.raises(ValueError, match="in the chosen answer of pair 0 no target counts"):
        Preferences(cut, rejected, reference)
    assert (chosen[1] != IGNORED).any() and model.training
    for step, size in [(-1, 2), (0, 0)]:
        with pytest.raises(ValueError, match=f"step {step} with a batch_size of {size}"):
            pairs_of(model).batch(step, size)


def test_the_seed_decides_the_order():
    generator = seeded(3)
    rows = [torch.randint(13, (50, 4), generator=generator) for _ in range(4)]
    reference = (torch.arange(50.0), torch.zeros(50))
    chosen, rejected = (rows[0], rows[1]), (rows[2], rows[3])
    one, two = (Preferences(chosen, rejected, reference, seed=seed) for seed in (1, 2))
    assert not torch.equal(one.batch(0, 50)[2], two.batch(0, 50)[2])
