"""A test run in the background of a script, where Ctrl-C is ignored; and one without an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import os, signal, subprocess, sys, time

def test_a_child_can_be_interrupted():
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"True\\n"

def test_so_can_this_process():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    except KeyboardInterrupt:
        return
    raise AssertionError("the signal was ignored")

def test_for_ever():
    while "FOR_EVER" in os.environ:
        time.sleep(0.1)
"""


def run_in_background(folder: Path, *options: str, **environment: str) -> str:
    """What pytest says of these tests, started as a script starts its background jobs."""
    (folder / "test_planted.py").write_text(TESTS, "utf-8")
    (folder / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), *options],
        cwd=folder,
        env=os.environ | environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such jobs")
def test_interrupts_reach_what_runs_in_the_background(tmp_path):
    assert "3 passed" in run_in_background(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends the whole run instead")
def test_a_test_that_waits_for_ever_is_ended_and_named(tmp_path):
    said = run_in_background(tmp_path, "--timeout=2", FOR_EVER="1")
    assert "2 passed" in said and "1 failed" in said
    assert "FAILED test_planted.py::test_for_ever - Failed: Timeout" in said
    assert (
        0
        < tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"][
            "ini_options"
        ]["timeout"]
        < 600
    )
