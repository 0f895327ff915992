"""Both Bibles, verse by verse: an index by Python's own parser, and verses known by heart."""

from __future__ import annotations

import ast

import pytest

from minigpt.data.corpus import package_path
from minigpt.data.sets import bible
from minigpt.data.sets.bible import KING_JAMES, WORLD_ENGLISH, clean, verses


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        (
            (1, 1, 1),
            "In the beginning God created the heaven and the earth.",
            "In the beginning God created the heavens and the earth.",
        ),
        (
            (43, 3, 16),
            "For God so loved the world, that he gave his only begotten Son, that whosoever "
            "believeth in him should not perish, but have everlasting life.",
            "For God so loved the world, that he gave his one and only Son, that whoever believes "
            "in him should not perish, but have eternal life.",
        ),
        (
            (19, 23, 1),  # a psalm's title stands before it, and "[is]" in the King James
            "The LORD is my shepherd; I shall not want.",
            "Yahweh is my shepherd: I shall lack nothing.",
        ),
        ((43, 11, 35), "Jesus wept.", "Jesus wept."),
    ],
)
def test_verses_by_hand(place, old, new):
    assert verses(KING_JAMES)[place] == old and verses(WORLD_ENGLISH)[place] == new


def test_all_verses_are_there():
    old, new = verses(KING_JAMES), verses(WORLD_ENGLISH)
    assert (len(old), len(new)) == (31_102, 31_098)  # without Luke 17:36, Acts 8:37, 15:34, 24:7
    assert old.keys() - new.keys() == {
        *((42, 17, 36), (44, 8, 37), (44, 15, 34), (44, 24, 7)),
        *((45, 16, verse) for verse in (25, 26, 27)),
    }
    assert new.keys() - old.keys() == {(45, 14, verse) for verse in (24, 25, 26)}
    for found in (old, new):
        assert list(found) == sorted(found) and len({book for book, *_ in found}) == 66
        assert all(verse == " ".join(verse.split()) and verse.isascii() for verse in found.values())


def test_places_are_those_that_pythons_own_parser_finds():
    """Of a part of the file: the whole takes the parser seconds."""
    file = package_path(KING_JAMES, "plain_text_readers_bible.py").read_text("utf-8")
    table = file[file.index('""",') + 4 :].split("}")[0]
    lines = [*table.strip().strip("{").strip().splitlines()[:2000]]
    parsed = ast.literal_eval("{" + "".join(lines) + "}")
    found = {int(key): int(at) for key, at in bible.PLACE.findall("\n".join(["", *lines]))}
    first = dict(list(parsed.items())[1:])  # whose spaces were stripped
    assert found == first and len(found) == 1999


@pytest.mark.parametrize(
    ("source", "verse"),
    [
        (" and darkness [was] upon the face ", "and darkness was upon the face"),
        ("his wife\u2019s name, C\u00e6sar, \u00c6neas", "his wife's name, Caesar, Aeneas"),
        ("their sin\u2014; and", "their sin--; and"),
        ("I don`t,    says he:\n", "I don't, says he:"),
        ("( Now the man Moses", "(Now the man Moses"),
        ("of first -[fruits] you -- said - that", "of first-fruits you -- said - that"),
        ("perish in the way.      Psalm 3  A Psalm by David, of Absalom.", "perish in the way."),
        ("and amen.     BOOK II      Psalm 42  A song.", "and amen."),
        ("endures forever.  SIN AND SHIN", "endures forever."),
        ("forsake me.  BEIT", "forsake me."),
        ("this name, YAHWEH YOUR GOD", "this name, YAHWEH YOUR GOD"),
        (" dummy verses inserted by amos", ""),
        (" empty verses content detected by amos", ""),
    ],
)
def test_what_is_cleaned(source, verse):
    assert clean(source) == verse


def test_parallel_verses_are_the_same_verse():
    pairs = bible.into_early_modern()
    assert len(pairs) == 31_098
    by_prompt = {prompt: answer for prompt, answer in pairs}
    assert by_prompt["Jesus wept."] == "Jesus wept."
    end = "to the only wise God, through Jesus Christ, to whom be the glory forever! Amen."
    assert by_prompt[end] == "To God only wise, be glory through Jesus Christ for ever. Amen."
    assert bible.into_modern()[5] == (pairs[5].answer, pairs[5].prompt)
    lengths = [len(answer) / len(prompt) for prompt, answer in pairs]
    assert 0.9 < sum(lengths) / len(lengths) < 1.1 and sum(x > 2 for x in lengths) < 10


def test_a_chapter_ends_with_an_empty_line():
    text = bible.king_james_text()
    assert text.count("\n\n") == 1189 - 1 and text.count("\n") == 31_102 + 1188
    assert text[-6:] == "Amen.\n" and "first day.\n" in text[:1000]
