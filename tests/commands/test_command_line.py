"""The command line: every option arrives, errors are one line, a killed run goes on the same."""

from __future__ import annotations

import argparse
import importlib.metadata
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

import book_sources
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from minigpt import __version__
from minigpt.__main__ import main
from minigpt.commands import train as command
from minigpt.exchange import checkpoint
from minigpt.model import PRESETS, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training import RECIPES, Intervals, Recipe, Trainer
from minigpt.training.log import read_log

README = book_sources.ROOT / "README.md"
SIZES = ["--context-length=16", "--n-layer=1", "--n-head=2", "--n-embd=16"]
TINY = ["--tokenizer=characters", "--threads=1", f"--text={README}", *SIZES]
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
    calls = []

    def train(folder, model, recipe, training, validation, tokenizer, *rest, **named):
        calls.append((folder, model, recipe, training, validation, tokenizer, *rest))
        assert named.keys() == {"report"}
        return 1.0

    monkeypatch.setattr(command, "train", train)

    def of(*options, folder):
        assert main(["train", str(folder), *TINY, *options]) == 0
        return calls[-1]

    return of


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outcome(folder: Path) -> dict:
    """All that a run leaves: the newest state, the log but for the speed, and every other file."""
    files = contents(folder)
    for name in sorted(name for name in files if name.startswith("states"))[:-1]:
        del files[name]
    del files["log.jsonl"]
    lines = read_log(folder / "log.jsonl")
    return files | {"log": [{k: x for k, x in line.items() if "second" not in k} for line in lines]}


def parser() -> argparse.ArgumentParser:
    """That of `minigpt train`."""
    empty = argparse.ArgumentParser()
    command.add_options(empty)
    return empty


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
    model, recipe = given(*as_options(field, value), folder=tmp_path / "run")[1:3]
    config = GPTConfig(model.config.vocab_size, 16, n_layer=1, n_head=2, n_embd=16)
    assert getattr(config if field in MODEL_FIELDS else RECIPES["fast"], field) != value
    config, expected = (
        replace(it, **{field: value}) if field in names else it
        for it, names in ((config, MODEL_FIELDS), (RECIPES["fast"], RECIPE_FIELDS))
    )
    assert model.config == config and recipe == expected


def test_all_options_together(tmp_path, given):
    """With the other recipe, and switches the other way round."""
    options = [part for field, value in VALUES.items() for part in as_options(field, value)]
    model, recipe = given("--recipe", "adamw", *options, folder=tmp_path / "run")[1:3]
    assert recipe == Recipe(**{name: VALUES[name] for name in RECIPE_FIELDS})
    assert model.config == GPTConfig(
        model.config.vocab_size, **{name: VALUES[name] for name in MODEL_FIELDS}
    )
    model, recipe = given("--recipe", "adamw", "--bias", "--tied", folder=tmp_path / "b")[1:3]
    assert recipe == RECIPES["adamw"] and model.config.bias and model.config.tied


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


def test_help_lists_the_commands_and_the_options(capsys):
    for options in (["--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as leave:
            main(options)
        assert leave.value.code == 0
    text = capsys.readouterr().out
    assert "train a model on a text" in text and "usage: minigpt train" in text
    for name in ("--version", *map(option_of, VALUES), *parser()._option_string_actions):
        assert name in text
    for example in re.findall(r"^  minigpt (train .*?[^\\])$", command.EXAMPLES, re.M | re.S):
        assert parser().parse_args(example.replace("\\\n", "").split()[1:])


def test_every_option_says_what_it_does_and_what_holds_without_it():
    actions = {action.dest: action for action in parser()._actions}
    defaults = vars(PRESETS["shakespeare"]) | vars(RECIPES["fast"])
    assert actions.keys() >= {*MODEL_FIELDS, *RECIPE_FIELDS}
    for name in (*MODEL_FIELDS, *RECIPE_FIELDS):
        shown = "none" if defaults[name] is None else defaults[name]
        assert actions[name].help.endswith(f"({shown})") and actions[name].default is None
        assert len(actions[name].help) > len(f"({shown})") + 5
    for field in fields(Intervals):
        if field.name != "evaluation_tokens":
            action = actions[f"{field.name}_every"]
            assert action.default == field.default and f"({field.default})" in action.help
    for action in actions.values():
        assert action.help and "%" not in action.help
    assert actions["preset"].default in PRESETS and actions["recipe"].default in RECIPES
    assert all(name in actions["preset"].help for name in PRESETS)
    assert all(name in actions["recipe"].help for name in RECIPES)


def test_the_command_is_installed(capsys):
    installed = importlib.metadata.distributions(name="minigpt")
    (point,) = {point for package in installed for point in package.entry_points}
    assert (point.group, point.name) == ("console_scripts", "minigpt") and point.load() is main
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"minigpt {__version__}\n"


# Errors.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "the following arguments are required: command"),
        (["train"], "the following arguments are required: folder"),
        (["sing"], "invalid choice: 'sing'"),
        (["train", "run", "--n-head", "two"], "--n-head: invalid int value: 'two'"),
        (["train", "run", "--dropout", "some"], "--dropout: invalid float value: 'some'"),
        (["train", "run", "--clip", "no"], "--clip: 'no' is no number, nor none"),
        (["train", "run", "--optimizer", "sgd"], "--optimizer: invalid choice: 'sgd'"),
        (["train", "run", "--schedule", "flat"], "--schedule: invalid choice: 'flat'"),
        (["train", "run", "--precision", "int8"], "--precision: invalid choice: 'int8'"),
        (["train", "run", "--no-steps"], "unrecognized arguments: --no-steps"),
    ],
)
def test_what_the_parser_refuses_names_the_option(capsys, options, message):
    with pytest.raises(SystemExit) as leave:
        main(options)
    assert leave.value.code == 2
    assert message in capsys.readouterr().err


