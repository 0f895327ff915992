"""`minigpt train`: every option arrives, errors are one line, a killed run goes on the same."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from unittest.mock import Mock

import book_sources
import click
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from minigpt import __version__
from minigpt.__main__ import main, minigpt
from minigpt.commands.command import Option
from minigpt.commands.group import COMMANDS
from minigpt.commands.train import options as described
from minigpt.commands.train import run as command
from minigpt.exchange import checkpoint
from minigpt.generation import Sampling, stream_text
from minigpt.model import GPT, PRESETS, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.training import RECIPES, Intervals, Recipe, Trainer
from minigpt.training.kept_model import model_of
from minigpt.training.log import read_log
from minigpt.training.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES
from minigpt.training.state import digest_of

README = book_sources.ROOT / "README.md"
SIZES = ["--context-length=16", "--n-layer=1", "--n-head=2", "--n-embd=16"]
TINY = ["--tokenizer=characters", "--threads=1", f"--text={README}", *SIZES]
LETTERS = CharTokenizer.train("abcdefghijklmnopqrstuvwxyz\n ")
SHORT = ["--steps=20", "--batch-size=4", "--dropout=0.2"]
SHORT += ["--log-every=1", "--evaluate-every=4", "--checkpoint-every=5"]


@pytest.fixture(autouse=True)
def threads():
    """--threads holds for the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def given(monkeypatch):
    """A run that is described and not done: what `train` would be called with."""
    calls, told = [], {}

    def train(folder, model, recipe, training, validation, tokenizer, *rest, **named):
        calls.append((folder, model, recipe, training, validation, tokenizer, *rest))
        assert named.keys() == {"report", "sample", "progress", "origin", "command"}
        told.update(named)
        return 1.0

    monkeypatch.setattr(command, "train", train)

    def of(*options, folder):
        assert main(["train", str(folder), *TINY, *options]) == 0
        return calls[-1]

    of.told, of.calls = told, calls
    return of


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outcome(folder: Path) -> dict:
    """All that a run leaves: the newest state, the log but for the speed, and every other file."""
    files = contents(folder)
    for name in sorted(name for name in files if name.startswith("states"))[:-1]:
        del files[name]
    del files["log.jsonl"]
    settings = json.loads(files.pop("run.json"))
    assert settings.pop("command").startswith("minigpt")  # and names the folder
    lines = read_log(folder / "log.jsonl")
    return (
        files
        | {"settings": settings}
        | {"log": [{k: x for k, x in line.items() if "second" not in k} for line in lines]}
    )


def option_of(field: str) -> str:
    return f"--{field.replace('_', '-')}"


# Options.


MODEL_FIELDS = [field.name for field in fields(GPTConfig) if field.name != "vocab_size"]
RECIPE_FIELDS = [field.name for field in fields(Recipe)]
VALUES = {
    "context_length": 12,
    "n_layer": 2,
    "n_head": 4,
    "n_embd": 32,
    "dropout": 0.25,
    "bias": False,
    "tied": False,
    "steps": 7,
    "batch_size": 6,
    "accumulate": 2,
    "optimizer": "adamw",
    "learning_rate": 3e-4,
    "muon_learning_rate": 0.05,
    "beta_1": 0.5,
    "beta_2": 0.75,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup": 3,
    "final": 0.25,
    "decay": 0.5,
    "clip": 2.5,
    "precision": "bfloat16",
    "seed": 0,
}


def as_options(field: str, value) -> list[str]:
    if isinstance(value, bool):
        return [option_of(field) if value else f"--no-{field}"]
    return [option_of(field), str(value)]


@pytest.mark.parametrize("field", [*MODEL_FIELDS, *RECIPE_FIELDS])
def test_every_option_reaches_its_field_and_no_other(tmp_path, given, field):
    value = VALUES[field]
    used = {"final": ["--schedule", "cosine"]}.get(field, [])  # by which alone it is used
    model, recipe = given(*as_options(field, value), *used, folder=tmp_path / "run")[1:3]
    config = GPTConfig(model.config.vocab_size, 16, n_layer=1, n_head=2, n_embd=16)
    assert getattr(config if field in MODEL_FIELDS else RECIPES["fast"], field) != value
    config, expected = (
        replace(it, **{field: value}) if field in names else it
        for it, names in ((config, MODEL_FIELDS), (RECIPES["fast"], RECIPE_FIELDS))
    )
    if used:
        expected = replace(expected, schedule="cosine")
    assert model.config == config and recipe == expected


