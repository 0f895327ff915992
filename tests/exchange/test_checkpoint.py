"""Models in folders: opened by transformers and from it, bit for bit, whole whatever happens."""

from __future__ import annotations

import json
import os
import pickle
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import awake, kinds_of, seeded
from torch import Tensor
from torch.testing import assert_close
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    GPT2Tokenizer,
)

from minigpt.data import whole_file
from minigpt.exchange import load, save
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
CONFIGS = kinds_of(CONFIG)
CONFIGS["neither"] = replace(CONFIGS["neither"], n_layer=3, n_head=1)
CONFIGS["dropout"] = replace(CONFIG, dropout=0.25)
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
END = "<|endoftext|>"
PLAY = "ROMEO:\nBut soft, what light through yonder window breaks? It is the east.\n" * 3
TEXTS = (
    "But soft, what light",
    "It's  a , b . c ! 'll ''re\n\n\tx ",  # what transformers may clean up
    " Ünïcödé 世界 \U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301\u00a0",
    "",
)


@pytest.fixture(autouse=True)
def offline(monkeypatch) -> None:
    """A folder is all that is needed: whoever asks the network fails."""

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    return awake(GPT(config, seeded(seed)), seed).eval()


def their_model(config: GPTConfig = CONFIG, kind=GPT2LMHeadModel, **settings):
    """A GPT-2 of transformers with weights of its own."""
    sizes = {
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_embd": config.n_embd,
        "tie_word_embeddings": config.tied,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), config.dropout)
    return awake(kind(GPT2Config(**(sizes | dropout | settings))), seed=1).eval()


def some_ids(config: GPTConfig = CONFIG) -> Tensor:
    generator = seeded(2)
    return torch.randint(config.vocab_size, (3, config.context_length), generator=generator)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder; hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def bits(model: GPT) -> dict[str, bytes]:
    """Every parameter as bytes, so that -0.0 and 0.0 differ."""
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def change_json(path: Path, change) -> None:
    settings = json.loads(path.read_text("utf-8"))
    change(settings)
    path.write_text(json.dumps(settings), "utf-8")


def change_tensors(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def as_pattern(text: str) -> str:
    """Brackets, dots and backslashes as they are; `.*` is anything."""
    return ".*".join(map(re.escape, text.split(".*")))


# What we save, transformers opens.


@configs
def test_transformers_opens_what_we_save(tmp_path, config):
    model, ids = made(config), some_ids(config)
    save(model, tmp_path / "m")
    theirs, info = AutoModelForCausalLM.from_pretrained(tmp_path / "m", output_loading_info=True)
    assert type(theirs) is GPT2LMHeadModel and not any(info.values()), info
    assert theirs.dtype == torch.float32
    assert_close(theirs(ids).logits, model(ids))
    wte, head = theirs.transformer.wte.weight, theirs.lm_head.weight
    assert (wte is head) == config.tied == theirs.config.tie_word_embeddings
    assert theirs.config.resid_pdrop == theirs.config.attn_pdrop == config.dropout


@configs
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_the_function_is_the_same_to_the_last_digits_of_float64(tmp_path, config, attention):
    model, ids = made(config).double(), some_ids(config)
    save(model, tmp_path / "m", dtype=torch.float64)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "m", attn_implementation=attention)
    assert theirs.dtype == torch.float64
    ours = load(tmp_path / "m", torch.float64)
    assert torch.equal(ours(ids), model(ids))
    assert_close(theirs(ids).logits, model(ids), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_transformers_opens_what_we_save_in_half_the_bytes(tmp_path, dtype):
    model, ids = made(), some_ids()
    save(model, tmp_path / "m", dtype=dtype)
    stored = load_file(tmp_path / "m" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {dtype}
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "m").dtype == dtype
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "m", dtype=torch.float32)
    assert_close(theirs(ids).logits, load(tmp_path / "m")(ids))


