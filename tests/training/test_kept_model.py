"""The model in a run's folder is the best that was seen, and the folder says which that is."""

from __future__ import annotations

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from minigpt.exchange import checkpoint
from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Interrupted, Intervals, Trainer, evaluate, model_of, train
from minigpt.training import kept_model as module
from minigpt.training import run as training_run
from minigpt.training.kept_model import SET_ASIDE, KeptModel
from minigpt.training.log import TrainingLog, read_log
from minigpt.training.state import load_latest

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=1, n_head=2, n_embd=8)
RECIPE = replace(RECIPES["fast"], steps=30, batch_size=4)
TRAINING = torch.arange(300) % 13
OTHER = torch.randint(13, (33,), generator=torch.Generator().manual_seed(3))  # unlike it


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda number: None)


def go(folder: Path, told: list[str], validation=TRAINING[:100], **changes) -> GPT:
    """A run; the model as the last step leaves it."""
    model = GPT(CONFIG, torch.Generator().manual_seed(0))
    train(folder, model, RECIPE, TRAINING, validation, report=told.append, **changes)
    return model


def stop(folder: Path, step: int, monkeypatch, **changes) -> list[str]:
    """What a run says that is stopped after a step."""
    take, told = Trainer.step, []

    def step_and_signal(self):
        loss = take(self)
        if self.steps_taken == step:
            signal.raise_signal(signal.SIGTERM)
        return loss

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Trainer, "step", step_and_signal)
        go(folder, told, **changes)
    return told


def contents(folder: Path) -> dict[str, bytes]:
    """But for the log, which holds speeds, and all states but the newest."""
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    states = sorted(name for name in files if name.startswith("states"))
    return {n: p.read_bytes() for n, p in files.items() if n not in ("log.jsonl", *states[:-1])}


def test_stopped_before_its_first_evaluation_the_model_is_the_one_it_trained(tmp_path, monkeypatch):
    intervals = Intervals(evaluate=250, checkpoint=250)
    told = stop(tmp_path / "run", 20, monkeypatch, intervals=intervals)
    kept, model = model_of(tmp_path / "run"), checkpoint.load(tmp_path / "run")
    assert (kept.step, kept.later) == (20, None)
    assert kept.validation_loss == evaluate(model, TRAINING[:100], 8, batch_size=4)
    assert kept.validation_loss < 2.3  # and not the 2.6 of an untrained one
    assert told[-1] == f"the model in {tmp_path / 'run'} is {kept}"
    go(tmp_path / "run", [], intervals=intervals)
    go(tmp_path / "whole", [], intervals=intervals)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_an_untrained_model_is_not_kept(tmp_path, monkeypatch):
    """Though none that follows is as good: it learns one text, and is judged by another."""
    told: list[str] = []
    go(tmp_path / "run", told, OTHER, intervals=Intervals(evaluate=10))
    losses = [
        line["validation_loss"]
        for line in read_log(tmp_path / "run" / "log.jsonl")
        if "validation_loss" in line
    ]
    assert len(losses) == 4 and losses[0] == min(losses)
    kept = model_of(tmp_path / "run")
    assert kept.step == 10 and kept.validation_loss == losses[1] and kept.later == (30, losses[3])
    assert evaluate(checkpoint.load(tmp_path / "run"), OTHER, 8) == losses[1]
    assert told[-1].endswith(
        f"is of step 10, with a validation loss of {losses[1]:.4f}; at step 30 it is "
        f"{losses[3]:.4f}, so that since step 10 the run has begun to learn its text by heart "
        "(overfitting)"
    )


def test_a_better_model_at_a_stop_is_kept_until_the_run_goes_on(tmp_path, monkeypatch):
    folder, intervals = tmp_path / "run", Intervals(evaluate=10)
    stop(folder, 10, monkeypatch, intervals=intervals)
    planned = (folder / "model.safetensors").read_bytes()
    stop(folder, 14, monkeypatch, intervals=intervals)
    assert model_of(folder).step == 14 and (folder / SET_ASIDE).read_bytes() == planned
    told = stop(folder, 15, monkeypatch, intervals=intervals)
    assert model_of(folder).step == 15 and "going on after step 14" in told[0]
    assert told[1].startswith("the model of step 14, with a validation loss of ")
    assert told[1].endswith(
        "was kept where the run stopped, and gives way to those of the run's own evaluations"
    )
    assert (folder / SET_ASIDE).read_bytes() == planned
    go(folder, [], intervals=intervals)
    go(tmp_path / "whole", [], intervals=intervals)
    assert contents(folder) == contents(tmp_path / "whole")


