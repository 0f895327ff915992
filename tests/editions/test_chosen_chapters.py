"""Commands that take chapters take those there are."""

import sys

import book_sources
import pytest

from editions.shared.command import chosen_chapters


def chosen(monkeypatch, *stems):
    monkeypatch.setattr(sys, "argv", ["slides.py", *stems])
    return chosen_chapters("Slides.")


def test_all_by_default_or_those_named(monkeypatch):
    known = book_sources.stems()
    assert chosen(monkeypatch) == known
    assert chosen(monkeypatch, known[1]) == [known[1]]


def test_an_unknown_one_is_refused_with_the_list(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        chosen(monkeypatch, book_sources.stems()[0], "nowhere")
    told = capsys.readouterr().err
    assert f"there is no chapter 'nowhere'; there are: {', '.join(book_sources.stems())}" in told
