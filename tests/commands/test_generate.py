"""`minigpt generate`: every option arrives, text appears as it is written, errors are one line."""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import book_sources
import pytest
import torch

from minigpt.__main__ import main
from minigpt.commands import generate as command
from minigpt.exchange import checkpoint
from minigpt.generation import Sampling, stream_text
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer

README = book_sources.ROOT / "README.md"
PLAY = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nIt is the east.\n" * 3
CHARACTERS = CharTokenizer.train(PLAY)
BPE = BPETokenizer.train(PLAY, 280, special_tokens=("<|endoftext|>",), progress=False)


def made(tokenizer: BPETokenizer | CharTokenizer) -> GPT:
    """A model whose scores differ, so that its texts do too."""
    config = GPTConfig(tokenizer.vocab_size, context_length=16, n_layer=1, n_head=1, n_embd=8)
    generator = torch.Generator().manual_seed(0)
    model = GPT(config, generator).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """--threads holds for the whole process; and nobody types."""
    before = torch.get_num_threads()
    monkeypatch.setattr(sys, "stdin", Terminal())
    yield
    torch.set_num_threads(before)


class Terminal(io.StringIO):
    """A standard input at which nobody types."""

    def isatty(self) -> bool:
        return True

    def read(self, *arguments):
        raise AssertionError("a terminal was read")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Models in folders, one with each kind of tokenizer."""
    folder = tmp_path_factory.mktemp("models")
    for name, tokenizer in (("characters", CHARACTERS), ("bpe", BPE), ("bare", None)):
        checkpoint.save(made(tokenizer or CHARACTERS), folder / name, tokenizer)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def shipped(monkeypatch) -> tuple[GPT, BPETokenizer]:
    """In the place of the model that comes with the package."""
    pair = made(BPE), BPE

    def load(name):
        assert name == "shakespeare"
        return pair

    monkeypatch.setattr(command, "load", load)
    return pair


@pytest.fixture
def given(monkeypatch, shipped):
    """A text that is described and not written: what `stream_text` would be called with."""
    names = ("model", "tokenizer", "prompt", "number", "sampling", "stop", "generator")
    calls = []

    def stream(*arguments):
        calls.append(dict(zip(names, arguments, strict=True)))
        return iter(["some ", "text"])

    monkeypatch.setattr(command, "stream_text", stream)

    def of(*options: str) -> dict:
        assert main(["generate", *options]) == 0
        return calls[-1]

    return of


def written(model: GPT, tokenizer, prompt: str, number: int, seed: int, *rest) -> str:
    """What the command must print."""
    generator = torch.Generator().manual_seed(seed)
    sampling, stop = rest or (None, ())
    pieces = stream_text(model, tokenizer, prompt, number, sampling, stop, generator)
    return prompt.lstrip("\n") + "".join(pieces) + "\n"


def parser() -> argparse.ArgumentParser:
    """That of `minigpt generate`."""
    empty = argparse.ArgumentParser()
    command.add_options(empty)
    return empty


# What is written.


def test_without_a_name_it_is_the_packages_own_model(shipped, capsys):
    assert main(["generate", "--seed=3", "--tokens=30"]) == 0
    out, err = capsys.readouterr()
    assert out == written(*shipped, "\n\n", 30, 3) and err == ""
    assert main(["generate", "--seed=3", "--tokens=30", "--model=shakespeare"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize("name", ["characters", "bpe"])
def test_a_folder_with_either_tokenizer(folders, name, capsys):
    tokenizer = {"characters": CHARACTERS, "bpe": BPE}[name]
    options = ["--prompt=But soft", "--tokens=30", "--seed=3", f"--model={folders[name]}"]
    assert main(["generate", *options]) == 0
    out, err = capsys.readouterr()
    assert out == written(made(tokenizer), tokenizer, "But soft", 30, 3) and err == ""


def test_a_folder_that_train_filled(tmp_path, capsys):
    folder = str(tmp_path / "run")
    sizes = "--context-length=16 --n-layer=1 --n-head=1 --n-embd=8 --steps=1 --threads=1"
    text = [f"--text={README}", "--tokenizer=characters"]
    assert main(["train", folder, *text, *sizes.split()]) == 0
    capsys.readouterr()
    assert main(["generate", "--model", folder, "--prompt=a", "--tokens=9", "--seed=3"]) == 0
    out, err = capsys.readouterr()
    tokenizer = CharTokenizer.train(README.read_text("utf-8"))
    assert out == written(checkpoint.load(folder), tokenizer, "a", 9, 3) and err == ""


def test_options_change_what_is_written(shipped, capsys):
    options = "--temperature 0.7 --top-k 9 --top-p 0.9 --min-p 0.01 --repetition-penalty 1.2"
    options += " --stop e --stop th --prompt So --tokens 30 --seed 3"
    assert main(["generate", *options.split()]) == 0
    sampling = Sampling(0.7, 9, 0.9, 0.01, 1.2)
    assert capsys.readouterr().out == written(*shipped, "So", 30, 3, sampling, ["e", "th"])


# Options.


VALUES = {"temperature": 0.5, "top_k": 3, "top_p": 0.25, "min_p": 0.125, "repetition_penalty": 2.0}


@pytest.mark.parametrize("field", [field.name for field in fields(Sampling)])
def test_every_option_of_sampling_reaches_its_field_and_no_other(given, field):
    option = f"--{field.replace('_', '-')}"
    assert given(option, str(VALUES[field]))["sampling"] == Sampling(**{field: VALUES[field]})


def test_without_options_the_defaults_are_those_of_the_help(given, shipped):
    call = given()
    assert (call["model"], call["tokenizer"]) == shipped
    assert call["prompt"] == "\n\n" and call["number"] == 200 and call["stop"] == []
    assert call["sampling"] == Sampling()


def test_a_temperature_of_0_is_greedy(shipped, capsys):
    texts = set()
    for seed in ("1", "2"):
        options = ["--prompt=But", "--temperature=0", "--tokens=20", f"--seed={seed}"]
        assert main(["generate", *options]) == 0
        texts.add(capsys.readouterr().out)
    assert texts == {written(*shipped, "But", 20, 0, Sampling(temperature=0.0), ())}


def test_stop_strings_may_hold_line_breaks(given):
    call = given("--stop", r"\n\n", "--stop", "a\nb", "--stop", r"x\ny\n")
    assert call["stop"] == ["\n\n", "a\nb", "x\ny\n"]


def test_the_most_tokens(given):
    assert given("--tokens", "7")["number"] == 7


def test_seeds(given):
    for seed in (0, 7, 2**32 - 1):
        assert given("--seed", str(seed))["generator"].initial_seed() == seed
    assert given()["generator"].initial_seed() != given()["generator"].initial_seed()


def test_the_same_seed_writes_the_same(shipped, capsys):
    texts = []
    for seed in (["--seed=5"], ["--seed=5"], ["--seed=6"], [], []):
        assert main(["generate", "--tokens=30", *seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] and len({*texts}) == 4


def test_threads_are_set(given, monkeypatch):
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    given()
    assert told == []
    given("--threads", "3")
    assert told == [3]


# The prompt.


def test_a_prompt_comes_from_standard_input_where_that_is_no_terminal(given, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("HAMLET:\nTo be"))
    assert given()["prompt"] == "HAMLET:\nTo be"
    assert capsys.readouterr().out == "HAMLET:\nTo besome text\n"


def test_a_given_prompt_leaves_standard_input_alone(given, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("not this"))
    assert given("--prompt", "this")["prompt"] == "this"
    assert sys.stdin.read() == "not this"


def test_without_a_standard_input_a_speech_begins(given, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)  # as under pythonw
    assert given()["prompt"] == "\n\n"
    assert capsys.readouterr().out == "some text\n"  # without empty lines before it


@pytest.mark.parametrize("options", [["--prompt="], []])
def test_an_empty_prompt_is_refused(shipped, monkeypatch, capsys, options):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["generate", *options]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("minigpt: the prompt is empty: give at least one char")
    assert err.count("\n") == 1


def test_a_prompt_longer_than_the_context_is_shown_whole(shipped, capsys):
    assert main(["generate", "--prompt", PLAY, "--tokens=9", "--seed=3"]) == 0
    out = capsys.readouterr().out
    assert out == written(*shipped, PLAY, 9, 3) and out.startswith(PLAY)


# As it is written.


class Screen(io.StringIO):
    """What had been written at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = [""]

    def flush(self) -> None:
        self.seen.append(self.getvalue())


