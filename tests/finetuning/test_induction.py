"""The stored curves of a model that learns to look back are complete, and come out again."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import going_on
import induction
import pytest
import torch
from copy_tasks import TASKS, verse_lines
from going_on import Material, go_on, look

from minigpt.finetuning import Replay

STORED = json.loads((files("minigpt") / "results/induction.json").read_text("utf-8"))
ON = [run for run in STORED["runs"] if run["experiment"] == "going on"]
TUNED = [run for run in STORED["runs"] if run["experiment"] == "tasks"]
WAYS = [induction.FULL, *induction.OTHERS]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def of() -> Material:
    return going_on.material()


def test_they_are_of_these_settings():
    settings = {"length": going_on.LENGTH, "batch": going_on.BATCH, "every": going_on.EVERY}
    settings |= {"stretch": going_on.STRETCH, "far": going_on.FAR, "rows": going_on.ROWS}
    settings |= {"task_batch": induction.TASK_BATCH, "questions": induction.QUESTIONS}
    settings |= {"windows": going_on.MEASURED_ON}
    assert settings.items() <= STORED["settings"].items()


def test_every_run_is_there_with_a_whole_curve():
    wanted = [
        (
            way.method,
            way.learning_rate,
            way.rank,
            way.plays,
            round(way.times * going_on.STEPS),
            seed,
        )
        for way, seed in [(induction.FULL, 2), *((way, 1) for way in WAYS)]
    ]
    names = ("method", "learning_rate", "rank", "plays", "steps", "seed")
    assert sorted(map(str, wanted)) == sorted(str(tuple(run[n] for n in names)) for run in ON)
    for run in ON:
        steps = [*range(0, run["steps"] + 1, going_on.EVERY)]
        assert [point["step"] for point in run["curve"]] == steps
    few = going_on.STEPS // 4
    wanted = [
        (name, seed, few) for seed in induction.SEEDS for name in ("shipped", "with induction")
    ]
    wanted.append(("shipped, longer", 1, going_on.STEPS + few))
    assert sorted((run["method"], run["seed"], run["steps"]) for run in TUNED) == sorted(wanted)
    for run in TUNED:
        assert all(0 <= run[name] <= 1 for name in (*TASKS, "again_mixed_up"))


def test_all_begin_with_the_shipped_model(of):
    """It copies nothing, and no head of it looks back."""
    start = look(of.model, of, 0)
    for run in ON:
        assert run["curve"][0] == pytest.approx(start, abs=0.002)
    assert start["second"] > start["first"] and start["head"] < 0.05


def test_no_question_was_heard(of):
    lines = induction.unheard(of)
    assert len({*lines}) == induction.QUESTIONS
    assert not {*lines} & {*verse_lines(of.texts[0])}


def test_a_line_that_stands_in_the_training_text_is_not_asked(of, monkeypatch):
    monkeypatch.setattr(induction, "QUESTIONS", 2)
    texts = (
        "Who is it there?\nGo now, and see",
        "Go now, and see\nLook up and weep\nAy, that I do",
    )
    assert induction.unheard(replace(of, texts=texts)) == ["Look up and weep", "Ay, that I do"]


@pytest.mark.parametrize("way", WAYS, ids=[f"{way.method}, {way.learning_rate}" for way in WAYS])
def test_a_step_of_each_way(of, way, monkeypatch):
    monkeypatch.setattr(going_on, "MEASURED_ON", 1)
    monkeypatch.setattr(going_on, "EVERY", 1)
    monkeypatch.setattr(going_on, "ROWS", 2)
    run, model = go_on(replace(way, times=1), 1, of, steps=1)
    stored = next(other for other in ON if other["method"] == way.method)
    assert stored.keys() == run.keys() and stored["trained"] == run["trained"]
    assert [point["step"] for point in run["curve"]] == [0, 1]
    source = going_on.started(way, 1, of, 10).windows
    assert isinstance(source, Replay) == (way.plays < 1) and source.tokens == len(of.ids[0])
    assert model is not of.model


def test_a_step_of_the_tasks(of, monkeypatch):
    """Another model comes out, and the one that it began with is as it was."""
    monkeypatch.setattr(going_on, "MEASURED_ON", 1)
    monkeypatch.setattr(induction, "QUESTIONS", 3)
    before = [p.clone() for p in of.model.parameters()]
    run = induction.learn_tasks("shipped", of.model, 1, of, steps=1)
    assert run.keys() == TUNED[0].keys() and run["loss"] > TUNED[0]["loss"]
    assert all(torch.equal(a, b) for a, b in zip(before, of.model.parameters(), strict=True))
    muon = induction.learn_tasks("shipped", of.model, 1, of, steps=1, muon=True)
    assert muon["loss"] == run["loss"] and muon["plays"] != run["plays"]


@pytest.mark.slow
def test_the_first_steps_come_out_again(of):
    again, _ = go_on(induction.FULL, 1, of, stop=going_on.EVERY)
    for found, stored in zip(again["curve"], ON[0]["curve"], strict=False):
        assert found == pytest.approx(stored, abs=0.05)
