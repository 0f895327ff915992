"""The ledger held to real models: numbers counted, arithmetic counted, bytes weighed."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import GPT2_COUNTS, on_meta
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from minigpt.model import GPT, PRESETS, GPTConfig
from minigpt.model.activations import activations
from minigpt.model.ledger import (
    activation_bytes,
    forward_flops,
    kv_cache_bytes,
    parameter_count,
    parameter_counts,
)

GPT2 = GPTConfig.preset("gpt2")
SMALL = GPTConfig(65, 32, n_layer=3, n_head=4, n_embd=32)


@st.composite
def configs(draw) -> GPTConfig:
    n_head = draw(st.integers(1, 4))
    return GPTConfig(
        vocab_size=draw(st.integers(1, 40)),
        context_length=draw(st.integers(1, 12)),
        n_layer=draw(st.integers(1, 3)),
        n_head=n_head,
        n_embd=n_head * draw(st.integers(1, 6)),
        bias=draw(st.booleans()),
        tied=draw(st.booleans()),
    )


@st.composite
def inputs(draw) -> tuple[GPTConfig, int, int]:
    """Sizes, tokens and sequences."""
    config = draw(configs())
    return config, draw(st.integers(1, config.context_length)), draw(st.integers(1, 3))


# Numbers learned.


def part_of(name: str) -> str:
    if "norm" in name:
        return "norms"
    if name.startswith("blocks."):
        return name.split(".")[2]
    return name.split(".")[0]


@settings(max_examples=50)
@given(configs())
def test_every_part_learns_what_its_modules_learn(config):
    counted = dict.fromkeys(parameter_counts(config), 0)
    for name, parameter in on_meta(config).named_parameters():  # a tied table comes once
        counted[part_of(name)] += parameter.numel()
    assert parameter_counts(config) == counted
    assert parameter_count(config) == sum(counted.values())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_learn_what_their_modules_learn(name):
    model = on_meta(PRESETS[name])
    assert parameter_count(PRESETS[name]) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("name", "count"), GPT2_COUNTS.items())
def test_the_four_sizes_of_gpt2(name, count):
    assert parameter_count(GPTConfig.preset(name)) == count


def test_gpt2_small_by_hand():
    assert parameter_counts(GPT2) == {
        "token_embedding": 50257 * 768,
        "position_embedding": 1024 * 768,
        "attention": 12 * (768 * 2304 + 2304 + 768 * 768 + 768),
        "mlp": 12 * (768 * 3072 + 3072 + 3072 * 768 + 768),
        "norms": 25 * 2 * 768,
        "lm_head": 0,
    }
    untied = dataclasses.replace(GPT2, tied=False)
    assert parameter_count(untied) == 163_037_184
    assert parameter_counts(untied)["lm_head"] == 50257 * 768
    one_more = parameter_count(dataclasses.replace(GPT2, n_layer=13)) - parameter_count(GPT2)
    assert one_more == 7_087_872  # a block


# Arithmetic.


@settings(max_examples=30)
@given(inputs())
def test_arithmetic_is_what_torch_counts(sizes):
    config, tokens, batch = sizes
    ids = torch.zeros(batch, tokens, dtype=torch.long)
    model = GPT(config).eval()
    # torch does not count what its CPU kernel of attention does; written out, it does.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(ids)
    assert forward_flops(config, tokens, batch) == counter.get_total_flops()


def test_a_window_of_gpt2_small_takes_292_billion_operations():
    assert forward_flops(GPT2, 1024) == 291_648_307_200
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        on_meta(GPT2)(torch.zeros(1, 1024, dtype=torch.long, device="meta"))
    assert counter.get_total_flops() == 291_648_307_200


# Bytes kept for the backward pass.


def bytes_kept(model: GPT, ids: Tensor) -> int:
    """The size of all that autograd keeps, each memory once, the weights left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage  # held, so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        scores = model(ids)
    assert scores.requires_grad
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("training", [True, False])
@settings(max_examples=30)
@given(sizes=inputs())
def test_bytes_are_what_autograd_keeps(training, sizes):
    config, tokens, batch = sizes
    ids = torch.zeros(batch, tokens, dtype=torch.long)
    kept = bytes_kept(GPT(config).train(training), ids)
    assert activation_bytes(config, tokens, batch) == kept


@pytest.mark.parametrize(("tokens", "batch"), [(32, 2), (7, 3), (1, 1)])
def test_bytes_of_a_model_by_hand(tokens, batch):
    a_token = 4 * (3 * (16 * 32 + 2 * 2 + 4) + 2 * 32 + 2) + 8
    assert activation_bytes(SMALL, tokens, batch) == tokens * batch * a_token
    ids = torch.randint(65, (batch, tokens), generator=torch.Generator().manual_seed(0))
    assert bytes_kept(GPT(SMALL), ids) == tokens * batch * a_token


# Bytes of keys and values.


@pytest.mark.parametrize(
    ("dtype", "size"), [(torch.float16, ()), (torch.float16, (2,)), (torch.float32, (4,))]
)
@settings(max_examples=8)
@given(sizes=inputs())
def test_keys_and_values_are_those_of_every_block(dtype, size, sizes):
    config, tokens, batch = sizes
    model = GPT(config).to(dtype)
    kept = activations(model, torch.zeros(batch, tokens, dtype=torch.long))
    total = 0
    for number, block in enumerate(model.blocks):
        _, keys, values = block.attention.heads(kept[f"blocks.{number}.norm_1"])
        total += keys.nbytes + values.nbytes
    assert kv_cache_bytes(config, tokens, batch, *size) == total


def test_keys_and_values_of_gpt2_small_by_hand():
    assert kv_cache_bytes(GPT2, 1) == 2 * 12 * 768 * 2 == 36_864
    assert kv_cache_bytes(GPT2, 1024, batch=8) == 8 * 1024 * 36_864


# Errors.


@pytest.mark.parametrize("cost", [forward_flops, activation_bytes, kv_cache_bytes])
@pytest.mark.parametrize(
    ("tokens", "batch", "match"),
    [
        (0, 1, "tokens is 0; it must be a whole number of at least 1"),
        (-1, 1, "tokens is -1; it must be a whole number"),
        (1.5, 1, "tokens is 1.5; it must be a whole number"),
        (33, 1, "tokens is 33, more than context_length, 32: shorten the sequence"),
        (1, 0, "batch is 0; it must be a whole number of at least 1"),
        (32, -2, "batch is -2; it must be a whole number"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(cost, tokens, batch, match, as_readers_run_it):
    with pytest.raises(ValueError, match=match):
        cost(SMALL, tokens, batch)
    assert cost(SMALL, 32, 1) > cost(SMALL, 1, 1) > 0


def test_numbers_of_no_bytes_are_refused():
    with pytest.raises(ValueError, match="bytes_per_number is 0; it must be a whole number"):
        kv_cache_bytes(SMALL, 1, bytes_per_number=0)