def test_each_piece_is_seen_before_the_next_is_written(shipped, monkeypatch):
    screen = Screen()

    def pieces(*arguments):
        assert screen.seen[-1] == "So"
        yield " it"
        assert screen.seen[-1] == "So it"
        yield " is"
        assert screen.seen[-1] == "So it is"

    monkeypatch.setattr(command, "stream_text", pieces)
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["generate", "--prompt=So"]) == 0
    assert screen.seen[-1] == screen.getvalue() == "So it is\n"


def test_ctrl_c_ends_the_line_and_gives_130(shipped, monkeypatch, capsys):
    def pieces(*arguments):
        yield " it"
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "stream_text", pieces)
    assert main(["generate", "--prompt=So"]) == 128 + signal.SIGINT == 130
    assert capsys.readouterr() == ("So it\n", "")


def test_ctrl_c_before_the_text_is_no_traceback(monkeypatch, capsys):
    def stop(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "load", stop)
    assert main(["generate", "--prompt=So"]) == 130
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("minigpt: stopped") and err.count("\n") == 1


@pytest.mark.parametrize("interrupt", [False, True])
@pytest.mark.parametrize("read", range(4))
def test_who_reads_may_leave_at_any_time(shipped, monkeypatch, capsys, read, interrupt):
    """After the prompt, after each piece, or before the last line break; Ctrl-C stops a whole
    pipeline, so that both may happen at once."""
    inlet, outlet = os.pipe()

    def leave(at: int) -> None:
        if at == read:
            os.close(inlet)

    def pieces(*arguments):
        leave(1)
        yield " it"
        leave(2)
        yield " is"
        leave(3)
        if interrupt:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "stream_text", pieces)
    with open(outlet, "w") as stdout:  # closing it would raise if something were left to write
        monkeypatch.setattr(sys, "stdout", stdout)
        leave(0)
        assert main(["generate", "--prompt=So"]) == 128 + signal.SIGPIPE == 141
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_and_an_interrupt_in_processes_of_their_own(folders):
    """As in `minigpt generate | head -c 1`, and with Ctrl-C at the terminal."""
    options = f"generate --model {folders['bpe']} --tokens 1000000 --threads 1 --prompt So"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "minigpt", *options.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout.read(1) == b"S"
        processes[0].stdout.close()
        processes[1].send_signal(signal.SIGINT)
        text = processes[1].stdout.read()
        errors = [process.stderr.read() for process in processes]
        assert [process.wait(60) for process in processes] == [141, 130]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
    assert errors == [b"", b""] and text.startswith(b"o") and text.endswith(b"\n")


