"""Texts that are fetched: by a server of our own, offline, damaged, and without pooch."""

from __future__ import annotations

import hashlib
import sys
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from minigpt.data.sets import SETS, fetched, opening
from minigpt.data.sets.fetched import fetch

TEXT = "First Citizen:\nBefore we proceed\r\n\u00e9\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()


@pytest.fixture
def server(tmp_path):
    """A text at an address, and how often it was asked for."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "input.txt").write_bytes(TEXT.encode())
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            asked.append(self.path)

    handler = partial(Handler, directory=str(tmp_path / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=partial(http.serve_forever, poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/input.txt", asked
        http.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(fetched.VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def card():
    return replace(SETS["tiny-shakespeare"], sha256=DIGEST, url="http://127.0.0.1:9/input.txt")


def test_a_text_is_fetched_once_and_kept(server, folder, card, capsys):
    address, asked = server
    card = replace(card, url=address)
    assert fetch(card) == TEXT == fetch(card)  # line ends too
    assert len(asked) == 1 and [path.name for path in folder.iterdir()] == ["tiny-shakespeare.txt"]
    assert capsys.readouterr() == ("", "")


def test_another_text_at_the_address_is_refused_and_not_kept(server, folder, card):
    card = replace(card, url=server[0], sha256="0" * 64)
    with pytest.raises(ValueError, match=r"no longer holds Tiny Shakespeare: .* save it as .*kept"):
        fetch(card)
    assert not [*folder.glob("*")]


def test_offline_the_error_says_where_to_put_the_file(folder, card):
    with pytest.raises(
        FileNotFoundError, match=r"could not be fetched .*or save http.* as .*\.txt"
    ):
        fetch(card)
    folder.mkdir(exist_ok=True)
    (folder / "tiny-shakespeare.txt").write_bytes(TEXT.encode())
    assert fetch(card) == TEXT


def test_without_pooch_the_error_says_what_to_install(folder, card, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(FileNotFoundError, match=r"not installed: pip install pooch, or save http"):
        fetch(card)
    folder.mkdir()
    (folder / "tiny-shakespeare.txt").write_bytes(TEXT.encode())
    assert fetch(card) == TEXT


def test_a_damaged_file_is_refused(folder, card):
    folder.mkdir()
    (folder / "tiny-shakespeare.txt").write_bytes(TEXT.encode()[:-1])
    with pytest.raises(ValueError, match=rf"has the SHA-256 \w+, not {DIGEST}: .* remove it"):
        fetch(card)


def test_a_set_that_is_fetched_opens_by_its_name(folder, monkeypatch, card):
    monkeypatch.setitem(SETS, "tiny-shakespeare", card)
    folder.mkdir()
    (folder / "tiny-shakespeare.txt").write_bytes(TEXT.encode())
    assert opening.open_text.__wrapped__("tiny-shakespeare") == TEXT


def test_the_folder_is_in_the_home_where_nothing_is_said(monkeypatch):
    monkeypatch.delenv(fetched.VARIABLE, raising=False)
    assert fetched.kept_in() == Path.home() / ".cache" / "minigpt"
