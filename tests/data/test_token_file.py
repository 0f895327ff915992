"""Tokens on disk: the same ones back, mapped and not read, whole or refused."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from minigpt.data import whole_file
from minigpt.data.token_file import open_tokens, write_tokens
from minigpt.training import Windows

linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux what is mapped")


def some_ids(vocab_size: int, count: int = 1000) -> torch.Tensor:
    ids = torch.randint(vocab_size, (count,), generator=torch.Generator().manual_seed(0))
    ids[:2] = torch.tensor([0, vocab_size - 1])
    return ids


def mapped_file(address: int) -> str:
    """The file that is mapped where a number lies in memory."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        parts = line.split(maxsplit=5)
        first, last = (int(x, 16) for x in parts[0].split("-"))
        if first <= address < last:
            return parts[5] if len(parts) == 6 else ""
    raise AssertionError("no such address")


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# There and back.


@pytest.mark.parametrize(
    ("vocab_size", "dtype"),
    [
        (2, torch.uint16),
        (4096, torch.uint16),
        (32_769, torch.uint16),
        (65_535, torch.uint16),
        (65_536, torch.uint16),
        (65_537, torch.int32),
        (200_019, torch.int32),
    ],
)
def test_ids_come_back_in_as_few_bytes_as_they_need(tmp_path, vocab_size, dtype):
    ids = some_ids(vocab_size)
    write_tokens(tmp_path / "ids", ids, vocab_size)
    opened = open_tokens(tmp_path / "ids", vocab_size)
    assert opened.dtype == dtype and opened.shape == ids.shape
    assert torch.equal(opened.long(), ids)
    size = (tmp_path / "ids").stat().st_size
    assert 0 < size - len(ids) * dtype.itemsize < 200


@pytest.mark.parametrize("dtype", [None, torch.uint8, torch.uint16, torch.int32, torch.int64])
def test_lists_and_tensors_of_any_integers_are_written(tmp_path, dtype):
    ids = [5, 0, 99, 7]
    write_tokens(tmp_path / "ids", ids if dtype is None else torch.tensor(ids, dtype=dtype), 100)
    assert open_tokens(str(tmp_path / "ids"), 100).tolist() == ids


def test_an_opened_text_can_be_written_again_over_itself(tmp_path):
    ids = some_ids(60_000)
    write_tokens(tmp_path / "ids", ids, 60_000)
    write_tokens(tmp_path / "ids", opened := open_tokens(tmp_path / "ids", 60_000), 70_000)
    assert torch.equal(open_tokens(tmp_path / "ids", 70_000).long(), ids)
    assert torch.equal(opened.long(), ids)  # still of the old file


def test_another_program_reads_it(tmp_path):
    write_tokens(tmp_path / "ids", [1, 2, 3], 10)
    tensors = load_file(tmp_path / "ids")
    assert set(tensors) == {"ids"} and tensors["ids"].tolist() == [1, 2, 3]


def test_windows_of_a_file_are_those_of_the_text(tmp_path):
    for vocab_size in (65_536, 65_537):
        ids = some_ids(vocab_size)
        write_tokens(tmp_path / "ids", ids, vocab_size)
        mapped, held = (
            Windows(x, 16, seed=1) for x in (open_tokens(tmp_path / "ids", vocab_size), ids)
        )
        for step in range(20):
            for ours, theirs in zip(mapped.batch(step, 8), held.batch(step, 8), strict=True):
                assert torch.equal(ours, theirs)


# Mapped, not read.


@linux
def test_an_opened_file_is_mapped(tmp_path):
    path = tmp_path / "ids"
    write_tokens(path, some_ids(4096), 4096)
    ids = open_tokens(path, 4096)
    assert mapped_file(ids.data_ptr()) == str(path.resolve())
    assert mapped_file(ids[500:].data_ptr()) == str(path.resolve())
    assert mapped_file(ids.clone().data_ptr()) != str(path.resolve())


