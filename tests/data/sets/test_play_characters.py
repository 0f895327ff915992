"""Who is in which play: right by the text, by what everybody knows, and cut without overlap."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest

from minigpt.data import shakespeare, train_validation_split
from minigpt.data.sets import open_pairs
from minigpt.data.sets import play_characters as task
from minigpt.data.sets.play_characters import WORDINGS, Split

KNOWN = {  # from the lists of persons in any edition
    "CASSIO": "Othello",
    "SHYLOCK": "The Merchant of Venice",
    "PUCK": "A Midsummer Night's Dream",
    "HOTSPUR": "Henry IV, Part 1",
    "DOLL TEARSHEET": "Henry IV, Part 2",
    "FLUELLEN": "Henry V",
    "CADE": "Henry VI, Part 2",
    "PAROLLES": "All's Well That Ends Well",
    "HERMIONE": "The Winter's Tale",
    "PROTEUS": "The Two Gentlemen of Verona",
    "LADY MACBETH": "Macbeth",
    "MERCUTIO": "Romeo and Juliet",
    "KING LEAR": "King Lear",
    "THERSITES": "Troilus and Cressida",
}
# In several plays, under one name or two; or nobody's name.
LEFT_OUT = ("FALSTAFF", "ANTONIO", "JULIET", "GLOUCESTER", "ANTONY", "MARK ANTONY", "CAESAR")
LEFT_OUT += ("HENRY BOLINGBROKE", "First Lord", "Messenger", "ALL", "KING", "QUEEN", "BASTARD")


def test_characters_by_what_everybody_knows():
    found = dict(open_pairs("play-characters"))
    for name, title in KNOWN.items():
        assert found[f"In which play is {name}?"] == title
    assert not {f"In which play is {name}?" for name in LEFT_OUT} & found.keys()
    assert (len(found), len({*found.values()})) == (308, 37)  # Henry VI, Part 3 has none


def test_all_speak_often_and_in_one_stretch_of_the_text():
    """By places in the whole text: a play is no longer than 180,000 characters."""
    places: dict[str, list[int]] = {}
    for turn in re.finditer(r"(?:\A|(?<=\n\n))(.+):$", shakespeare(), re.MULTILINE):
        places.setdefault(turn[1], []).append(turn.start())
    stretches: dict[str, list[int]] = {}
    for name, title in task.characters().items():
        assert len(places[name]) >= 10
        stretches[title] = stretches.get(title, []) + places[name]
    spans = sorted((min(found), max(found)) for found in stretches.values())
    assert all(last - first < 180_000 for first, last in spans)
    assert all(last < first for (_, last), (first, _) in itertools.pairwise(spans))


def test_a_solution_knows_every_wording():
    assert len(WORDINGS) == 6 == len({*WORDINGS})
    for wording in WORDINGS:
        assert task.solution(wording.format(name="CASSIO")) == "Othello"
    assert all(task.solution(prompt) == answer for prompt, answer in task.pairs())


@pytest.mark.parametrize("prompt", ["", "CASSIO", "In which play is FALSTAFF?", "Where is CASSIO?"])
def test_what_is_no_question_is_refused(prompt):
    with pytest.raises(ValueError, match=re.escape(f"{prompt!r} is no question of this data set")):
        task.solution(prompt)


def test_a_split_tells_half_of_each_play_that_was_read():
    split = task.told_and_untold()
    assert isinstance(split, Split)
    assert sorted([*split.told, *split.untold, *split.unread]) == sorted(task.pairs())
    told, untold = (Counter(answer for _, answer in part) for part in split[:2])
    assert all(told[title] - untold[title] in (0, 1) for title in told | untold)
    assert (len(split.told), len(split.untold), len(split.unread)) == (148, 128, 32)
    last_four = {"Macbeth", "Othello", "Romeo and Juliet", "Timon of Athens"}
    assert {answer for _, answer in split.unread} == last_four


def test_what_counts_as_read_stands_in_the_training_text():
    training, validation = train_validation_split(shakespeare())
    split = task.told_and_untold()
    names = {part: [_name(pair.prompt) for pair in rows] for part, rows in split._asdict().items()}
    for name in names["told"] + names["untold"]:
        assert f"\n\n{name}:\n" in training and f"\n\n{name}:\n" not in validation
    assert all(f"\n\n{name}:\n" in validation for name in set(names["unread"]) - {"DUNCAN"})


def _name(prompt: str) -> str:
    return prompt.removeprefix("In which play is ").removesuffix("?")
