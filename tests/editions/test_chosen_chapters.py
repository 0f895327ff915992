"""Commands that take chapters take those there are."""

import sys

import chapters
import chosen_chapters
import pytest


def chosen(monkeypatch, *stems):
    monkeypatch.setattr(sys, "argv", ["slides.py", *stems])
    return chosen_chapters.chosen_chapters("Slides.")


def test_all_by_default_or_those_named(monkeypatch):
    known = chapters.stems()
    assert chosen(monkeypatch) == known
    assert chosen(monkeypatch, known[1]) == [known[1]]


def test_an_unknown_one_is_refused_with_the_list(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        chosen(monkeypatch, chapters.stems()[0], "nowhere")
    told = capsys.readouterr().err
    assert f"there is no chapter 'nowhere'; there are: {', '.join(chapters.stems())}" in told
