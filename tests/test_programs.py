"""Programs that tests need: a missing one is said, and none outlives its test."""

from __future__ import annotations

import os
import select
import sys

import programs
import pytest
from programs import LIMIT, required, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs groups of processes")
SAY = "import time; print('ready 7', flush=True); time.sleep(60)"
HOLD = f"held = open('held', 'w'); {SAY}"


@pytest.mark.parametrize(
    ("ci", "end"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_a_missing_program_is_named_with_its_package(monkeypatch, ci, end):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(end, match=r"no fox: install it .*apt-get install fox-esr"):
        required(("fox", "vixen"), "fox-esr")


def test_the_first_that_is_there_is_taken():
    assert required(("fox", "sh"), "fox-esr").endswith("/sh")


def test_its_words_are_heard_and_its_children_end_with_it(tmp_path):
    """Its child would hold a pipe open for a minute."""
    os.mkfifo(tmp_path / "held")
    child = f"subprocess.Popen([sys.executable, '-c', {HOLD!r}])"
    with running([sys.executable, "-c", f"import subprocess, sys; {child}.wait()"], tmp_path) as it:
        held = os.open(tmp_path / "held", os.O_RDONLY)
        assert it.said(r"ready (\d)") == "7"
        assert select.select([held], [], [], 0) == ([], [], [])
    assert select.select([held], [], [], LIMIT) == ([held], [], [])
    os.close(held)


def test_silence_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "LIMIT", 0.1)
    with (
        running([sys.executable, "-c", SAY], tmp_path) as program,
        pytest.raises(TimeoutError, match=r"said nothing like .*never"),
    ):
        program.said("(never)")


def test_a_program_that_has_ended_is_not_waited_for(tmp_path):
    with (
        running([sys.executable, "-c", "print('cannot open display')"], tmp_path) as program,
        pytest.raises(TimeoutError, match="cannot open display"),
    ):
        program.said("(never)")
