"""The attention-only model held to its formula, layer by layer."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import seeded
from torch import Tensor
from torch.testing import assert_close

from minigpt.attention import (
    AttentionOnly,
    CausalSelfAttention,
    attention_weights,
    causal_mask,
    normalised,
)
from minigpt.attention.attention_only import PRETRAINED
from minigpt.data import shakespeare, train_validation_split
from minigpt.tokenizer import BPETokenizer

SIZES = {"vocab_size": 13, "context_length": 9, "n_embd": 8, "n_head": 2, "n_layer": 3}


@pytest.fixture(scope="module")
def model() -> AttentionOnly:
    """With weights large enough that each layer moves the scores, in 64 bits."""
    model = AttentionOnly(**SIZES, generator=seeded()).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)
    return model


@pytest.fixture(scope="module")
def ids() -> Tensor:
    return torch.randint(13, (4, 9), generator=seeded())


def test_the_model_by_its_formula(model, ids):
    def normal(x):
        x = x - x.mean(dim=-1, keepdim=True)
        return x / (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()

    table = model.token_embedding.weight
    x = table[ids] + model.position_embedding.weight[:9]
    for layer in model.layers:
        parts = (normal(x) @ layer.qkv.weight.T).unflatten(-1, (3, 2, 4))  # (B, T, 3, H, D)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        heads = attention_weights(q, k, causal_mask(9)) @ v
        x = x + heads.transpose(1, 2).flatten(-2) @ layer.projection.weight.T
    scores = model(ids)
    assert scores.shape == (4, 9, 13) and scores.dtype == torch.float64
    assert_close(scores, normal(x) @ table.T)
    assert_close(model(ids[:, :5]), scores[:, :5])  # shorter than the context


@settings(max_examples=30)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_normalised_vectors_have_mean_0_and_variance_1(numbers):
    x = torch.tensor([numbers, numbers[::-1]], dtype=torch.float64)
    y = normalised(x)
    assert_close(y.mean(dim=-1), torch.zeros(2, dtype=torch.float64))
    variance = x.var(dim=-1, correction=0)
    assert_close(y.var(dim=-1, correction=0), variance / (variance + 1e-5))
    assert_close(y, (x - x.mean(dim=-1, keepdim=True)) / (variance[:, None] + 1e-5).sqrt())


def test_no_token_sees_a_later_one(model, ids):
    before = model(ids)
    for place in range(1, 9):
        changed = ids.clone()
        changed[:, place:] = (changed[:, place:] + 1) % 13
        after = model(changed)
        assert torch.equal(after[:, :place], before[:, :place])
        assert not torch.equal(after[:, place], before[:, place])


def test_maps_are_what_each_layer_computes(model, ids):
    seen = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, inputs, output: seen.append((layer, *inputs, output))
        )
        for layer in model.layers
    ]
    model(ids)
    for hook in hooks:
        hook.remove()
    maps = model.attention_maps(ids)
    assert maps.shape == (3, 4, 2, 9, 9) and not maps.requires_grad
    assert [layer for layer, *_ in seen] == list(model.layers)
    for weights, (layer, x, output) in zip(maps, seen, strict=True):
        q, k, v = layer.heads(x)
        assert_close(weights, attention_weights(q, k, causal_mask(9)))
        assert_close(layer.projection((weights @ v).transpose(1, 2).flatten(-2)), output)


@settings(max_examples=20)
@given(
    st.integers(1, 50), st.integers(1, 20), st.integers(1, 8), st.integers(1, 4), st.integers(1, 3)
)
def test_parameters_are_counted_by_formula(vocab_size, context_length, head_dim, n_head, n_layer):
    n_embd = head_dim * n_head
    model = AttentionOnly(vocab_size, context_length, n_embd, n_head, n_layer)
    learned = sum(parameter.numel() for parameter in model.parameters())
    assert learned == (vocab_size + context_length) * n_embd + n_layer * 4 * n_embd**2
    assert len(model.layers) == n_layer


def test_weights_are_named_as_their_file_names_them(model):
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    expected = {"token_embedding.weight": (13, 8), "position_embedding.weight": (9, 8)}
    for number in range(3):
        expected[f"layers.{number}.qkv.weight"] = (24, 8)
        expected[f"layers.{number}.projection.weight"] = (8, 8)
    assert shapes == expected


def test_a_seed_makes_the_model(ids):
    first, same, other = (AttentionOnly(**SIZES, generator=seeded(n)) for n in (0, 0, 1))
    assert torch.equal(first(ids), same(ids))
    assert not torch.equal(first(ids), other(ids))
    qkv = [layer.qkv.weight for layer in first.layers]
    assert not torch.equal(qkv[0], qkv[1])
    assert all(isinstance(layer, CausalSelfAttention) for layer in first.layers)


def test_gradients_reach_every_weight(model, ids):
    scores = model(ids)
    torch.nn.functional.cross_entropy(scores.flatten(0, 1), ids.flatten()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.any(), name
    model.zero_grad()


# Errors.


def test_a_sequence_beyond_the_context_is_refused(model):
    ids = torch.zeros(1, 10, dtype=torch.int64)
    for use in (model, model.attention_maps):
        with pytest.raises(ValueError, match=r"10 tokens from .*, but context_length is 9"):
            use(ids)


def test_ids_of_another_vocabulary_are_refused(model):
    with pytest.raises(ValueError, match="token id 13 has no row"):
        model(torch.tensor([[0, 13]]))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="n_embd 8 cannot be cut into n_head 3 heads"):
        AttentionOnly(**SIZES | {"n_head": 3})


@pytest.mark.parametrize("shape", [(3,), (1, 1, 3)])
def test_ids_that_are_no_batch_are_refused(model, shape, as_readers_run_it):
    for use in (model, model.attention_maps):
        with pytest.raises(ValueError, match=r"ids have the shape \(.*they must be \(B, T\)"):
            use(torch.zeros(shape, dtype=torch.long))


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match="n_layer is 0; the model needs at least 1 layer"):
        AttentionOnly(**SIZES | {"n_layer": 0})


# The shipped weights, and the command that made them.


@pytest.fixture(scope="module")
def config() -> dict:
    return json.loads((PRETRAINED / "config.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def experiment():
    sys.path.insert(0, str(PRETRAINED.parents[2] / "experiments"))
    import attention_only

    sys.path.pop(0)
    return attention_only


def test_the_shipped_weights_have_the_loss_that_their_config_says(config, experiment):
    _, validation_text = train_validation_split(shakespeare())
    ids = torch.tensor(BPETokenizer.shakespeare().encode(validation_text))
    model = AttentionOnly.pretrained()
    loss = experiment.evaluate(model, ids, model.context_length, experiment.BATCH_SIZE)
    assert loss == pytest.approx(config["validation_loss"], abs=0.001)


def test_the_untrained_model_is_where_training_began(config, experiment):
    begun = AttentionOnly(**experiment.SIZES, generator=seeded(experiment.SEED))
    untrained, trained = AttentionOnly.untrained(), AttentionOnly.pretrained()
    for name, weights in begun.state_dict().items():
        assert torch.equal(untrained.state_dict()[name], weights)
        assert not torch.equal(trained.state_dict()[name], weights)
    assert {name: config[name] for name in experiment.SIZES} == experiment.SIZES


def test_in_64_bits_the_shipped_models_have_the_same_weights(request):
    pairs = [(start(), start) for start in (AttentionOnly.pretrained, AttentionOnly.untrained)]
    request.getfixturevalue("in_64_bits")
    for model, start in pairs:
        doubled = start().state_dict()
        for name, weight in model.state_dict().items():
            assert doubled[name].dtype == torch.float64
            assert torch.equal(doubled[name], weight.double()), name
    assert torch.get_default_dtype() == torch.float64


def test_a_number_of_steps_below_1_is_refused(experiment, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["attention_only.py", "--steps", "0"])
    with pytest.raises(SystemExit):
        experiment.main()
    assert "--steps is 0; it must be at least 1" in capsys.readouterr().err


def test_the_command_writes_what_the_package_reads(experiment, tmp_path, monkeypatch, capsys):
    text = "\n".join(["To be, or not to be"] * 400)
    monkeypatch.setattr(experiment, "shakespeare", lambda: text)
    monkeypatch.setattr(experiment, "BATCH_SIZE", 4)
    for folder in ("one", "two"):
        arguments = ["attention_only.py", "--steps", "3", "--out", str(tmp_path / folder)]
        monkeypatch.setattr(sys, "argv", arguments)
        experiment.main()
    files = [tmp_path / folder / "model.safetensors" for folder in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert {path.name for path in files[0].parent.iterdir()} == {"config.json", "model.safetensors"}
    monkeypatch.setattr("minigpt.attention.attention_only.PRETRAINED", tmp_path / "one")
    begun, trained = AttentionOnly.untrained(), AttentionOnly.pretrained()
    ids = torch.tensor([BPETokenizer.shakespeare().encode("To be, or not to be")])
    assert not torch.equal(begun(ids), trained(ids))
    written = json.loads((tmp_path / "one" / "config.json").read_text("utf-8"))
    assert written["steps"] == 3
    assert written["train_loss"] < 8.32
    assert '"steps": 3' in capsys.readouterr().out
