"""Trainers and runs of a model that is frozen in part: resumed to the bit, only that part moves."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lora_models import LORA, moved
from small_models import seeded
from torch.testing import assert_close

from minigpt.exchange import load
from minigpt.finetuning import add_adapter, train_only
from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Intervals, Recipe, Trainer, train
from minigpt.training.state import load_latest

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=2, n_head=2, n_embd=8)
ADAMW = Recipe(steps=9, batch_size=4, warmup=2, learning_rate=0.02)
FAST = replace(RECIPES["fast"], steps=9, batch_size=4)
recipes = pytest.mark.parametrize("recipe", [ADAMW, FAST], ids=["adamw", "fast"])
parts = pytest.mark.parametrize("part", ["adapter", "biases", "last-block"])
TEXT, VALIDATION = torch.arange(300) % 13, torch.arange(60) % 13
pytestmark = pytest.mark.usefixtures("one_thread")


def tuned(part: str, seed: int = 0, dropout: float = 0.3) -> GPT:
    """A model with two adapters, of which a part learns."""
    model = GPT(CONFIG, seeded(seed))
    for name in ("other", "default"):
        add_adapter(model, replace(LORA, dropout=dropout), name, seeded(seed + 1))
    moved(model, "other")
    train_only(model, part)
    return model


def bits(model: GPT) -> dict[str, bytes]:
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def losses(trainer: Trainer, count: int) -> list[float]:
    return [trainer.step() for _ in range(count)]


@recipes
@parts
def test_four_steps_and_five_are_nine_to_the_bit(recipe, part):
    whole = Trainer(tuned(part), TEXT, recipe)
    all_losses = losses(whole, 9)
    first = Trainer(tuned(part), TEXT, recipe)
    before = losses(first, 4)
    tensors, numbers = first.state()
    kept = {name: x.clone() for name, x in tensors.items()}
    second = Trainer(tuned(part, seed=5), TEXT, recipe)
    second.load_state(kept, numbers)
    torch.manual_seed(99)  # an adapter's dropout draws from the step's own chance
    assert before + losses(second, 5) == all_losses
    assert bits(second.model) == bits(whole.model)


@recipes
@parts
def test_only_the_part_moves(recipe, part):
    model = tuned(part)
    before, learning = bits(model), {n for n, p in model.named_parameters() if p.requires_grad}
    losses(Trainer(model, TEXT, recipe), 3)
    assert {n for n, b in bits(model).items() if b != before[n]} == learning


def test_a_step_is_that_of_a_plain_loop():
    model, plain = (tuned("adapter", dropout=0.0) for _ in range(2))
    recipe = replace(ADAMW, warmup=0, clip=None)
    trainer = Trainer(model, TEXT, recipe)
    x, y = trainer.windows.batch(0, recipe.batch_size)
    trainer.step()
    learning = [p for p in plain.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.02, betas=(0.9, 0.99), weight_decay=0.1)
    torch.nn.functional.cross_entropy(plain(x).flatten(0, 1), y.flatten()).backward()
    optimizer.step()
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        assert_close(p, q)


def test_a_state_of_other_adapters_is_refused():
    trainer = Trainer(tuned("adapter"), TEXT, ADAMW)
    state = trainer.state()
    for other, message in (
        (GPT(CONFIG, seeded()), r"adapters.default.A is None in the model"),
        (tuned("biases"), "the state holds the averages of other optimisers"),
    ):
        trainer.step()
        with pytest.raises(ValueError, match=message):
            Trainer(other, TEXT, ADAMW).load_state(*state if "None" in message else trainer.state())


def go(folder: Path, model: GPT) -> float:
    intervals = Intervals(log=1, evaluate=3, checkpoint=4)
    return train(folder, model, ADAMW, TEXT, VALIDATION, intervals=intervals, progress=False)


class Killed(BaseException):
    """Such as a power cut."""


def test_a_run_that_was_killed_ends_in_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda number: None)
    whole, killed = tuned("adapter"), tuned("adapter")
    loss = go(tmp_path / "whole", whole)
    take = Trainer.step

    def step_or_die(self) -> float:
        if self.steps_taken == 6:
            raise Killed
        return take(self)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Trainer, "step", step_or_die)
        go(tmp_path / "killed", killed)
    resumed = tuned("adapter", seed=5)
    assert go(tmp_path / "killed", resumed) == loss
    assert bits(resumed) == bits(whole)
    for name in ("model.safetensors", "states/step-00000009.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    # The folder's model is a plain one, merged; the state holds what learnt, apart from it.
    ids = TEXT[None, :8]
    plain = load(tmp_path / "whole")
    assert_close(plain(ids), whole.eval()(ids), rtol=1e-4, atol=1e-4)
    assert [n for n, _ in plain.named_parameters()] == [
        n for n, _ in GPT(CONFIG).named_parameters()
    ]
    tensors, _ = load_latest(tmp_path / "whole" / "states")
    assert "model.blocks.0.mlp.up.adapters.default.B" in tensors


def test_a_run_says_how_many_numbers_learn(tmp_path):
    told: list[str] = []
    recipe = replace(ADAMW, steps=1, warmup=0)
    for part in ("biases", "all"):
        model = tuned(part)
        train(tmp_path / part, model, recipe, TEXT, VALIDATION, progress=False, report=told.append)
    begins = [line for line in told if "tokens to learn from" in line]
    # Two blocks of 12 C² + 13 C, a norm, V + T rows of C = 8; the biases of 2 blocks and a norm.
    assert begins[0].startswith("1,928 parameters, tuned by 184 numbers that learn; 300 tokens")
    assert begins[1].startswith("1,928 parameters; 300 tokens")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_an_adapter_learns_in_half_precision(precision):
    model = tuned("adapter")
    before = bits(model)
    trainer = Trainer(model, TEXT, replace(ADAMW, precision=precision))
    assert max(losses(trainer, 3)) < 10
    moved_names = {n for n, b in bits(model).items() if b != before[n]}
    assert moved_names == {n for n, p in model.named_parameters() if p.requires_grad}
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_model_of_which_nothing_learns_is_refused():
    model = tuned("adapter")
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="all parameters of the model are frozen"):
        Trainer(model, TEXT, ADAMW)
