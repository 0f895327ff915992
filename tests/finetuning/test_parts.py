"""Tuning of a part: what learns, how many numbers, and that nothing else moves."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from lora_models import CONFIG, LORA, adapted, made, some_ids
from small_models import on_meta, seeded
from torch import nn

from minigpt.finetuning import (
    Classifier,
    add_adapter,
    class_loss,
    merge_adapter,
    set_adapter,
    train_only,
    trained_numbers,
)
from minigpt.finetuning.parts import PARTS
from minigpt.model import GPT, GPTConfig
from minigpt.training import next_token_loss

UNTIED = replace(CONFIG, tied=False)
# By hand: V = 13, T = 9, C = 8; a block has 12 C² + 13 C numbers, a norm 2 C.
BLOCK = 12 * 64 + 13 * 8
COUNTS = {
    "all": (13 + 9) * 8 + 2 * BLOCK + 16 + 13 * 8,
    "last-block": BLOCK + 16,
    "biases": 2 * (24 + 8 + 32 + 8 + 8 + 8) + 8,  # qkv, projection, up, down, two norms; the last
    "head": 13 * 8,
    "adapter": 2 * 3 * ((8 + 24) + (8 + 8) + (8 + 32) + (32 + 8)),
}
NAMES = {
    "all": r"^(?!.*adapters).*",
    "last-block": r"(blocks\.1\.(?!.*adapters)|final_norm)",
    "biases": r"bias$",
    "head": r"lm_head",
    "adapter": r"\.adapters\.default\.[AB]$",
}


def learning(model: nn.Module) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_learns_and_nothing_else_moves(part):
    model = adapted(UNTIED)
    add_adapter(model, LORA, "other", seeded(4))
    set_adapter(model, "default")
    assert train_only(model, part) == COUNTS[part] == trained_numbers(model)
    names = {n for n, _ in model.named_parameters()}
    expected = {n for n in names if re.search(NAMES[part], n)}
    assert learning(model) == expected
    before = {n: p.clone() for n, p in model.named_parameters()}
    ids = some_ids(3, 9)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    next_token_loss(model(ids[:, :-1]), ids[:, 1:]).backward()
    optimizer.step()
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved == expected


def test_parts_of_gpt2_as_published():
    model = on_meta(GPTConfig.preset("gpt2"))
    assert train_only(model, "all") == 124_439_808
    assert train_only(model, "last-block") == 12 * 768**2 + 13 * 768 + 2 * 768
    assert train_only(model, "biases") == 12 * 11 * 768 + 768


@pytest.mark.parametrize("part", PARTS)
def test_a_classifiers_head_learns_with_any_part(part):
    classifier = Classifier(adapted(UNTIED), 3, seeded(6))
    own = 3 * 8 + 3
    others = 0 if part == "head" else COUNTS[part] - (13 * 8 if part == "all" else 0)
    assert train_only(classifier, part) == others + own
    assert {"head.weight", "head.bias"} <= learning(classifier)
    class_loss(classifier(some_ids()), torch.tensor([0, 2])).backward()
    felt = {n for n, p in classifier.named_parameters() if p.grad is not None}
    assert felt == learning(classifier)  # what learns has a gradient: no optimiser waits for one


def test_one_part_after_another():
    model = made()
    for part in ("biases", "last-block", "biases"):
        assert train_only(model, part) == COUNTS[part]


def test_parts_that_cannot_be_tuned_are_refused():
    model = made()
    cases = {
        "part is 'first-block'; choose one of all, last-block, biases, head, adapter":
            (model, "first-block"),
        r"the head's matrix is the token table \(config.tied\)": (model, "head"),
        r"the model has no biases \(config.bias is False\)":
            (made(replace(CONFIG, bias=False)), "biases"),
        "no adapter is on: add_adapter gives": (model, "adapter"),
    }  # fmt: skip
    for message, (given, part) in cases.items():
        with pytest.raises(ValueError, match=message):
            train_only(given, part)
        assert learning(given) == {n for n, _ in given.named_parameters()}
    merged = adapted()
    merge_adapter(merged)
    with pytest.raises(ValueError, match="'default' is merged into the weights: unmerge_adapter"):
        train_only(merged, "all")


def test_parts_are_of_any_depth():
    model = GPT(replace(CONFIG, n_layer=11), seeded())
    train_only(model, "last-block")  # not block 1, though its name begins like that of 10
    assert {name.split(".")[1] for name in learning(model) if name.startswith("blocks")} == {"10"}
