"""`minigpt generate`: every option arrives, text appears as it is written, errors are one line."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import book_sources
import pytest
import torch
from torch.testing import assert_close

from minigpt.__main__ import main
from minigpt.commands import models
from minigpt.commands.generate import run as command
from minigpt.commands.generate import writer
from minigpt.commands.generate.options import EXAMPLES
from minigpt.commands.generate.options import command as described
from minigpt.commands.generate.prompt import typed
from minigpt.exchange import checkpoint, hub
from minigpt.generation import Sampling, stream_text
from minigpt.model import GPT, PRESETS, GPTConfig
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


def piped(data: bytes) -> io.TextIOWrapper:
    """A standard input that is no terminal, in an encoding that is not the file's."""
    return io.TextIOWrapper(io.BytesIO(data), "cp1252")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Models in folders, one with each kind of tokenizer; `shakespeare` stands for the shipped."""
    folder = tmp_path_factory.mktemp("models")
    kinds = {"characters": CHARACTERS, "bpe": BPE, "bare": None, "shakespeare": BPE}
    for name, tokenizer in kinds.items():
        checkpoint.save(made(tokenizer or CHARACTERS), folder / name, tokenizer)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def shipped(monkeypatch, folders) -> tuple[GPT, BPETokenizer]:
    """In the place of the model that comes with the package."""
    monkeypatch.setattr(models.shipped, "PRETRAINED", folders["shakespeare"].parent)
    return made(BPE), BPE


@pytest.fixture
def given(monkeypatch, shipped):
    """A text that is described and not written: what `Writer` is made with, and begins with."""
    calls = []

    class Described(writer.Writer):
        def begin(self, prompt):
            calls.append(SimpleNamespace(**vars(self), prompt=prompt))
            return writer.Written(self, prompt, 1, 1, pieces=iter(["some ", "text"]))

    monkeypatch.setattr(command, "Writer", Described)

    def of(*options: str) -> SimpleNamespace:
        assert main(["generate", *options]) == 0
        return calls[-1]

    return of


@pytest.fixture
def writes(monkeypatch, shipped):
    """What is written instead of a text: the pieces of a generator function."""

    def by(pieces) -> None:
        class Other(writer.Writer):
            def begin(self, prompt):
                return writer.Written(self, prompt, 1, 1, pieces=pieces())

        monkeypatch.setattr(command, "Writer", Other)

    return by


def written(model: GPT, tokenizer, prompt: str, number: int, seed: int, *rest) -> str:
    """What the command must print."""
    generator = torch.Generator().manual_seed(seed)
    sampling, stop = rest or (None, ())
    pieces = stream_text(model, tokenizer, prompt, number, sampling, stop, generator)
    return prompt * (prompt != "\n\n") + "".join(pieces) + "\n"


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
    assert given(option, str(VALUES[field])).sampling == Sampling(**{field: VALUES[field]})


def test_without_options_the_defaults_are_those_of_the_help(given, shipped):
    call = given()
    assert_close(call.model.state_dict(), shipped[0].state_dict(), rtol=0, atol=0)
    assert call.tokenizer.vocab == BPE.vocab
    assert call.prompt == "\n\n" and call.tokens == 200 and call.stop == []
    assert call.sampling == Sampling()
    assert call.model.token_embedding.weight.dtype == torch.float32


def test_a_temperature_of_0_is_greedy(shipped, capsys):
    texts = set()
    for seed in ("1", "2"):
        options = ["--prompt=But", "--temperature=0", "--tokens=20", f"--seed={seed}"]
        assert main(["generate", *options]) == 0
        texts.add(capsys.readouterr().out)
    assert texts == {written(*shipped, "But", 20, 0, Sampling(temperature=0.0), ())}


def test_stop_strings_may_hold_line_breaks(given):
    call = given("--stop", r"\n\n", "--stop", "a\nb", "--stop", r"x\ny\n")
    assert call.stop == ["\n\n", "a\nb", "x\ny\n"]


@pytest.mark.parametrize("where", [[], ["--prompt"]], ids=["PROMPT", "--prompt"])
def test_one_rule_for_what_is_typed(given, where):
    assert given(*where, r"A:\n\tto\\night \x").prompt == "A:\n\tto\\night \\x"


@pytest.mark.parametrize(
    ("text", "meant"),
    [(r"\n", "\n"), (r"\\n", r"\n"), (r"\\\n", "\\\n"), ("\\", "\\"), (r"\e\\", r"\e" + "\\")],
)
def test_a_backslash_means_what_the_help_says(text, meant):
    assert typed(text, "PROMPT") == meant


def test_the_most_tokens(given):
    assert given("--tokens", "7").tokens == 7


def test_seeds(given):
    for seed in (0, 7, 2**32 - 1):
        assert given("--seed", str(seed)).generator.initial_seed() == seed
    assert given().generator.initial_seed() != given().generator.initial_seed()


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


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_the_model_computes_in_what_is_asked_for(given, dtype):
    weight = given("--dtype", dtype).model.token_embedding.weight
    assert weight.dtype == getattr(torch, dtype) and weight.device.type == "cpu"


# The prompt.


def test_a_prompt_is_an_argument_or_an_option(given):
    assert given("HAMLET:").prompt == given("--prompt", "HAMLET:").prompt == "HAMLET:"


@pytest.mark.parametrize("options", [[], ["-"], ["--prompt", "-"], ["--prompt-file", "-"]])
def test_a_prompt_comes_from_standard_input_where_that_is_no_terminal(
    given, monkeypatch, capsys, options
):
    monkeypatch.setattr(sys, "stdin", piped("\ufeffHÉ:\r\nTo be".encode()))
    assert given(*options).prompt == "HÉ:\nTo be"  # as a file, whatever the terminal's encoding
    assert capsys.readouterr().out == "HÉ:\nTo besome text\n"


def test_a_prompt_comes_from_a_file(given, tmp_path):
    (tmp_path / "beginning.txt").write_bytes(b"HAMLET:\r\n\\n")
    assert given("--prompt-file", str(tmp_path / "beginning.txt")).prompt == "HAMLET:\n\\n"


def test_a_given_prompt_leaves_standard_input_alone(given, monkeypatch):
    monkeypatch.setattr(sys, "stdin", piped(b"not this"))
    assert given("this").prompt == "this"
    assert sys.stdin.read() == "not this"


def test_without_a_standard_input_a_speech_begins(given, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)  # as under pythonw
    assert given().prompt == "\n\n"
    assert capsys.readouterr().out == "some text\n"  # without empty lines before it


def test_a_prompt_of_line_breaks_is_shown(given, capsys):
    given(r"\n\n")
    assert capsys.readouterr().out == "\n\nsome text\n"


def test_an_empty_file_begins_a_speech(given, tmp_path):
    (tmp_path / "empty.txt").touch()
    assert given("--prompt-file", str(tmp_path / "empty.txt")).prompt == "\n\n"


@pytest.mark.parametrize("options", [["--prompt="], [""], []])
def test_an_empty_prompt_begins_a_speech(given, monkeypatch, options):
    """As `minigpt generate < /dev/null` does, or a script without a terminal."""
    monkeypatch.setattr(sys, "stdin", piped(b""))
    assert given(*options).prompt == "\n\n"


@pytest.mark.parametrize(("alphabet", "begins"), [("abc", "a"), ("a b c", " ")])
def test_without_a_line_break_a_text_begins_with_another_character(
    tmp_path, capsys, alphabet, begins
):
    """So that what `minigpt train` calls next works for every text."""
    tokenizer = CharTokenizer.train(alphabet)
    checkpoint.save(made(tokenizer), tmp_path / "m", tokenizer)
    options = ["--tokens=9", "--seed=3", "--model", str(tmp_path / "m")]
    assert main(["generate", "", *options]) == 0
    expected = written(made(tokenizer), tokenizer, begins, 9, 3).removeprefix(begins)
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["to", "be"], 'the prompt is in 2 parts; put it in quotes: "to be"'),
        (["to", "--prompt=be"], "PROMPT and --prompt both give a prompt; give one of them"),
        (["--prompt=to", "--prompt-file=be"], "--prompt and --prompt-file both give a prompt"),
    ],
)
def test_there_is_one_prompt(shipped, capsys, options, message):
    assert main(["generate", *options]) == 2
    assert message in capsys.readouterr().err


def test_what_the_model_does_not_see_is_said(shipped, capsys):
    assert main(["generate", PLAY, "--tokens=1"]) == 0
    size = len(BPE.encode(PLAY))
    assert capsys.readouterr().err == (
        f"minigpt: the prompt has {size} tokens and the model sees 16: it continues the last 16\n"
    )
    assert main(["generate", "a" * 16, "--tokens=1"]) == 0
    assert capsys.readouterr().err == ""


def test_a_prompt_longer_than_the_context_is_shown_whole(shipped, capsys):
    assert main(["generate", "--prompt", PLAY, "--tokens=9", "--seed=3"]) == 0
    out = capsys.readouterr().out
    assert out == written(*shipped, PLAY, 9, 3) and out.startswith(PLAY)


# Other forms.


def test_several_samples_one_after_the_other(shipped, capsys):
    assert main(["generate", "But", "--tokens=9", "--seed=3", "--samples=2"]) == 0
    texts = [written(*shipped, "But", 9, seed)[:-1] for seed in (3, 4)]
    out = capsys.readouterr().out
    assert out == f"--- 1 of 2 ---\n{texts[0]}\n--- 2 of 2 ---\n{texts[1]}\n"
    assert texts[0] != texts[1]


def always(token: int) -> GPT:
    """A model that is sure of one token."""
    model = made(BPE)
    with torch.no_grad():
        model.final_norm.weight.zero_()
        model.final_norm.bias.fill_(1)
        model.lm_head.weight.zero_()
        model.lm_head.weight[token] = 9
    return model


def test_json_says_what_was_written_and_how(tmp_path, shipped, capsys):
    assert main(["generate", r"\n\n", "--tokens=9", "--seed=3", "--samples=2", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.isascii() for line in lines)
    text = json.loads(lines[0])
    assert text["tokens_per_second"] > 0
    ids = [token["id"] for token in text["tokens"]]
    assert BPE.decode(ids) == text["text"] and len(ids) == 9
    assert text["text"] + "\n" == written(*shipped, "\n\n", 9, 3)
    assert json.loads(lines[1])["text"] + "\n" == written(*shipped, "\n\n", 9, 4)
    assert json.loads(lines[1])["seed"] == 4
    with torch.no_grad():
        scores = shipped[0](torch.tensor([[*BPE.encode("\n\n"), *ids]]))[0].log_softmax(-1)
    known = len(BPE.encode("\n\n"))
    expected = scores[known - 1 : -1].gather(1, torch.tensor(ids)[:, None])[:, 0]
    found = torch.tensor([token["logprob"] for token in text["tokens"]])
    assert_close(found, expected, rtol=0, atol=1e-3)
    assert [token["text"] for token in text["tokens"]] == [BPE.token_repr(i) for i in ids]
    rest = {k: v for k, v in text.items() if k not in ("text", "tokens", "tokens_per_second")}
    assert rest == {
        "prompt": "\n\n",
        "ended_by": "length",
        "prompt_tokens": known,
        "seen_tokens": known,
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("token", "stop", "ended_by"),
    [
        (BPE.special_tokens["<|endoftext|>"], (), "end of text"),
        (BPE.encode("z")[0], (), "length"),
        (BPE.encode("z")[0], ("zz",), "stop"),
        (BPE.encode("z")[0], ("zzz",), "stop"),  # complete with the last token
    ],
)
def test_what_ended_a_text(tmp_path, capsys, token, stop, ended_by):
    checkpoint.save(always(token), tmp_path / "m", BPE)
    options = ["generate", "a", f"--model={tmp_path / 'm'}", "--tokens=3", "--json"]
    assert main([*options, "--temperature=0", *(f"--stop={text}" for text in stop)]) == 0
    assert json.loads(capsys.readouterr().out)["ended_by"] == ended_by


def test_log_probabilities_are_computed_only_where_they_are_shown(shipped, monkeypatch, capsys):
    monkeypatch.setattr(writer, "stream_with_logprobs", lambda *_: pytest.fail("not asked for"))
    assert main(["generate", "But", "--tokens=3", "--stats"]) == 0


def test_log_probabilities_stand_after_the_text(tmp_path, capsys):
    checkpoint.save(always(BPE.encode("z")[0]), tmp_path / "m", BPE)
    options = ["generate", "a", f"--model={tmp_path / 'm'}", "--tokens=2", "--logprobs"]
    assert main(options) == 0
    assert capsys.readouterr().out == "azz\n   0.0000  'z'\n   0.0000  'z'\n"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_statistics_stand_on_standard_error(shipped, capsys, form):
    assert main(["generate", "But", "--tokens=5", "--stats", "--seed=4", *form]) == 0
    line = r"5 tokens after 2 of the prompt, [1-9]\d* tokens per second, seed 4\n"
    assert re.fullmatch(line, capsys.readouterr().err)


class Typing(io.StringIO):
    """A terminal, and what is typed at it; None is Ctrl-C."""

    def isatty(self) -> bool:
        return True


def typing(monkeypatch, *lines: str | None) -> None:
    def answer(prompt: str) -> str:
        if not left:
            raise EOFError
        if (line := left.pop(0)) is None:
            raise KeyboardInterrupt
        return line

    left = list(lines)
    monkeypatch.setattr(sys, "stdin", Typing())
    monkeypatch.setattr("builtins.input", answer)


def test_one_beginning_after_the_other(shipped, monkeypatch, capsys):
    """An empty line goes on with the text; what cannot be continued is told and asked anew."""
    typing(monkeypatch, r"But\n", "", "So")
    assert main(["generate", "-i", "--tokens=4", "--temperature=0"]) == 0
    out, err = capsys.readouterr()
    greedy = Sampling(temperature=0.0)
    first = "".join(stream_text(*shipped, "But\n", 4, greedy))
    second = "".join(stream_text(*shipped, "But\n" + first, 4, greedy))
    third = "".join(stream_text(*shipped, "So", 4, greedy))
    assert out == f"But\n{first}\n{second}\nSo{third}\n\n"
    assert err.startswith("Type how a text begins") and err.count("\n") == 1


def test_what_cannot_be_continued_is_told_and_asked_anew(folders, monkeypatch, capsys):
    typing(monkeypatch, "é", "But")
    assert main(["generate", "-i", f"--model={folders['characters']}", "--tokens=2"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("But") and "minigpt: character 'é' at index 0 is not among" in err


def test_through_a_pipe_a_line_that_cannot_be_continued_shows_in_the_status(
    folders, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("é\nBut\n"))
    assert main(["generate", "-i", f"--model={folders['characters']}", "--tokens=2"]) == 1
    assert capsys.readouterr().out.startswith("But")


def test_ctrl_c_at_the_question_clears_the_line(shipped, monkeypatch, capsys):
    typing(monkeypatch, None, "But", None)
    assert main(["generate", "-i", "--tokens=2"]) == 0
    assert capsys.readouterr().out.startswith("\nBut")


@pytest.mark.parametrize(
    "option",
    ["But", "--prompt=But", "--prompt-file=b", "--samples=2", "--json", "--logprobs", "--stats"],
)
def test_interactive_ignores_nothing_that_was_typed(shipped, capsys, option):
    assert main(["generate", "-i", option]) == 2
    name = "PROMPT" if option == "But" else option.split("=")[0]
    assert f"shows the text alone: leave {name} out" in capsys.readouterr().err


def test_interactive_needs_a_standard_input(shipped, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["generate", "-i"]) == 2
    assert "there is no standard input to answer on" in capsys.readouterr().err


def test_lines_may_come_from_a_pipe(shipped, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("But\nSo\n"))
    assert main(["generate", "-i", "--tokens=2", "--temperature=0"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("But") and "\nSo" in out and ">" not in out and err == ""


# Models by name.


@pytest.mark.parametrize(
    ("name", "asked"),
    [("gpt2", "openai-community/gpt2"), ("hf:someone/tiny", "someone/tiny")],
)
def test_the_hubs_models_are_fetched_by_name(folders, monkeypatch, capsys, name, asked):
    told = []
    monkeypatch.setattr(hub, "download", lambda wanted: told.append(wanted) or folders["bpe"])
    assert main(["generate", "But", "--tokens=2", "--model", name]) == 0
    out, err = capsys.readouterr()
    assert told == [asked] and out.startswith("But") and err.startswith(f"{asked}: from the Hug")


def test_a_folder_comes_before_a_name_of_the_hub(folders, monkeypatch, tmp_path):
    (tmp_path / "gpt2").symlink_to(folders["bpe"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub, "download", lambda wanted: pytest.fail(wanted))
    assert main(["generate", "But", "--tokens=2", "--model=gpt2"]) == 0


def test_a_missing_library_of_the_hub_is_one_line(monkeypatch, capsys):
    def missing(name):
        raise ImportError("fetching needs huggingface_hub: pip install huggingface_hub")

    monkeypatch.setattr(hub, "download", missing)
    assert main(["generate", "But", "--model=gpt2"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "Error: fetching needs huggingface_hub: pip install huggingface_hub"
    ]


# As it is written.


class Screen(io.StringIO):
    """What had been written at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = [""]

    def flush(self) -> None:
        self.seen.append(self.getvalue())