def test_the_folder_holds_plain_files_and_no_code(tmp_path):
    save(made(), tmp_path / "m")
    assert {*contents(tmp_path / "m")} == {"config.json", "model.safetensors"}
    settings = json.loads((tmp_path / "m" / "config.json").read_text("utf-8"))
    assert "auto_map" not in settings and settings["architectures"] == ["GPT2LMHeadModel"]
    names = load_file(tmp_path / "m" / "model.safetensors").keys()
    assert {*names} == {name for name, _ in their_model().named_parameters()}


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, BPETokenizer | CharTokenizer]:
    return {
        "shakespeare": BPETokenizer.shakespeare(),
        "specials": BPETokenizer.train(PLAY, 300, special_tokens=("<|user|>", END), progress=False),
        "no-special": BPETokenizer.train(PLAY, 290, progress=False),
        "raw": BPETokenizer.train(PLAY, 280, pattern=None, progress=False),
        "characters": CharTokenizer.train(PLAY + "".join(TEXTS)),
    }


@pytest.mark.parametrize("name", ["shakespeare", "specials", "no-special", "raw", "characters"])
def test_transformers_reads_the_tokenizer(tmp_path, tokenizers, name):
    tokenizer = tokenizers[name]
    model = made(replace(CONFIG, vocab_size=tokenizer.vocab_size))
    save(model, tmp_path / "m", tokenizer)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "m")
    assert len(theirs) == tokenizer.vocab_size
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert theirs(text).input_ids == ids
        assert theirs.decode(ids) == tokenizer.decode(ids) == text
    again = type(tokenizer).load(tmp_path / "m" / "tokenizer.json")
    assert again.vocab == tokenizer.vocab
    end = getattr(tokenizer, "special_tokens", {}).get(END)
    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    assert theirs.eos_token_id == opened.config.eos_token_id == end
    assert theirs.bos_token_id == opened.generation_config.eos_token_id == end
    if end is not None:
        text = f"a{END}b"
        assert theirs(text).input_ids == tokenizer.encode(text, allowed_special="all")
        assert end in theirs(text).input_ids


# What transformers saves, we open.


SAVED = {
    "plain": (CONFIG, torch.float32, {}),
    "sharded": (CONFIG, torch.float32, {"max_shard_size": "3KB"}),
    "untied": (CONFIGS["untied"], torch.float32, {}),
    "untied-sharded": (CONFIGS["untied"], torch.float32, {"max_shard_size": "3KB"}),
    "dropout": (CONFIGS["dropout"], torch.float32, {}),
    "float16": (CONFIG, torch.float16, {}),
    "bfloat16": (CONFIG, torch.bfloat16, {}),
}


@pytest.mark.parametrize(("config", "dtype", "how"), SAVED.values(), ids=SAVED)
def test_what_transformers_saves_opens_with_load(tmp_path, config, dtype, how):
    theirs, ids = their_model(config).to(dtype), some_ids(config)
    theirs.save_pretrained(tmp_path, **how)
    assert (len([*tmp_path.glob("*.safetensors")]) > 1) == ("max_shard_size" in how)
    model = load(tmp_path)
    assert model.config == config
    assert_close(model(ids), theirs.float()(ids).logits)
    assert_close(
        load(tmp_path, torch.float64)(ids), theirs.double()(ids).logits, rtol=0, atol=1e-12
    )


def test_a_gpt2_without_its_head_opens_as_a_tied_one(tmp_path):
    theirs, ids = their_model(kind=GPT2Model), some_ids()
    theirs.save_pretrained(tmp_path)
    logits = theirs(ids).last_hidden_state @ theirs.wte.weight.T
    assert_close(load(tmp_path)(ids), logits)