def test_all_options_together(tmp_path, given):
    """With the other recipe, and switches the other way round."""
    used = {name: VALUES[name] for name in VALUES if name not in ("muon_learning_rate", "decay")}
    options = [part for field, value in used.items() for part in as_options(field, value)]
    model, recipe = given("--recipe", "adamw", *options, folder=tmp_path / "run")[1:3]
    assert recipe == Recipe(**{name: used[name] for name in RECIPE_FIELDS if name in used})
    assert model.config == GPTConfig(
        model.config.vocab_size, **{name: VALUES[name] for name in MODEL_FIELDS}
    )
    model, recipe = given("--recipe", "adamw", "--bias", "--tied", folder=tmp_path / "b")[1:3]
    assert recipe == RECIPES["adamw"] and model.config.bias and model.config.tied


def test_the_learning_rate_has_a_short_name(tmp_path, given):
    assert given("--lr", "0.5", folder=tmp_path / "run")[2].learning_rate == 0.5


def test_no_limit_of_the_gradient_is_called_none(tmp_path, given):
    assert RECIPES["adamw"].clip == 1.0
    options = ["--recipe", "adamw", "--clip", "none"]
    assert given(*options, folder=tmp_path / "run")[2] == replace(RECIPES["adamw"], clip=None)


def test_what_the_run_itself_is_told(tmp_path, given):
    folder, model, recipe, training, validation, tokenizer, *rest = given(folder=tmp_path / "a")
    assert folder == tmp_path / "a" and rest[0] == Intervals() and rest[2:] == [False, False]
    text = README.read_text("utf-8")
    assert isinstance(tokenizer, CharTokenizer)
    assert tokenizer.decode(training.tolist() + validation.tolist()) == text
    assert len(training) == int(0.9 * len(text)) and model.config.vocab_size == tokenizer.vocab_size
    seeded = torch.Generator().manual_seed(recipe.seed)
    assert_close(model.state_dict(), type(model)(model.config, seeded).state_dict(), rtol=0, atol=0)
    options = "--log-every 3 --evaluate-every 4 --checkpoint-every 5 --compile --tensorboard"
    options += " --validation-fraction 0.5 --device cpu --threads 1 --seed 2"
    _, other, _, training, _, _, intervals, _, *rest = given(
        *options.split(), folder=tmp_path / "b"
    )
    assert intervals == Intervals(log=3, evaluate=4, checkpoint=5) and rest == [True, True]
    assert len(training) == len(text) // 2
    assert not torch.equal(other.token_embedding.weight, model.token_embedding.weight)


def test_a_preset_gives_the_sizes_that_no_option_does(tmp_path, given):
    model = given("--preset", "gpt2", "--n-layer", "1", folder=tmp_path / "run")[1]
    assert model.config == replace(
        PRESETS["gpt2"],
        vocab_size=model.config.vocab_size,
        context_length=16,
        n_layer=1,
        n_head=2,
        n_embd=16,
    )


def test_threads_are_set(tmp_path, given, monkeypatch):
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    given("--threads", "3", folder=tmp_path / "run")
    assert told == [3]


# Help.


OPTIONS = {o.name: o for o in described.command.params if isinstance(o, Option)}


def test_help_lists_the_commands_and_the_options(capsys):
    for options in (["--help"], ["train", "--help"], ["train", "-h"]):
        assert main(options) == 0
    text = capsys.readouterr().out
    assert "Usage: minigpt train" in text
    assert "[256; x>=1]" in text and not re.search(r"\]\s+\[x", text)  # in one bracket
    for name, short in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(short)}$", text, re.M)
        help_text = minigpt.get_command(click.Context(minigpt), name).help
        assert " ".join(help_text.strip().split("\n\n")[0].split()).startswith(short)
    for option in OPTIONS.values():
        assert option.opts[-1] in text


