"""Adapters in folders: opened by peft and from it, whole whatever happens, refused in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lora_models import CONFIG, LORA, adapted, made, moved, some_ids
from safetensors.torch import load_file, save_file
from small_models import kinds_of, seeded
from torch import Tensor, nn
from torch.testing import assert_close

from minigpt.data import whole_file
from minigpt.exchange import load, save
from minigpt.exchange.int8_file import load_int8, save_int8
from minigpt.finetuning import (
    LoRAConfig,
    active_adapter,
    adapters,
    add_adapter,
    delete_adapter,
    load_adapter,
    merge_adapter,
    save_adapter,
    set_adapter,
    trained_numbers,
    unmerge_adapter,
)
from minigpt.model import GPT

CONFIGS = kinds_of(CONFIG)
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
# peft asks transformers by a name that is to go.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
TARGETS = [("qkv", "projection", "up", "down"), ("projection",), ("up", "qkv")]


def transformers_model(model: GPT, folder: Path) -> nn.Module:
    """The plain model, as transformers opens it from a folder of ours."""
    from transformers import GPT2LMHeadModel

    save(model, folder)
    return GPT2LMHeadModel.from_pretrained(folder)


def matrices(model: GPT) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in model.named_parameters() if ".adapters." in n}


@pytest.fixture
def saved(tmp_path) -> Path:
    """The folder of an adapter."""
    save_adapter(adapted(), tmp_path / "adapter")
    return tmp_path / "adapter"


# Ours, opened by peft, and the reverse.


@configs
@pytest.mark.parametrize("targets", TARGETS, ids="-".join)
def test_peft_opens_ours(config, targets, tmp_path):
    from peft import PeftModel

    model, ids = adapted(config, replace(LORA, targets=targets)), some_ids()
    save_adapter(model, tmp_path / "adapter")
    theirs = PeftModel.from_pretrained(
        transformers_model(made(config), tmp_path / "base"), tmp_path / "adapter"
    )
    assert_close(theirs(ids).logits, model(ids))
    assert_close(theirs.merge_and_unload()(ids).logits, model(ids), rtol=1e-5, atol=2e-5)


@pytest.mark.filterwarnings("ignore:fan_in_fan_out is set to")  # GPT-2's head is stored as ours
def test_peft_opens_ours_on_a_head_and_on_single_layers(tmp_path):
    from peft import PeftModel

    config = CONFIGS["untied"]
    targets = ("lm_head", "blocks.1.attention.projection", "blocks.0.mlp.down", "up")
    model, ids = adapted(config, replace(LORA, targets=targets)), some_ids()
    save_adapter(model, tmp_path / "adapter")
    assert json.loads((tmp_path / "adapter" / SETTINGS).read_text())["target_modules"] == [
        "lm_head",
        "mlp.c_fc",
        "transformer.h.0.mlp.c_proj",
        "transformer.h.1.attn.c_proj",
    ]
    theirs = PeftModel.from_pretrained(
        transformers_model(made(config), tmp_path / "base"), tmp_path / "adapter"
    )
    assert_close(theirs(ids).logits, model(ids))
    again = made(config)
    assert set(load_adapter(again, tmp_path / "adapter").targets) == {*targets}
    assert torch.equal(again(ids), model(ids))


@pytest.mark.parametrize("modules", [["c_attn", "c_fc", "c_proj"], ["attn.c_proj"]])
def test_an_adapter_that_peft_trained_on_our_folder_opens(modules, tmp_path):
    from peft import LoraConfig, get_peft_model

    base, ids = made(), some_ids(4, 9)
    settings = LoraConfig(
        r=2, lora_alpha=5, target_modules=modules, lora_dropout=0.1, fan_in_fan_out=True
    )
    theirs = get_peft_model(transformers_model(base, tmp_path / "base"), settings)
    optimizer = torch.optim.AdamW([p for p in theirs.parameters() if p.requires_grad], lr=0.05)
    for _ in range(4):
        optimizer.zero_grad()
        theirs(ids, labels=ids).loss.backward()
        optimizer.step()
    theirs.eval().save_pretrained(tmp_path / "theirs")
    config = load_adapter(base, tmp_path / "theirs", "learnt")
    assert (config.rank, config.alpha, config.dropout) == (2, 5, 0.1)
    assert config.targets == (
        ("down", "projection", "qkv", "up") if len(modules) > 1 else ("projection",)
    )
    assert_close(base(ids), theirs(ids).logits)
    assert not torch.equal(base(ids), made()(ids))


def test_an_adapter_that_peft_saved_of_our_own_gpt_opens(tmp_path):
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=3, lora_alpha=6, target_modules=[*LORA.targets])
    theirs = get_peft_model(made(), settings, adapter_name="verse")
    with torch.no_grad():
        for name, p in theirs.named_parameters():
            if "lora_" in name:
                p.normal_(std=0.3, generator=seeded(len(name)))
    theirs.save_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"no {WEIGHTS}; .*verse holds one"):
        load_adapter(made(), tmp_path)
    base, ids = made(), some_ids()
    load_adapter(base, tmp_path / "verse")
    assert_close(base(ids), theirs(ids))


# Ours, opened by us.


@configs
def test_a_round_trip_changes_no_bit(config, tmp_path):
    model, ids = adapted(config, name="verse"), some_ids()
    save_adapter(model, tmp_path / "adapter", "verse")
    again = made(config)
    assert load_adapter(again, tmp_path / "adapter", "other").rank == LORA.rank
    assert active_adapter(again) == "other" and trained_numbers(again) == 0
    assert torch.equal(again(ids), model(ids))
    for name, matrix in matrices(model).items():
        assert torch.equal(matrix, again.get_parameter(name.replace("verse", "other")))
    save_adapter(again, tmp_path / "again", "other")
    for name in (SETTINGS, WEIGHTS):
        assert (tmp_path / "again" / name).read_bytes() == (
            tmp_path / "adapter" / name
        ).read_bytes()


def test_one_of_several_is_saved_on_or_off_merged_or_not(tmp_path):
    model = adapted()
    add_adapter(model, LoRAConfig(1), "other", seeded(4))
    moved(model, "other")
    save_adapter(model, tmp_path / "off")
    set_adapter(model, "default")
    merge_adapter(model)
    save_adapter(model, tmp_path / "merged")
    unmerge_adapter(model)
    delete_adapter(model, "other")
    save_adapter(model, tmp_path / "alone")
    files = [(tmp_path / name / WEIGHTS).read_bytes() for name in ("off", "merged", "alone")]
    assert files[0] == files[1] == files[2]


def test_a_loaded_adapter_may_learn_further(saved):
    model = made()
    load_adapter(model, saved, trained=True)
    assert trained_numbers(model) == sum(x.numel() for x in matrices(model).values())


def test_16_bits_halve_the_file_and_round_each_number_once(tmp_path):
    lora = replace(LORA, rank=8)
    model = adapted(lora=lora)
    save_adapter(model, tmp_path / "adapter", dtype=torch.float16)
    stored = load_file(tmp_path / "adapter" / WEIGHTS)
    assert {x.dtype for x in stored.values()} == {torch.float16}
    assert sum(x.nbytes for x in stored.values()) == 2 * sum(
        x.numel() for x in matrices(model).values()
    )
    again = made()
    load_adapter(again, tmp_path / "adapter")
    for name, matrix in matrices(model).items():
        assert torch.equal(again.get_parameter(name), matrix.half().float())


# What is saved of a model with an adapter.


@configs
def test_a_model_is_saved_as_it_computes(config, tmp_path):
    model, ids = adapted(config), some_ids()
    scores, before = model(ids), {n: p.clone() for n, p in model.named_parameters()}
    save(model, tmp_path / "on")
    assert_close(load(tmp_path / "on")(ids), scores, rtol=1e-5, atol=2e-5)
    assert all(torch.equal(p, before[n]) for n, p in model.named_parameters())
    save_int8(model, tmp_path / "on.safetensors")
    merge_adapter(model)
    save(model, tmp_path / "merged")
    save_int8(model, tmp_path / "merged.safetensors")
    for name in ("on/model.safetensors", "on.safetensors"):
        other = tmp_path / name.replace("on", "merged", 1)
        assert (tmp_path / name).read_bytes() == other.read_bytes()
    load_int8(config, tmp_path / "on.safetensors")
    unmerge_adapter(model)
    set_adapter(model, None)
    save(model, tmp_path / "off")
    save(made(config), tmp_path / "plain")
    assert (tmp_path / "off/model.safetensors").read_bytes() == (
        tmp_path / "plain/model.safetensors"
    ).read_bytes()


# Errors.


def change(folder: Path, **settings) -> None:
    path = folder / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_rslora", True),
        ("use_dora", True),
        ("modules_to_save", ["lm_head"]),
        ("rank_pattern", {"c_attn": 4}),
        ("alpha_pattern", {"c_attn": 4}),
        ("bias", "all"),
        ("lora_bias", True),
        ("layer_replication", [[0, 2]]),
        ("trainable_token_indices", [1]),
        ("a_setting_of_tomorrow", 1),
        ("init_lora_weights", "pissa"),
        ("peft_type", "PREFIX_TUNING"),
    ],
)
def test_what_we_do_not_compute_is_refused_by_its_name(name, value, saved):
    change(saved, **{name: value})
    model = made()
    with pytest.raises(ValueError, match=rf"{SETTINGS} cannot be used: {name} is "):
        load_adapter(model, saved)
    assert adapters(model) == {} and trained_numbers(model) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"r": "8"}, "r is '8'; it must be a whole number"),
        ({"r": 0}, "r is 0; it must be a whole number"),
        ({"r": 9}, "rank is 9, and blocks.0.mlp.down .* at most 8"),
        ({"r": 4}, r"is \(3, 8\); on this model, with r as in .*, it is \(4, 8\)"),
        ({"lora_alpha": None}, "lora_alpha is None; it must be a number"),
        ({"lora_alpha": -1}, "alpha is -1; it must be a finite number above 0"),
        ({"lora_dropout": 2}, "dropout is 2; it is a share"),
    ],
)
@pytest.mark.usefixtures("as_readers_run_it")
def test_sizes_that_cannot_be_are_refused(settings, message, saved):
    change(saved, **settings)
    with pytest.raises(ValueError, match=message):
        load_adapter(made(), saved)


A = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"


def damaged(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    tensor = tensors.pop(A)
    changes = {
        "missing": {},
        "shape": {A: tensor[:, 1:].contiguous()},
        "whole numbers": {A: tensor.int()},
        "nan": {A: tensor.log()},
        "layer": {A: tensor, A.replace("h.0", "h.7"): tensor.clone()},
        "embedding": {A: tensor, "base_model.model.transformer.wte.lora_embedding_A": tensor * 1},
    }
    return tensors | changes[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "lacks A of blocks.0.attention.qkv: was the file cut short"),
        ("shape", r"c_attn.lora_A.weight \(A of blocks.0.attention.qkv\) .* it is \(3, 8\)"),
        ("whole numbers", "holds torch.int32, no floating-point numbers"),
        ("nan", "holds numbers that are not finite as torch.float32"),
        ("layer", r"the model has no linear layer transformer.h.7.attn.c_attn: is the adapter"),
        ("embedding", "wte.lora_embedding_A, which is no matrix A or B of a linear layer"),
    ],
)
def test_a_damaged_file_is_refused_and_the_model_is_as_it_was(kind, message, saved):
    save_file(damaged(load_file(saved / WEIGHTS), kind), saved / WEIGHTS)
    model, ids = made(), some_ids()
    scores = model(ids)
    with pytest.raises(ValueError, match=message):
        load_adapter(model, saved)
    assert torch.equal(model(ids), scores) and adapters(model) == {}


def test_files_that_are_cut_or_changed_are_told_of(saved):
    whole = (saved / WEIGHTS).read_bytes()
    (saved / WEIGHTS).write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"no whole safetensors file .* cut short"):
        load_adapter(made(), saved)
    (saved / WEIGHTS).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match="is not what was saved: its SHA-256 differs"):
        load_adapter(made(), saved)
    (saved / WEIGHTS).write_bytes(whole)
    (saved / SETTINGS).write_text("{")
    with pytest.raises(ValueError, match="is no whole JSON file"):
        load_adapter(made(), saved)
    (saved / SETTINGS).write_text("[]")
    with pytest.raises(ValueError, match="peft_type is None; only LORA"):
        load_adapter(made(), saved)
    save_file({}, saved / WEIGHTS)
    with pytest.raises(ValueError, match="holds no matrix"):
        load_adapter(made(), saved)


def test_a_folder_that_is_no_adapters_is_told_of(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        load_adapter(made(), tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=f"{WEIGHTS} is a file: give its folder"):
        load_adapter(made(), saved / WEIGHTS)
    (saved / SETTINGS).unlink()
    with pytest.raises(FileNotFoundError, match=f"holds no whole adapter: no {SETTINGS}"):
        load_adapter(made(), saved)
    save(made(), tmp_path / "model")
    with pytest.raises(FileNotFoundError, match=r"it holds a model, which minigpt.exchange.load"):
        load_adapter(made(), tmp_path / "model")
    (saved / WEIGHTS).rename(saved / "adapter_model.bin")
    with pytest.raises(FileNotFoundError, match=r"adapter_model.bin is a pickle"):
        load_adapter(made(), saved)


def test_an_adapter_of_another_base_is_told_of(saved):
    other = made(seed=1)
    heads = made(replace(CONFIG, n_head=4))  # the same matrices, cut otherwise
    for model in (other, heads):
        with pytest.raises(ValueError, match="was saved for a model of other weights"):
            load_adapter(model, saved)
        assert adapters(model) == {}
    load_adapter(other, saved, other_base=True)
    assert [*adapters(other)] == ["default"]
    wide = made().double()
    load_adapter(wide, saved)  # the same numbers
    assert matrices(wide).popitem()[1].dtype == torch.float64


def test_saving_out_of_place_is_refused(saved, tmp_path):
    model = adapted()
    with pytest.raises(ValueError, match="no adapter 'verse': it has 'default'"):
        save_adapter(model, tmp_path / "new", "verse")
    with pytest.raises(ValueError, match=r"dtype is torch.int8"):
        save_adapter(model, tmp_path / "new", dtype=torch.int8)
    with pytest.raises(FileNotFoundError, match=r"no folder .*above to make new in"):
        save_adapter(model, tmp_path / "above" / "new")
    save(made(), tmp_path / "model")
    with pytest.raises(FileExistsError, match="holds a model, which transformers would then"):
        save_adapter(model, tmp_path / "model")
    with pytest.raises(FileExistsError, match=f"another adapter, whose {SETTINGS} differs"):
        save_adapter(adapted(lora=LoRAConfig(2)), saved)
    save_adapter(model, saved)  # the same sizes may be written again
    with torch.no_grad():
        next(p for n, p in model.named_parameters() if n.endswith("up.adapters.default.B")).fill_(
            1e5
        )
    with pytest.raises(ValueError, match=r"B of blocks.0.mlp.up would .* finite as torch.float16"):
        save_adapter(model, tmp_path / "new", dtype=torch.float16)
    assert not (tmp_path / "new").exists()


def test_a_write_that_fails_leaves_the_old_adapter(saved, monkeypatch):
    before = (saved / WEIGHTS).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save_adapter(moved(adapted(), seed=9), saved)
    assert (saved / WEIGHTS).read_bytes() == before
    assert sorted(path.name for path in saved.iterdir()) == [SETTINGS, WEIGHTS]
