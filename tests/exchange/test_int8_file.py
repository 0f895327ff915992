"""Weights in 8 bits: near to the model by a known bound, and files that are whole or refused."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from minigpt.exchange import checkpoint
from minigpt.exchange.int8_file import load_int8, save_int8, to_int8
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
CONFIGS = {
    "gpt2": CONFIG,
    "no-bias": replace(CONFIG, bias=False),
    "untied": replace(CONFIG, tied=False),
    "dropout": replace(CONFIG, dropout=0.25, n_layer=1),
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
SMALLEST = 2.0**-149  # above 0, in float32
HALF = 0.5 * (1 + 1e-5)  # of a scale; dividing and multiplying round a little


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    """No number at its start: norms are not 1, and biases not 0."""
    generator = torch.Generator().manual_seed(seed)
    model = GPT(config, generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model


@pytest.fixture
def path(tmp_path):
    save_int8(made(), tmp_path / "int8.safetensors")
    return tmp_path / "int8.safetensors"


def change(path, alter) -> None:
    tensors = load_file(path)
    alter(tensors)
    save_file(tensors, path)


# One matrix.


def test_by_hand():
    numbers, scale = to_int8(torch.tensor([[1.27, -0.5, 0.004], [-254.0, 2.9, 3.1], [0, 0, 0]]))
    assert numbers.tolist() == [[127, -50, 0], [-127, 1, 2], [0, 0, 0]]
    assert_close(scale, torch.tensor([0.01, 2.0, 1.0]))


def test_against_a_loop():
    matrix = torch.randn(7, 50, generator=torch.Generator().manual_seed(0))
    matrix[:, 0] *= 10 ** torch.linspace(-6, 6, 7)  # rows of very different size
    numbers, scales = to_int8(matrix)
    assert numbers.dtype == torch.int8 and scales.dtype == torch.float32
    for row, whole, scale in zip(matrix.numpy(), numbers.tolist(), scales.numpy(), strict=True):
        largest = max(abs(number) for number in row)
        assert scale == largest / np.float32(127)
        assert whole == [round(float(number / scale)) for number in row]


numbers_of_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(numbers_of_float32, min_size=1, max_size=6), st.integers(0, 2))
@example([SMALLEST], 0)
@example([190 * SMALLEST, -3 * SMALLEST], 0)
@example([3.4e38, -3.4e38, 1.0], 1)
@example([2.0**-126, 1e-38], 0)
def test_each_number_is_at_most_half_a_scale_off(row, at):
    rows = [[1.0] * len(row), [0.0] * len(row)]
    rows.insert(at, row)
    numbers, scale = to_int8(torch.tensor(rows, dtype=torch.float32))
    again = numbers.double() * scale[:, None].double()
    off = (again - torch.tensor(rows, dtype=torch.float32).double()).abs()
    assert (off <= HALF * scale[:, None]).all()
    assert numbers.abs().max() <= 127 and (scale > 0).all()
    others = [i for i in range(3) if i != at]  # what stands in one row changes no other
    assert numbers[others].tolist() == [[127] * len(row), [0] * len(row)]
    assert scale[others].tolist() == [torch.tensor(1 / 127).item(), 1.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_give_what_they_give_as_float32(dtype):
    matrix = torch.randn(5, 9, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert_close(to_int8(matrix), to_int8(matrix.float()), rtol=0, atol=0)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e39])
def test_a_matrix_that_is_not_finite_is_refused(number):
    matrix = torch.ones(3, 4, dtype=torch.float64)
    matrix[1, 2] = number
    with pytest.raises(ValueError, match=r"numbers that are not finite: has training diverged\?"):
        to_int8(matrix)


# A whole model.


@configs
def test_a_model_comes_back_within_half_a_scale(tmp_path, config):
    model = made(config)
    save_int8(model, tmp_path / "m")
    back = load_int8(config, str(tmp_path / "m"))
    assert back.config == config and not back.training
    assert (back.lm_head.weight is back.token_embedding.weight) == config.tied
    after = dict(back.named_parameters())
    assert after.keys() == dict(model.named_parameters()).keys()
    for name, before in model.named_parameters():
        assert after[name].dtype == torch.float32 and after[name].requires_grad
        if before.dim() == 1:
            assert torch.equal(after[name], before), name
        else:
            scale = before.abs().amax(dim=1, keepdim=True) / 127
            off = (after[name] - before).abs()
            assert (off <= HALF * scale).all() and off.max() > 0, name


@configs
def test_the_file_holds_the_parameters_by_name_and_the_scales(tmp_path, config):
    model = made(config)
    save_int8(model, tmp_path / "m")
    held = {name: (x.dtype, tuple(x.shape)) for name, x in load_file(tmp_path / "m").items()}
    expected = {}
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        expected[name] = (torch.float32 if len(shape) == 1 else torch.int8, shape)
        if len(shape) == 2:
            expected[f"{name}.scale"] = (torch.float32, shape[:1])
    assert held == expected and ("lm_head.weight" in held) == (not config.tied)


def test_scores_are_near_those_of_the_model(tmp_path):
    """Each weight is off by some thousandths of its size, and scores are of its order."""
    config = GPTConfig(vocab_size=99, context_length=16, n_layer=2, n_head=2, n_embd=64)
    model = GPT(config, torch.Generator().manual_seed(0)).eval()
    ids = torch.randint(99, (2, 16), generator=torch.Generator().manual_seed(0))
    save_int8(model, tmp_path / "m")
    scores = model(ids)
    off = (load_int8(config, tmp_path / "m")(ids) - scores).square().mean().sqrt()
    assert 0 < off < 0.02 * scores.std()


def test_the_file_is_a_quarter_of_float32s(tmp_path):
    config = GPTConfig(vocab_size=300, context_length=64, n_layer=2, n_head=2, n_embd=128)
    model = made(config)
    checkpoint.save(model, tmp_path / "float32")
    save_int8(model, tmp_path / "int8")
    whole = (tmp_path / "float32" / "model.safetensors").stat().st_size
    assert 0.25 * whole < (tmp_path / "int8").stat().st_size < 0.28 * whole


def test_the_same_bytes_each_time(tmp_path, path):
    first = path.read_bytes()
    save_int8(made(), path)
    assert path.read_bytes() == first
    other = tmp_path / "other"
    save_int8(made(seed=1), other)
    assert other.read_bytes() != first


def test_saved_a_second_time_nothing_more_is_lost(tmp_path, path):
    once = load_int8(CONFIG, path)
    save_int8(once, tmp_path / "other")
    assert_close(load_int8(CONFIG, tmp_path / "other").state_dict(), once.state_dict())


def test_saving_changes_nothing_of_the_model(tmp_path):
    model = made().train()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    save_int8(model, tmp_path / "m")
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert_close(model.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_a_model_of_other_floats_comes_back_as_float32(tmp_path, dtype):
    model = made().to(dtype)
    save_int8(model, tmp_path / "a")
    save_int8(model.float(), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(path, monkeypatch, failure):
    before = path.read_bytes()

    def fail(*arguments):
        raise failure

    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(failure):
                save_int8(made(seed=1), path)
        assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


# What is refused.


@pytest.mark.parametrize("name", ["token_embedding.weight", "blocks.1.norm_2.bias"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e39])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, path, name, number):
    before = path.read_bytes()
    model = made(seed=1).double()
    with torch.no_grad():
        dict(model.named_parameters())[name].view(-1)[3] = number
    for at in (path, tmp_path / "new"):
        with pytest.raises(ValueError, match=rf"{name} holds numbers that are not finite as float"):
            save_int8(model, at)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_int8(CONFIG, tmp_path / "nowhere")


def test_a_file_cut_anywhere_is_refused_by_name(path):
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for length in {*range(12), *range(0, len(whole), 97), header - 1, header, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"int8\.safetensors is no whole safetensors file"):
            load_int8(CONFIG, path)
    path.write_bytes(whole + b"more")
    with pytest.raises(ValueError, match=r"no whole safetensors file .*: save or fetch it again"):
        load_int8(CONFIG, path)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (replace(CONFIG, vocab_size=14), "token_embedding.weight"),
        (replace(CONFIG, context_length=8), "position_embedding.weight"),
        (replace(CONFIG, n_layer=3), "blocks.2.norm_1.weight"),
        (replace(CONFIG, n_embd=6), "token_embedding.weight"),
        (replace(CONFIG, tied=False), "lm_head.weight"),
    ],
)
def test_another_models_file_is_refused_by_path_and_name(path, other, name):
    message = rf"int8\.safetensors does not hold {name} as save_int8 writes it for these sizes"
    with pytest.raises(ValueError, match=message):
        load_int8(other, path)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (replace(CONFIG, n_layer=1), r"blocks\.1\.attention\.projection\.bias"),
        (replace(CONFIG, bias=False), r"blocks\.0\.attention\.projection\.bias"),
    ],
)
def test_more_than_the_model_has_is_refused_by_name(path, config, name):
    with pytest.raises(ValueError, match=rf"int8\.safetensors holds {name}, which a GPT of these"):
        load_int8(config, path)


def test_a_file_of_floats_is_refused(tmp_path):
    model = made()
    save_file({name: p.detach() for name, p in model.named_parameters()}, tmp_path / "m")
    with pytest.raises(
        ValueError, match=r"m does not hold token_embedding\.weight .* no int8 file"
    ):
        load_int8(CONFIG, tmp_path / "m")
    checkpoint.save(model, tmp_path / "gpt2")
    with pytest.raises(ValueError, match=r"does not hold token_embedding\.weight as save_int8"):
        load_int8(CONFIG, tmp_path / "gpt2" / "model.safetensors")


MATRIX, VECTOR = "blocks.1.mlp.up.weight", "blocks.0.norm_1.bias"
DAMAGES = {
    "matrix": (MATRIX, None),
    "scale": (f"{MATRIX}.scale", None),
    "vector": (VECTOR, None),
    "transposed": (MATRIX, torch.zeros(8, 32, dtype=torch.int8)),
    "floats": (MATRIX, torch.zeros(32, 8)),
    "unsigned": (MATRIX, torch.zeros(32, 8, dtype=torch.uint8)),
    "one-scale": (f"{MATRIX}.scale", torch.tensor(1.0)),
    "columns": (f"{MATRIX}.scale", torch.ones(8)),
    "scales-of-two": (f"{MATRIX}.scale", torch.ones(32, 1)),
    "whole-scales": (f"{MATRIX}.scale", torch.ones(32, dtype=torch.int64)),
    "whole-vector": (VECTOR, torch.zeros(8, dtype=torch.int8)),
    "short-vector": (VECTOR, torch.zeros(1)),  # would broadcast
}


@pytest.mark.parametrize(("name", "tensor"), DAMAGES.values(), ids=DAMAGES)
def test_a_tensor_that_is_missing_or_of_another_kind_is_named(path, name, tensor):
    change(path, lambda t: t.pop(name) if tensor is None else t.update({name: tensor}))
    named = name.removesuffix(".scale")
    with pytest.raises(ValueError, match=rf"int8\.safetensors does not hold {named} as save_int8"):
        load_int8(CONFIG, path)


@pytest.mark.parametrize("name", ["extra", f"{VECTOR}.scale", "lm_head.weight", "blocks.2.norm_1"])
def test_a_tensor_too_many_is_named(path, name):
    change(path, lambda tensors: tensors.update({name: torch.zeros(8)}))
    with pytest.raises(ValueError, match=rf"int8\.safetensors holds {name}, which a GPT of these"):
        load_int8(CONFIG, path)


@pytest.mark.parametrize("name", [f"{MATRIX}.scale", VECTOR])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_stored_numbers_that_are_not_finite_are_refused_by_name(path, name, number):
    change(path, lambda tensors: tensors[name].fill_(number))
    named = name.removesuffix(".scale")
    with pytest.raises(ValueError, match=rf"{named} in .*int8\.safetensors holds .* not finite"):
        load_int8(CONFIG, path)