ERRORS = {
    "--steps 0": r"steps is 0; it must be a whole number of at least 1",
    "--warmup 9 --steps 8": r"warmup is 9 steps, of 8: shorten it",
    "--learning-rate -1": r"learning_rate is -1\.0; it must be a .*number above 0",
    "--clip nan": r"clip is nan; it must be",
    "--recipe slow": r"there is no recipe 'slow'; choose one of adamw, fast",
    "--preset big": r"there is no preset 'big'; choose one of gpt2, ",
    "--n-head 3": r"3 heads|n_head",
    "--dropout 1": r"dropout is 1\.0",
    "--threads 0": r"--threads is 0; it must be from 1 to 4096",
    "--log-every 0": r"log is 0; it must be a whole number of at least 1",
    "--device gpu": r"--device is 'gpu', which is not to be had here .*: leave the option out",
    "--validation-fraction 1": r"validation_fraction is 1\.0; it must lie between 0 and 1",
    "--validation-fraction 0.001": r"the validation text has \d+ tokens; a window of 16 needs 17",
    "--validation-fraction 0.999": r"the training text has \d+ tokens; a window of 16 needs 17",
    "--text nothing.txt": r"no file nothing\.txt in .*: check the name and the folder",
    "--text .": r"\. is a folder; give the path of one text file",
    "--tokenizer words": r"--tokenizer is 'words': no file, nor one of shakespeare, gpt2, charac",
    f"--tokenizer {shlex.quote(str(README))}": r"README\.md is no whole JSON file",
}


@pytest.mark.parametrize(("options", "message"), ERRORS.items(), ids=ERRORS)
def test_an_error_is_one_line_and_nothing_is_written(tmp_path, capsys, options, message):
    assert main(["train", str(tmp_path / "run"), *TINY, *shlex.split(options)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(rf"minigpt: .*({message})", err), err
    assert not any(tmp_path.iterdir())


def test_a_missing_parent_folder_is_named(tmp_path, capsys):
    assert main(["train", str(tmp_path / "runs" / "first"), *TINY]) == 1
    message = r"minigpt: no folder .*runs to make first in: make it first\n$"
    assert re.match(message, capsys.readouterr().err)
    assert not any(tmp_path.iterdir())


def test_another_run_or_model_in_the_folder_keeps_every_byte(tmp_path, capsys):
    """Its token files too, which another text would replace."""
    assert main(["train", str(tmp_path / "run"), *TINY, "--steps", "1"]) == 0
    checkpoint.save(checkpoint.load(tmp_path / "run"), tmp_path / "model")
    capsys.readouterr()
    (tmp_path / "other.txt").write_text("to be or not to be " * 30)
    before = contents(tmp_path)
    cases = {
        "run --steps 2": "was started with steps 1, not 2: give the same",
        f"run --steps 1 --text {tmp_path / 'other.txt'}": r"vocab_size \d+, not 7, another train",
        "model --steps 1": "holds a model that no run of this kind left there",
    }
    for options, message in cases.items():
        name, *rest = options.split()
        assert main(["train", str(tmp_path / name), *TINY, *rest]) == 1
        assert re.search(message, capsys.readouterr().err)
        assert contents(tmp_path) == before


def test_a_bug_is_not_hidden(monkeypatch):
    """Only errors that a user can mend are shortened."""

    def fail(arguments):
        raise TypeError("a bug")

    monkeypatch.setattr(command, "run", fail)
    with pytest.raises(TypeError):
        main(["train", "nowhere"])


def test_ctrl_c_between_steps_and_start_is_no_traceback(tmp_path, capsys, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "read_text", stop)
    assert main(["train", str(tmp_path / "run"), *TINY]) == 130
    assert capsys.readouterr().err.startswith("minigpt: stopped; the same command")


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
    last = "after the last step, on the whole text: "
    assert [line for line in out.splitlines() if last in line] == [
        line for line in whole.splitlines() if last in line
    ]
    told = "the model with the lowest validation loss is in"
    assert f"{told} {folder}: minigpt.exchange.load opens it" in out
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
    assert settings[0] == settings[1] and {*contents(folder)} == {*contents(tmp_path / "one")}


def test_a_model_beyond_the_memory_is_refused_in_words(tmp_path, capsys):
    options = [*TINY, "--n-embd=4000000", "--n-head=1"]  # 48 TB for one of its matrices
    assert main(["train", str(tmp_path / "run"), *options]) == 1
    assert "not enough memory for this model and batch: give a smaller" in capsys.readouterr().err
