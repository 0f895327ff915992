"""Our adapters and peft's, on the same matrices of the same model: scores, gradients, weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from lora_models import CONFIG, LORA, adapted, made, some_ids
from small_models import kinds_of
from torch import Tensor, nn
from torch.testing import assert_close

from minigpt.finetuning import merge_and_unload
from minigpt.model import GPT
from minigpt.training import next_token_loss

CONFIGS = kinds_of(replace(CONFIG, n_embd=32, n_layer=2, n_head=4))
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def pefts(ours: GPT, base: GPT) -> nn.Module:
    """peft's model around a base, with our matrices."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=LORA.rank, lora_alpha=LORA.alpha, target_modules=[*LORA.targets])
    theirs = get_peft_model(base, settings)
    with torch.no_grad():
        for name, matrix in matrices_of_peft(theirs).items():
            matrix.copy_(ours.get_parameter(name))
    return theirs


def matrices_of_peft(theirs: nn.Module) -> dict[str, Tensor]:
    """A and B by the names that we give them."""
    found = {}
    for name, p in theirs.named_parameters():
        for their_word, our_word in ((".lora_A.", "A"), (".lora_B.", "B")):
            if their_word in name:
                layer = name.removeprefix("base_model.model.").split(their_word)[0]
                found[f"{layer}.adapters.default.{our_word}"] = p
    return found


@configs
def test_scores_gradients_and_merged_weights_are_pefts(config):
    ours, ids = adapted(config), some_ids(3, 9)
    theirs = pefts(ours, made(config))
    assert len(matrices_of_peft(theirs)) == 2 * 4 * 2
    assert_close(ours(ids), theirs(ids))
    for model in (ours, theirs):
        next_token_loss(model(ids[:, :-1]), ids[:, 1:]).backward()
    for name, matrix in matrices_of_peft(theirs).items():
        assert_close(ours.get_parameter(name).grad, matrix.grad)
        assert matrix.grad.any()
    merge_and_unload(ours)
    merged = copy.deepcopy(theirs).merge_and_unload()
    for (name, p), (other, q) in zip(
        ours.named_parameters(), merged.named_parameters(), strict=True
    ):
        assert name == other
        assert_close(p, q)
    assert_close(ours(ids), merged(ids))
