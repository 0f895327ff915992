"""Numbers of NumPy's and PyTorch's do as well as Python's own; truth values are none."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from minigpt.data.numbers import is_number, is_whole, plain_list
from minigpt.generation import Sampling
from minigpt.model import GPTConfig
from minigpt.training import Recipe

KINDS = (np.int64, np.uint16, torch.tensor, np.array)


@pytest.mark.parametrize("value", [True, False, np.bool_(True), "3", None, [3]], ids=repr)
def test_what_is_no_number(value):
    assert not is_number(value) and not is_whole(value, 0)


def test_whole_numbers_and_their_limit():
    assert is_whole(3, 3) and not is_whole(2, 3) and not is_whole(3.0, 3) and is_number(3.0)


@pytest.mark.parametrize(
    "given", [[3, 1], (3, 1), np.array([3, 1]), torch.tensor([3, 1]), [np.int8(3), torch.tensor(1)]]
)
def test_a_list_of_pythons_own(given):
    found = plain_list(given)
    assert found == [3, 1] and {type(number) for number in found} == {int}


@pytest.mark.parametrize("kind", KINDS)
def test_settings_become_pythons_own_and_go_into_json(kind, as_readers_run_it):
    config = GPTConfig(kind(11), 8, kind(1), 1, kind(4), dropout=np.float32(0.5))
    recipe = Recipe(steps=kind(5), warmup=kind(0), learning_rate=torch.tensor(0.25))
    sampling = Sampling(np.float32(0.5), kind(3))
    assert config == GPTConfig(11, 8, 1, 1, 4, dropout=0.5)
    assert recipe == Recipe(steps=5, warmup=0, learning_rate=0.25) and sampling == Sampling(0.5, 3)
    for settings in (config, recipe, sampling):
        assert json.loads(json.dumps(asdict(settings))) == asdict(settings)


@pytest.mark.parametrize("value", [np.array([1]), torch.zeros(2), "a", None, True])
def test_anything_else_is_refused_as_it_is(value, as_readers_run_it):
    with pytest.raises(ValueError, match=r"^vocab_size is "):
        GPTConfig(value, 8, 1, 1, 4)
