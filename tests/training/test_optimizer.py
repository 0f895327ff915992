"""Every parameter has one optimiser, which moves it as torch's would, as far as the step says."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Recipe
from minigpt.training.muon import Muon
from minigpt.training.optimizer import make_optimizers, parameter_groups, set_rates
from minigpt.training.schedule import warmup_cosine, warmup_trapezoid

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
CONFIGS = [CONFIG, replace(CONFIG, tied=False), replace(CONFIG, bias=False)]
MUON = Recipe(optimizer="muon", weight_decay=0.2)


def made(config: GPTConfig = CONFIG) -> GPT:
    return GPT(config, torch.Generator().manual_seed(0))


def groups(model: GPT, recipe: Recipe) -> list[tuple[type, dict, str]]:
    """The optimiser and the group of every parameter, by name."""
    names = {p: name for name, p in model.named_parameters()}
    return [
        (type(optimizer), group, names[p])
        for optimizer in make_optimizers(model, recipe)
        for group in optimizer.param_groups
        for p in group["params"]
    ]


# Who moves what.


@pytest.mark.parametrize("recipe", [Recipe(), MUON])
@pytest.mark.parametrize("config", CONFIGS)
def test_every_parameter_is_in_one_group_of_one_optimiser(config, recipe):
    model = made(config)
    found = [name for _, _, name in groups(model, recipe)]
    assert sorted(found) == sorted(name for name, _ in model.named_parameters())
    assert len(found) == len(set(found))
    assert found.count("lm_head.weight") == (not config.tied)


@pytest.mark.parametrize("recipe", [Recipe(weight_decay=0.2), MUON])
@pytest.mark.parametrize("config", CONFIGS)
def test_matrices_and_tables_decay_and_vectors_do_not(config, recipe):
    for _, group, name in groups(made(config), recipe):
        vector = name.endswith("bias") or "norm" in name
        assert group["weight_decay"] == (0.0 if vector else 0.2), name


@pytest.mark.parametrize("config", CONFIGS)
def test_muon_moves_the_matrices_of_the_blocks_and_adamw_the_rest(config):
    layers = ("attention.qkv", "attention.projection", "mlp.up", "mlp.down")
    matrices = {f"blocks.{i}.{layer}.weight" for i in range(2) for layer in layers}
    found = groups(made(config), MUON)
    assert {name for kind, _, name in found if kind is Muon} == matrices
    assert {kind for kind, _, name in found if name not in matrices} == {torch.optim.AdamW}
    for kind, group, name in found:
        if kind is Muon:
            assert group.get("parts", 1) == (3 if ".qkv." in name else 1), name
    assert {kind for kind, _, _ in groups(made(config), Recipe())} == {torch.optim.AdamW}


def test_what_is_frozen_has_no_optimiser():
    model = made()
    model.position_embedding.weight.requires_grad_(False)
    for recipe in (Recipe(), MUON):
        assert "position_embedding.weight" not in {name for _, _, name in groups(model, recipe)}


@pytest.mark.parametrize(
    ("learns", "kinds"),
    [
        (r"bias$", {torch.optim.AdamW}),  # no matrix for Muon
        (r"blocks.*(qkv|up)\.weight$", {Muon}),  # nothing left for AdamW
        (r"blocks.*up\.|final_norm", {Muon, torch.optim.AdamW}),
    ],
)
def test_an_optimiser_without_parameters_is_left_out(learns, kinds):
    model = made()
    for name, p in model.named_parameters():
        p.requires_grad_(re.search(learns, name) is not None)
    found = groups(model, MUON)
    assert {kind for kind, _, _ in found} == kinds
    assert {n for _, _, n in found} == {n for n, p in model.named_parameters() if p.requires_grad}
    set_rates(make_optimizers(model, MUON), MUON, 3)


@pytest.mark.parametrize("recipe", [Recipe(), MUON])
def test_a_model_that_is_all_frozen_is_refused(recipe):
    with pytest.raises(ValueError, match=r"all parameters of the model are frozen .* learn first"):
        make_optimizers(made().requires_grad_(False), recipe)


def test_groups_without_parameters_are_left_out():
    matrix, vector = torch.zeros(2, 2), torch.zeros(2)
    assert parameter_groups({"m": matrix}, 0.1) == [{"params": [matrix], "weight_decay": 0.1}]
    assert parameter_groups({"v": vector}, 0.1) == [{"params": [vector], "weight_decay": 0.0}]


def test_optimisers_have_the_numbers_of_the_recipe():
    recipe = replace(MUON, learning_rate=0.3, muon_learning_rate=0.4, beta_1=0.5, beta_2=0.6)
    muon, adamw = make_optimizers(made(), recipe)
    assert {group["lr"] for group in muon.param_groups} == {0.4}
    for group in adamw.param_groups:
        assert (group["lr"], group["betas"], group["eps"]) == (0.3, (0.5, 0.6), 1e-8)


# How they move it.


def gradients(model: GPT, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(p.shape, generator=generator) for p in model.parameters()]


def take_step(model: GPT, optimizers: list[torch.optim.Optimizer], seed: int) -> None:
    for p, grad in zip(model.parameters(), gradients(model, seed), strict=True):
        p.grad = grad
    for optimizer in optimizers:
        optimizer.step()


def test_adamw_is_that_of_torch_and_of_the_paper():
    recipe = Recipe(learning_rate=0.01, beta_1=0.8, beta_2=0.9, weight_decay=0.5)
    ours, theirs = made(), made()
    plain = torch.optim.AdamW(
        [
            {"params": [p for p in theirs.parameters() if p.dim() == 2], "weight_decay": 0.5},
            {"params": [p for p in theirs.parameters() if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=0.01,
        betas=(0.8, 0.9),
        fused=False,
        foreach=False,
    )
    optimizers = make_optimizers(ours, recipe)
    values = {name: p.detach().double() for name, p in made().named_parameters()}
    mean = {name: torch.zeros_like(value) for name, value in values.items()}
    square = {name: torch.zeros_like(value) for name, value in values.items()}
    for t in range(1, 4):
        take_step(ours, optimizers, seed=t)
        take_step(theirs, [plain], seed=t)
        for name, grad in zip(values, gradients(ours, t), strict=True):
            grad = grad.double()
            mean[name] = 0.8 * mean[name] + 0.2 * grad
            square[name] = 0.9 * square[name] + 0.1 * grad**2
            ratio = mean[name] / (1 - 0.8**t) / ((square[name] / (1 - 0.9**t)).sqrt() + 1e-8)
            decay = 0.5 if values[name].dim() == 2 else 0.0
            values[name] = values[name] - 0.01 * (ratio + decay * values[name])
    expected = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        assert_close(p, expected[name])
        assert_close(p, values[name].float())


def test_a_step_of_muon_is_that_of_torch_for_every_matrix_on_its_own(monkeypatch):
    monkeypatch.setattr(Tensor, "bfloat16", lambda self: self.clone())
    monkeypatch.setattr("minigpt.training.muon.product_type", lambda matrices: matrices.dtype)
    ours, theirs = made(), made()
    take_step(ours, make_optimizers(ours, MUON), seed=1)
    expected = dict(theirs.named_parameters())
    for name, p in theirs.named_parameters():
        p.grad = gradients(theirs, 1)[list(expected).index(name)]
    for name, p in ours.named_parameters():
        if not name.startswith("blocks.") or p.dim() == 1:
            continue
        count = 3 if ".qkv." in name else 1
        parts = expected[name].detach().chunk(count)
        for part, grad in zip(parts, expected[name].grad.chunk(count), strict=True):
            part.grad = grad.clone()
            torch.optim.Muon([part], lr=0.02, weight_decay=0.2).step()
        assert_close(p, expected[name])


# How far: the rates of a step.


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("schedule", ["cosine", "trapezoid"])
def test_rates_follow_the_schedule(optimizer, schedule):
    recipe = Recipe(
        steps=20,
        optimizer=optimizer,
        schedule=schedule,
        warmup=4,
        final=0.2,
        decay=0.3,
        learning_rate=0.5,
        muon_learning_rate=0.25,
    )
    optimizers = make_optimizers(made(), recipe)
    for step in (0, 1, 3, 4, 10, 15, 19, 2):  # in any order, and without remembering any
        expected = (
            warmup_cosine(step, 20, 4, 0.2)
            if schedule == "cosine"
            else warmup_trapezoid(step, 20, 4, 0.3)
        )
        assert set_rates(optimizers, recipe, step) == expected
        for each in optimizers:
            highest = 0.25 if isinstance(each, Muon) else 0.5
            assert {group["lr"] for group in each.param_groups} == {expected * highest}


def test_the_momentum_of_muon_rises_for_300_steps():
    recipe = replace(RECIPES["fast"], steps=1000)
    muon, adamw = make_optimizers(made(), recipe)
    for step, momentum in ((0, 0.85), (150, 0.90), (300, 0.95), (301, 0.95), (999, 0.95)):
        set_rates([muon, adamw], recipe, step)
        for group in muon.param_groups:
            assert math.isclose(group["momentum"], momentum)
    assert not any("momentum" in group for group in adamw.param_groups)


def test_a_step_outside_the_run_has_no_rate():
    recipe = Recipe(steps=100)
    with pytest.raises(ValueError, match="step 100 is not one of the run's, 0 to 99"):
        set_rates(make_optimizers(made(), recipe), recipe, 100)
