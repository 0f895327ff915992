"""Preferences and practice in the trainer: parts, and a run that stopped and went on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from small_models import awake, seeded
from torch.testing import assert_close

from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.finetuning.logprobs import reference_logprobs
from minigpt.finetuning.practice import Practice
from minigpt.finetuning.preferences import Preferences
from minigpt.model import GPT, GPTConfig
from minigpt.training import Batches, Recipe, Trainer

CONFIG = GPTConfig(vocab_size=7, context_length=12, n_layer=1, n_head=2, n_embd=16)
RECIPE = Recipe(steps=6, batch_size=8, warmup=1, learning_rate=1e-3)
PROMPTS = [[1, 2, 3], [4], [0, 2], [5, 5]]
pytestmark = pytest.mark.usefixtures("one_thread", "in_64_bits")


def made() -> GPT:
    return awake(GPT(CONFIG), spread=0.5)


def preferences(model: GPT) -> Batches:
    generator = seeded(3)
    rows = []
    for most in (6, 3):
        lengths = torch.randint(1, most, (12,), generator=generator).tolist()
        answers = [torch.randint(7, (n,), generator=generator).tolist() for n in lengths]
        rows.append(answer_tensors([answered([1, 2], answer) for answer in answers]))
    reference = tuple(reference_logprobs(made(), *both) for both in rows)
    return Preferences(*rows, reference, seed=4)


def practice(model: GPT) -> Batches:
    return Practice(model, PROMPTS, lambda p, a: a.count(1) - len(a) / 3, 2, 5, end=6, seed=4)


sources = pytest.mark.parametrize("source", [preferences, practice])


def started(source: Callable[[GPT], Batches], recipe: Recipe = RECIPE) -> Trainer:
    model = made()
    return Trainer(model, source(model), recipe)


def state(trainer: Trainer) -> dict[str, bytes]:
    return {name: x.numpy().tobytes() for name, x in trainer.state()[0].items()}


@sources
def test_a_run_that_stopped_goes_on_to_the_bit(source):
    through, stopped, again = (started(source) for _ in range(3))
    losses = [through.step() for _ in range(6)]
    first = [stopped.step() for _ in range(3)]
    tensors, numbers = stopped.state()
    copies = {name: x.clone() for name, x in tensors.items()}
    again.load_state(copies, json.loads(json.dumps(numbers)))
    assert first + [again.step() for _ in range(3)] == losses
    assert state(again) == state(through)


@sources
def test_a_batch_in_parts_is_the_batch(source):
    whole, parts = started(source), started(source, replace(RECIPE, accumulate=4))
    for _ in range(3):
        assert_close(parts.step(), whole.step(), rtol=1e-9, atol=1e-12)
        assert_close(parts.gradient_norm, whole.gradient_norm, rtol=1e-9, atol=1e-12)
    assert whole.gradient_norm > 1e-3


def test_the_first_loss_of_preferences_is_ln_2():
    assert_close(started(preferences).step(), math.log(2), rtol=0, atol=1e-6)


def test_practice_with_a_trainer_finds_what_pays():
    recipe = Recipe(steps=60, batch_size=16, warmup=5, learning_rate=1e-2, weight_decay=0.0)
    model = made()
    source = Practice(model, PROMPTS, lambda p, a: a[:1] == [3], 8, 2, end=6)
    trainer = Trainer(model, source, recipe)
    rewards = []
    for _ in range(60):
        trainer.step()
        rewards.append(source.rewards.mean().item())
    assert sum(rewards[:5]) / 5 < 0.5 and sum(rewards[-5:]) / 5 > 0.9
