"""GPT-2's names, layout and settings held to transformers' own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from small_models import kinds_of
from transformers import GPT2Config, GPT2LMHeadModel

from minigpt.exchange.gpt2_format import (
    config_from_gpt2,
    gpt2_name,
    gpt2_settings,
    gpt2_weights,
    our_layout,
)
from minigpt.model import GPT, PRESETS, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=11, n_head=2, n_embd=8)
VARIANTS = kinds_of(CONFIG)
variants = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)


def made(config: GPTConfig = CONFIG) -> GPT:
    """With numbers that are all different, so that none can take another's place."""
    model = GPT(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3, generator=generator)
    return model.eval()


def their_model(config: GPTConfig) -> GPT2LMHeadModel:
    return GPT2LMHeadModel(GPT2Config(**gpt2_settings(config))).eval()


# Names and layout.


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("token_embedding.weight", "transformer.wte.weight"),
        ("position_embedding.weight", "transformer.wpe.weight"),
        ("blocks.0.norm_1.weight", "transformer.h.0.ln_1.weight"),
        ("blocks.3.attention.qkv.bias", "transformer.h.3.attn.c_attn.bias"),
        ("blocks.3.attention.projection.weight", "transformer.h.3.attn.c_proj.weight"),
        ("blocks.10.norm_2.bias", "transformer.h.10.ln_2.bias"),
        ("blocks.0.mlp.up.bias", "transformer.h.0.mlp.c_fc.bias"),
        ("blocks.47.mlp.down.weight", "transformer.h.47.mlp.c_proj.weight"),
        ("final_norm.weight", "transformer.ln_f.weight"),
        ("lm_head.weight", "lm_head.weight"),
    ],
)
def test_names(ours, theirs):
    assert gpt2_name(ours) == theirs


@variants
def test_names_and_shapes_are_those_of_transformers(config):
    theirs = dict(their_model(config).named_parameters())
    weights = gpt2_weights(made(config))
    assert {name: w.shape for name, w in weights.items()} == {
        name: parameter.shape for name, parameter in theirs.items()
    }


@variants
def test_load_state_dict_makes_the_same_function(config):
    model, theirs = made(config).double(), their_model(config).double()
    keys = theirs.load_state_dict(gpt2_weights(model), strict=False)
    assert not keys.unexpected_keys
    assert keys.missing_keys == (["lm_head.weight"] if config.tied else [])
    ids = torch.arange(9)[None]
    torch.testing.assert_close(theirs(ids).logits, model(ids), rtol=0, atol=1e-12)


@variants
def test_our_layout_undoes_theirs(config):
    model = made(config)
    parameters = {gpt2_name(name): p for name, p in model.named_parameters()}
    for name, tensor in gpt2_weights(model).items():
        assert tensor.is_contiguous() and not tensor.requires_grad
        again, ours = our_layout(name, tensor)
        assert again == name
        if name in parameters:
            assert torch.equal(ours, parameters.pop(name))
        else:
            assert name.endswith(".bias") and not config.bias and not tensor.any()
    assert not parameters


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_biases_of_zero_are_of_the_weights_type(dtype):
    weights = gpt2_weights(made(VARIANTS["no-bias"]).to(dtype))
    assert {tensor.dtype for tensor in weights.values()} == {dtype}


def test_square_matrices_are_transposed_too():
    model = made()
    theirs = gpt2_weights(model)["transformer.h.0.attn.c_proj.weight"]
    ours = model.blocks[0].attention.projection.weight
    assert torch.equal(theirs, ours.T) and not torch.equal(theirs, ours)


@pytest.mark.parametrize("name", ["h.0.attn.bias", "transformer.h.11.attn.masked_bias"])
def test_masks_are_no_weights(name):
    assert our_layout(name, torch.ones(1, 1, 9, 9)) is None


@pytest.mark.parametrize(
    ("stored", "shape", "name", "ours"),
    [
        ("wte.weight", (13, 8), "transformer.wte.weight", (13, 8)),
        ("h.0.attn.c_attn.weight", (8, 24), "transformer.h.0.attn.c_attn.weight", (24, 8)),
        ("h.0.attn.c_attn.bias", (24,), "transformer.h.0.attn.c_attn.bias", (24,)),
        ("transformer.h.1.mlp.c_fc.weight", (8, 32), "transformer.h.1.mlp.c_fc.weight", (32, 8)),
        ("lm_head.weight", (13, 8), "lm_head.weight", (13, 8)),
        ("h.0.mlp.c_fc.weight", (8,), "transformer.h.0.mlp.c_fc.weight", (8,)),
        ("h.0.mlp.c_fc.weight", (2, 8, 3), "transformer.h.0.mlp.c_fc.weight", (2, 8, 3)),
    ],
)
def test_stored_names_gain_a_prefix_and_matrices_turn(stored, shape, name, ours):
    found, tensor = our_layout(stored, torch.zeros(shape))
    assert found == name and tensor.shape == ours


# Settings.


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("change", [{}, {"bias": False}, {"tied": False}, {"dropout": 0.25}])
def test_settings_give_the_sizes_back(name, change):
    config = replace(PRESETS[name], **change)
    settings = json.loads(json.dumps(gpt2_settings(config)))
    assert config_from_gpt2(settings) == config