def test_each_piece_is_seen_before_the_next_is_written(writes, monkeypatch):
    screen = Screen()

    def pieces():
        assert screen.seen[-1] == "So"
        yield " it"
        assert screen.seen[-1] == "So it"
        yield " is"
        assert screen.seen[-1] == "So it is"

    writes(pieces)
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["generate", "--prompt=So"]) == 0
    assert screen.seen[-1] == screen.getvalue() == "So it is\n"


def test_ctrl_c_ends_the_line_and_gives_130(writes, capsys):
    def pieces():
        yield " it"
        raise KeyboardInterrupt

    writes(pieces)
    assert main(["generate", "--prompt=So"]) == 128 + signal.SIGINT == 130
    assert capsys.readouterr() == ("So it\n", "")


def test_ctrl_c_leaves_a_whole_json_object(writes, capsys):
    def pieces():
        yield " it"
        raise KeyboardInterrupt

    writes(pieces)
    assert main(["generate", "--prompt=So", "--json", "--samples=2"]) == 130
    found = json.loads(capsys.readouterr().out)  # and no second one
    assert found["text"] == " it" and found["ended_by"] == "interrupted"


def test_ctrl_c_before_the_text_is_no_traceback(monkeypatch, capsys):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "open_model", stop)
    assert main(["generate", "--prompt=So"]) == 130
    out, err = capsys.readouterr()
    assert out == "" and err == "minigpt: stopped\n"


