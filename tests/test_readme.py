"""The README's code runs and prints what the README says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex

import book_sources

from minigpt.__main__ import main
from minigpt.exchange import load

README = (book_sources.ROOT / "README.md").read_text("utf-8")


def test_the_example_prints_what_the_readme_shows():
    code, printed = re.search(r"```python\n(.*?)```\n+```text\n(.*?)```", README, re.S).groups()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == printed


def test_every_chapter_is_in_the_table():
    for stem in book_sources.stems():
        row = next(line for line in README.splitlines() if f"book/{stem}.md" in line)
        assert f"(minigpt/{stem}/" in row
        assert f"(tests/{stem}/" in row


def test_every_path_in_the_readme_exists():
    for path in re.findall(r"\]\(([^):#]+)\)", README):
        assert (book_sources.ROOT / path).exists(), path


def test_the_commands_are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (book_sources.ROOT / "Makefile").read_text("utf-8"), re.M)
    for command in re.findall(r"\bmake ([a-z-]+)\b", README):
        assert command in targets


def test_the_training_command_trains(tmp_path, monkeypatch, capsys):
    command = re.search(r"^minigpt (train first .*)$", README, re.M).group(1)
    monkeypatch.chdir(book_sources.ROOT)  # for the README as its text
    arguments = command.replace("train first", f"train {tmp_path / 'first'}").split()
    assert main([*arguments, "--threads", "1"]) == 0
    assert load(tmp_path / "first").config.n_embd == 64
    assert "nats per token" in capsys.readouterr().out


def test_the_command_that_lets_the_model_write(capsys):
    command = re.search(r"^minigpt (generate .*)$", README, re.M).group(1)
    written = []
    for _ in range(2):
        assert main([*shlex.split(command), "--threads", "1"]) == 0
        written.append(capsys.readouterr().out)
    assert written[0] == written[1]
    assert written[0].startswith("HAMLET:") and len(written[0]) > 200
