"""What every chapter of the second edition has: few words, many drawings, a file, a rung, hints."""

from __future__ import annotations

import re

import book_sources
import chapter_notebook
import chapter_prose
import pytest

from minigpt.lessons.ladder import CHAPTERS

STEMS = book_sources.stems()
MOST_WORDS, FEWEST_DRAWINGS, FEWEST_QUESTIONS = 3000, 8, 3
EXERCISE = re.compile(r"^\*\*\d\.", re.MULTILINE)


def exercises(stem: str) -> list[str]:
    """The text of each exercise of a chapter."""
    section = re.split(rf"^\(sec:{stem}-exercises\)=$", book_sources.source(stem), flags=re.M)[1]
    section = re.split(r"^\(sec:", section, maxsplit=1, flags=re.M)[0]
    return EXERCISE.split(section)[1:]


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_is_short(stem):
    assert chapter_prose.words(stem) <= MOST_WORDS


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_is_drawn(stem):
    outputs = [o for c in chapter_notebook.committed(stem).cells for o in c.get("outputs", [])]
    html = [o.get("data", {}).get("text/html", "") for o in outputs]
    assert sum("minigpt-drawing" in text for text in html) >= FEWEST_DRAWINGS


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_asks_before_it_tells(stem):
    assert book_sources.source(stem).count("**Predict, then run.**") >= FEWEST_QUESTIONS


@pytest.mark.parametrize("stem", STEMS)
def test_the_readers_file_and_the_ladder_stand_in_the_recap(stem):
    recap = book_sources.source(stem).split(f"(sec:{stem}-recap)=")[1]
    recap = recap.split(f"(sec:{stem}-exercises)=")[0]
    assert f"```{{own-file}} {stem}" in recap
    assert stem not in CHAPTERS or f'ladder("{stem}")' in recap


@pytest.mark.parametrize("stem", STEMS)
def test_every_exercise_has_hints_that_are_asked_for(stem):
    found = exercises(stem)
    assert 3 <= len(found) <= 5
    for text in found:
        before_solution = text.split("Show a solution")[0]
        assert "{dropdown} A hint" in before_solution, text[:60]


@pytest.mark.parametrize("stem", STEMS)
def test_nothing_is_promised(stem):
    text = re.sub(r"```\{code-cell\}.*?```", "", book_sources.source(stem), flags=re.S)
    assert not re.search(r"\b(chapters|book|learned numbers) so far\b", text)