@pytest.mark.parametrize("prefix", ["", "transformer."])
@pytest.mark.parametrize("head", [False, True])
def test_the_published_form_of_gpt2_opens(tmp_path, prefix, head):
    """Names without a prefix, causal masks among the tensors, the token table twice, and a
    config.json from before most of today's settings."""
    theirs, ids = their_model(), some_ids()
    tensors = {
        prefix + name.removeprefix("transformer."): parameter.detach().clone()
        for name, parameter in theirs.named_parameters()
    }
    T = CONFIG.context_length
    for block in range(CONFIG.n_layer):
        tensors[f"{prefix}h.{block}.attn.bias"] = torch.ones(T, T).tril()[None, None]
        tensors[f"{prefix}h.{block}.attn.masked_bias"] = torch.tensor(-1e4)
    if head:
        tensors["lm_head.weight"] = tensors[f"{prefix}wte.weight"].clone()
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    settings = {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 12,
        "embd_pdrop": 0.1,
        "eos_token_id": 12,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": 9,
        "n_embd": 8,
        "n_head": 2,
        "n_layer": 2,
        "n_positions": 9,
        "resid_pdrop": 0.1,
        "summary_type": "cls_index",
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 13,
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    model = load(tmp_path)
    assert model.config == replace(CONFIG, dropout=0.1)
    assert_close(model(ids), theirs(ids).logits)


@configs
def test_there_and_back_changes_nothing(tmp_path, config):
    """Ours, opened and saved by transformers, opened by us."""
    model = made(config)
    save(model, tmp_path / "ours")
    AutoModelForCausalLM.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    back = load(tmp_path / "theirs")
    assert back.config == config and bits(back) == bits(model)


@pytest.mark.parametrize("name", ["shakespeare", "specials", "no-special"])
def test_the_tokenizer_that_transformers_saves_opens(tmp_path, tokenizers, name):
    tokenizer = tokenizers[name]
    save(made(replace(CONFIG, vocab_size=tokenizer.vocab_size)), tmp_path / "m", tokenizer)
    AutoTokenizer.from_pretrained(tmp_path / "m").save_pretrained(tmp_path / "t")
    back = BPETokenizer.load(tmp_path / "t" / "tokenizer.json")
    assert (back.vocab, back.merges) == (tokenizer.vocab, tokenizer.merges)
    assert (back.special_tokens, back.pattern) == (tokenizer.special_tokens, tokenizer.pattern)


@pytest.mark.slow
def test_gpt2s_tokenizer_as_transformers_saves_it_opens(tmp_path):
    ours = BPETokenizer.gpt2()
    ours.save(tmp_path / "tokenizer.json")
    theirs = GPT2Tokenizer.from_pretrained(tmp_path)
    theirs.save_pretrained(tmp_path / "t")
    back = BPETokenizer.load(tmp_path / "t" / "tokenizer.json")
    for text in TEXTS:
        assert back.encode(text) == ours.encode(text) == theirs(text).input_ids


# Saved and loaded, a model is the same.


@configs
def test_save_and_load_keep_every_bit(tmp_path, config):
    model = made(config)
    save(model, tmp_path / "m")
    assert torch.equal(load(tmp_path / "m")(some_ids(config)), model(some_ids(config)))
    with torch.no_grad():
        extremes = torch.tensor([-0.0, 1e-45, 3.4e38, -1e-38])
        model.blocks[0].norm_1.weight[:4] = extremes
        model.blocks[0].mlp.up.weight[1, :4] = extremes
    save(model, tmp_path / "m")
    back = load(str(tmp_path / "m"))
    assert back.config == config and bits(back) == bits(model)
    assert (back.lm_head.weight is back.token_embedding.weight) == config.tied


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_are_stored_as_asked_and_become_what_is_asked(tmp_path, dtype):
    model = made()
    save(model, tmp_path / "m", dtype=dtype)
    stored, back = load(tmp_path / "m", dtype), load(tmp_path / "m")
    for name, parameter in model.named_parameters():
        assert torch.equal(stored.get_parameter(name), parameter.to(dtype))
        assert torch.equal(back.get_parameter(name), parameter.to(dtype).float())
    assert {p.dtype for p in back.parameters()} == {torch.float32}
    assert stored.lm_head.weight is stored.token_embedding.weight


def test_a_loaded_model_evaluates_learns_and_draws_no_numbers(tmp_path):
    save(made(CONFIGS["dropout"]), tmp_path / "m")
    before = torch.get_rng_state()
    model = load(tmp_path / "m")
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in model.modules())
    model(some_ids()).logsumexp(-1).sum().backward()
    assert all(p.is_leaf and p.grad is not None for p in model.parameters())


def test_saving_leaves_the_model_as_it_is(tmp_path):
    model = made(CONFIGS["dropout"]).train()
    model(some_ids()).logsumexp(-1).sum().backward()
    before, gradient = bits(model), model.lm_head.weight.grad.clone()
    rng = torch.get_rng_state()
    save(model, tmp_path / "m", dtype=torch.float16)
    assert bits(model) == before and torch.equal(model.lm_head.weight.grad, gradient)
    assert model.training and model.lm_head.weight.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), rng)


