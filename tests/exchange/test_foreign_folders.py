"""Folders as other programs write them: opened where they have one meaning, with transformers'
scores, and else refused with the name that stands in the file, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from damages import INTERNAL, damages
from safetensors.torch import load_file, save_file, save_model
from small_models import awake
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from minigpt.exchange import load
from minigpt.exchange.gpt2_format import config_from_gpt2
from minigpt.exchange.weight_files import weight_files

IDS = torch.arange(9)[None]


def their_model(**settings) -> GPT2LMHeadModel:
    sizes = {"vocab_size": 13, "n_positions": 9, "n_layer": 2, "n_head": 2, "n_embd": 8}
    ends = {"bos_token_id": None, "eos_token_id": None}
    return awake(GPT2LMHeadModel(GPT2Config(**sizes, **ends, **settings)), seed=1).eval()


@pytest.fixture(scope="module")
def theirs() -> GPT2LMHeadModel:
    return their_model()


@pytest.fixture
def folder(tmp_path, theirs) -> Path:
    theirs.save_pretrained(tmp_path / "m")
    return tmp_path / "m"


def change_config(folder: Path, change: Callable) -> None:
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    change(settings)
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")


def change_tensors(folder: Path, change: Callable) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors = change(tensors) or tensors
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def in_transformers(folder: Path) -> torch.Tensor:
    return AutoModelForCausalLM.from_pretrained(folder)(IDS).logits


# Weights.


def test_a_tied_model_whose_file_holds_the_head_alone_opens(folder, theirs):
    """`save_model` keeps one name of a shared tensor, the first in the alphabet."""
    (folder / "model.safetensors").unlink()
    save_model(theirs, str(folder / "model.safetensors"))
    held = load_file(folder / "model.safetensors")
    assert "lm_head.weight" in held and "transformer.wte.weight" not in held
    model = load(folder)
    assert model.lm_head.weight is model.token_embedding.weight
    assert_close(model(IDS), in_transformers(folder))


PREFIXES = ["_orig_mod.", "module.", "model.", "module._orig_mod.", "_fsdp_wrapped_module."]


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_names_that_wrappers_of_training_put_in_front_are_seen_through(
    folder, theirs, prefix, bare
):
    def rename(tensors):
        return {
            prefix + (name.removeprefix("transformer.") if bare else name): tensor
            for name, tensor in tensors.items()
        }

    change_tensors(folder, rename)
    assert_close(load(folder)(IDS), theirs(IDS).logits)


def test_a_block_that_was_wrapped_by_itself_is_seen_through(folder, theirs):
    inner = "transformer.h.1._checkpoint_wrapped_module."
    change_tensors(
        folder,
        lambda tensors: {n.replace("transformer.h.1.", inner): t for n, t in tensors.items()},
    )
    assert_close(load(folder)(IDS), theirs(IDS).logits)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_numbers_of_fewer_bits_are_those_that_transformers_reads(folder, dtype):
    name = "transformer.h.0.mlp.c_fc.weight"
    change_tensors(folder, lambda tensors: tensors.update({name: tensors[name].to(dtype)}))
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert_close(load(folder)(IDS), theirs(IDS).logits)


def test_one_tensor_by_two_names_opens_if_it_is_one(folder, theirs):
    def twice(tensors):
        tensors["wte.weight"] = tensors["transformer.wte.weight"].clone()

    change_tensors(folder, twice)
    assert_close(load(folder)(IDS), theirs(IDS).logits)
    change_tensors(folder, lambda tensors: tensors.update({"wte.weight": torch.ones(13, 8)}))
    match = r"wte\.weight and transformer\.wte\.weight in .* differ, although they are one tensor"
    with pytest.raises(ValueError, match=match):
        load(folder)


def test_an_untied_head_that_equals_the_table_stays_its_own(tmp_path):
    theirs = their_model(tie_word_embeddings=False)
    with torch.no_grad():
        theirs.lm_head.weight.copy_(theirs.transformer.wte.weight)
    theirs.save_pretrained(tmp_path)
    model = load(tmp_path)
    assert model.lm_head.weight is not model.token_embedding.weight
    assert_close(model(IDS), in_transformers(tmp_path))


NAMED = {
    "nan": ({"h.0.ln_1.bias": torch.full((8,), float("nan"))}, "h.0.ln_1.bias in .* not finite"),
    "shape": ({"wte.weight": torch.ones(12, 8)}, r"^module.wte.weight \(token_embedding.weight\)"),
    "int8": ({"wpe.weight": torch.ones(9, 8, dtype=torch.int8)}, r"wpe.weight .* not quantised"),
    "lora": ({"h.0.attn.c_attn.lora_A.weight": torch.ones(2, 8)}, "adapter's; .*merge_and_unload"),
    "scales": ({"h.0.mlp.c_fc.weight_scale": torch.ones(8)}, "a quantised model's; load one that"),
    "bnb": ({"h.0.mlp.c_fc.SCB": torch.ones(8)}, "a quantised model's; load one that is not"),
    "class": ({"score.weight": torch.ones(2, 8)}, "a classifier's; load the model"),
    "bias": ({"lm_head.bias": torch.ones(13)}, "do the two files belong together"),
}


@pytest.mark.parametrize(("tensors", "match"), NAMED.values(), ids=NAMED)
def test_what_is_refused_has_the_name_in_the_file_and_a_cause(folder, tensors, match):
    def change(held):
        held = {n.removeprefix("transformer."): t for n, t in held.items()} | tensors
        return {f"module.{name}": tensor for name, tensor in held.items()}

    change_tensors(folder, change)
    with pytest.raises(ValueError, match=match) as caught:
        load(folder)
    assert re.search(rf"\bmodule\.{re.escape(min(tensors))}\b", str(caught.value))


# Files.


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_the_path_of_a_file_stands_for_its_folder(folder, theirs, name):
    assert_close(load(folder / name)(IDS), theirs(IDS).logits)


def test_weights_by_another_name_open_by_their_path(folder, theirs):
    (folder / "model.safetensors").rename(folder / "ema.safetensors")
    match = r"no file .*m.model\.safetensors: .*; ema\.safetensors has another name: give its path"
    with pytest.raises(FileNotFoundError, match=match):
        load(folder)
    assert_close(load(str(folder / "ema.safetensors"))(IDS), theirs(IDS).logits)


INSTEAD = {
    "pytorch_model.bin": "is a pickle, which could run code: where .* save_pretrained",
    "ckpt.pt": "is a pickle, .* torch.load opens it, and safetensors.torch.save_file writes",
    "model.gguf": "is llama.cpp's: fetch the model in safetensors",
    "int8.safetensors": r"opens with minigpt\.exchange\.int8_file\.load_int8",
    "model-00001-of-00002.safetensors": r"is a part: fetch model\.safetensors\.index\.json",
}


@pytest.mark.parametrize("name", INSTEAD)
def test_what_is_there_in_place_of_weights_is_named_with_what_to_do(folder, name):
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(FileNotFoundError, match=f"no file .*; {name} {INSTEAD[name]}"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("adapter_config.json", "LoRA adapter's: load the model that it is for, and minigpt.f"),
        ("snapshots", "shows the hub's cache: give the folder in it"),
        ("pytorch_model.bin", "is a pickle"),
    ],
)
def test_what_is_there_in_place_of_a_model_is_named_with_what_to_do(tmp_path, name, match):
    (tmp_path / name).mkdir()
    with pytest.raises(FileNotFoundError, match=rf"no config\.json; {name} .*{match}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "match"),
    [("pytorch_model.bin", "is a pickle"), ("README.md", "is a file: give its folder")],
)
def test_another_file_than_weights_is_no_folder(folder, name, match):
    (folder / name).touch()
    with pytest.raises(FileNotFoundError, match=f"; {name} {match}"):
        load(folder / name)


def test_the_hubs_cache_of_links_opens_and_a_broken_link_is_named(tmp_path, folder, theirs):
    links = tmp_path / "snapshots" / "0123abc"
    links.mkdir(parents=True)
    for path in folder.iterdir():
        (links / path.name).symlink_to(path)
    assert_close(load(links)(IDS), theirs(IDS).logits)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*0123abc.model\.safetensors"):
        load(links)


def test_a_tensor_in_two_parts_opens_if_it_is_one(tmp_path, theirs):
    theirs.save_pretrained(tmp_path, max_shard_size="3KB")
    parts = sorted(tmp_path.glob("*.safetensors"))
    tensors = load_file(parts[0])
    name = min(tensors)
    save_file(load_file(parts[1]) | {name: tensors[name]}, parts[1], {"format": "pt"})
    assert_close(load(tmp_path)(IDS), theirs(IDS).logits)
    save_file(load_file(parts[1]) | {name: tensors[name] + 1}, parts[1], {"format": "pt"})
    with pytest.raises(ValueError, match=rf"{name} and {name} in .*{parts[1].name} differ"):
        load(tmp_path)


def test_whatever_is_damaged_in_an_index_is_refused_in_words_or_changes_nothing(tmp_path, theirs):
    theirs.save_pretrained(tmp_path, max_shard_size="6KB")
    path = tmp_path / "model.safetensors.index.json"
    whole, refused = weight_files(tmp_path), 0
    for where, contents in damages(json.loads(path.read_text("utf-8"))):
        path.write_text(json.dumps(contents), "utf-8")
        try:
            if weight_files(tmp_path) != whole:
                load(tmp_path)
                pytest.fail(where)
        except (ValueError, FileNotFoundError) as error:
            refused += 1
            assert str(tmp_path) in str(error) and not INTERNAL.search(str(error)), where
    assert refused > 5


# Settings.


SAME = {
    "mark": lambda folder: mark(folder / "config.json"),
    "other-names": lambda folder: change_config(folder, other_names),
    "n_ctx": lambda folder: change_config(folder, lambda s: s.update(n_ctx=s.pop("n_positions"))),
    "both": lambda folder: change_config(folder, lambda s: s.update(n_ctx=1024)),
    "ties": lambda folder: change_config(folder, lambda s: s.pop("tie_word_embeddings", None)),
    "torch_dtype": lambda folder: change_config(folder, lambda s: s.update(torch_dtype="float16")),
    "more": lambda folder: change_config(folder, lambda s: s.update(rotary=None, n_special=0)),
    "gelu": lambda folder: change_config(
        folder, lambda s: s.update(activation_function="gelu_fast")
    ),
}


def mark(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def other_names(settings: dict) -> None:
    names = {
        "n_embd": "hidden_size",
        "n_head": "num_attention_heads",
        "n_layer": "num_hidden_layers",
        "n_positions": "max_position_embeddings",
    }
    for name, other in names.items():
        settings[other] = settings.pop(name)


@pytest.mark.parametrize("name", SAME)
def test_settings_in_other_words_give_the_same_model(folder, theirs, name):
    SAME[name](folder)
    assert_close(load(folder)(IDS), theirs(IDS).logits)
    if name not in ("mark", "n_ctx"):  # which it does not open
        assert_close(in_transformers(folder).float(), theirs(IDS).logits, rtol=1e-2, atol=1e-2)


LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}


@pytest.mark.parametrize(
    ("settings", "gone", "match"),
    [
        (
            LLAMA,
            "",
            r"model_type is 'llama' \(of a LlamaForCausalLM\); this GPT computes 'gpt2' only",
        ),
        (
            {"architectures": ["GPTNeoForCausalLM"]},
            "",
            "this is a GPTNeoForCausalLM, by its archit",
        ),
        ({"model_type": "bert"}, "", "model_type is 'bert'; this GPT computes 'gpt2' only"),
        ({"n_layer": 2.0}, "", r"n_layer is 2\.0; it must be a whole number"),
        ({"hidden_size": 0}, "n_embd", "hidden_size is 0; it must be a whole number"),
        ({"n_positions": 0}, "", "n_positions is 0; it must be a whole number"),
        (
            {"tie_word_embeddings": None},
            "",
            "tie_word_embeddings is None; it must be true or false",
        ),
    ],
)
def test_other_settings_are_refused_in_the_words_of_the_file(folder, settings, gone, match):
    change_config(folder, lambda s: [s.update(settings), s.pop(gone, None)])
    with pytest.raises(ValueError, match=rf"m/config\.json is not the config.json .*{match}"):
        load(folder)


def test_whatever_is_damaged_in_config_json_is_refused_in_words_or_changes_nothing(folder):
    settings, refused = json.loads((folder / "config.json").read_text("utf-8")), 0
    whole = config_from_gpt2(settings)
    for where, damaged in damages(settings, most=99):
        try:
            if config_from_gpt2(damaged) != whole:  # then the weights do not fit
                (folder / "config.json").write_text(json.dumps(damaged))
                load(folder)
                pytest.fail(where)
        except ValueError as error:
            refused += 1
            assert not INTERNAL.search(str(error)), where
    assert refused > 50
