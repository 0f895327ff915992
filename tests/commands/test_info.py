"""`minigpt info`: what a model is, for people and for programs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
import torch

from minigpt.__main__ import main
from minigpt.exchange import checkpoint
from minigpt.exchange.shipped import NAMES
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training.kept_model import model_of

TOKENIZER = CharTokenizer.train("To be, or not to be.\n")
CONFIG = GPTConfig(TOKENIZER.vocab_size, 8, n_layer=1, n_head=2, n_embd=4, bias=False)


@pytest.fixture
def folder(tmp_path):
    checkpoint.save(GPT(CONFIG, torch.Generator().manual_seed(0)), tmp_path / "m", TOKENIZER)
    return tmp_path / "m"


def test_sizes_and_tokenizer_of_a_folder(folder, capsys):
    assert main(["info", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tokenizer"] == f"CharTokenizer({TOKENIZER.vocab_size} characters)"
    assert found["parameters"] == sum(p.numel() for p in checkpoint.load(folder).parameters())
    sizes = asdict(checkpoint.load(folder).config)
    assert {name: found[name] for name in sizes} == sizes


def test_a_run_says_how_far_it_is_and_of_which_step_its_model(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be " * 30)
    sizes = "--context-length=16 --n-layer=1 --n-head=1 --n-embd=8 --steps=3 --threads=1 -q"
    options = ["train", str(tmp_path / "run"), f"--text={text}", "--tokenizer=characters"]
    assert main([*options, *sizes.split()]) == 0
    assert main(["info", str(tmp_path / "run"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps_taken"], found["steps_wanted"]) == (3, 3)
    kept = model_of(tmp_path / "run")
    assert found["model"] == str(kept) and found["model_step"] == kept.step
    assert found["model_validation_loss"] == round(kept.validation_loss, 4)
    assert found["command"].startswith("minigpt")
    assert found["model"].startswith("of step ") and found["n_embd"] == 8
    model = tmp_path / "run" / "model.safetensors"
    model.write_bytes(model.read_bytes()[:100])
    assert main(["info", str(tmp_path / "run")]) == 0
    assert re.search(r"^model: +damaged, or not of this run", capsys.readouterr().out, re.M)
    model.unlink()
    assert main(["info", str(tmp_path / "run")]) == 0
    assert re.search(r"^model: +none saved yet$", capsys.readouterr().out, re.M)
    assert main(["generate", "a", "--model", str(tmp_path / "run")]) == 2
    assert "a run that has saved no model yet: go on with it" in capsys.readouterr().err


def test_a_folder_whose_run_has_only_read_its_text(tmp_path, capsys):
    """As after a power cut while a long text is tokenized."""
    (tmp_path / "run" / "tokens").mkdir(parents=True)
    (tmp_path / "run" / "tokens" / "training.safetensors").touch()
    assert main(["info", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "none saved yet"


def test_a_line_each_for_people(capsys):
    assert main(["info", "shakespeare"]) == 0
    lines = dict(re.findall(r"^([^:]+): +(.+)$", capsys.readouterr().out, re.M))
    assert lines["parameters"] == "2,552,320" and lines["n_layer"] == "6"
    assert lines["tokenizer"].startswith("BPETokenizer(4096 tokens")


def test_without_a_name_it_lists_names(capsys):
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["with_the_package"] == list(NAMES)
    assert "gpt2" in found["from_the_hub"]
    assert main(["info"]) == 0
    assert re.search(
        r"^with_the_package: +shakespeare, play-finder$", capsys.readouterr().out, re.M
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"MODEL is 'nothing': no folder, nor one of shakespeare, play-finder, gpt2, "),
        (".", r"\. holds no model: no config\.json"),
    ],
)
def test_what_is_no_model_is_one_line(tmp_path, monkeypatch, capsys, name, message):
    monkeypatch.chdir(tmp_path)
    assert main(["info", name]) == 2
    assert re.match(rf"Error: .*{message}.*\n$", capsys.readouterr().err)
