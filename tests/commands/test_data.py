"""`minigpt data`: the list fits a terminal, a card says all, and a run learns from a set."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import replace

import pytest
import torch

from minigpt.__main__ import main, minigpt
from minigpt.commands.data.options import EXAMPLES, command
from minigpt.data.sets import SETS, fetched, open_text, sorting
from minigpt.data.token_file import open_tokens
from minigpt.tokenizer import open_tokenizer

SIZES = ["--context-length=8", "--n-layer=1", "--n-head=1", "--n-embd=8", "--threads=1"]


@pytest.fixture(autouse=True)
def threads(one_thread):
    """--threads holds for the whole process."""


def test_the_list_names_every_set_in_a_line_of_80_columns(capsys):
    assert main(["data", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*SETS]
    assert max(map(len, [head, *lines])) <= 80
    assert re.fullmatch(
        r"us-names +36 kB +yes +package +First names of the United States", lines[4]
    )
    assert re.fullmatch(r"python-library +varies +Python +Python's standard library", lines[8])


def test_the_list_as_json_has_what_the_cards_have(capsys):
    assert main(["data", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for card, said in zip(SETS.values(), found, strict=True):
        assert said["has_pairs"] == bool(card.pairs) and said["comes_as"] == card.comes_as
        for field in ("name", "title", "licence", "sha256", "size", "characters", "floor", "url"):
            assert said[field] == getattr(card, field)


def test_a_card_and_the_first_lines(capsys):
    assert main(["data", "show", "king-james-bible", "--lines", "2"]) == 0
    out = capsys.readouterr().out
    card, lines = out.rsplit("\n\n", 1)
    assert lines.splitlines()[0] == "In the beginning God created the heaven and the earth."
    assert len(lines.splitlines()) == 2 and lines.endswith(" ...\n")
    assert card.startswith("King James Bible\n")
    assert re.search(rf"^SHA-256: +{SETS['king-james-bible'].sha256}$", card, re.M)
    assert re.search(r"^characters: +4,139,818$", card, re.M)
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize("name", SETS)
def test_a_card_without_lines_opens_nothing(capsys, monkeypatch, name):
    monkeypatch.setattr("minigpt.commands.data.run.open_text", None)
    assert main(["data", "show", name, "--lines", "0"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    card = SETS[name]
    for said in (card.title, card.about, card.licence, card.sha256, card.row, card.url):
        assert said in out
    assert main(["data", "show", name, "--lines", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == name and "lines" not in found


def test_lines_as_json_are_whole(capsys):
    assert main(["data", "show", "us-names", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == open_text("us-names").splitlines()[:5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["data"], "Missing argument '{list|show}'"),
        (["data", "lists"], "'lists' is not one of 'list', 'show'"),
        (["data", "show"], "NAME is missing: minigpt data list has the names"),
        (["data", "show", "king-james"], "NAME is 'king-james': no data set; did you mean king-j"),
        (["data", "show", "xyz"], "NAME is 'xyz': no data set; there are shakespeare, "),
        (["data", "list", "dates"], "dates was given to minigpt data list: it is one of show's"),
        (["data", "list", "--lines", "3"], "--lines was given to minigpt data list"),
        (["data", "show", "dates", "--lines=-1"], "'--lines': -1 is not in the range x>=0"),
        (["train", "run", "--data", "kjv", "--text", "x"], "--data is 'kjv': no data set"),
        (["train", "run", "--data", "dates", "--text", "x"], "--data and --text were both given"),
        (["train", "run", "--data", "date"], "--data is 'date': no data set; did you mean dates?"),
        (["train", "run", "--data", ""], "'--data': it is empty, as a variable of the shell"),
    ],
)
def test_what_is_refused_is_one_line_and_nothing_is_made(
    tmp_path, monkeypatch, capsys, options, message
):
    monkeypatch.chdir(tmp_path)
    assert main(options) == 2
    out, err = capsys.readouterr()
    assert message in err and out == "" and not [*tmp_path.iterdir()]


def test_a_text_that_cannot_be_fetched_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(fetched.VARIABLE, str(tmp_path))
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert main(["data", "show", "tiny-stories"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("TinyStories") and err.count("\n") == 1
    assert "pip install pooch, or save https://" in err
    assert main(["train", str(tmp_path / "run"), "--data", "tiny-stories"]) == 2
    assert "pip install pooch" in capsys.readouterr().err


@pytest.fixture
def few_rows(monkeypatch):
    """A small task in the place of the one that is called so."""
    monkeypatch.setattr(sorting, "ROWS", 300)
    monkeypatch.setitem(SETS, "sorting", replace(SETS["sorting"], sha256=""))
    open_text.cache_clear()
    yield
    open_text.cache_clear()


@pytest.mark.parametrize("name", ["us-names", "sorting"])  # a text, and a task
def test_a_run_learns_from_a_data_set(tmp_path, capsys, few_rows, name):
    options = ["--tokenizer=characters", "--steps=2", "--batch-size=128", *SIZES]
    assert main(["train", str(tmp_path / "run"), "--data", name, *options]) == 0
    assert "validation loss" in capsys.readouterr().out
    tokenizer = open_tokenizer(tmp_path / "run")
    parts = [
        open_tokens(tmp_path / "run" / "tokens" / f"{part}.safetensors", tokenizer.vocab_size)
        for part in ("training", "validation")
    ]
    assert tokenizer.decode(torch.cat(parts).tolist()) == open_text(name)
    settings = json.loads((tmp_path / "run" / "run.json").read_text())
    assert settings["command"].startswith("minigpt")


def test_a_tokenizer_that_lacks_a_letter_is_told_the_sets_name(tmp_path, capsys):
    options = ["--data=us-names", "--tokenizer=characters", "--steps=1", "--batch-size=128", *SIZES]
    assert main(["train", str(tmp_path / "names"), *options, "-q"]) == 0
    start = f"--from={tmp_path / 'names'}"
    assert main(["train", str(tmp_path / "run"), "--data=dates", start, "--threads=1"]) == 2
    said = capsys.readouterr().err
    assert "whose tokenizer cannot read dates: character '2'" in said
    assert "give another --data, or train from the start with --tokenizer characters" in said


def test_the_examples_of_the_help_are_understood():
    lines = re.findall(r"^minigpt data (.*)$", EXAMPLES, re.M)
    assert len(lines) >= 3
    for line in lines:
        found = command.make_context("data", shlex.split(line), **minigpt.context_settings).params
        assert found["what"] == "list" or found["name"] in SETS


def test_a_shell_completes_the_names(monkeypatch, capsys):
    monkeypatch.setenv("_MINIGPT_COMPLETE", "zsh_complete")
    for words, wanted in (
        ("minigpt data show king", "king-james-bible"),
        ("minigpt train run --data arith", "arithmetic"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        with pytest.raises(SystemExit):
            main([])
        assert wanted in capsys.readouterr().out