@configs
def test_equal_models_give_equal_files(tmp_path, tokenizers, config):
    config = replace(config, vocab_size=tokenizers["specials"].vocab_size)
    save(made(config), tmp_path / "a", tokenizers["specials"])
    save(made(config), tmp_path / "b", tokenizers["specials"])
    first = contents(tmp_path / "a")
    assert contents(tmp_path / "b") == first
    save(load(tmp_path / "b"), tmp_path / "b", tokenizers["specials"])
    assert contents(tmp_path / "b") == first


def test_new_weights_replace_the_old_ones(tmp_path):
    save(made(seed=1), tmp_path / "m")
    save(made(seed=2), tmp_path / "m")
    assert bits(load(tmp_path / "m")) == bits(made(seed=2))


def test_one_whole_file_goes_before_parts(tmp_path):
    """As in transformers, so that both read the same weights of a folder that has both."""
    their_model().save_pretrained(tmp_path, max_shard_size="3KB")
    save(made(seed=5), tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").rename(tmp_path / "model.safetensors")
    assert bits(load(tmp_path)) == bits(made(seed=5))
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert_close(theirs(some_ids()).logits, load(tmp_path)(some_ids()))


# Interrupted, a folder holds the old model or the new one.


class Interrupted(BaseException):
    """Such as a KeyboardInterrupt: nothing that `except Exception` stops."""


def interrupt(monkeypatch, folder: Path, at: int, half: bool) -> None:
    """Stop at a write into the folder, counted from 0: with half a file written, or all of it but
    not yet under its name."""
    rename, write, begun = os.replace, Path.write_bytes, []

    def stop_write(path, data):
        if path.parent == folder:
            begun.append(path)
        if half and len(begun) > at:
            write(path, data[: len(data) // 2])
            raise Interrupted
        return write(path, data)

    def stop_rename(source, target):
        if len(begun) > at:
            raise Interrupted
        rename(source, target)

    monkeypatch.setattr(Path, "write_bytes", stop_write)
    monkeypatch.setattr(whole_file.os, "replace", stop_rename)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("at", range(5))
def test_an_interrupted_save_leaves_the_old_model_or_the_new(
    tmp_path, monkeypatch, tokenizers, at, half
):
    """Four files: sizes, tokenizer and its settings, weights. The fifth write is not reached."""
    tokenizer = tokenizers["specials"]
    config = replace(CONFIG, vocab_size=tokenizer.vocab_size)
    old, new = made(config, seed=1), made(config, seed=2)
    save(old, tmp_path / "m", tokenizer)
    files = {*contents(tmp_path / "m")}
    with monkeypatch.context() as patch:
        interrupt(patch, tmp_path / "m", at, half)
        if at < 4:
            with pytest.raises(Interrupted):
                save(new, tmp_path / "m", tokenizer)
        else:
            save(new, tmp_path / "m", tokenizer)
    assert {*contents(tmp_path / "m")} == files
    assert bits(load(tmp_path / "m")) == bits(new if at == 4 else old)
    assert BPETokenizer.load(tmp_path / "m" / "tokenizer.json").vocab == tokenizer.vocab


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("at", range(4))
def test_an_interrupted_first_save_can_be_made_again(tmp_path, monkeypatch, tokenizers, at, half):
    tokenizer = tokenizers["specials"]
    model = made(replace(CONFIG, vocab_size=tokenizer.vocab_size))
    with monkeypatch.context() as patch:
        interrupt(patch, tmp_path / "m", at, half)
        with pytest.raises(Interrupted):
            save(model, tmp_path / "m", tokenizer)
    assert len(contents(tmp_path / "m")) == at
    with pytest.raises(FileNotFoundError, match=r"no config\.json|no file .*model\.safetensors"):
        load(tmp_path / "m")
    save(model, tmp_path / "m", tokenizer)
    assert bits(load(tmp_path / "m")) == bits(model)


@pytest.mark.parametrize("at", range(2))
def test_a_tokenizer_that_is_added_later_never_parts_sizes_from_weights(tmp_path, monkeypatch, at):
    """The config.json of characters is the same with a tokenizer and without."""
    characters = CharTokenizer.train("abcdefghijklm")
    save(made(seed=1), tmp_path / "m")
    with monkeypatch.context() as patch:
        interrupt(patch, tmp_path / "m", at + 1, half=False)
        with pytest.raises(Interrupted):
            save(made(seed=2), tmp_path / "m", characters)
    assert bits(load(tmp_path / "m")) == bits(made(seed=1))
    save(made(seed=2), tmp_path / "m", characters)
    assert CharTokenizer.load(tmp_path / "m" / "tokenizer.json").vocab == characters.vocab


# What is refused when saving; the folder stays as it was.


def test_a_folder_is_made_but_not_the_one_above(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to make m in: make it first"):
        save(made(), tmp_path / "nowhere" / "m")
    assert not any(tmp_path.iterdir())


OTHERS = {
    "sizes": (replace(CONFIG, vocab_size=300, n_embd=16), "specials", torch.float32, "config.json"),
    "dropout": (replace(CONFIG, vocab_size=300, dropout=0.1), "specials", torch.float32, "config"),
    "dtype": (replace(CONFIG, vocab_size=300), "specials", torch.float16, "config.json"),
    "end": (replace(CONFIG, vocab_size=300), "no-special", torch.float32, "config.json"),
    "tokenizer": (replace(CONFIG, vocab_size=300), "other", torch.float32, "tokenizer.json"),
}


@pytest.mark.parametrize(("config", "name", "dtype", "file"), OTHERS.values(), ids=OTHERS)
def test_another_model_is_not_written_over(tmp_path, tokenizers, config, name, dtype, file):
    other = BPETokenizer.train(PLAY[::-1], 300, special_tokens=("<|u|>", END), progress=False)
    save(made(replace(CONFIG, vocab_size=300)), tmp_path / "m", tokenizers["specials"])
    before = contents(tmp_path)
    tokenizer = (tokenizers | {"other": other})[name]
    with pytest.raises(FileExistsError, match=rf"holds another model, whose {file}"):
        save(made(config), tmp_path / "m", tokenizer, dtype)
    assert contents(tmp_path) == before


def test_a_model_of_transformers_is_not_written_over(tmp_path):
    their_model().save_pretrained(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match="choose another folder"):
        save(made(), tmp_path)
    assert contents(tmp_path) == before


def test_a_tokenizer_with_more_tokens_than_rows_is_refused(tmp_path, tokenizers):
    save(made(), tmp_path / "m")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"has 300 tokens and the model rows for 13 \(vocab_size"):
        save(made(), tmp_path / "m", tokenizers["specials"])
    assert contents(tmp_path) == before
    save(made(replace(CONFIG, vocab_size=301)), tmp_path / "padded", tokenizers["specials"])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (float("nan"), torch.float32),
        (float("inf"), torch.float32),
        (-float("inf"), torch.float16),
        (70_000.0, torch.float16),
        (3.4e38, torch.bfloat16),
    ],
)
def test_numbers_that_are_not_finite_are_refused(tmp_path, value, dtype):
    save(made(), tmp_path / "m", dtype=dtype)
    before = contents(tmp_path)
    model = made()
    with torch.no_grad():
        model.blocks[1].mlp.up.weight[3, 2] = value
    match = rf"transformer\.h\.1\.mlp\.c_fc\.weight would hold .* not finite as {dtype}"
    for folder in ("m", "new"):
        with pytest.raises(ValueError, match=match):
            save(model, tmp_path / folder, dtype=dtype)
    assert contents(tmp_path) == before and not (tmp_path / "new").exists()


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.float8_e4m3fn])
def test_weights_are_stored_as_ordinary_floats_only(tmp_path, dtype):
    with pytest.raises(ValueError, match=rf"dtype is {dtype}; weights are torch\.float16"):
        save(made(), tmp_path / "m", dtype=dtype)
    assert not any(tmp_path.iterdir())


