"""Adapters on a model: nothing at the start, six numbers by hand, names, switches, merges."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_models import CONFIG, LORA, adapted, made, moved, some_ids
from small_models import kinds_of, seeded
from torch import nn
from torch.testing import assert_close

from minigpt.attention.linear import Linear, linear
from minigpt.finetuning import (
    LoRAConfig,
    active_adapter,
    adapters,
    add_adapter,
    delete_adapter,
    merge_adapter,
    merge_and_unload,
    set_adapter,
    trained_numbers,
    unmerge_adapter,
)
from minigpt.finetuning.lora_linear import LoRALinear
from minigpt.generation import generate
from minigpt.model import GPT
from minigpt.training import evaluate, next_token_loss

configs = pytest.mark.parametrize("config", kinds_of(CONFIG).values(), ids=kinds_of(CONFIG))


def bits(model: nn.Module) -> dict[str, bytes]:
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def base_bits(model: nn.Module) -> dict[str, bytes]:
    return {name: b for name, b in bits(model).items() if ".adapters." not in name}


# By hand.


def test_six_numbers_by_hand():
    # W x = (1 + 2, 3 + 1) = (3, 4); A x = 1 - 2 = -1; alpha / r = 2, so B A x is taken twice.
    net = nn.ModuleDict({"layer": nn.Linear(3, 2, bias=False)})
    net["layer"].weight.data = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 1.0]])
    assert add_adapter(net, LoRAConfig(1, 2.0, ("layer",)), generator=seeded()) == 5
    adapter, x = net["layer"].adapters["default"], torch.tensor([1.0, 1.0, 1.0])
    assert net["layer"](x).tolist() == [3.0, 4.0]
    with torch.no_grad():
        adapter.A.copy_(torch.tensor([[1.0, 0.0, -2.0]]))
        adapter.B.copy_(torch.tensor([[0.5], [-3.0]]))
    y = net["layer"](x)
    assert y.tolist() == [2.0, 10.0]
    y.sum().backward()
    # d/dB = 2 (A x) = -2 for each; d/dA = 2 (0.5 - 3) x = -5 for each.
    assert adapter.B.grad.tolist() == [[-2.0], [-2.0]]
    assert adapter.A.grad.tolist() == [[-5.0, -5.0, -5.0]]
    assert net["layer"].weight.grad is None
    merge_adapter(net)
    assert net["layer"].weight.tolist() == [[2.0, 2.0, -2.0], [-3.0, 0.0, 13.0]]
    assert net["layer"](x).tolist() == [2.0, 10.0]


# At the start.


@configs
def test_an_adapter_changes_no_bit_at_the_start(config):
    model, ids = made(config), some_ids()
    with_gradient, (without, drawn) = model(ids), read_and_written(model, ids)
    base = bits(model)
    add_adapter(model, LORA, generator=seeded(1))
    assert torch.equal(model(ids), with_gradient)
    again = read_and_written(model, ids)
    assert torch.equal(again[0], without) and again[1] == drawn
    assert base_bits(model) == base


def read_and_written(model: GPT, ids):
    with torch.inference_mode():
        scores = model(ids)
    return scores, generate(model, [[1, 2]], 12, generator=seeded(5))


def test_a_matrix_starts_as_pefts_from_the_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    models = [made() for _ in range(2)]
    for model in models:
        add_adapter(model, LORA, generator=seeded(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert bits(models[0]) == bits(models[1])
    wide = nn.ModuleDict({"layer": nn.Linear(400, 300)})
    add_adapter(wide, LoRAConfig(100, 1.0, ("layer",)), generator=seeded(1))
    A, B = wide["layer"].adapters["default"].A, wide["layer"].adapters["default"].B
    assert not B.any()
    assert A.abs().max() <= 1 / 20  # uniform: its largest is near the limit, its spread a third
    assert_close(A.abs().max().item(), 0.05, rtol=1e-3, atol=0)
    assert_close(A.std().item(), 0.05 / 3**0.5, rtol=0.02, atol=0)


def test_only_the_adapter_learns_and_names_stay():
    model = made()
    names = [name for name, _ in model.named_parameters()]
    learns = add_adapter(model, LORA, generator=seeded(1))
    # r (n_in + n_out) of qkv, projection, up, down, in each of two blocks.
    assert learns == 2 * 3 * ((8 + 24) + (8 + 8) + (8 + 32) + (32 + 8)) == trained_numbers(model)
    kept = [name for name, _ in model.named_parameters() if ".adapters." not in name]
    assert kept == names
    learning = {n for n, p in model.named_parameters() if p.requires_grad}
    assert learning == {n for n, _ in model.named_parameters() if ".adapters.default." in n}
    assert model.lm_head.weight is model.token_embedding.weight


def test_the_shipped_size_learns_122880_of_2552320():
    with torch.device("meta"):
        model = GPT(replace(CONFIG, vocab_size=4096, context_length=256, n_layer=6, n_head=5,
                            n_embd=160))  # fmt: skip
    assert trained_numbers(model) == 2_552_320
    assert add_adapter(model, LoRAConfig(rank=8)) == 122_880


@settings(max_examples=40)
@given(st.integers(1, 8), st.sets(st.sampled_from(["qkv", "projection", "up", "down"]), min_size=1))
def test_any_adapter_is_one_change_of_the_matrices(rank, targets):
    model = made().double()
    add_adapter(model, LoRAConfig(rank, 3.0, tuple(targets)), generator=seeded(1))
    moved(model)
    ids, merged = some_ids(), copy.deepcopy(model)
    merge_adapter(merged)
    assert_close(merged(ids), model(ids))
    layer = model.blocks[0].attention.qkv
    if "qkv" in targets:
        change = merged.blocks[0].attention.qkv.weight - layer.weight
        assert torch.linalg.matrix_rank(change, rtol=1e-9) == rank
    else:
        assert type(layer) is Linear


# Merging.


@configs
def test_merged_computes_the_same_and_unmerged_has_the_same_bits(config):
    model, ids = adapted(config), some_ids()
    before, scores = bits(model), model(ids)
    merge_adapter(model)
    assert base_bits(model) != {n: b for n, b in before.items() if ".adapters." not in n}
    assert_close(model(ids), scores, rtol=1e-5, atol=2e-5)  # sums in another order, float32
    unmerge_adapter(model)
    assert bits(model) == before
    assert torch.equal(model(ids), scores)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float16, 1e-2), (torch.bfloat16, 8e-2)])
def test_merged_in_16_bits_is_as_close_as_these_are(dtype, limit):
    # Each matrix is rounded once, by 2^-11 (2^-8 of bfloat16) of its numbers; scores are some 3.
    model, ids = adapted(), some_ids()
    scores = model(ids)
    merge_adapter(model.to(dtype))
    assert_close(model(ids).float(), scores, rtol=0, atol=limit)
    assert not torch.equal(model(ids).float(), scores)


def test_merging_for_good_leaves_a_plain_model():
    model, ids = adapted(), some_ids()
    add_adapter(model, replace(LORA, targets=("up",)), "other", seeded(4))
    set_adapter(model, "default")
    scores = model(ids)
    for merged_before in (False, True):
        plain = copy.deepcopy(model)
        if merged_before:
            merge_adapter(plain)
        merge_and_unload(plain)
        assert not any(isinstance(m, LoRALinear) for m in plain.modules())
        assert [n for n, _ in plain.named_parameters()] == [n for n, _ in made().named_parameters()]
        assert_close(plain(ids), scores, rtol=1e-5, atol=2e-5)


# Several, by name.


def test_one_base_serves_many_adapters_by_name():
    model, ids = made(), some_ids()
    scores = {None: model(ids)}
    for number, name in enumerate(("verse", "prose")):
        targets = ("qkv", "up") if number else LORA.targets
        add_adapter(model, LoRAConfig(number + 1, 4.0, targets), name, seeded(number))
        assert torch.equal(model(ids), scores[None])
        scores[name] = moved(model, name, seed=number)(ids)
    assert adapters(model) == {
        "verse": LoRAConfig(1, 4.0, LORA.targets),
        "prose": LoRAConfig(2, 4.0, ("qkv", "up")),
    }
    assert active_adapter(model) == "prose"
    assert trained_numbers(model) == 2 * 2 * ((8 + 24) + (8 + 32))  # the newest alone
    for name in ("verse", None, "prose", "verse"):
        set_adapter(model, name)
        assert active_adapter(model) == name
        assert torch.equal(model(ids), scores[name])
    delete_adapter(model, "prose")
    assert torch.equal(model(ids), scores["verse"]) and [*adapters(model)] == ["verse"]
    delete_adapter(model, "verse")
    assert torch.equal(model(ids), scores[None]) and adapters(model) == {}
    assert active_adapter(model) is None
    assert {type(m) for m in model.modules() if isinstance(m, nn.Linear)} == {Linear}


def test_two_rounds_of_merging_other_adapters_leave_no_trace():
    model = adapted()
    add_adapter(model, LORA, "other", seeded(4))
    moved(model, "other")
    before = bits(model)
    for name in ("default", "other", "default"):
        set_adapter(model, name)
        merge_adapter(model)
        unmerge_adapter(model)
    assert bits(model) == before


def test_a_plain_layer_of_torch_comes_back_as_it_was():
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3, bias=False))
    before = bits(net)
    add_adapter(net, LoRAConfig(2, 2.0, ("0", "1")), generator=seeded())
    assert [n for n in bits(net) if "adapters" not in n] == [*before]
    delete_adapter(net, "default")
    assert bits(net) == before and [type(m) for m in net] == [nn.Linear, nn.Linear]
    assert net[1].bias is None


# What else is done with a model.


def test_what_reads_a_model_reads_it_with_its_adapter():
    model, text = adapted(), torch.arange(40) % 13
    expected = merged_copy(model)
    assert_close(evaluate(model, text, 8), evaluate(expected, text, 8), rtol=1e-5, atol=0)
    prompts = [[1, 2, 3], [4]]
    plain, cached = (
        generate(model, prompts, 6, generator=seeded(), cached=c) for c in (False, True)
    )
    assert plain == cached == generate(expected, prompts, 6, generator=seeded())
    assert plain != generate(made(), prompts, 6, generator=seeded())


def merged_copy(model: GPT) -> GPT:
    merged = copy.deepcopy(model)
    merge_and_unload(merged)
    return merged


def test_one_vector_still_goes_through_a_large_matrix_in_parts(monkeypatch):
    # As in generation; the threads share the matrix, which then is a batch of products.
    net, x = nn.ModuleDict({"up": linear(400, 800, generator=seeded())}), torch.ones(1, 1, 400)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    products, multiply = [], torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda *given: products.append(1) or multiply(*given))
    with torch.no_grad():
        plain = net["up"](x)
        add_adapter(net, LoRAConfig(2, 2.0, ("up",)), generator=seeded())
        assert torch.equal(net["up"](x), plain)
    assert len(products) == 2


def test_dropout_is_of_what_the_adapter_sees_and_of_training():
    model, ids = adapted(lora=replace(LORA, dropout=0.5)), some_ids()
    scores = model(ids)
    assert torch.equal(scores, adapted()(ids))
    model.train()
    torch.manual_seed(0)
    first, second = model(ids), model(ids)
    assert not torch.equal(first, second) and not torch.equal(first, scores)
    set_adapter(model, None)
    assert torch.equal(model(ids), made()(ids))
    assert torch.equal(generate_scores(model), generate_scores(made()))


def generate_scores(model: GPT) -> torch.Tensor:
    return torch.tensor(generate(model, [[1]], 5, generator=seeded()))


def test_an_adapter_learns_and_the_base_does_not_move():
    model, ids = adapted(), some_ids(4, 9)
    base = base_bits(model)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.05)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    assert base_bits(model) == base


# Errors.


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rank": 0}, "rank is 0; it must be a whole number of at least 1"),
        ({"rank": 2.0}, "rank is 2.0; it"),
        ({"alpha": 0}, "alpha is 0; it must be a finite number above 0"),
        ({"alpha": float("inf")}, "alpha is inf"),
        ({"targets": ()}, "targets is \\(\\)"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
@pytest.mark.usefixtures("as_readers_run_it")
def test_sizes_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        LoRAConfig(**wrong)


def test_a_model_is_as_it_was_after_an_adapter_that_cannot_be():
    wrong = {
        "targets has 'query', and no linear layer .* there are down, lm_head, projection, qkv, up":
            LoRAConfig(2, targets=("up", "query")),
        "lm_head has no matrix of its own: token_embedding.weight and lm_head.weight are one":
            LoRAConfig(2, targets=("up", "lm_head")),
        "rank is 9, and blocks.0.attention.qkv is a matrix of 24 x 8, whose rank is at most 8":
            LoRAConfig(9),
    }  # fmt: skip
    model = made()
    for message, config in wrong.items():
        with pytest.raises(ValueError, match=message):
            add_adapter(model, config, generator=seeded())
    assert trained_numbers(model) == sum(p.numel() for p in model.parameters())
    assert adapters(model) == {}


def test_an_untied_head_may_have_one():
    model = made(replace(CONFIG, tied=False))
    assert add_adapter(model, LoRAConfig(2, targets=("lm_head",)), generator=seeded()) == 2 * 21


def test_names_that_are_taken_or_unknown_or_none_are_refused():
    model = adapted(name="verse")
    with pytest.raises(ValueError, match="has an adapter 'verse' already: delete_adapter takes"):
        add_adapter(model, LORA, "verse")
    for name in ("a.b", "", "keys", "train"):
        with pytest.raises(ValueError, match=f"an adapter cannot be called '{name}'"):
            add_adapter(model, LORA, name)
    for use in (set_adapter, delete_adapter):
        with pytest.raises(ValueError, match="the model has no adapter 'prose': it has 'verse'"):
            use(model, "prose")
        with pytest.raises(ValueError, match="no adapter 'prose': it has none, add_adapter gives"):
            use(made(), "prose")


def test_merging_out_of_turn_is_refused():
    model = adapted()
    with pytest.raises(ValueError, match="no adapter is merged: merge_adapter does that"):
        unmerge_adapter(model)
    merge_adapter(model)
    before = bits(model)
    doings = {
        "merging again": merge_adapter,
        "adding an adapter": lambda m: add_adapter(m, LORA, "other"),
        "switching": lambda m: set_adapter(m, None),
        "deleting an adapter": lambda m: delete_adapter(m, "default"),
    }
    for what, do in doings.items():
        message = f"'default' is merged into the weights: unmerge_adapter before {what}"
        with pytest.raises(ValueError, match=message):
            do(model)
    assert bits(model) == before
    unmerge_adapter(model)
    set_adapter(model, None)
    for merge in (merge_adapter, merge_and_unload):
        with pytest.raises(ValueError, match="no adapter is on, so there is nothing to merge: it"):
            merge(model)
