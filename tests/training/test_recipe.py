"""Recipes: every value in its range, and none that changes."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from minigpt.training import RECIPES, Recipe
from minigpt.training.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES

WHOLE = "a whole number of at least"
CHANGES = [  # of every field, a value that is fine and is not the default
    ("steps", 100),
    ("batch_size", 4),
    ("accumulate", 4),
    ("optimizer", "muon"),
    ("learning_rate", 3.0),
    ("muon_learning_rate", 0.5),
    ("beta_1", 0.0),
    ("beta_2", 0.999),
    ("weight_decay", 0.0),
    ("schedule", "trapezoid"),
    ("warmup", 0),
    ("final", 1.0),
    ("decay", 1.0),
    ("clip", None),
    ("precision", "float16"),
    ("seed", 0),
]
LEAST = {"steps": 1, "batch_size": 1, "accumulate": 1, "warmup": 0, "seed": 0}
BAD = (
    [
        (name, x, f"{WHOLE} {least}")
        for name, least in LEAST.items()
        for x in (least - 1, -2, 2.0, "2", True, None, math.nan)
    ]
    + [
        (name, x, "a finite number above 0")
        for name in ("learning_rate", "muon_learning_rate", "clip")
        for x in (0, 0.0, -1e-3, math.nan, math.inf, "0.1", True)
    ]
    + [(name, None, "a finite number above 0") for name in ("learning_rate", "muon_learning_rate")]
    + [
        (name, x, "from 0 up to, not with, 1")
        for name in ("beta_1", "beta_2")
        for x in (1, 1.5, -0.1, math.nan, "0.9", None)
    ]
    + [
        (name, x, "from 0 to 1")
        for name in ("weight_decay", "final")
        for x in (-0.1, 1.1, math.nan, "0", None)
    ]
    + [("decay", x, "above 0, at most 1") for x in (0, -0.1, 1.1, math.nan, "1", None)]
    + [("optimizer", x, "one of adamw, muon") for x in ("sgd", "Muon", "", None)]
    + [("schedule", x, "one of cosine, trapezoid") for x in ("linear", None, ["cosine"])]
    + [("precision", x, "one of float32, bfloat16, float16") for x in ("float64", 16, None)]
)


def test_the_defaults_are_a_recipe_and_named():
    assert Recipe.named("adamw") == RECIPES["adamw"] == Recipe()
    fast = Recipe.named("fast")
    assert (fast.optimizer, fast.schedule, fast.clip) == ("muon", "trapezoid", None)
    assert set(RECIPES) == {"adamw", "fast"}


def test_every_field_can_be_chosen():
    assert {name for name, _ in CHANGES} == {field.name for field in dataclasses.fields(Recipe)}
    for name, value in CHANGES:
        other = dataclasses.replace(Recipe(), **{name: value})
        assert getattr(other, name) == value and other != Recipe(), name
    fields = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS}
    for name, allowed in fields.items():
        for value in allowed:
            assert getattr(dataclasses.replace(Recipe(), **{name: value}), name) == value


def test_recipes_cannot_be_changed_only_copied():
    recipe = Recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.steps = 3
    assert recipe == Recipe(**dataclasses.asdict(recipe)) and hash(recipe) == hash(Recipe())


@pytest.mark.parametrize(("name", "value", "limit"), BAD)
def test_a_bad_value_is_named_with_its_limit(name, value, limit, as_readers_run_it):
    match = "^" + re.escape(f"{name} is {value!r}; it must be {limit}") + "$"
    for recipe in RECIPES.values():
        with pytest.raises(ValueError, match=match):
            dataclasses.replace(recipe, **{name: value})
    with pytest.raises(ValueError, match=match):
        Recipe(**{name: value})


def test_every_field_has_values_that_are_refused():
    assert {name for name, _, _ in BAD} == {field.name for field in dataclasses.fields(Recipe)}


def test_a_warmup_fits_into_the_run():
    assert Recipe(steps=7, warmup=7).warmup == 7
    with pytest.raises(ValueError, match=r"^warmup is 8 steps, of 7: shorten it$"):
        Recipe(steps=7, warmup=8)


def test_a_batch_is_cut_into_equal_parts():
    assert Recipe(batch_size=12, accumulate=3).accumulate == 3
    match = (
        r"batch_size is 12, which cannot be cut into 5 equal parts \(accumulate\): choose a number"
    )
    with pytest.raises(ValueError, match=match):
        Recipe(batch_size=12, accumulate=5)
    with pytest.raises(ValueError, match="batch_size is 4, which cannot be cut into 8 equal parts"):
        Recipe(batch_size=4, accumulate=8)


@pytest.mark.parametrize("name", ["AdamW", "slow", ""])
def test_unknown_recipes_are_refused(name):
    with pytest.raises(ValueError, match=rf"^there is no recipe '{name}'; choose one of adamw, "):
        Recipe.named(name)
