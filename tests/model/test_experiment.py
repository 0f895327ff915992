"""The stored ablations are complete, and of what the experiment's code computes."""

from __future__ import annotations

import json
import math
import sys
from importlib.resources import files

import ablations
import pytest
import torch
from ablations import RATES, SEEDS, VERSIONS, best_rate, run

from minigpt.data import shakespeare, train_validation_split
from minigpt.tokenizer import CharTokenizer

STORED = json.loads((files("minigpt") / "results" / "ablations.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def plays() -> list[torch.Tensor]:
    """Both texts in the characters of all plays."""
    tokenizer = CharTokenizer.train(shakespeare())
    return [torch.tensor(tokenizer.encode(text)) for text in train_validation_split(shakespeare())]


@pytest.fixture(scope="module")
def texts(plays) -> list[torch.Tensor]:
    """A little of both, and the last character, so that the vocabulary is that of all plays."""
    training, validation = (ids[:20_000] for ids in plays)
    return [torch.cat([training, plays[0].max()[None]]), validation]


def test_the_results_are_of_these_settings():
    settings = ablations.SIZES | {"steps": ablations.STEPS, "batch_size": ablations.BATCH_SIZE}
    settings |= {"measured_on": ablations.MEASURED_ON}
    assert settings.items() <= STORED["settings"].items()


def test_every_version_was_run_at_every_rate_and_with_every_seed_at_its_best():
    found = {(r["version"], r["seed"], r["learning_rate"]) for r in STORED["runs"]}
    wanted = {(version, SEEDS[0], rate) for version in VERSIONS for rate in RATES}
    for version in VERSIONS:
        best = best_rate(STORED["runs"], version)
        wanted |= {(version, seed, best) for seed in SEEDS}
    assert found == wanted
    assert len(STORED["runs"]) == len(wanted)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_known_before_training_comes_out_again(version, texts):
    """Parameters, and the stream's size at the start, of the stored run of the first seed."""
    stored = next(r for r in STORED["runs"] if r["version"] == version)
    again = run(version, stored["seed"], stored["learning_rate"], 1, texts)
    assert again["parameters"] == stored["parameters"]
    assert again["rms_before"] == pytest.approx(stored["rms_before"], abs=2e-4)
    assert math.isfinite(again["validation_loss"])


@pytest.mark.slow
@pytest.mark.parametrize("version", ["as it is", "no MLP"])
def test_the_first_steps_of_training_come_out_again(version, plays):
    stored = next(r for r in STORED["runs"] if r["version"] == version and r["seed"] == 2)
    texts = [plays[0], plays[1][:5000]]
    again = run(version, 2, stored["learning_rate"], ablations.STEPS, texts, stop=50)
    assert again["training_curve"][0] == pytest.approx(stored["training_curve"][0], abs=0.005)


@pytest.mark.slow
def test_versions_differ_from_the_reference_and_from_each_other(texts):
    losses = {version: run(version, 1, 1e-2, 3, texts)["validation_loss"] for version in VERSIONS}
    assert len(set(losses.values())) == len(VERSIONS)


def test_a_run_can_be_repeated(texts):
    assert run("untied", 2, 1e-2, 2, texts) == run("untied", 2, 1e-2, 2, texts)


def test_an_interrupted_experiment_goes_on_where_it_stopped(monkeypatch, tmp_path):
    out, calls, stopped = tmp_path / "a.json", [], []

    def quick(version, seed, learning_rate, steps, texts):
        if len(calls) == 5 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        calls.append((version, seed, learning_rate))
        names = ("version", "seed", "learning_rate", "validation_loss")
        return dict(zip(names, (*calls[-1], abs(learning_rate - 3e-3)), strict=True))

    monkeypatch.setattr(ablations, "run", quick)
    monkeypatch.setattr(sys, "argv", ["ablations.py", "--steps", "1", "--out", str(out)])
    with pytest.raises(KeyboardInterrupt):
        ablations.main()
    assert len(calls) == len(json.loads(out.read_text())["runs"]) == 5
    ablations.main()
    assert len(calls) == len(set(calls)) == len(VERSIONS) * (len(RATES) + len(SEEDS) - 1)
    assert len(json.loads(out.read_text())["runs"]) == len(calls)


def test_a_run_that_diverged_is_not_the_best():
    runs = [
        {"version": "a", "seed": SEEDS[0], "learning_rate": 1.0, "validation_loss": None},
        {"version": "a", "seed": SEEDS[0], "learning_rate": 0.5, "validation_loss": 9.0},
    ]
    assert best_rate(runs, "a") == 0.5


def test_results_of_other_settings_are_not_mixed(monkeypatch, tmp_path, capsys):
    out = tmp_path / "a.json"
    monkeypatch.setattr(ablations, "run", None)  # nothing is to be run
    monkeypatch.setattr(sys, "argv", ["ablations.py", "--out", str(out)])
    others = '{"settings": {}, "runs": []}'
    cases = {others: "holds no runs of these settings", "[]": "holds no runs", '{"a": ': "no whole"}
    for text, message in cases.items():
        out.write_text(text)
        with pytest.raises(SystemExit):
            ablations.main()
        assert message in capsys.readouterr().err
        assert out.read_text() == text