# Errors.


ERRORS = {
    "--temperature -1": r"temperature is -1\.0; it must be",
    "--temperature nan": r"temperature is nan; it must be",
    "--top-k 0": r"top_k is 0; it must be .* from 1 on",
    "--top-p 0": r"top_p is 0\.0; it must be .*\(0, 1\]",
    "--top-p 1.5": r"top_p is 1\.5; it must be .*\(0, 1\]",
    "--min-p 0": r"min_p is 0\.0; it must be .*\(0, 1\]",
    "--repetition-penalty 0": r"repetition_penalty is 0\.0; it must be",
    "--tokens 0": r"max_new_tokens is 0; it must be a whole number above 0",
    "--tokens -3": r"max_new_tokens is -3; it must be",
    "--seed -1": r"--seed is -1; it must be from 0 to 2\*\*32 - 1",
    f"--seed {2**32}": r"--seed is 4294967296; it must be from 0 to 2\*\*32 - 1",
    "--threads 0": r"--threads is 0; it must be from 1 to 4096",
    "--threads 4097": r"--threads is 4097; it must be from 1 to 4096",
    "--stop ''": r"stop is \[''\]; it must be a list of strings, none of them empty",
    "--model hamlet": r"--model is 'hamlet': no folder, nor one of shakespeare",
    "--model README": r"--model is '.*README\.md': no folder, nor one of shakespeare",
    "--model CHARACTERS --prompt é": r"character 'é' at index 0 is not among the \d+",
    "--model BARE": r"no file .*bare.tokenizer\.json",
    "--model TESTS": r"no file .*commands.config\.json",
}


