"""The README's code runs and prints what the README says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex

import book_sources
import pytest

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
        assert f"(minigpt/{stem}/" in row or f"(minigpt/lessons/{stem}/" in row
        assert f"(tests/{stem}/" in row


def test_every_path_in_the_readme_exists():
    for path in re.findall(r"\]\(([^):#]+)\)", README):
        assert (book_sources.ROOT / path).exists(), path


def test_the_commands_are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (book_sources.ROOT / "Makefile").read_text("utf-8"), re.M)
    for command in re.findall(r"\bmake ([a-z-]+)\b", README):
        assert command in targets


@pytest.mark.slow
def test_the_commands_of_a_model_of_your_own_follow_each_other(tmp_path, monkeypatch, capsys):
    part = README[README.index("## Train a model") : README.index("## Chapters")]
    train, write = re.findall(r"^minigpt (.*)$", part, re.M)
    info, further = re.findall(r"`minigpt ((?:info|train second) [^`]*)`", part)
    (tmp_path / "README.md").write_text(README, "utf-8")
    monkeypatch.chdir(tmp_path)
    said = []
    for command in (train, write, info, f"{further} --steps 2"):
        threads = [] if command == info else ["--threads", "1"]
        assert main([*shlex.split(command), *threads]) == 0
        said.append(capsys.readouterr().out)
    assert load("first").config.n_embd == 64 and load("second").config == load("first").config
    assert "nats per token" in said[0] and said[1].startswith("The ") and len(said[1]) > 200
    assert re.search(r"^n_embd: +64$", said[2], re.M)
    assert re.findall(r"`minigpt (completion bash)`", part) and main(["completion", "bash"]) == 0


def test_the_command_that_lets_the_model_write(capsys):
    command = re.search(r"^minigpt (generate .*)$", README, re.M).group(1)
    written = []
    for _ in range(2):
        assert main([*shlex.split(command), "--threads", "1"]) == 0
        written.append(capsys.readouterr().out)
    assert written[0] == written[1]
    assert written[0].startswith("HAMLET:") and len(written[0]) > 200