@pytest.mark.parametrize("interrupt", [False, True])
@pytest.mark.parametrize("read", range(4))
def test_who_reads_may_leave_at_any_time(writes, monkeypatch, capsys, read, interrupt):
    """After the prompt, after each piece, or before the last line break; Ctrl-C stops a whole
    pipeline, so that both may happen at once."""
    inlet, outlet = os.pipe()

    def leave(at: int) -> None:
        if at == read:
            os.close(inlet)

    def pieces():
        leave(1)
        yield " it"
        leave(2)
        yield " is"
        leave(3)
        if interrupt:
            raise KeyboardInterrupt

    writes(pieces)
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


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("option", [[], ["--logprobs"], ["--samples=2"], ["--json"]])
def test_what_the_terminal_has_no_letter_for_is_replaced(folders, monkeypatch, encoding, option):
    screen = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    options = ["→ 안녕", f"--model={folders['bpe']}", "--tokens=40", "--seed=1", *option]
    assert main(["generate", *options]) == 0
    screen.flush()
    text = screen.buffer.getvalue()
    assert text.endswith(b"\n") and (b"? ??" in text or option == ["--json"])
    assert json.loads(text)["prompt"] == "→ 안녕" if option == ["--json"] else len(text) > 20


# Errors.


ERRORS = {
    "--temperature nan": r"--temperature is nan; it must be 0, .* or a finite number above",
    "--top-p nan": r"--top-p is nan; it must be above 0 and at most 1",
    "--device gpu": r"--device is 'gpu', which is not to be had here: leave the option out",
    "--stop ''": r"--stop is empty: give the text to end before",
    "--model hamlet": r"--model is 'hamlet': no folder, nor one of shakespeare, play-f.*hf:OWNER",
    "--model README": r"--model is '.*README\.md', a file: give the folder of a model$",
    "--model CHARACTERS/config.json": r"a file: give the folder of a model, here .*characters$",
    "--model CHARACTERS/states/step-9.safetensors": r"a file: give .*, here .*characters$",
    "--model CHARACTERS/states": r"states', a part of a run: give .*characters$",
    "--model shakespear": r"--model is 'shakespear': no folder, .* did you mean shakespeare\?",
    "--model hf:foo": r"--model is 'hf:foo'; it must be hf:OWNER/NAME",
    "--prompt '\udcff'": r"--prompt is '\\udcff', which holds bytes that are no text in [a-z]",
    "--stop '\udcff'": r"--stop is '\\udcff', which holds bytes that are no text",
    "--model BARE": r"bare has no tokenizer\.json, nor vocab",
    "--model TESTS": r".*commands holds no model: no config\.json",
    "--prompt-file TESTS": r"commands is a folder; give the path of one text file",
    "--prompt-file nothing.txt": r"no file nothing\.txt in .*: check the name and the folder",
}
FAILURES = {
    "--model CHARACTERS --prompt é": r"character 'é' at index 0 is not among the \d+",
}


