"""Files that are whole or not there, and JSON that must be whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minigpt.data.whole_file import read_json, write_whole


def test_what_is_written_is_read(tmp_path):
    write_whole(tmp_path / "a", b"\x00\xff")
    write_whole(str(tmp_path / "a"), b"new")
    assert (tmp_path / "a").read_bytes() == b"new" and len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failure):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fail(*args):
        raise failure

    for name in ("replace", "fsync"):  # the last step, and one before it
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(failure):
                write_whole(path, b"new")
        assert path.read_bytes() == b"old" and [*tmp_path.iterdir()] == [path]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    seen, rename = [], os.replace

    def look(source, target):
        seen.append((Path(source).read_bytes(), Path(target).read_bytes(), Path(source).parent))
        rename(source, target)

    monkeypatch.setattr(os, "replace", look)
    write_whole(path, b"new")
    assert seen == [(b"new", b"old", tmp_path)]  # in the same folder, so on the same disk


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to write a in: make it"):
        write_whole(tmp_path / "nowhere" / "a", b"")


def test_json_is_read_as_utf_8(tmp_path):
    (tmp_path / "a.json").write_bytes('{"é": [1, null]}'.encode())
    assert read_json(tmp_path / "a.json") == read_json(str(tmp_path / "a.json")) == {"é": [1, None]}
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.json").read_bytes())
    assert read_json(tmp_path / "b.json") == {"é": [1, None]}


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "a.json", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"no file {path}: check the name"):
            read_json(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": 1',
        b"{'a': 1}",
        b"\xff\xfe{}",
        b"{} {}",
        pytest.param(b"[" * 10**5, id="deep"),
    ],
)
def test_what_is_no_whole_json_is_refused_by_name(tmp_path, data):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.json is no whole JSON file \(.*was cut short"):
        read_json(tmp_path / "a.json")
