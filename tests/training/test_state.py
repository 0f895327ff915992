"""States on disk: whole or passed over, whatever happened to them."""

from __future__ import annotations

import json
import os
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from minigpt.training.state import KEPT, load_latest, read_state, save_state

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


def state(step: int = 4) -> tuple[dict[str, Tensor], dict]:
    """Small, with every kind of tensor that a trainer keeps, and awkward numbers."""
    generator = torch.Generator().manual_seed(step)
    tensors = {
        "model.a.weight": torch.randn(3, 2, generator=generator),
        "model.a.bias": torch.tensor([-0.0, float("nan"), 1e-45, float("inf")]),
        "optimizer.step.a.weight": torch.tensor(float(step)),
        "optimizer.half": torch.randn(5, generator=generator).bfloat16(),
        "optimizer.count": torch.tensor([2**53 + 1]),
    }
    return tensors, {"steps_taken": step, "scaler": {}, "best": 0.1 + step, "none": None}


def bits(tensors: dict[str, Tensor]) -> dict[str, tuple]:
    return {
        name: (tensor.dtype, tensor.shape, tensor.reshape(-1).view(torch.uint8).tolist())
        for name, tensor in tensors.items()
    }


def same(found, expected) -> bool:
    return bits(found[0]) == bits(expected[0]) and found[1] == expected[1]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_saved_is_read_to_the_bit(tmp_path):
    path = save_state(tmp_path / "states", *state())
    assert path == tmp_path / "states" / "step-00000004.safetensors"
    assert same(read_state(path), state())
    assert same(load_latest(str(tmp_path / "states")), state())


def test_parameters_and_views_can_be_saved(tmp_path):
    weight = torch.nn.Parameter(torch.arange(6.0).view(2, 3))
    path = save_state(str(tmp_path), {"w": weight, "t": weight.T}, {"steps_taken": 1})
    tensors, _ = read_state(path)
    assert torch.equal(tensors["w"], weight) and torch.equal(tensors["t"], weight.T)
    assert weight.requires_grad and not tensors["w"].requires_grad


def test_equal_states_give_equal_files(tmp_path):
    tensors, numbers = state()
    save_state(tmp_path / "0", tensors, numbers)
    for _ in range(5):
        tensors = dict(reversed(tensors.items()))
        save_state(tmp_path / "1", tensors, numbers)
        assert contents(tmp_path / "1") == contents(tmp_path / "0")


def test_a_folder_without_states_has_none(tmp_path):
    assert load_latest(tmp_path) is None
    assert load_latest(tmp_path / "nowhere") is None
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".step-00000004.safetensors.77.tmp").write_bytes(b"half")  # of a killed process
    assert load_latest(tmp_path) is None


def test_a_folder_is_made_but_not_the_one_above(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_state(tmp_path / "nowhere" / "states", *state())
    assert not any(tmp_path.iterdir())


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for step in (9, 10, 99, 100, 12_345):
        save_state(tmp_path, *state(step))
        assert same(load_latest(tmp_path), state(step))
        assert len([*tmp_path.glob("step-*")]) == min(KEPT, 1 if step == 9 else 2)
    names = ("notes.txt", "step-00000100.safetensors", "step-00012345.safetensors")
    assert {*contents(tmp_path)} == {*names} and KEPT == 2


# Damaged files.


def test_no_flipped_bit_goes_unseen(tmp_path):
    """Two of every byte. The header ends in blanks, and one blank is as good as another."""
    path = save_state(tmp_path, *state())
    data = path.read_bytes()
    harmless = 0
    for place in range(len(data)):
        for bit in (place % 8, (place + 3) % 8):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            try:
                found = read_state(path)
            except ValueError as error:
                assert str(path) in str(error)
            else:
                assert same(found, state()), (place, bit)
                assert data[place : place + 1] == b" "
                harmless += 1
    assert harmless <= 2 * 7


def test_no_cut_and_no_growth_goes_unseen(tmp_path):
    path = save_state(tmp_path, *state())
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"step-00000004\.safetensors is not wh"):
            read_state(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ValueError, match=r"is not whole"):
        read_state(path)


OTHER_KINDS = {
    "JSON": b'{"steps_taken": 4}',
    "a pickle": pickle.dumps({"steps_taken": 4}),
    "zeros": bytes(1000),
    "weights alone": save({"model.a": torch.zeros(2)}),
    "weights of others": save({"model.a": torch.zeros(2)}, {"format": "pt"}),
    "no digest": save(state()[0], {"state": json.dumps(state()[1])}),
    "a wrong digest": save(state()[0], {"state": f"{'0' * 64} {json.dumps(state()[1])}"}),
}


@pytest.mark.parametrize("data", OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_another_kind_of_file_is_refused(tmp_path, data):
    path = tmp_path / "step-00000004.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"the checkpoint .*step-00000004\.safetensors is not"):
        read_state(path)


def test_tensors_that_changed_places_are_seen(tmp_path):
    numbers = state()[1]
    a, b = torch.zeros(2), torch.ones(2)
    path = save_state(tmp_path, {"a": a, "b": b}, numbers)
    metadata = json.loads(path.read_bytes()[8:].split(b"}}", 1)[0] + b"}}")["__metadata__"]
    assert same(read_state(path), ({"a": a, "b": b}, numbers))
    for swapped in ({"a": b, "b": a}, {"a": a, "c": b}, {"a": a, "b": b.view(1, 2)}, {"a": a}):
        path.write_bytes(save(swapped, metadata))
        with pytest.raises(ValueError, match="is not what was written: its digest differs"):
            read_state(path)


def test_a_damaged_state_is_passed_over_with_a_warning(tmp_path):
    save_state(tmp_path, *state(4))
    path = save_state(tmp_path, *state(8))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"step-00000008\.safetensors is not whole .* before it"):
        found = load_latest(tmp_path)
    assert same(found, state(4))


def test_if_all_are_damaged_it_says_so(tmp_path):
    for step in (4, 8):
        save_state(tmp_path, *state(step)).write_bytes(b"")
    match = r"none of the 2 checkpoints in .* is whole: delete that folder"
    with pytest.warns(UserWarning) as caught, pytest.raises(ValueError, match=match):
        load_latest(tmp_path)
    assert len(caught) == 2


def test_gone_back_to_before_a_damaged_state_two_whole_ones_are_kept_again(tmp_path):
    save_state(tmp_path, *state(4))
    save_state(tmp_path, *state(8)).write_bytes(b"")
    for step in (5, 6):
        save_state(tmp_path, *state(step))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert same(load_latest(tmp_path), state(step))
    assert {*contents(tmp_path)} == {f"step-0000000{step}.safetensors" for step in (5, 6)}


# Writes that fail.


@needs_dev_full
def test_a_full_disk_leaves_the_states_as_they_were(tmp_path):
    """/dev/full takes no byte: the system's own error, not one of ours."""
    for step in (4, 8):
        save_state(tmp_path, *state(step))
    before = contents(tmp_path)
    (tmp_path / f".step-00000012.safetensors.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        save_state(tmp_path, *state(12))
    assert contents(tmp_path) == before
    save_state(tmp_path, *state(12))
    assert same(load_latest(tmp_path), state(12))


def test_a_write_that_is_interrupted_leaves_the_states_as_they_were(tmp_path, monkeypatch):
    for step in (4, 8):
        save_state(tmp_path, *state(step))
    before = contents(tmp_path)

    def stop(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save_state(tmp_path, *state(12))
    assert contents(tmp_path) == before