@variants
def test_settings_are_those_that_transformers_means(config):
    """Read by transformers and written again, with every setting that it knows."""
    theirs = GPT2Config(**gpt2_settings(config)).to_dict()
    assert config_from_gpt2(theirs) == config
    for name in ("activation_function", "layer_norm_epsilon", "scale_attn_weights"):
        assert theirs[name] == GPT2Config().to_dict()[name]
    assert theirs["n_inner"] is None


def test_what_is_absent_is_what_transformers_assumes():
    sizes = {"vocab_size": 13, "n_positions": 9, "n_layer": 11, "n_head": 2, "n_embd": 8}
    theirs = GPT2Config(**sizes)
    config = config_from_gpt2(sizes)
    assert config == config_from_gpt2(theirs.to_dict()) == replace(CONFIG, dropout=0.1)
    assert theirs.resid_pdrop == 0.1 and theirs.tie_word_embeddings


def changed(**settings) -> dict:
    return gpt2_settings(CONFIG) | settings


@pytest.mark.parametrize(
    ("name", "value", "only"),
    [
        ("model_type", "gpt_neo", "'gpt2'"),
        ("model_type", None, "'gpt2'"),
        ("activation_function", "gelu", "'gelu_new'"),
        ("activation_function", "relu", "'gelu_new'"),
        ("activation_function", ["gelu_new"], "'gelu_new'"),
        ("layer_norm_epsilon", 1e-6, "1e-05"),
        ("layer_norm_epsilon", "1e-5", "1e-05"),
        ("scale_attn_weights", False, "True"),
        ("scale_attn_by_inverse_layer_idx", True, "False"),
        ("add_cross_attention", True, "False"),
    ],
)
def test_settings_that_ours_does_not_compute_are_refused(name, value, only):
    with pytest.raises(ValueError, match=rf"^{name} is .*; this GPT computes {only} only$"):
        config_from_gpt2(changed(**{name: value}))


def test_the_same_gelu_by_another_name_is_accepted():
    assert config_from_gpt2(changed(activation_function="gelu_pytorch_tanh")) == CONFIG


@pytest.mark.parametrize("size", ["vocab_size", "n_positions", "n_layer", "n_head", "n_embd"])
def test_a_size_that_is_missing_is_named(size):
    settings = changed(n_inner=32)
    del settings[size]
    with pytest.raises(ValueError, match=f"^{size} is missing; GPT-2's config.json gives it"):
        config_from_gpt2(settings)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"n_embd": None}, "n_embd is None; it must be a whole number"),
        ({"n_embd": {}}, "n_embd is {}; it must be a whole number"),
        ({"n_layer": 2.0}, "n_layer is 2.0; it must be a whole number"),
        ({"vocab_size": "13"}, "vocab_size is '13'; it must be a whole number"),
        ({"n_head": 0}, "n_head is 0"),
        ({"n_head": 3}, "n_embd 8 cannot be cut into n_head 3 heads"),
        ({"bias": None}, "bias is None; it must be true or false"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings is 1; it must be true or false"),
    ],
)
@pytest.mark.parametrize("n_inner", [None, 32])
def test_values_that_make_no_sizes_are_refused(change, match, n_inner, as_readers_run_it):
    with pytest.raises(ValueError, match=match):
        config_from_gpt2(changed(n_inner=n_inner, **change))


@pytest.mark.parametrize("n_inner", [31, 0, "32", [32]])
def test_an_mlp_of_another_width_is_refused(n_inner):
    with pytest.raises(ValueError, match=r"n_inner is .*; this GPT's MLP is 4 n_embd wide, 32"):
        config_from_gpt2(changed(n_inner=n_inner))


@pytest.mark.parametrize("n_inner", [None, 32])
def test_an_mlp_of_the_usual_width_may_say_so(n_inner):
    assert config_from_gpt2(changed(n_inner=n_inner)) == CONFIG


@pytest.mark.parametrize("name", ["resid_pdrop", "embd_pdrop", "attn_pdrop"])
def test_unequal_dropouts_are_refused(name):
    match = "^resid_pdrop, embd_pdrop, attn_pdrop are .*0.3.*make them equal"
    with pytest.raises(ValueError, match=match):
        config_from_gpt2(changed(**{name: 0.3}))
    settings = gpt2_settings(replace(CONFIG, dropout=0.3))
    del settings[name]  # then it is 0.1
    with pytest.raises(ValueError, match="make them equal"):
        config_from_gpt2(settings)


@pytest.mark.parametrize(
    ("dropout", "match"),
    [
        (None, "resid_pdrop is None; it must be a number"),
        ("0.1", "resid_pdrop is '0.1'; it must be a number"),
        ([0.1], r"resid_pdrop is \[0.1\]; it must be a number"),
        (1.0, "resid_pdrop is 1.0; it must be a number from 0 up to, but not including, 1"),
        (-0.1, "resid_pdrop is -0.1; it must be a number from 0"),
    ],
)
def test_a_dropout_that_is_no_share_is_refused(dropout, match, as_readers_run_it):
    names = ("resid_pdrop", "embd_pdrop", "attn_pdrop")
    with pytest.raises(ValueError, match=match):
        config_from_gpt2(changed(**dict.fromkeys(names, dropout)))