@pytest.mark.parametrize(("options", "message"), ERRORS.items(), ids=ERRORS)
def test_an_error_is_one_line(folders, shipped, capsys, options, message):
    names = {"CHARACTERS": "characters", "BARE": "bare"}
    for name, folder in names.items():
        options = options.replace(name, shlex.quote(str(folders[folder])))
    for name, path in {"TESTS": Path(__file__).parent, "README": README}.items():
        options = options.replace(name, shlex.quote(str(path)))
    assert main(["generate", "--prompt=But", *shlex.split(options)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(rf"minigpt: .*({message})", err), err


@pytest.mark.parametrize("damage", ["cut", "nan", "tokenizer", "config"])
def test_damaged_files_are_named_in_one_line(tmp_path, capsys, damage):
    folder = tmp_path / "m"
    checkpoint.save(made(BPE), folder, BPE)
    name = {"tokenizer": "tokenizer.json", "config": "config.json"}.get(damage, "model.safetensors")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-4] + b"\xff" * 4 if damage == "nan" else data[:-9])
    assert main(["generate", "--prompt=But", f"--model={folder}"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(rf"minigpt: .*m.{name}", err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tokens", "many"], "--tokens: invalid int value: 'many'"),
        (["--top-k", "2.5"], "--top-k: invalid int value: '2.5'"),
        (["--temperature", "hot"], "--temperature: invalid float value: 'hot'"),
        (["--seed", "x"], "--seed: invalid int value: 'x'"),
        (["--stop"], "--stop: expected one argument"),
        (["HAMLET:"], "unrecognized arguments: HAMLET:"),
    ],
)
def test_what_the_parser_refuses_names_the_option(capsys, options, message):
    with pytest.raises(SystemExit) as leave:
        main(["generate", *options])
    assert leave.value.code == 2
    assert message in capsys.readouterr().err


# Help.


def test_help_lists_the_command_and_its_options(capsys):
    for options in (["--help"], ["generate", "--help"]):
        with pytest.raises(SystemExit) as leave:
            main(options)
        assert leave.value.code == 0
    text = capsys.readouterr().out
    assert re.search(r"^ +generate +let a model write$", text, re.M)
    assert "usage: minigpt generate" in text
    for name in parser()._option_string_actions:
        assert name in text


def test_every_option_says_what_it_does_and_what_holds_without_it():
    actions = {action.dest: action for action in parser()._actions if action.dest != "help"}
    others = {"model", "prompt", "tokens", "stop", "seed", "threads"}
    assert actions.keys() == {field.name for field in fields(Sampling)} | others
    for field in fields(Sampling):
        action = actions[field.name]
        assert action.default == field.default
        told = re.search(r"\(default (.*)\)$", action.help)
        assert (told and float(told[1])) == field.default
    assert actions["tokens"].default == 200 and actions["tokens"].help.endswith("(default 200)")
    assert actions["model"].default in command.NAMES
    assert all(name in actions["model"].help for name in command.NAMES)
    for action in actions.values():
        assert len(action.help) > 20 and "%" not in action.help


def test_the_examples_of_the_help_run(folders, shipped, monkeypatch, tmp_path, capsys):
    """With the models of these tests."""
    (tmp_path / "beginning.txt").write_text("ROMEO:\n", "utf-8")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(folders["characters"])
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^  minigpt (generate.*)$", command.EXAMPLES, re.M)
    assert len(examples) == command.EXAMPLES.count("\n") - 1 >= 4
    for example in examples:
        options, _, source = example.partition(" < ")
        with monkeypatch.context() as patch:
            if source:
                patch.setattr(sys, "stdin", io.StringIO(Path(source).read_text("utf-8")))
            assert main(shlex.split(options)) == 0
        out, err = capsys.readouterr()
        assert len(out) > 1 and out.endswith("\n") and err == ""
        prompt = "ROMEO:\n" if source else parser().parse_args(shlex.split(options)[1:]).prompt
        assert out.startswith(prompt or "")