@pytest.mark.parametrize(
    ("options", "message", "status"),
    [*((*row, 2) for row in ERRORS.items()), *((*row, 1) for row in FAILURES.items())],
    ids=[*ERRORS, *FAILURES],
)
def test_an_error_is_one_line_in_the_words_that_were_typed(
    folders, shipped, capsys, options, message, status
):
    """With 2 where another command line is needed, as where the parser refuses one."""
    (folders["characters"] / "states").mkdir(exist_ok=True)
    (folders["characters"] / "states" / "step-9.safetensors").touch()
    names = {"CHARACTERS": "characters", "BARE": "bare"}
    for name, folder in names.items():
        options = options.replace(name, shlex.quote(str(folders[folder])))
    for name, path in {"TESTS": Path(__file__).parent, "README": README}.items():
        options = options.replace(name, shlex.quote(str(path)))
    prompt = [] if "prompt" in options else ["But"]
    assert main(["generate", *prompt, *shlex.split(options)]) == status
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(rf"Error: .*({message})", err), err
    assert not re.search(r"top_|min_p|_penalty|max_new", err)


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
    assert re.match(rf"Error: .*m.{name}", err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tokens", "many"], "'--tokens': 'many' is not a valid whole number."),
        (["--top-k", "2.5"], "'--top-k': '2.5' is not a valid whole number."),
        (["--temperature", "hot"], "'--temperature': 'hot' is not a valid number."),
        (["--seed", "x"], "'--seed': 'x' is not a valid whole number."),
        (["--seed", "-1"], "'--seed': -1 is not in the range 0<=x<=4294967295"),
        (["--seed", str(2**32)], "'--seed': 4294967296 is not in the range"),
        (["--threads", "0"], "'--threads': 0 is not in the range 1<=x<=4096"),
        (["--samples", "0"], "'--samples': 0 is not in the range x>=1"),
        (["--temperature", "-1"], "'--temperature': -1.0 is not in the range x>=0"),
        (["--top-k", "0"], "'--top-k': 0 is not in the range x>=1"),
        (["--top-p", "0"], "'--top-p': 0.0 is not in the range 0<x<=1"),
        (["--top-p", "1.5"], "'--top-p': 1.5 is not in the range 0<x<=1"),
        (["--min-p", "0"], "'--min-p': 0.0 is not in the range 0<x<=1"),
        (["--repetition-penalty", "0"], "0.0 is not in the range 0.001<=x<=1000"),
        (["--tokens", "0"], "'--tokens': 0 is not in the range x>=1"),
        (["--dtype", "int8"], "'--dtype': 'int8' is not one of 'float32', 'bfloat16'"),
        (["--model="], "'--model': it is empty, as a variable of the shell is that was not set"),
        (["--stop"], "Option '--stop' requires an argument"),
        (["--promt", "HAMLET:"], "No such option '--promt'. (Did you mean one of: '--prompt'"),
        (["--temprature=1"], "(Did you mean one of: '--interactive', '--temperature'?)"),
    ],
)
def test_what_the_parser_refuses_names_the_option(capsys, options, message):
    assert main(["generate", *options]) == 2
    assert message in capsys.readouterr().err


