"""The model that comes with the package: what its card says, in a wheel, by another hand too."""

from __future__ import annotations

import fnmatch
import json
import math
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import book_sources
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel

import minigpt
from minigpt.__main__ import minigpt as minigpt_command
from minigpt.commands.train.options import command
from minigpt.data import shakespeare, train_validation_split
from minigpt.exchange import shipped
from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer
from minigpt.training import RECIPES, evaluate

ROOT = book_sources.ROOT
FOLDER = ROOT / "minigpt" / "pretrained" / "shakespeare"
PLAY = "\n\nHAMLET:\nTo be, or not to be, that is the question:\nWhether 'tis nobler"
both = pytest.mark.parametrize("int8", [False, True])


# How it is opened.


@pytest.mark.parametrize("name", ["hamlet", "Shakespeare", "", "attention-only", "../shakespeare"])
def test_another_name_is_refused(name):
    message = f"no model {name!r} comes with minigpt; there are shakespeare, play-finder. A "
    with pytest.raises(ValueError, match=re.escape(message)):
        minigpt.load(name)


def test_importing_the_package_imports_no_torch():
    """So that `minigpt --version` and tools that look at the package are quick."""
    code = "import minigpt, sys; assert callable(minigpt.load); print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (told.stdout, told.stderr) == ("False\n", "")


@both
def test_the_model_is_that_of_the_preset(int8):
    model, tokenizer = minigpt.load("shakespeare", int8)
    assert replace(model.config, dropout=0.0) == GPTConfig.preset("shakespeare")
    assert not model.training and model.lm_head.weight is model.token_embedding.weight
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert tokenizer.vocab_size == model.config.vocab_size


def test_the_package_and_its_module_open_the_same():
    for ours, theirs in zip(minigpt.load("shakespeare"), shipped.load("shakespeare"), strict=True):
        assert type(ours) is type(theirs)
    weights = [load("shakespeare")[0].state_dict() for load in (minigpt.load, shipped.load)]
    assert_close(*weights, rtol=0, atol=0)


def test_the_tokenizer_is_the_books_own():
    ours, book = minigpt.load("shakespeare")[1], BPETokenizer.shakespeare()
    assert (ours.vocab, ours.merges) == (book.vocab, book.merges)
    assert (ours.special_tokens, ours.pattern) == (book.special_tokens, book.pattern)


def test_both_files_hold_the_same_model():
    """They are as near to each other as their roundings allow."""
    exact, small = (minigpt.load("shakespeare", int8)[0] for int8 in (False, True))
    small = dict(small.named_parameters())
    for name, weights in exact.named_parameters():
        off, allowed = (small[name] - weights).abs(), weights.abs() * 2**-11 + 2**-25
        if weights.dim() == 2:
            allowed = allowed + weights.abs().amax(dim=1, keepdim=True) / 127 * 0.501
        assert (off <= allowed).all(), name
        assert off.max() > 0, name


# Its files.


def test_the_files_are_small_and_all_travel():
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    names = "README.md config.json model.safetensors int8.safetensors tokenizer.json"
    assert files.keys() == {*names.split(), "tokenizer_config.json"}
    assert files["model.safetensors"] <= 6e6 and files["int8.safetensors"] <= 3e6
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["minigpt"]
    for name in files:
        path = f"pretrained/shakespeare/{name}"
        assert any(fnmatch.fnmatch(path, pattern) for pattern in patterns), name


def test_the_weights_are_stored_in_16_bits_and_in_8():
    stored = load_file(FOLDER / "model.safetensors").values()
    assert {tensor.dtype for tensor in stored} == {torch.float16}
    stored = load_file(FOLDER / "int8.safetensors").values()
    assert {tensor.dtype for tensor in stored} == {torch.int8, torch.float32}


def test_transformers_reads_the_folder_as_a_gpt2():
    model, tokenizer = minigpt.load("shakespeare")
    theirs, info = AutoModelForCausalLM.from_pretrained(
        FOLDER, dtype=torch.float32, output_loading_info=True
    )
    assert type(theirs) is GPT2LMHeadModel and not any(info.values()), info
    ids = torch.tensor([tokenizer.encode(PLAY)])
    assert AutoTokenizer.from_pretrained(FOLDER)(PLAY).input_ids == ids[0].tolist()
    with torch.inference_mode():
        assert_close(theirs.eval()(ids).logits, model(ids))
    end = tokenizer.special_tokens["<|endoftext|>"]
    assert json.loads((FOLDER / "config.json").read_text("utf-8"))["eos_token_id"] == end


# Its card.


@pytest.fixture(scope="module")
def card() -> str:
    return (FOLDER / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def rows(card) -> dict[str, str]:
    """What the table says."""
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card, re.M))


def test_the_card_has_what_a_model_hub_reads(card):
    _, head, text = card.split("---\n", 2)
    settings = dict(line.split(": ") for line in head.splitlines())
    assert settings["license"] == "mit" and settings["pipeline_tag"] == "text-generation"
    assert text.startswith("# ") and "\n## What it is bad at\n" in text
    assert "{" not in text  # every gap is filled


def test_sizes_on_the_card(card, rows):
    config = minigpt.load("shakespeare")[0].config
    assert rows["parameters"] == (
        f"{parameter_count(config):,}: {config.n_layer} layers, {config.n_head} heads, width "
        f"{config.n_embd}, {config.context_length} tokens of context"
    )
    assert f"{len(shakespeare()):,} characters, 90/10 by position" in rows["data"]
    assert f"of {config.vocab_size:,} tokens" in rows["tokenizer"]
    for name in ("model", "int8"):
        size = (FOLDER / f"{name}.safetensors").stat().st_size
        assert re.search(rf"`{name}\.safetensors` in \d+( bits)?\s\({size:,} bytes", card)


def test_the_command_on_the_card_is_one(rows):
    program, name, *options = shlex.split(rows["training"].strip("`"))
    assert (program, name) == ("minigpt", "train")
    settings = minigpt_command.context_settings  # click keeps the first help option it makes
    given = SimpleNamespace(**command.make_context("train", options, **settings).params)
    assert rows["steps"].startswith(f"{given.steps:,}, each of ")
    assert int(rows["seed"]) == (RECIPES["fast"].seed if given.seed is None else given.seed)
    assert given.dropout == minigpt.load("shakespeare")[0].config.dropout


@pytest.mark.slow  # each reads a whole text, which takes half a minute
@pytest.mark.parametrize("row", ["training loss", "validation loss", "validation loss, int8"])
def test_the_losses_on_the_card_are_those_of_the_files(rows, row):
    """To the last digit printed, over the texts that the card names."""
    model, tokenizer = minigpt.load("shakespeare", int8="int8" in row)
    training, validation = train_validation_split(shakespeare())
    ids = tokenizer.encode(validation)
    if row == "training loss":
        measured = len(ids)
        ids = tokenizer.encode(training)[:measured]
        row = f"training loss (the first {measured:,} tokens)"
    bits_per_byte = len(ids) / len(tokenizer.decode_bytes(ids)) / math.log(2)
    nats, bits = map(
        float, re.fullmatch(r"([\d.]+) nats per token, ([\d.]+) bits per byte", rows[row]).groups()
    )
    loss = evaluate(model, torch.tensor(ids), model.config.context_length, 16)
    assert nats == pytest.approx(loss, rel=0, abs=0.6e-4)
    assert bits == pytest.approx(loss * bits_per_byte, rel=0, abs=0.6e-4)