# What is refused when loading.


@pytest.fixture
def folder(tmp_path) -> Path:
    save(made(), tmp_path / "m")
    return tmp_path / "m"


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, "float16"])
def test_weights_become_ordinary_floats_only(folder, dtype, as_readers_run_it):
    with pytest.raises(ValueError, match=rf"dtype is {dtype}; weights are torch\.float16"):
        load(folder, dtype)


@pytest.mark.parametrize(("value", "dtype"), [(float("nan"), torch.float32), (1e6, torch.float16)])
def test_stored_numbers_that_are_not_finite_are_refused(folder, value, dtype):
    name = "transformer.h.0.ln_2.bias"
    change_tensors(folder, lambda tensors: tensors[name].fill_(value))
    with pytest.raises(ValueError, match=rf"{name} in .* not finite as {dtype}"):
        load(folder, dtype)


@pytest.mark.parametrize("vocab_size", [10**6, 10**12, 10**20])
def test_sizes_that_the_files_cannot_hold_are_refused_before_any_memory(folder, vocab_size):
    change_json(folder / "config.json", lambda settings: settings.update(vocab_size=vocab_size))
    with pytest.raises(
        ValueError, match=r"model\.safetensors is no whole .* do the two not belong"
    ):
        load(folder)


@pytest.mark.parametrize(
    ("theirs", "ours", "wrong", "right"),
    [
        ("transformer.wte.weight", "token_embedding.weight", (12, 8), (13, 8)),
        ("transformer.wpe.weight", "position_embedding.weight", (9, 7), (9, 8)),
        ("transformer.h.0.attn.c_attn.bias", "blocks.0.attention.qkv.bias", (23,), (24,)),
        ("transformer.ln_f.weight", "final_norm.weight", (1, 8), (8,)),
        ("transformer.ln_f.bias", "final_norm.bias", (1,), (8,)),  # would broadcast
        ("transformer.h.1.mlp.c_fc.bias", "blocks.1.mlp.up.bias", (), (32,)),
    ],
)
def test_a_tensor_of_another_shape_is_named(folder, theirs, ours, wrong, right):
    change_tensors(folder, lambda tensors: tensors.update({theirs: torch.zeros(wrong)}))
    match = f"{theirs} ({ours}) in {folder / 'model.safetensors'} is {wrong}; .* it is {right}"
    with pytest.raises(ValueError, match=as_pattern(match)):
        load(folder)


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [((8, 25), (25, 8)), ((24, 8), (8, 24)), ((24,), (24,)), ((1, 8, 24), (1, 8, 24))],
)
def test_a_matrix_of_another_shape_is_named(folder, wrong, shown):
    """GPT-2 stores it as (in, out); the message gives both shapes in our order."""
    theirs = "transformer.h.1.attn.c_attn.weight"
    change_tensors(folder, lambda tensors: tensors.update({theirs: torch.zeros(wrong)}))
    match = f"{theirs} (blocks.1.attention.qkv.weight) in .* is {shown}; .* it is (24, 8)"
    with pytest.raises(ValueError, match=as_pattern(match)):
        load(folder)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("transformer.wte.weight", "token_embedding.weight"),
        ("transformer.h.1.mlp.c_proj.bias", "blocks.1.mlp.down.bias"),
        ("transformer.ln_f.weight", "final_norm.weight"),
    ],
)
def test_a_tensor_that_is_missing_is_named(folder, theirs, ours):
    change_tensors(folder, lambda tensors: tensors.pop(theirs))
    match = f"{folder} lacks 1 of 28 tensors, among them {theirs} ({ours})"
    with pytest.raises(ValueError, match=as_pattern(match)):
        load(folder)


