"""A folder is one run's alone, and what no run wrote there stays as it is."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from minigpt.data.token_file import write_token_blocks, write_tokens
from minigpt.model import GPTConfig
from minigpt.training import Recipe
from minigpt.training.batches import TextBatches
from minigpt.training.run_folder import LOCK, NAMES, claim_folder, own_folder

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=1, n_head=2, n_embd=8)
TEXT = TextBatches(torch.arange(13), 4, seed=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def claim(folder: Path) -> None:
    claim_folder(folder, CONFIG, Recipe(), TEXT, TEXT)


HOLD = """
import sys, filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_ends_with_its_process(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / LOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout.readline().strip() == b"held"
            (tmp_path / ".run.json.77.tmp").write_bytes(b"half")
            match = r"another run is at work in .*: wait for its end, stop it, or choose another"
            with pytest.raises(BlockingIOError, match=match), own_folder(tmp_path):
                raise AssertionError("held twice")
            assert (tmp_path / ".run.json.77.tmp").exists()
        finally:
            other.kill()
            other.wait(timeout=60)
    with own_folder(tmp_path):
        claim(tmp_path)
    assert {*contents(tmp_path)} == {"run.json"}


def test_who_holds_a_folder_may_ask_again_and_another_thread_may_not(tmp_path):
    folder, refused = tmp_path / "run", []

    def ask() -> None:
        try:
            with own_folder(folder):
                refused.append(False)
        except BlockingIOError:
            refused.append(True)

    def another_thread() -> bool:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return refused[-1]

    with own_folder(folder):
        with own_folder(folder):
            claim(folder)
        assert another_thread()
    assert not another_thread()


def test_folders_are_made_and_only_used_ones_stay(tmp_path):
    with own_folder(tmp_path / "a" / "b" / "run"):
        claim(tmp_path / "a" / "b" / "run")
    assert {*contents(tmp_path)} == {"a/b/run/run.json"}
    with pytest.raises(ZeroDivisionError), own_folder(tmp_path / "a" / "c" / "run"):
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    (tmp_path / "empty").mkdir()
    with own_folder(tmp_path / "empty"):
        pass
    assert (tmp_path / "empty").is_dir() and not any((tmp_path / "empty").iterdir())


@pytest.mark.parametrize("inside", ["", "run"])
def test_a_file_is_no_folder(tmp_path, inside):
    (tmp_path / "file").write_text("text")
    match = r"file is a file, and no folder: choose another folder"
    with pytest.raises(FileExistsError, match=match), own_folder(tmp_path / "file" / inside):
        raise AssertionError("made")
    assert contents(tmp_path) == {"file": b"text"}


def make_file(path: Path) -> None:
    path.write_text("mine")


def make_filled_folder(path: Path) -> None:
    path.mkdir()
    (path / "notes.txt").write_text("mine")


def make_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", [make_file, make_filled_folder, make_dangling_link])
def test_a_file_that_no_run_wrote_is_not_written_over(tmp_path, name, make):
    make(tmp_path / name)
    before = contents(tmp_path)
    match = rf" holds {name}(/notes\.txt)?, which no run has left there: move it .* another folder"
    with pytest.raises(FileExistsError, match=match), own_folder(tmp_path):
        raise AssertionError("held")
    assert contents(tmp_path) == before


def test_tokens_of_a_run_that_was_stopped_before_it_began_are_its_own(tmp_path):
    (tmp_path / "tokens").mkdir()
    write_token_blocks(tmp_path / "tokens" / "training.safetensors", [[1, 2]], 13, "a source")
    (tmp_path / "tokens" / ".validation.safetensors.77.tmp").write_bytes(b"half")
    with own_folder(tmp_path):
        claim(tmp_path)
    assert {*contents(tmp_path)} == {"run.json", "tokens/training.safetensors"}
    (tmp_path / "run.json").unlink()
    write_tokens(tmp_path / "tokens" / "mine.safetensors", [1, 2], 13)  # by hand, so not a run's
    match = r" holds tokens/mine\.safetensors, which no run has left"
    with pytest.raises(FileExistsError, match=match), own_folder(tmp_path):
        raise AssertionError("held")


def test_files_of_other_names_hinder_no_run_and_stay(tmp_path):
    (tmp_path / "states").mkdir()
    others = {
        "notes.txt": b"mine",
        "my.txt": b"a text",
        ".notes.tmp": b"",
        "model/config.json": b"",
    }
    for name, data in others.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with own_folder(tmp_path):
        claim(tmp_path)
    assert contents(tmp_path).items() >= others.items()