def test_a_second_ctrl_c_cuts_the_last_look_short_and_the_state_is_kept(tmp_path, monkeypatch):
    look = training_run.measure

    def interrupted(*arguments):
        if (tmp_path / "run" / "states").exists():  # which is written before it
            signal.raise_signal(signal.SIGINT)
        return look(*arguments)

    monkeypatch.setattr(training_run, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stop(tmp_path / "run", 7, monkeypatch, intervals=Intervals(evaluate=99, checkpoint=99))
    assert load_latest(tmp_path / "run" / "states")[1]["steps_taken"] == 7
    assert not [*(tmp_path / "run").rglob("*.lock")]


def test_a_worse_model_at_a_stop_is_not_kept_and_the_report_says_so(tmp_path, monkeypatch):
    intervals = Intervals(evaluate=10)
    told = stop(tmp_path / "run", 19, monkeypatch, validation=OTHER, intervals=intervals)
    kept = model_of(tmp_path / "run")
    assert kept.step == 10 and not (tmp_path / "run" / SET_ASIDE).exists()
    loss = float(told[-2].removeprefix("step 19: validation loss ").split()[0])
    assert told[-1].endswith(f"; at step 19 it is {loss:.4f}")  # the run is not over: no verdict


def test_a_loss_that_rises_before_the_end_is_no_overfitting(tmp_path, monkeypatch):
    """It may fall again: here it rises at three evaluations, and the run is stopped."""
    stop(tmp_path / "run", 19, monkeypatch, validation=OTHER, intervals=Intervals(evaluate=3))
    kept = model_of(tmp_path / "run")
    assert kept.step == 3 and kept.later[1] > 1.05 * kept.validation_loss and not kept.finished
    assert "heart" not in str(kept)
    go(tmp_path / "run", [], OTHER, intervals=Intervals(evaluate=3))
    assert "heart" in str(model_of(tmp_path / "run"))


def test_a_model_that_was_removed_is_written_again_by_a_run_that_is_over(tmp_path):
    model = go(tmp_path / "run", [], OTHER)
    (tmp_path / "run" / "model.safetensors").unlink()
    go(tmp_path / "run", [], OTHER)
    assert model_of(tmp_path / "run").step == 30
    weights = dict(checkpoint.load(tmp_path / "run").named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, weights[name])


def test_without_a_number_it_evaluates_often_enough_to_see_the_best(tmp_path):
    """With a default of 250 a short run kept its last model, which was the worst."""
    go(tmp_path / "run", [], OTHER)
    lines = read_log(tmp_path / "run" / "log.jsonl")
    steps = [line["step"] for line in lines if "validation_loss" in line]
    assert steps == [0, *range(4, 30, 4), 30]
    assert model_of(tmp_path / "run").step == 4


@pytest.mark.parametrize(
    ("later", "text"),
    [
        (None, ""),
        ((9, 2.0), ""),
        ((9, 2.01), "; at step 9 it is 2.0100"),
        ((9, 2.5), "; at step 9 it is 2.5000, so that since step 4 the run has begun to learn"),
    ],
)
def test_in_words(later, text):
    words = str(KeptModel(4, 2.0, later, training_loss=1.5, guess=2.5, finished=True))
    assert words.startswith(f"of step 4, with a validation loss of 2.0000{text}")
    assert ("overfitting" in words) == ("begun" in text) and len(words) < 200


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        (
            KeptModel(4, 2.0, (9, 80.0), 79.0, 2.5, True),
            "no better: with a lower learning rate, the steps",
        ),
        (KeptModel(4, 2.0, (9, 80.0), None, 2.5, True), "; at step 9 it is 80.0000"),
        (
            KeptModel(0, 2.0, (9, 2.5), 1.5, 2.5, True),
            "started from, which no step has made better",
        ),
        (KeptModel(6, 6e7, None, 6e7, 4.4), "worse than guessing (4.4000): training has diverged"),
    ],
)
def test_what_is_no_overfitting_is_told_as_what_it_is(kept, text):
    assert text in str(kept) and ("overfitting" in str(kept)) == (kept.step == 0)


def test_of_a_model_that_no_run_kept_nothing_is_said(tmp_path):
    assert model_of(tmp_path / "nowhere") is None and model_of(tmp_path) is None
    checkpoint.save(GPT(CONFIG, torch.Generator().manual_seed(0)), tmp_path)
    assert model_of(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"no such file")
    assert model_of(tmp_path) is None


def test_the_file_says_so_itself_and_equal_models_are_equal_files(tmp_path):
    """One rename changes both, so the weights and what they are said to be cannot differ."""
    model, files = GPT(CONFIG, torch.Generator().manual_seed(0)), set()
    for number in range(8):
        module.keep_model(model, tmp_path / str(number), None, 7, 0.1 + 0.2)
        files.add((tmp_path / str(number) / "model.safetensors").read_bytes())
    kept = KeptModel(7, 0.1 + 0.2, guess=math.log(13))
    assert len(files) == 1 and model_of(tmp_path / "0") == kept
    log = TrainingLog(tmp_path / "0" / "log.jsonl")
    for step, loss in ((5, 1.0), (7, 0.3), (9, 2.0), (8, 3.0)):
        log.write(step=step, validation_loss=loss)
    assert model_of(tmp_path / "0").later == (9, 2.0)
    json.dumps(vars(model_of(tmp_path / "0")))


def test_the_last_look_is_taken_once(tmp_path, monkeypatch):
    """Where it reads no more than the evaluation after the last step, as of a long text."""
    looks, look = [], training_run.measure

    def counted(model, part, *arguments):
        looks.append(part.tokens)
        return look(model, part, *arguments)

    monkeypatch.setattr(training_run, "measure", counted)
    intervals = Intervals(evaluate=99, evaluation_tokens=400)
    long = torch.arange(5000) % 13
    told: list[str] = []
    go(tmp_path / "run", told, long, intervals=intervals)
    assert looks == [401, 401] and "on the first 401 validation tokens: " in told[-2]
    go(tmp_path / "run", told, long, intervals=intervals)
    assert looks == [401, 401, 401]
    go(tmp_path / "other", told, long, intervals=Intervals(evaluate=99, evaluation_tokens=40))
    assert looks[3:] == [41, 41, RECIPE.steps * 4 * 8 // 3]
