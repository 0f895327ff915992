"""Bytes of tuning, held to what AdamW really keeps and to sums on paper."""

from __future__ import annotations

import pytest
import torch
from lora_models import adapted, made, some_ids
from small_models import on_meta

from minigpt.finetuning import LoRAConfig, add_adapter, train_only, trained_numbers, tuning_bytes
from minigpt.model import GPTConfig
from minigpt.training import next_token_loss


@pytest.mark.parametrize("part", ["all", "biases", "last-block", "adapter"])
def test_bytes_are_those_that_adamw_keeps(part):
    model, ids = adapted(), some_ids()
    train_only(model, part)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    next_token_loss(model(ids[:, :-1]), ids[:, 1:]).backward()
    optimizer.step()
    kept = [x for state in optimizer.state.values() for key, x in state.items() if key != "step"]
    assert tuning_bytes(model) == {
        "weights": sum(p.nbytes for p in model.parameters()),
        "gradients": sum(p.grad.nbytes for p in model.parameters() if p.grad is not None),
        "moments": sum(x.nbytes for x in kept),
    }
    assert tuning_bytes(model)["gradients"] == 4 * trained_numbers(model)


def test_gpt2_small_on_paper():
    # 16 bytes a number that learns: 124,439,808 x 16 = 1.99 GB; 4 a frozen one, with adapters of
    # r = 8 on its four matrices: 12 x 8 x (4 x 768 + 2 x 768 + 5 x 768 + 5 x 768) = 1,179,648.
    model = on_meta(GPTConfig.preset("gpt2"))
    assert sum(tuning_bytes(model).values()) == 1_991_036_928
    assert add_adapter(model, LoRAConfig(rank=8)) == 1_179_648
    assert sum(tuning_bytes(model).values()) == 4 * 124_439_808 + 16 * 1_179_648 == 516_633_600


def test_a_tied_table_counts_once():
    assert tuning_bytes(made())["weights"] == 4 * trained_numbers(made())
