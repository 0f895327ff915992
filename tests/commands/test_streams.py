"""Streams that are closed or full, Ctrl-C at any moment: no traceback, and nothing swallowed."""

from __future__ import annotations

import importlib
import io
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from minigpt.__main__ import main
from minigpt.commands import command, streams
from minigpt.commands.interrupts import held_back


@pytest.fixture(autouse=True)
def own_warnings(monkeypatch):
    """The command line's form of a warning is for the command line alone."""
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_a_closed_stream_was_to_print_is_dropped(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    assert main(["info"]) == 0 and main(["sing"]) == 2
    with getattr(sys, name) as put_in_its_place:
        assert put_in_its_place.name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("options", [["--help"], ["info"]])
def test_a_full_disk_is_one_line(options):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "minigpt", *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1 and done.stderr == "Error: [Errno 28] No space left on device\n"


def test_a_warning_is_one_line_without_code(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    streams.prepare_streams()
    assert warnings.formatwarning("watch out", UserWarning, "file.py", 3, "code") == (
        "minigpt: watch out\n"
    )


def test_ctrl_c_while_libraries_are_imported_comes_after_them(monkeypatch, capsys):
    """Half imported, they swallow it, or end in errors of their own."""
    imported, real = [], importlib.import_module

    def import_module(name):
        if not name.endswith(".run"):
            return real(name)
        signal.raise_signal(signal.SIGINT)
        imported.append(name)
        return SimpleNamespace(run=lambda options: pytest.fail("it ran"))

    monkeypatch.setattr(command.importlib, "import_module", import_module)
    assert main(["generate", "To be"]) == 130
    assert capsys.readouterr().err.startswith("minigpt: stopped")
    assert imported == ["minigpt.commands.generate.run"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_ones_own_is_left_alone():
    told = []
    before = signal.signal(signal.SIGINT, lambda *_: told.append(1))
    try:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            assert told == [1]
    finally:
        signal.signal(signal.SIGINT, before)
    importlib.import_module("minigpt.commands.generate.run")
