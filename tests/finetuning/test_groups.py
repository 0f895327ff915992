"""Sampled groups, what a checker makes of them, what is kept, and practice as batches."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest
import torch
from small_models import awake, seeded
from torch.testing import assert_close

from minigpt.finetuning.groups import Groups, rewards_of, sample_groups
from minigpt.finetuning.logprobs import IGNORED, token_logprobs
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.practice import Practice
from minigpt.finetuning.rejection import Kept, keep_accepted
from minigpt.generation import Sampling, generate
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer

CONFIG = GPTConfig(vocab_size=5, context_length=10, n_layer=1, n_head=2, n_embd=16)
PROMPTS = [[1, 2, 3], [4], [0, 2]]
END = 4
BY_HAND = Groups(
    prompts=[[7], [8, 9], [7]],
    answers=[[[1], [1], [2, 3]], [[], [5], [6, 6]], [[1], [3], [1]]],
    ended=[[True, True, False], [True, False, True], [True, True, False]],
    end=0,
)
pytestmark = pytest.mark.usefixtures("one_thread")


def made(seed: int = 0) -> GPT:
    return awake(GPT(CONFIG), seed, spread=0.5).double()


def sampled(samples: int = 6, tokens: int = 5, end: int | None = END, seed: int = 1) -> Groups:
    return sample_groups(made(), PROMPTS, samples, tokens, generator=seeded(seed), end=end)


# Sampling.


def test_a_group_is_what_generation_writes_for_the_prompt_again_and_again():
    groups = sampled()
    repeated = [prompt for prompt in PROMPTS for _ in range(6)]
    flat = generate(made(), repeated, 5, Sampling(), (END,), seeded(1))
    assert groups.prompts == PROMPTS
    assert [answer for group in groups.answers for answer in group] == flat
    lengths = Counter(len(answer) for answer in flat)
    assert lengths[5] and lengths[0] and len(lengths) > 3


def test_what_ended_has_its_end_mark_and_what_was_cut_off_has_none():
    groups = sampled()
    for prompt, group, ended in zip(PROMPTS, groups.examples(), groups.ended, strict=True):
        for (ids, counts), whole in zip(group, ended, strict=True):
            answer = ids[len(prompt) :]
            assert ids[: len(prompt)] == prompt
            assert counts == [False] * len(prompt) + [True] * len(answer)
            assert (answer[-1] == END) == whole and answer.count(END) == whole
            assert whole or len(answer) == 5
            assert 1 <= len(answer) <= 5


def test_without_an_end_mark_every_answer_is_as_long_as_asked():
    groups = sampled(end=None)
    assert {len(answer) for group in groups.answers for answer in group} == {5}
    assert not any(map(any, groups.ended))
    assert any(END in answer for group in groups.answers for answer in group)


def test_the_tensors_count_the_answers_and_their_end_and_nothing_after():
    inputs, targets = BY_HAND.tensors()
    assert inputs.shape == targets.shape == (9, 4)
    no = IGNORED
    assert targets[:6].tolist() == [
        [1, 0, no, no],
        [1, 0, no, no],
        [2, 3, no, no],
        [no, 0, no, no],
        [no, 5, no, no],
        [no, 6, 6, 0],
    ]
    assert inputs[5].tolist() == [8, 9, 6, 6]


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_tokens_come_as_often_as_their_logarithms_say(temperature):
    """2000 draws of one token: within five deviations of what `token_logprobs` gives."""
    model = made()
    groups = sample_groups(model, [[2, 1]], 2000, 1, temperature, seeded(7))
    inputs, targets = groups.tensors()
    probability = token_logprobs(model, inputs, targets, temperature)[:, 1].exp()
    for token, often in Counter(targets[:, 1].tolist()).items():
        p = probability[targets[:, 1] == token][0].item()
        assert abs(often / 2000 - p) < 5 * math.sqrt(p * (1 - p) / 2000)


def test_the_same_seed_samples_the_same_and_the_model_stays_as_it_is():
    model = made().train()
    one, two = (sample_groups(model, PROMPTS, 3, 4, generator=seeded(2)) for _ in range(2))
    assert one == two and model.training
    assert one != sample_groups(model, PROMPTS, 3, 4, generator=seeded(3))


def test_a_prompt_may_fill_the_context_with_its_answer_and_no_more():
    sample_groups(made(), [[1] * 6], 2, 5, generator=seeded())
    with pytest.raises(ValueError, match=r"prompt 1 has 7 tokens, and 5 more do not fit: .* 10"):
        sample_groups(made(), [[1], [1] * 7], 2, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "samples is 0; it must be a whole number of at least 1"),
        ({"tokens": 0}, "tokens is 0; it must be a whole number of at least 1"),
        ({"temperature": 0.0}, "temperature is 0, at which all answers to a prompt are the same"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"prompts": []}, "there is no prompt"),
        ({"prompts": [[1], [9]]}, "token of prompt 1 9 is none of the model's"),
        ({"end": 5}, "stop token 5 is none of the model's"),
    ],
)
def test_what_cannot_be_sampled_is_refused(as_readers_run_it, settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        sample_groups(made(), **{"prompts": [[1]], "samples": 2, "tokens": 3, **settings})


# Rewards.


def test_a_checker_reads_ids_or_texts_without_the_end_mark():
    found = rewards_of(BY_HAND, lambda prompt, answer: len(answer) + prompt[0] / 10)
    assert_close(found, torch.tensor([[1.7, 1.7, 2.7], [0.8, 1.8, 2.8], [1.7, 1.7, 1.7]]))
    tokenizer = CharTokenizer.train("abcdefghij")
    texts = []
    rewards_of(BY_HAND, lambda *both: texts.append(both) or True, tokenizer.decode)
    assert texts[2:5] == [("h", "cd"), ("ij", ""), ("ij", "f")]


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "1", torch.tensor([1.0, 2.0])])
def test_a_reward_that_is_no_number_is_named(value):
    def reward(prompt, answer):
        return value if answer == [5] else 0

    message = f"the reward of sample 1 of prompt 1 is {value!r}; it must be a finite number"
    with pytest.raises(ValueError, match=re.escape(message)):
        rewards_of(BY_HAND, reward)


# Rejection sampling.

PAID = torch.tensor([[1.0, 1, 0], [0.5, 0, 2], [1, 1, 1]])


def test_what_is_kept_by_hand():
    """The second [1, 0] is the same; the third one of prompt [7] was cut off, so another."""
    first, other = ([7, 1, 0], [False, True, True]), ([7, 3, 0], [False, True, True])
    cut_off, last = ([7, 1], [False, True]), ([8, 9, 6, 6, 0], [False, False, True, True, True])
    assert keep_accepted(BY_HAND, PAID) == Kept([first, last], tried=9, accepted=6)
    assert keep_accepted(BY_HAND, PAID, most=2) == Kept([first, other, last], 9, 6)
    assert keep_accepted(BY_HAND, PAID, most=9) == Kept([first, other, cut_off, last], 9, 6)
    assert keep_accepted(BY_HAND, PAID, most=9, least=0.5).accepted == 7
    assert keep_accepted(BY_HAND, torch.zeros(3, 3)) == Kept([], 9, 0)


def test_what_is_kept_is_accepted_once_and_at_most_so_often():
    groups = sampled(samples=20)
    rewards = rewards_of(groups, lambda prompt, answer: 1 in answer)
    for most in (1, 2, 5):
        kept = keep_accepted(groups, rewards, most)
        examples = [
            (*ids[: counts.index(True)], None, *ids[counts.index(True) :])
            for ids, counts in kept.examples
        ]
        assert len(set(examples)) == len(examples)
        assert all(1 in example[example.index(None) :] for example in examples)
        counts = Counter(example[: example.index(None)] for example in examples)
        assert set(counts) == set(map(tuple, PROMPTS)) and max(counts.values()) == most
        assert kept.tried == 60 and kept.accepted == rewards.sum()


def test_rewards_of_other_samples_are_refused(as_readers_run_it):
    message = "rewards have the shape (3, 2), and there are 3 groups of 3 samples"
    with pytest.raises(ValueError, match=re.escape(message)):
        keep_accepted(BY_HAND, PAID[:, :2])
    with pytest.raises(ValueError, match="most is 0; it must be a whole number of at least 1"):
        keep_accepted(BY_HAND, PAID, most=0)


# Practice.


def practice_of(model: GPT, **settings) -> Practice:
    return Practice(model, PROMPTS, lambda p, a: a.count(1), 4, 5, **{"end": END, **settings})


def test_a_batch_is_the_groups_of_its_step_and_their_advantages():
    practice = practice_of(made())
    inputs, targets, advantages = practice.batch(3, 8)
    ones = ((targets == 1).sum(1)).view(2, 4).float()
    assert torch.equal(practice.rewards, ones)
    assert torch.equal(advantages, group_advantages(ones).flatten())
    again = practice_of(made()).batch(3, 8)
    assert all(map(torch.equal, again, (inputs, targets, advantages)))
    assert not torch.equal(practice.batch(4, 8)[1], targets)
    assert not torch.equal(practice_of(made(), seed=2).batch(3, 8)[1], targets)
    assert not torch.equal(practice_of(made(9)).batch(3, 8)[1], targets)
    divided = practice_of(made(), divide=True).batch(3, 8)[2]
    assert torch.equal(divided, group_advantages(ones, divide=True).flatten())


def test_a_prompt_that_comes_again_is_answered_anew():
    practice = Practice(made(), [[1]], lambda p, a: 0, 4, 5)
    assert len({tuple(practice.batch(step, 4)[1].flatten().tolist()) for step in range(5)}) == 5


def test_every_prompt_is_asked_once_an_epoch():
    practice = practice_of(made())
    starts = [practice.batch(step, 4)[0][0, 0].item() for step in range(6)]
    assert sorted(starts[:3]) == sorted(starts[3:]) == [0, 1, 4]
    first, second = practice.all(8)
    assert first[0][::4, 0].tolist() == [1, 4] and second[0][::4, 0].tolist() == [0]
    (others,) = practice.all(8, first=1, every=2)
    assert others[0][:, 0].tolist() == [4] * 4


def test_shuffled_rewards_are_the_same_numbers_elsewhere():
    honest, control = practice_of(made()), practice_of(made(), shuffle=True)
    expected, found = honest.batch(0, 12), control.batch(0, 12)
    assert torch.equal(expected[1], found[1])
    assert torch.equal(honest.rewards, control.rewards)
    assert not torch.equal(expected[2], found[2])
    assert_close(found[2].view(3, 4).sum(1), torch.zeros(3))


@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_parts_of_a_batch_add_up_to_the_whole_loss(temperature):
    model = made()
    practice = practice_of(model, temperature=temperature)
    whole = practice.batch(0, 12)
    parts = [*zip(*(x.split([5, 3, 4]) for x in whole), strict=True)]
    sums = sum(practice.loss(model, *part) * practice.weight(*part) for part in parts)
    loss = practice.loss(model, *whole)
    assert_close(sums / practice.weight(*whole), loss)
    logprobs = token_logprobs(model, *whole[:2], temperature)
    assert_close(loss, policy_gradient_loss(logprobs, whole[2], whole[1] != IGNORED))
    expected = -(logprobs * whole[2][:, None]).sum() / practice.weight(*whole)
    weights = [*model.parameters()]
    assert_close(torch.autograd.grad(loss, weights), torch.autograd.grad(expected, weights))


def test_a_part_is_the_first_prompts_and_a_digest_is_of_the_settings():
    practice = practice_of(made())
    assert (practice.tokens_per_row, practice.tokens) == (5, 60)
    counts = [len(practice.part(tokens).prompts) for tokens in (0, 20, 39, 40, 60, 99)]
    assert counts == [1, 1, 1, 2, 3, 3]
    assert practice.part(20).part(60).digest() == practice.part(20).digest()
    others = [{"divide": True}, {"shuffle": True}, {"temperature": 2.0}, {"end": None}]
    digests = {practice_of(made(), **settings).digest() for settings in [{}, *others]}
    assert len(digests) == 5 and practice.digest() in digests


def test_groups_that_cannot_be_formed_are_refused(as_readers_run_it):
    with pytest.raises(ValueError, match="samples is 1; at least 2 are needed"):
        Practice(made(), PROMPTS, lambda p, a: 0, 1, 5)
    with pytest.raises(ValueError, match="batch_size of 6 cannot be cut into groups of 4 answers"):
        practice_of(made()).batch(0, 6)
    with pytest.raises(ValueError, match="step -1"):
        practice_of(made()).batch(-1, 8)