def test_the_head_of_an_untied_model_must_be_there(tmp_path):
    save(made(), tmp_path / "m")
    change_json(tmp_path / "m" / "config.json", lambda s: s.update(tie_word_embeddings=False))
    with pytest.raises(ValueError, match=r"lacks 1 of 29 tensors, among them lm_head\.weight \(lm"):
        load(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("transformer.h.2.ln_1.weight", (8,)),
        ("transformer.h.0.attn.rotary", (3, 4)),
        ("lm_head.bias", (13,)),
        ("score.weight", (2, 8)),
    ],
)
def test_a_tensor_too_many_is_named(folder, name, shape):
    change_tensors(folder, lambda tensors: tensors.update({name: torch.zeros(shape)}))
    with pytest.raises(ValueError, match=as_pattern(f"holds {name}, {shape}, which a GPT")):
        load(folder)


def test_biases_that_a_model_without_them_has_learned_are_not_dropped(tmp_path):
    save(made(CONFIGS["no-bias"]), tmp_path / "m")
    load(tmp_path / "m")
    name = "transformer.h.1.mlp.c_fc.bias"
    change_tensors(tmp_path / "m", lambda tensors: tensors[name].add_(1e-30))
    with pytest.raises(ValueError, match=rf"holds {name}, \(32,\), which a GPT"):
        load(tmp_path / "m")


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.complex64])
def test_a_quantised_tensor_is_refused_by_name(folder, dtype):
    name = "transformer.h.0.mlp.c_fc.weight"
    change_tensors(folder, lambda tensors: tensors.update({name: tensors[name].to(dtype)}))
    with pytest.raises(ValueError, match=rf"{name} .* holds {dtype}, no floating-point"):
        load(folder)