# Help.


def test_help_lists_every_option_with_what_holds_without_it(capsys):
    assert main(["generate", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    options = {option.name: option for option in described.params if hasattr(option, "section")}
    for option in options.values():
        assert option.opts[-1] in text and len(option.help) > 15
    for field in fields(Sampling):
        if field.default is not None:
            assert options[field.name].default == field.default
            assert f"[default: {field.default}; " in text
    assert options["tokens"].default == 200 and "The most to add. [default: 200; x>=1]" in text
    assert "Below 1 tamer, above 1 wilder" in text
    names = (*models.shipped.NAMES, *(name for name in PRESETS if name.startswith("gpt2")))
    assert all(name in options["model"].help for name in names) and names == models.MODELS


@pytest.mark.slow
def test_the_examples_of_the_help_run(folders, shipped, monkeypatch, tmp_path, capsys):
    """With the models of these tests."""
    (tmp_path / "beginning.txt").write_text("ROMEO:\n", "utf-8")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(folders["characters"])
    (tmp_path / "gpt2").symlink_to(folders["bpe"])
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^minigpt (generate.*)$", EXAMPLES, re.M)
    assert len(examples) == EXAMPLES.count("\n") - 1 >= 4
    for example in examples:
        options, _, source = example.partition(" < ")
        with monkeypatch.context() as patch:
            if source:
                patch.setattr(sys, "stdin", piped(Path(source).read_bytes()))
            if "--interactive" in options:
                typing(patch, "To be")
            assert main(shlex.split(options)) == 0
        out, err = capsys.readouterr()
        assert len(out) > 1 and out.endswith("\n") and "Error" not in err