def test_every_option_says_what_it_does_and_what_holds_without_it():
    defaults = vars(PRESETS["shakespeare"]) | vars(RECIPES["fast"])
    assert OPTIONS.keys() >= {*MODEL_FIELDS, *RECIPE_FIELDS}
    for name in (*MODEL_FIELDS, *RECIPE_FIELDS):
        shown = str(defaults[name]).lower() if isinstance(defaults[name], bool) else defaults[name]
        shown = "none" if shown is None else shown
        if name in RECIPE_FIELDS and getattr(RECIPES["adamw"], name) != defaults[name]:
            shown = f"{shown}; adamw: {getattr(RECIPES['adamw'], name)}"
        assert OPTIONS[name].help.endswith(f"  [{shown}]"), name
        assert len(OPTIONS[name].help) > len(f"  [{shown}]") + 5
        assert OPTIONS[name].field == name
    for option in OPTIONS.values():
        assert option.help
    assert {*described.PRESETS} == {*PRESETS} and {*described.RECIPES} == {*RECIPES}
    choices = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS}
    for name, allowed in choices.items():
        assert tuple(OPTIONS[name].type.choices) == allowed
    assert OPTIONS["recipe"].default in RECIPES


NUMBERS = [n for n in (*MODEL_FIELDS, *RECIPE_FIELDS) if hasattr(OPTIONS[n].type, "min_open")]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_range_of_an_option_is_that_of_its_setting(name):
    """At the edges: what the parser lets through the package takes, and nothing else."""
    limits = OPTIONS[name].type
    step = 1 if isinstance(limits, click.IntRange) else 1e-9
    other = (
        {"warmup": 0} if name == "steps" else {"n_head": 1} if name in ("n_head", "n_embd") else {}
    )
    start = Recipe() if name in RECIPE_FIELDS else PRESETS["shakespeare"]
    inside, outside = [], []
    for edge, is_open, out in (
        (limits.min, limits.min_open, -step),
        (limits.max, limits.max_open, step),
    ):
        if edge is not None:
            (outside if is_open else inside).append(edge)
            (inside if is_open else outside).append(edge - out if is_open else edge + out)
    if step != 1:  # what a number of such an option always is
        inside, outside = [*map(float, inside)], [*map(float, outside)]
    for value in inside:
        limits.convert(str(value), None, None)
        assert getattr(replace(start, **other | {name: value}), name) == value
    for value in outside:
        with pytest.raises(click.BadParameter):
            limits.convert(str(value), None, None)
        with pytest.raises(ValueError, match=f"{name} is "):
            replace(start, **other | {name: value})
    assert inside and outside and len(NUMBERS) == 18


def test_the_examples_of_the_help_are_understood():
    examples = described.EXAMPLES.replace("\\\n", "")
    lines = re.findall(r"^(?:torchrun .* -m )?minigpt train (.*)$", examples, re.M)
    assert len(lines) >= 5
    for line in lines:
        context = described.command.make_context(
            "train", shlex.split(line), **minigpt.context_settings
        )
        assert context.params["folder"].startswith("runs/")


def test_the_command_is_installed(capsys):
    installed = importlib.metadata.distributions(name="minigpt")
    (point,) = {point for package in installed for point in package.entry_points}
    assert (point.group, point.name) == ("console_scripts", "minigpt") and point.load() is main
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"minigpt {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(capsys, monkeypatch, shell):
    """The script asks this program, which answers with options and commands."""
    monkeypatch.setattr(subprocess, "run", Mock(return_value=Mock(stdout=b"5.2.0")))  # bash's age
    assert main(["completion", shell]) == 0
    assert "_MINIGPT_COMPLETE" in (script := capsys.readouterr().out) and shell in script
    for words, wanted in (
        ("minigpt generate --temp", "--temperature"),
        ("minigpt tr", "train"),
        ("minigpt generate --model gpt2-m", "gpt2-medium"),
    ):
        *before, last = words.split()
        monkeypatch.setenv("_MINIGPT_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", last if shell == "fish" else str(len(before)))
        with pytest.raises(SystemExit) as leave:
            main([])
        assert leave.value.code == 0 and wanted in capsys.readouterr().out
        monkeypatch.delenv("_MINIGPT_COMPLETE")