@linux
def test_opening_a_text_of_two_thousand_million_tokens_takes_no_memory(tmp_path):
    path, count = tmp_path / "ids", 2**31
    layout = {"dtype": "U16", "shape": [count], "data_offsets": [0, 2 * count]}
    header = json.dumps({"__metadata__": {"vocab_size": "4096"}, "ids": layout}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:  # 4 GiB of zeros, of which the disk holds none
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 2 * count)
    before = resident()
    ids = open_tokens(path, 4096)
    windows = Windows(ids[-1000:], 256, seed=1).batch(0, 4)[0]
    assert ids.shape == (count,) and not windows.any()
    assert resident() - before < 2**26


# Whole or not at all.


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_tokens(tmp_path / "ids", [1, 2, 3], 10)
    before = (tmp_path / "ids").read_bytes()

    def fail(*args) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(whole_file.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_tokens(tmp_path / "ids", [4] * 100, 10)
    assert (tmp_path / "ids").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["ids"]


# Errors.


@pytest.mark.parametrize(("bad", "vocab_size"), [(10, 10), (-1, 10), (70_000, 65_536)])
def test_an_id_outside_the_vocabulary_is_refused(tmp_path, bad, vocab_size):
    match = rf"^id {bad} is not in a vocabulary of {vocab_size} tokens, 0 to {vocab_size - 1}: "
    for ids in ([0, bad, 1], torch.tensor([0, bad, 1])):
        with pytest.raises(ValueError, match=match):
            write_tokens(tmp_path / "ids", ids, vocab_size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ids", [[], torch.zeros(0, dtype=torch.long), torch.zeros(2, 3).long()])
def test_ids_that_are_no_list_of_some_are_refused(tmp_path, ids):
    match = r"^ids has the shape \(.*\); give a list of at least one token$"
    with pytest.raises(ValueError, match=match):
        write_tokens(tmp_path / "ids", ids, 10)


@pytest.mark.parametrize("ids", [[1.5, 2.0], torch.tensor([1.0])])
def test_ids_that_are_no_integers_are_refused(tmp_path, ids, as_readers_run_it):
    with pytest.raises(ValueError, match=r"^ids hold torch\.float32; they must be integers"):
        write_tokens(tmp_path / "ids", ids, 10)
    assert not list(tmp_path.iterdir())


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^no file .*ids: write_tokens makes one$"):
        open_tokens(tmp_path / "ids", 10)
    with pytest.raises(FileNotFoundError, match=r"no folder .* to write ids in: make it first"):
        write_tokens(tmp_path / "none" / "ids", [1], 10)


@pytest.mark.parametrize("keep", [0, 4, 8, 60, 200, -1])
def test_a_file_cut_short_is_refused(tmp_path, keep):
    path = tmp_path / "ids"
    write_tokens(path, some_ids(100), 100)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"ids is no whole file of tokens \(.*\): write it again$"):
        open_tokens(path, 100)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "text").write_text("First Citizen: Before we proceed any further, hear me speak.")
    save_file({"weight": torch.zeros(3)}, tmp_path / "weights", {"vocab_size": "100"})
    for name in ("text", "weights"):
        with pytest.raises(ValueError, match=f"{name} is no whole file of tokens .*write it again"):
            open_tokens(tmp_path / name, 100)
    save_file({"ids": torch.zeros(3, dtype=torch.int32)}, tmp_path / "bare")
    with pytest.raises(ValueError, match="bare holds ids of a vocabulary of None tokens, not 100"):
        open_tokens(tmp_path / "bare", 100)


@pytest.mark.parametrize("other", [99, 101, 65_537])
def test_a_file_of_another_vocabulary_is_refused(tmp_path, other):
    write_tokens(tmp_path / "ids", some_ids(100), 100)
    match = rf"ids holds ids of a vocabulary of 100 tokens, not {other}: write it again with the"
    with pytest.raises(ValueError, match=match):
        open_tokens(tmp_path / "ids", other)
