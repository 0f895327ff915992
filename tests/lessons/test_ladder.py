"""The ladder shows what was measured, as far as a chapter, and its record is of these settings."""

from __future__ import annotations

import json
import math
import re
from importlib.resources import files

import ladder as experiment
import pytest
import torch

import my_gpt
from minigpt.data import shakespeare, train_validation_split
from minigpt.lessons.ladder import CHAPTERS, LABELS, guessing, ladder, rungs

STORED = json.loads((files("minigpt") / "results" / "ladder.json").read_text("utf-8"))


def test_the_record_is_of_these_settings():
    settings = {
        "guessing": round(math.log(69), 3),
        "characters": 69,
        "batch": experiment.BATCH,
        "length": experiment.LENGTH,
        "width": experiment.WIDTH,
        "heads": experiment.HEADS,
        "steps": experiment.STEPS,
        "measured_on": experiment.MEASURED_ON,
        "seed": experiment.SEED,
    }
    assert STORED["settings"] == settings and guessing() == settings["guessing"]
    for rung in rungs().values():
        long = rung.name == "trained longer"
        steps = experiment.STEPS * (experiment.LONG if long else 1)
        assert rung.steps in (None, steps) and rung.chapter in CHAPTERS
        assert len(rung.sample) == experiment.SAMPLE


def test_what_the_book_says_of_the_rungs():
    """Up the ladder, but for the average alone, and depth before it is trained well."""
    loss = {name: rung.loss for name, rung in rungs().items()}
    better = ["a table", "one head", "four heads", "one block", "trained well", "trained longer"]
    assert [*better, "the book's model"] == sorted(
        [*better, "the book's model"], key=loss.__getitem__, reverse=True
    )
    assert abs(loss["a table"] - loss["counting pairs"]) < 0.03
    assert loss["an average alone"] > loss["a table"] + 0.5
    assert abs(loss["an average beside it"] - loss["a table"]) < 0.05
    assert abs(loss["two blocks"] - loss["one block"]) < 0.05


def test_counting_pairs_by_torch():
    """The one rung that no step of learning precedes is computed again."""
    parts = train_validation_split(shakespeare())
    characters = my_gpt.Characters(parts[0])
    texts = (parts[0], parts[1][: experiment.MEASURED_ON])
    training, validation = (torch.tensor(characters.encode(text)) for text in texts)
    pairs = experiment.Pairs(training, 69)
    loss = my_gpt.measure(pairs, validation, experiment.LENGTH)
    assert loss == pytest.approx(rungs()["counting pairs"].loss, abs=6e-4)
    count = ((training[:-1] == 5) & (training[1:] == 7)).sum() + 1e-3
    every = (training[:-1] == 5).sum() + 69e-3
    assert pairs(torch.tensor([5]))[0, 7].exp().item() == pytest.approx((count / every).item())


def test_the_average_is_of_a_token_and_those_before_it():
    x = torch.tensor([[[2.0], [4.0], [9.0]]])
    assert experiment.Average()(x).flatten().tolist() == [2.0, 3.0, 5.0]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_sees_the_ladder_as_far_as_itself(chapter):
    names = [*rungs(chapter)]
    drawn = ladder(chapter)
    reached = CHAPTERS[: CHAPTERS.index(chapter) + 1]
    assert {rung.chapter for rung in rungs(chapter).values()} == set(reached)
    words = re.findall(r">([^<>]+)</text>", drawn._repr_html_())
    for name in names:
        label, loss = LABELS.get(name, name), f"{rungs()[name].loss:.2f}"
        assert label in words and loss in words and f"{label} {loss}" in drawn.alt
    assert names == [*rungs()][: len(names)]


def test_a_bar_is_as_long_as_its_loss():
    html = ladder()._repr_html_()
    widths = [float(w) for w in re.findall(r'<rect x="4.0"[^>]* width="([\d.]+)"', html)]
    losses = [guessing(), *(rung.loss for rung in rungs().values())]
    assert len(widths) == len(losses)
    for width, loss in zip(widths, losses, strict=True):
        assert width / widths[0] == pytest.approx(loss / losses[0], abs=0.01)


def test_another_chapter_has_no_rung():
    with pytest.raises(ValueError, match="'tokenizer' is no chapter of the ladder"):
        rungs("tokenizer")


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_rung_is_trained_again():
    parts = train_validation_split(shakespeare())
    characters = my_gpt.Characters(parts[0])
    training = torch.tensor(characters.encode(parts[0]))
    validation = torch.tensor(characters.encode(parts[1][: experiment.MEASURED_ON]))
    for name in ("a table", "one head"):
        rung, (_, make) = rungs()[name], experiment.rungs(69)[name]
        model = experiment.learned(make, training, rung.steps, rung.rate, well=False).double()
        assert my_gpt.measure(model, validation, 64) == pytest.approx(rung.loss, abs=0.02)