def test_a_head_that_is_not_the_table_although_tied_is_refused(folder):
    """transformers computes with the head then, and warns; neither may pass for the other."""
    table = load(folder).token_embedding.weight.detach()
    change_tensors(folder, lambda tensors: tensors.update({"lm_head.weight": table.clone()}))
    load(folder)
    change_tensors(folder, lambda tensors: tensors.update({"lm_head.weight": table + 1}))
    with pytest.raises(ValueError, match=r"lm_head\.weight .* set tie_word_embeddings to false"):
        load(folder)
    change_json(folder / "config.json", lambda s: s.update(tie_word_embeddings=False))
    theirs = AutoModelForCausalLM.from_pretrained(folder)
    assert_close(load(folder)(some_ids()), theirs(some_ids()).logits)


def test_a_file_cut_anywhere_is_refused_by_name(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for length in {*range(0, 20), *range(0, len(whole), 211), header - 1, header, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"m/model\.safetensors is no whole safetensors file"):
            load(folder)
    path.write_bytes(whole + b"more")
    with pytest.raises(ValueError, match=r"m/model\.safetensors is no whole safetensors file"):
        load(folder)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps({"wte.weight": [0.0] * 99}),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 548105171\n",
        b"<!doctype html><title>404</title>" * 9,
        bytes(64),
        b"\xff" * 64,
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(folder, data):
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=r"model\.safetensors is no whole safetensors file"):
        load(folder)


def test_pickles_are_not_opened(folder):
    torch.save(made().state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*: only weights in safetensors can be"):
        load(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere: check the name"):
        load(tmp_path / "nowhere")


def test_a_part_that_is_not_there_is_named(tmp_path):
    their_model().save_pretrained(tmp_path, max_shard_size="3KB")
    last = sorted(tmp_path.glob("*.safetensors"))[-1]
    last.unlink()
    with pytest.raises(FileNotFoundError, match=f"no file {last}"):
        load(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        [],
        {},
        {"weight_map": None},
        {"weight_map": {}},
        {"weight_map": {"wte.weight": None, "wpe.weight": "../m/model.safetensors"}},
        {"weight_map": {"wte.weight": "/etc/passwd"}},
    ],
)
def test_an_index_without_files_beside_it_is_refused(folder, index):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"index\.json has no weight_map that names the files"):
        load(folder)


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_config_cut_short_is_refused(folder, length):
    path = folder / "config.json"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"config\.json is no whole JSON file"):
        load(folder)


@pytest.mark.parametrize("other", [[], 3, "gpt2", None, {"model_type": "llama"}, {}])
def test_a_config_of_something_else_is_refused(folder, other, as_readers_run_it):
    (folder / "config.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"m/config\.json is not the config\.json of such a model"):
        load(folder)


@pytest.mark.parametrize("value", [None, 0, -1, 2.0, "8", True, [8], {}])
@pytest.mark.parametrize("size", ["vocab_size", "n_positions", "n_layer", "n_head", "n_embd"])
def test_a_config_with_a_damaged_size_is_refused(folder, size, value, as_readers_run_it):
    change_json(folder / "config.json", lambda s: s.update({size: value, "n_inner": 32}))
    with pytest.raises(ValueError, match=r"m/config\.json is not the config\.json of such a model"):
        load(folder)


@pytest.mark.parametrize(
    ("size", "match"),
    [
        ("vocab_size", r"wte\.weight .* is \(13, 8\); .* it is \(4, 8\)"),
        ("n_positions", r"wpe\.weight .* is \(9, 8\); .* it is \(4, 8\)"),
        ("n_embd", r"c_attn\.bias .* is \(24,\); .* it is \(12,\)"),
        ("n_layer", "lacks 24 of 52 tensors"),
    ],
)
def test_sizes_that_are_not_those_of_the_weights_are_refused(folder, size, match):
    change_json(folder / "config.json", lambda settings: settings.update({size: 4}))
    with pytest.raises(ValueError, match=match):
        load(folder)
