"""The log of a run: on disk line by line, and without a trace of a stop."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from minigpt.training.log import TrainingLog, read_log

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_the_disk():
    """It is slow, and only a power cut would tell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: None)
        yield


def written(path: Path, lines, after: int = 0) -> Path:
    log = TrainingLog(path, after)
    for line in lines:
        log.write(**line)
    log.close()
    return path


def some_lines(steps: int) -> list[dict[str, float]]:
    """A loss at every step, and every third step's validation loss, on a line of its own."""
    lines: list[dict[str, float]] = []
    for step in range(steps + 1):
        if step:
            lines.append({"step": step, "loss": 1 / (step + 1)})
        if step % 3 == 0:
            lines.append({"step": step, "validation_loss": 2 / (step + 1)})
    return lines


def test_a_line_is_a_json_object_with_its_step(tmp_path):
    path = written(tmp_path / "log.jsonl", [{"step": 1, "loss": 0.1}, {"step": 2, "x": None}])
    assert path.read_text() == '{"step": 1, "loss": 0.1}\n{"step": 2, "x": null}\n'


def test_a_line_is_on_disk_as_soon_as_it_is_written(tmp_path):
    log = TrainingLog(tmp_path / "log.jsonl")
    for step in range(3):
        log.write(step=step, loss=1.5)
        assert len(read_log(tmp_path / "log.jsonl")) == step + 1
    log.close()


@given(numbers=st.lists(finite | st.none(), min_size=20))
def test_numbers_come_back_to_the_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.getbasetemp() / "log.jsonl"
    lines = [{"step": step, "loss": number} for step, number in enumerate(numbers)]
    found = read_log(written(path, lines))
    assert found == lines and str(found) == str(lines)  # -0.0 is not 0.0


@pytest.mark.parametrize("after", range(1, 8))
def test_a_run_that_goes_on_drops_the_lines_of_later_steps(tmp_path, after):
    lines, path = some_lines(7), tmp_path / "log.jsonl"
    written(path, lines)
    whole = path.read_bytes()
    written(path, [], after)
    assert read_log(path) == [line for line in lines if line["step"] <= after]
    written(path, [line for line in lines if line["step"] > after], after)
    assert path.read_bytes() == whole


def test_a_run_that_starts_again_starts_its_log_again(tmp_path):
    written(tmp_path / "log.jsonl", some_lines(5))
    written(tmp_path / "log.jsonl", [{"step": 0, "loss": 3.0}])
    assert read_log(tmp_path / "log.jsonl") == [{"step": 0, "loss": 3.0}]


def test_a_line_that_was_cut_short_is_dropped(tmp_path):
    """At every byte, as a kill may leave it."""
    lines, path = some_lines(3), tmp_path / "log.jsonl"
    whole = written(path, lines).read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        complete = whole[:size].count(b"\n")
        assert read_log(path) == lines[:complete]
        written(path, [], 3)
        written(path, lines[complete:], 3)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", [bytes(9), b"{\n", b"\xff\n", bytes(9) + b'\n{"step": 9}\n'])
def test_bytes_that_were_never_written_are_dropped(tmp_path, damage):
    """A power cut may leave zeros where a line was to be."""
    path = written(tmp_path / "log.jsonl", some_lines(3))
    path.write_bytes(path.read_bytes() + damage)
    assert read_log(path) == some_lines(3)
    assert read_log(written(path, [], 3)) == some_lines(3)


def test_without_a_file_there_are_no_lines(tmp_path):
    assert read_log(tmp_path / "nothing") == []
    TrainingLog(tmp_path / "log.jsonl", after=5).close()
    assert (tmp_path / "log.jsonl").read_bytes() == b""


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to write log\.jsonl in"):
        TrainingLog(tmp_path / "nowhere" / "log.jsonl")


# TensorBoard.


def test_without_tensorboard_the_error_says_what_to_install(tmp_path, monkeypatch):
    for name in ("tensorboard", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(ValueError, match=r"TensorBoard's writer is not there .* pip install tens"):
        TrainingLog(tmp_path / "log.jsonl", tensorboard=tmp_path / "tensorboard")
    assert not (tmp_path / "tensorboard").exists()


def test_tensorboard_reads_the_same_numbers(tmp_path):
    board = tmp_path / "tensorboard"
    log = TrainingLog(tmp_path / "log.jsonl", tensorboard=board)
    for line in some_lines(9):
        log.write(**line)
    log.write(step=10, loss=0.5, gradient_norm=None)
    log.close()
    # Stopped after step 6, and gone on with: steps 7 to 9 are taken again, step 10 is not.
    log = TrainingLog(tmp_path / "log.jsonl", after=6, tensorboard=board)
    for line in some_lines(9):
        if line["step"] > 6:
            log.write(**line)
    log.close()
    found = EventAccumulator(str(board), {"scalars": 0})
    found.Reload()
    assert {*found.Tags()["scalars"]} == {"loss", "validation_loss"}
    for name in ("loss", "validation_loss"):
        expected = [(line["step"], line[name]) for line in some_lines(9) if name in line]
        shown = [(event.step, event.value) for event in found.Scalars(name)]
        assert [step for step, _ in shown] == [step for step, _ in expected]
        assert [x for _, x in shown] == pytest.approx([x for _, x in expected])  # float32


def test_the_file_is_readable_by_others(tmp_path):
    """One JSON value a line and nothing else, so that any tool reads it."""
    path = written(tmp_path / "log.jsonl", some_lines(4))
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == some_lines(4)
