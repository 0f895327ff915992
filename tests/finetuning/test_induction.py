"""The stored curves of a model that learns to look back are complete, and come out again."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import going_on
import induction
import pytest
from copy_tasks import TASKS, verse_lines
from going_on import Material, go_on, look

STORED = json.loads((files("minigpt") / "results/induction.json").read_text("utf-8"))
ON = [run for run in STORED["runs"] if run["experiment"] == "going on"]
TUNED = [run for run in STORED["runs"] if run["experiment"] == "tasks"]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def of() -> Material:
    return going_on.material()


def full(seed: int = 1) -> dict:
    return next(run for run in ON if (run["method"], run["seed"]) == ("full", seed))


def test_they_are_of_these_settings():
    settings = {"length": going_on.LENGTH, "batch": going_on.BATCH, "every": going_on.EVERY}
    settings |= {"stretch": going_on.STRETCH, "far": going_on.FAR, "rows": going_on.ROWS}
    settings |= {"task_batch": induction.TASK_BATCH, "questions": induction.QUESTIONS}
    settings |= {"windows": going_on.MEASURED_ON}
    assert settings.items() <= STORED["settings"].items()


def test_every_run_is_there_with_a_whole_curve():
    ways = [induction.FULL, *induction.OTHERS]
    wanted = [(way.method, 1) for way in ways] + [("full", 2)]
    assert sorted((run["method"], run["seed"]) for run in ON) == sorted(wanted)
    for run in ON:
        way = next(way for way in ways if way.method == run["method"])
        assert run["steps"] == round(way.times * going_on.STEPS)
        assert (run["learning_rate"], run["rank"]) == (way.learning_rate, way.rank)
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


@pytest.mark.parametrize("way", [induction.FULL, *induction.OTHERS], ids=lambda way: way.method)
def test_a_step_of_each_way(of, way, monkeypatch):
    monkeypatch.setattr(going_on, "MEASURED_ON", 1)
    monkeypatch.setattr(going_on, "EVERY", 1)
    run, model = go_on(replace(way, times=1), 1, of, steps=1)
    stored = next(other for other in ON if other["method"] == way.method)
    assert stored.keys() == run.keys() and stored["trained"] == run["trained"]
    assert [point["step"] for point in run["curve"]] == [0, 1]
    assert run["curve"][1]["second"] < run["curve"][0]["second"] or way.plays == 1
    assert model is not of.model


@pytest.mark.slow
def test_the_first_steps_come_out_again(of):
    again, _ = go_on(induction.FULL, 1, of, stop=going_on.EVERY)
    for found, stored in zip(again["curve"], full()["curve"], strict=False):
        assert found == pytest.approx(stored, abs=0.05)