# Errors.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Usage: minigpt [OPTIONS] COMMAND"),
        (["train", ""], "'FOLDER': it is empty, as a variable of the shell is that was not set"),
        (["info", ""], "'[MODEL]': it is empty, as a variable"),
        (["train"], "Missing argument 'FOLDER'"),
        (["sing"], "No such command 'sing'."),
        (["trian", "runs/first"], "No such command 'trian'. Did you mean 'train'?"),
        (
            ["train", "run", "--stesp", "3"],
            "No such option '--stesp'. (Did you mean one of: '--steps'",
        ),
        (["train", "run", "too"], "Got unexpected extra argument (too)"),
        (["train", "run", "--n-head", "two"], "'--n-head': 'two' is not a valid whole number."),
        (["train", "run", "--dropout", "some"], "'--dropout': 'some' is not a valid number."),
        (["train", "run", "--clip", "no"], "'no' is not a valid number, nor none."),
        (["train", "run", "--clip", "0"], "'--clip': 0.0 is not in the range x>0"),
        (["train", "run", "--steps", "0"], "'--steps': 0 is not in the range x>=1"),
        (["train", "run", "--learning-rate", "-1"], "'--lr': -1.0 is not in the range x>0."),
        (["train", "run", "--dropout", "1"], "'--dropout': 1.0 is not in the range 0<=x<1"),
        (["train", "run", "--log-every", "0"], "'--log-every': 0 is not in the range x>=1"),
        (["train", "run", "--evaluate-every=-1"], "'--evaluate-every': -1 is not in the range"),
        (["train", "run", "--checkpoint-every=-1"], "'--checkpoint-every': -1 is not in the"),
        (["train", "run", "--sample-every=0"], "'--sample-every': 0 is not in the range x>=1"),
        (["train", "run", "--validation-fraction=1"], "1.0 is not in the range 0<x<1"),
        (["train", "shakespeare"], "'shakespeare' already names a model, for --model of minigpt"),
        (["train", "gpt2"], "give another name, or ./gpt2"),
        (["train", "hf:me/mine"], "'hf:me/mine' already names a model"),
        (["train", "run", "--optimizer", "sgd"], "'--optimizer': 'sgd' is not one of 'adamw'"),
        (["train", "run", "--schedule", "flat"], "'--schedule': 'flat' is not one of 'cosine'"),
        (["train", "run", "--precision", "int8"], "'--precision': 'int8' is not one of 'float32"),
        (["train", "run", "--recipe", "slow"], "'--recipe': 'slow' is not one of 'adamw', 'fast'"),
        (["train", "run", "--preset", "big"], "'--preset': 'big' is not one of 'gpt2', "),
        (["train", "run", "--threads", "0"], "'--threads': 0 is not in the range 1<=x<=4096"),
        (["train", "run", "--no-steps"], "No such option '--no-steps'"),
        (["train", "run", "--from", "m", "--n-layer", "2"], "--n-layer and --from were both given"),
        (["train", "run", "--from", "m", "--tokenizer=gpt2"], "leave --tokenizer out"),
        (["train", "run", "--final=0.5"], "--final does nothing with --schedule trapezoid: leave"),
        (["train", "run", "--recipe=adamw", "--decay=0.5"], "--decay does nothing with --schedule"),
        (
            ["train", "run", "--optimizer=adamw", "--muon-learning-rate=1"],
            "--muon-learning-rate does nothing with --optimizer adamw: leave",
        ),
        (
            ["train", "run", "--recipe=adamw", "--steps=20"],
            "--recipe adamw warms up for 100 steps, and --steps is 20: give a --warmup, such as 2",
        ),
        (["completion", "csh"], "'csh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_what_the_parser_refuses_names_the_option(capsys, options, message):
    assert main(options) == 2
    assert message in capsys.readouterr().err


ERRORS = {
    f"--seed {2**63}": r"--seed is 9223372036854775808; it must be below 2\*\*63",
    "--warmup 9 --steps 8": r"--warmup is 9 steps, of 8: shorten it",
    "--batch-size 9 --accumulate 2": r"--batch-size is 9, .* 2 equal parts \(--accumulate\)",
    "--clip nan": r"--clip is nan; it must be",
    "--n-head 3": r"--n-embd 16 cannot be cut into --n-head 3 heads of equal width",
    "--dropout nan": r"--dropout is nan",
    "--device gpu": r"--device is 'gpu', which is not to be had here: leave the option out",
    "--validation-fraction nan": r"--validation-fraction is nan; it must lie between 0 and 1",
    "--text .": r"\. is a folder; give the path of one text file",
    "--text nothing.txt": r"no file nothing\.txt in .*: check the name and the folder",
    "--tokenizer words": r"--tokenizer is 'words': no file, nor one of shakespeare, gpt2, charac",
}
FAILURES = {
    "--validation-fraction 0.001": r"the validation text has \d+ tokens; a window of 16 needs 17.*"
    r"choose a shorter --context-length, or a larger --validation-fraction$",
    "--validation-fraction 0.999": r"the training text has \d+ tokens; a window of 16 needs 17",
    f"--tokenizer {shlex.quote(str(README))}": r"README\.md is no whole JSON file",
}


@pytest.mark.parametrize(
    ("options", "message", "status"),
    [*((*row, 2) for row in ERRORS.items()), *((*row, 1) for row in FAILURES.items())],
    ids=[*ERRORS, *FAILURES],
)
def test_an_error_is_one_line_and_nothing_is_written(tmp_path, capsys, options, message, status):
    """With 2 where another command line is needed, as where the parser refuses one."""
    assert main(["train", str(tmp_path / "run"), *TINY, *shlex.split(options)]) == status
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(rf"Error: .*({message})", err), err
    assert not re.search(r"\b[a-z]+_[a-z]+\b", err.replace(str(tmp_path), "")), err
    assert not any(tmp_path.iterdir())


def test_another_run_or_model_in_the_folder_keeps_every_byte(tmp_path, capsys):
    """Its token files too, which another text would replace."""
    assert main(["train", str(tmp_path / "run"), *TINY, "--steps", "1"]) == 0
    checkpoint.save(checkpoint.load(tmp_path / "run"), tmp_path / "model")
    capsys.readouterr()
    (tmp_path / "other.txt").write_text("to be or not to be " * 30)
    before = contents(tmp_path)
    cases = {
        "run --steps 2": r"other settings, --steps \(was 1, now 2\): give the same",
        f"run --steps 1 --text {tmp_path / 'other.txt'}": "tokenizer, another text or --valid",
        "model --steps 1": "holds config.json, which no run has left there",
    }
    for options, message in cases.items():
        name, *rest = options.split()
        assert main(["train", str(tmp_path / name), *TINY, *rest]) == (2 if name == "model" else 1)
        assert re.search(message, capsys.readouterr().err)
        assert contents(tmp_path) == before


def test_a_bug_is_not_hidden(monkeypatch):
    """Only errors that a user can mend are shortened."""

    def fail(arguments):
        raise TypeError("a bug")

    monkeypatch.setattr(command, "run", fail)
    with pytest.raises(TypeError, match="a bug"):
        main(["train", "nowhere"])


def test_ctrl_c_between_steps_and_start_is_no_traceback(tmp_path, capsys, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "survey_text", stop)
    assert main(["train", str(tmp_path / "run"), *TINY]) == 130
    assert capsys.readouterr().err.startswith("minigpt: stopped; the same command")


def test_a_folder_may_be_named_in_letters_that_the_terminal_lacks(tmp_path, monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    folder = tmp_path / "läuf → ru n"
    assert main(["train", str(folder), *TINY, "--steps=1"]) == 0
    screen.flush()
    shown = str(folder).encode("ascii", "replace").decode()
    last = screen.buffer.getvalue().decode().splitlines()[-1]
    assert last == f"next: minigpt generate --model '{shown}'"


def test_what_comes_next_names_the_folder_as_it_was_typed(tmp_path, monkeypatch, capsys):
    """Without ./ it would be the model that comes with the package."""
    monkeypatch.chdir(tmp_path)
    assert main(["train", "./shakespeare", *TINY, "--steps=1"]) == 0
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("next: minigpt ")
    assert main([*shlex.split(command), "--prompt=a", "--tokens=1", "--json"]) == 0
    text = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert text["tokens"][0]["text"] in CharTokenizer.train(README.read_text("utf-8")).vocab
    assert command.endswith("--model ./shakespeare")


def test_a_run_that_diverges_names_the_options(tmp_path, capsys):
    options = ["--recipe=adamw", "--learning-rate=1e30", "--clip=none", "--steps=9", "--warmup=0"]
    assert main(["train", str(tmp_path / "run"), *TINY, *options]) == 1
    assert re.search(
        r"Error: at step \d the loss is .* a lower --learning-rate \(now 1e\+30\) and "
        r"--muon-learning-rate \(now 0\.02\), or a longer warm-up \(--warmup\), now 0 steps\n$",
        capsys.readouterr().err,
    )


# What a run says.


def test_a_run_may_be_quiet(tmp_path, capsys):
    assert main(["train", str(tmp_path / "run"), *TINY, "--steps=1", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert read_log(tmp_path / "run" / "log.jsonl")[-1]["step"] == 1


def test_the_model_writes_on_its_way(tmp_path, capsys):
    """The same at a step whatever the run was told to show before."""
    shown = []
    for every in ("2", "4"):
        options = [*TINY, "--steps=4", f"--sample-every={every}", "--evaluate-every=1"]
        assert main(["train", str(tmp_path / every), *options]) == 0
        shown.append(capsys.readouterr().out)
    assert "step 2 writes:\n    " in shown[0] and "step 2 writes" not in shown[1]
    texts = [re.search(r"step 4 writes:((?:\n    .*)+)", out)[1] for out in shown]
    assert texts[0] == texts[1]
    folder = tmp_path / "4"
    model = checkpoint.load(folder)
    assert model_of(folder).step == 4
    generator = torch.Generator().manual_seed(1)
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    pieces = stream_text(model, tokenizer, "\n\n", 60, Sampling(0.8), (), generator)
    lines = "".join(pieces).strip().splitlines()
    assert texts[0] == "".join(f"\n    {line}" for line in lines)


def test_a_run_may_start_from_a_model(tmp_path, capsys, given):
    """With its tokenizer and sizes; another text, and a dropout that is asked for."""
    start = GPT(GPTConfig(len(LETTERS.vocab), 16, 1, 2, 16), torch.Generator().manual_seed(5))
    checkpoint.save(start, tmp_path / "start", LETTERS)
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be " * 30)
    of_start = ["train", str(tmp_path / "run"), f"--text={text}", "--threads=1"]
    assert main([*of_start, f"--from={tmp_path / 'start'}", "--dropout=0.25"]) == 0
    _, model, _, training, _, tokenizer, *_ = given.calls[-1]
    assert tokenizer.vocab == LETTERS.vocab and model.config == replace(start.config, dropout=0.25)
    assert_close(model.state_dict(), start.state_dict(), rtol=0, atol=0)
    assert given.told["origin"] == digest_of(dict(start.named_parameters()))
    assert LETTERS.decode(training[:19]) == "to be or not to be "
    given(folder=tmp_path / "other")
    assert given.told["origin"] is None


def test_the_model_to_start_from_is_named_if_it_is_not_there(tmp_path, capsys):
    options = ["train", str(tmp_path / "run"), f"--text={README}", "--from=nothing"]
    assert main(options) == 2
    assert re.match(r"Error: --from is 'nothing': no folder, nor one of", capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--from", "--tokenizer"])
@pytest.mark.parametrize("text", [[], ["--text=README.md"]], ids=["the plays", "a file"])
def test_the_tokenizer_of_a_model_to_start_from_may_lack_a_letter(
    tmp_path, capsys, monkeypatch, option, text
):
    start = GPT(GPTConfig(len(LETTERS.vocab), 16, 1, 2, 16), torch.Generator().manual_seed(5))
    checkpoint.save(start, tmp_path / "start", LETTERS)
    monkeypatch.setattr(command, "shakespeare", lambda: "ROMEO:\nBut soft.\n\n" * 90)
    monkeypatch.chdir(README.parent)
    name = str(tmp_path / "start" / ("" if option == "--from" else "tokenizer.json"))
    assert main(["train", str(tmp_path / "run"), option, name, *text]) == 2
    letter, which = ("R", "Shakespeare's plays") if not text else ("#", "README.md")
    assert re.match(
        rf"Error: {option} is '{re.escape(name)}', whose tokenizer cannot read {which}: "
        rf"character '{letter}' .*; give another --text, or train from the start",
        capsys.readouterr().err,
    )


def test_an_empty_standard_input_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert main(["train", str(tmp_path / "run"), "--text=-"]) == 2
    assert capsys.readouterr().err.startswith("Error: --text is standard input, which is empty")


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path, capsys):
    (tmp_path / "closed").symlink_to("closed")  # to itself: nothing can be made in it, even by root
    assert main(["train", str(tmp_path / "closed" / "run"), *TINY]) == 1
    assert "no folder can be made there" in capsys.readouterr().err


def test_a_text_may_come_from_standard_input(tmp_path, given, monkeypatch):
    text = README.read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), "cp1252"))
    *_, training, validation, tokenizer = given("--text", "-", folder=tmp_path / "run")[:6]
    assert tokenizer.decode(training.tolist() + validation.tolist()) == text.decode()


# Tokenizers and texts.


@pytest.mark.parametrize("name", ["shakespeare", "gpt2", "characters", "bpe.json", "char.json"])
def test_every_tokenizer_reads_the_text(tmp_path, given, name):
    text = README.read_text("utf-8")
    CharTokenizer.train(text + "é").save(tmp_path / "char.json")
    BPETokenizer.train(text, 300, progress=False).save(tmp_path / "bpe.json")
    tokenizer = str(tmp_path / name) if name.endswith("json") else name
    _, model, _, training, validation, found, *_ = given(
        "--tokenizer", tokenizer, folder=tmp_path / "run"
    )
    sizes = {"shakespeare": 4096, "gpt2": 50257, "characters": len({*text}), "bpe.json": 300}
    assert found.vocab_size == model.config.vocab_size == sizes.get(name, len({*text}) + 1)
    assert found.decode(training.tolist() + validation.tolist()) == text
    assert training.dtype == torch.uint16


def test_without_options_it_is_shakespeare_with_the_fast_recipe(tmp_path, given, monkeypatch):
    text = "ROMEO:\nBut soft, what light through yonder window breaks?\n\n" * 200
    monkeypatch.setattr(command, "shakespeare", lambda: text)
    calls = []
    monkeypatch.setattr(command, "train", lambda *positional, **named: calls.append(positional))
    assert main(["train", str(tmp_path / "run")]) == 0
    ((_, model, recipe, training, validation, tokenizer, *_),) = calls
    assert model.config == PRESETS["shakespeare"] and recipe == RECIPES["fast"]
    assert tokenizer.vocab == BPETokenizer.shakespeare().vocab
    assert tokenizer.decode(training.tolist() + validation.tolist()) == text


def test_a_file_of_another_system_is_the_same_text(tmp_path, given):
    (tmp_path / "text.txt").write_bytes(b"\xef\xbb\xbf" + b"one line\r\nand another\r" * 20)
    *_, tokenizer = given("--text", str(tmp_path / "text.txt"), folder=tmp_path / "run")[:6]
    assert {*tokenizer.vocab} == {*"one line\nand another"}


# Processes of their own: killed, and two at once.


DRIVER = """
import os, runpy, sys
from minigpt.training import Trainer

at, number = int(sys.argv[1]), int(sys.argv[2])
del sys.argv[1:3]
take = Trainer.step

def step(self):
    loss = take(self)
    if self.steps_taken == at:
        os.kill(os.getpid(), number)
    return loss

Trainer.step = step
runpy.run_module("minigpt", run_name="__main__", alter_sys=True)
"""  # `python -m minigpt`, which a signal reaches at a step of our choice; no sleep, no race


def start(*options, at: int = 0, number: int = 0, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(at), str(number), "train", *map(str, options)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: subprocess.Popen) -> list[tuple[int, str, str]]:
    """Exit status and what was said, of each; none is left behind."""
    try:
        said = [process.communicate(timeout=120) for process in processes]
        return [
            (process.returncode, *texts) for process, texts in zip(processes, said, strict=True)
        ]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_killed_stopped_and_interrupted_a_run_ends_as_if_it_never_was(
    tmp_path, capsys, monkeypatch
):
    assert main(["train", str(tmp_path / "whole"), *TINY, *SHORT]) == 0
    whole = capsys.readouterr().out
    folder = tmp_path / "run"
    options = (folder, *TINY, *SHORT)
    ((status, out, err),) = finish(start(*options, at=8, number=signal.SIGKILL))
    assert status == -signal.SIGKILL and "going on" not in out and "Traceback" not in err
    assert read_log(folder / "log.jsonl")[-1]["step"] == 7  # 8 was taken, and no more
    ((status, out, err),) = finish(start(*options, at=12, number=signal.SIGTERM))
    assert status == 128 + signal.SIGTERM == 143 and err == ""
    assert f"{folder}: going on after step 5 of 20\n" in out
    assert out.endswith(
        f"stopped after step 12 of 20, with its state in {folder / 'states'}: the same command "
        "goes on from there\n"
    )
    take = Trainer.step

    def step(self):
        loss = take(self)
        if self.steps_taken == 17:
            os.kill(os.getpid(), signal.SIGINT)
        return loss

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        assert main(["train", *map(str, options)]) == 128 + signal.SIGINT == 130
    assert "stopped after step 17 of 20" in capsys.readouterr().out
    assert main(["train", *map(str, options)]) == 0
    out, err = capsys.readouterr()
    assert "going on after step 17 of 20" in out and err == ""
    assert outcome(folder) == outcome(tmp_path / "whole")
    last = "after the last step, on the whole validation text: "
    (loss,) = (line for line in whole.splitlines() if last in line)
    assert [line for line in out.splitlines() if last in line] == [loss]
    assert f"the model in {folder} is of step 20, with a validation loss of " in out
    assert out.endswith(f"\nnext: minigpt generate --model {folder}\n")
    assert checkpoint.load(folder).config.n_embd == 16


def free_port() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


def pair(*options, signal_to: int | None = None, at: int = 0) -> list[tuple[int, str, str]]:
    """Two processes, with the surroundings that torchrun gives them."""
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    return finish(
        *(
            start(
                *options,
                at=at if rank == signal_to else 0,
                number=signal.SIGTERM,
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                **shared,
            )
            for rank in range(2)
        )
    )


@pytest.mark.slow
def test_two_processes_train_what_one_does_and_stop_together(tmp_path, capsys):
    """Without dropout, which each process draws for its own windows, and without Muon, which may
    compute in few digits."""
    options = [*TINY, *SHORT, "--dropout=0", "--recipe=adamw", "--warmup=5"]
    assert main(["train", str(tmp_path / "one"), *options]) == 0
    capsys.readouterr()
    folder = tmp_path / "two"
    first, second = pair(folder, *options, signal_to=1, at=7)
    assert [first[0], second[0]] == [143, 143], (first, second)
    assert "stopped after step 7 of 20" in first[1] and second[1] == ""
    first, second = pair(folder, *options)
    assert [first[0], second[0]] == [0, 0], (first, second)
    assert first[1].startswith(f"{folder}: going on after step 7 of 20\n") and second[1] == ""
    logs = [read_log(tmp_path / name / "log.jsonl") for name in ("one", "two")]
    for line in (*logs[0], *logs[1]):
        line.pop("tokens_per_second", None)
    assert [line.keys() for line in logs[1]] == [line.keys() for line in logs[0]]
    assert_close(
        [torch.tensor([*line.values()]) for line in logs[1]],
        [torch.tensor([*line.values()]) for line in logs[0]],
        rtol=1e-4,
        atol=1e-5,
    )
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")]
    assert_close(weights[1], weights[0], rtol=1e-3, atol=1e-4)
    settings = [json.loads((tmp_path / name / "run.json").read_text()) for name in ("one", "two")]
    assert [s.pop("command") for s in settings]
    assert settings[0] == settings[1] and {*contents(folder)} == {*contents(tmp_path / "one")}


def test_a_model_beyond_the_memory_is_refused_in_words(tmp_path, capsys):
    options = [*TINY, "--n-embd=4000000", "--n-head=1"]  # 48 TB for one of its matrices
    assert main(["train", str(tmp_path / "run"), *options]) == 1
    assert "not enough memory for this model and batch: give a smaller" in capsys.readouterr().err
