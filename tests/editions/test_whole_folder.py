"""A folder is replaced by a new one, or stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from editions.shared import whole_folder


def made(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text(name, "utf-8")
    return folder


@pytest.mark.parametrize("before", [False, True])
def test_the_new_one_takes_the_place_and_nothing_else_is_left(tmp_path, before):
    folder = tmp_path / "out"
    if before:
        made(folder, "old")
    new = made(tmp_path / "scratch" / "out", "new")
    whole_folder.replace(new, folder)
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [*new.parent.iterdir()] == []


def test_the_old_one_stays_when_the_new_one_cannot_come(tmp_path):
    folder = made(tmp_path / "out", "old")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(FileNotFoundError):
        whole_folder.replace(tmp_path / "scratch" / "out", folder)
    assert [path.name for path in folder.iterdir()] == ["old"]
