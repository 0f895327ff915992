"""Every program of the book prints in any encoding: a folder may be named in letters it lacks."""

from __future__ import annotations

import importlib
import io
import sys

import pytest
import terminal

PROGRAMS = ["chapters", "verify", "serve", "editions.downloads"]
PROGRAMS += [f"editions.{name}" for name in ("built.stills", "print.pdf", "print.epub")]
PROGRAMS += [f"editions.{name}" for name in ("slides.deck", "workshop.sheets", "posts.blog")]


def screen(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_replaced(monkeypatch, encoding):
    monkeypatch.setattr(sys, "stdout", screen(encoding))
    terminal.replace_unknown_letters()
    print("läuf → ru n \udc80", flush=True)
    shown = sys.stdout.buffer.getvalue().decode(encoding)
    assert shown == "läuf → ru n ?\n".encode(encoding, "replace").decode(encoding)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_does_so(monkeypatch, program):
    monkeypatch.setattr(sys, "stdout", screen("ascii"))
    monkeypatch.setattr(sys, "argv", [program, "--help"])
    with pytest.raises(SystemExit) as leave:
        importlib.import_module(program).main()
    assert leave.value.code == 0 and sys.stdout.errors == "replace"


def test_a_standard_output_of_another_kind_stays_as_it_is(monkeypatch):
    for other in (io.StringIO(), None):  # a notebook's, and none at all
        monkeypatch.setattr(sys, "stdout", other)
        terminal.replace_unknown_letters()
        assert sys.stdout is other
