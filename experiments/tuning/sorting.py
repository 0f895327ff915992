"""From a model that is right now and then: learning from a reward, from pairs, and from answers."""

from __future__ import annotations

import copy
import functools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from minigpt.data.sets.data_set import Pair
from minigpt.finetuning import (
    Examples,
    Groups,
    Practice,
    Preferences,
    answer_tensors,
    keep_accepted,
    reference_logprobs,
    rewards_of,
)
from minigpt.model import GPT
from minigpt.training import Batches, Trainer
from tuning import sorting_task as task

STEPS, LONG = 100, 400
POINTS = 10  # of a curve, after the start
CURVE_ON = 100  # problems
SEEDS = (1, 2, 3)
BATCH = 16  # examples or pairs a step
REWARDS = {"right": task.is_right, "in order": task.looks_sorted}
METHODS = ("reward", "divided", "shuffled", "rejection", "dpo", "answers")
Settings = dict[str, Any]


def grid() -> list[Settings]:
    """Two rates for every way, and a higher one for two of them; then four times the steps."""
    rows = [("start", 0.0, 0, "right", seed) for seed in SEEDS]
    rows += [
        (name, rate, STEPS, "right", seed)
        for name in METHODS
        for rate in (3e-4, 1e-3)
        for seed in SEEDS
    ]
    rows += [(name, 2e-3, STEPS, "right", seed) for name in ("reward", "answers") for seed in SEEDS]
    rows += [("reward", 1e-3, STEPS, "in order", seed) for seed in SEEDS]
    rows += [("repaired", 1e-3, STEPS, "right", seed) for seed in SEEDS]
    rows += [
        (name, rate, LONG, "right", seed)
        for name in ("reward", "answers")
        for rate in (3e-4, 1e-3)
        for seed in SEEDS
    ]
    names = ("method", "learning_rate", "steps", "reward", "seed")
    return [{"experiment": "sorting"} | dict(zip(names, row, strict=True)) for row in rows]


@functools.cache
def begun(seed: int) -> tuple[GPT, list[Pair], list[Pair]]:
    """The start of a seed, what is learned from there on, and what all are judged by."""
    first, told, others = task.draws(seed)
    return task.start(first, seed), told, others


def watched(
    model: GPT,
    source: Batches,
    recipe_settings: tuple[int, int, int, float],
    look: Callable[[], list[float]],
    points: int = POINTS,
) -> tuple[list[list[float]], float]:
    """Train, and look at the model now and then; returns the curve, and the seconds of training.

    Args:
        recipe_settings: as of `sorting_task.recipe_of`.
        look: what a point of the curve holds beside its step.
    """
    trainer = Trainer(model, source, task.recipe_of(*recipe_settings))
    steps, seconds, curve = recipe_settings[0], 0.0, []
    every = max(1, steps // points)
    for step in range(steps + 1):
        if step % every == 0:
            curve.append([step, *(round(x, 4) for x in look())])
        if step < steps:
            begin = time.process_time()
            trainer.step()
            seconds += time.process_time() - begin
    model.eval()
    return curve, seconds


def practised(
    settings: Settings, model: GPT, told: list[Pair], others: list[Pair]
) -> tuple[list[list[float]], float]:
    """Learn from rewards; a point of the curve: the last batch's mean reward, and "pass_1"."""
    method, seed = settings["method"], settings["seed"]
    source = Practice(
        model,
        task.asked(told),
        REWARDS[settings["reward"]],
        task.SAMPLES,
        task.TOKENS,
        task.end(),
        task.CHARACTERS.decode,
        divide=method == "divided",
        shuffle=method == "shuffled",
        seed=seed,
    )
    few = others[:CURVE_ON]

    def look() -> list[float]:
        groups = task.sampled(model, few, seed=0)
        given = source.rewards
        if not given.numel():  # before the first step
            given = rewards_of(groups, source.reward, task.CHARACTERS.decode)
        right = rewards_of(groups, task.is_right, task.CHARACTERS.decode)
        return [given.mean().item(), right.mean().item()]

    size = task.PROMPTS * task.SAMPLES
    return watched(model, source, (settings["steps"], seed, size, settings["learning_rate"]), look)


def commonest(model: GPT, pairs: list[Pair]) -> list[list[Any]]:
    """The three answers that a model gives most often, with their share of all."""
    groups = task.sampled(model, pairs, seed=0)
    texts = [task.CHARACTERS.decode(answer) for group in groups.answers for answer in group]
    return [[text, round(count / len(texts), 4)] for text, count in Counter(texts).most_common(3)]


def own_answers(model: GPT, told: list[Pair], seed: int) -> Groups:
    """Samples of the start, as many as a run of rewards draws in all."""
    return task.sampled(model, told, seed)


def preferences_of(groups: Groups, reference: GPT, seed: int) -> Preferences:
    """A right and a wrong answer to each prompt that has both, the first of each."""
    rights = rewards_of(groups, task.is_right, task.CHARACTERS.decode)
    chosen, rejected = [], []
    for examples, row in zip(groups.examples(), rights.tolist(), strict=True):
        if 0 < sum(row) < len(row):
            chosen.append(examples[row.index(1.0)])
            rejected.append(examples[row.index(0.0)])
    sides = (answer_tensors(chosen), answer_tensors(rejected))
    before = tuple(reference_logprobs(reference, *side) for side in sides)
    return Preferences(*sides, before, seed=seed)


def log_ratios(model: GPT, source: Preferences) -> list[float]:
    """The mean log-ratio to the start, of the chosen and of the rejected answers."""
    inputs, targets, before = next(source.all(len(source)))
    own = reference_logprobs(model, inputs.flatten(0, 1), targets.flatten(0, 1), 256)
    return (own.view(before.shape) - before).mean(0).tolist()


def taught(settings: Settings, model: GPT, told: list[Pair]) -> dict[str, Any]:
    """Learn from pairs or examples; returns the costs."""
    method, seed, reference = settings["method"], settings["seed"], copy.deepcopy(model)
    common = (settings["steps"], seed, BATCH, settings["learning_rate"])
    if method == "answers":
        _, seconds = watched(model, task.examples_of(told, seed), common, list)
        return {"cpu_seconds": round(seconds, 1)}
    begin = time.process_time()
    groups = own_answers(reference, told, seed)
    sampling = time.process_time() - begin
    if method == "rejection":
        rights = rewards_of(groups, task.is_right, task.CHARACTERS.decode)
        kept = keep_accepted(groups, rights).examples
        source = Examples(kept, task.SIZES["context_length"], seed)
        _, seconds = watched(model, source, common, list)
        return {"cpu_seconds": round(sampling + seconds, 1), "kept": len(kept)}
    pairs = preferences_of(groups, reference, seed)
    curve, seconds = watched(model, pairs, common, lambda: log_ratios(model, pairs), 20)
    return {"cpu_seconds": round(sampling + seconds, 1), "kept": len(pairs), "log_ratios": curve}


def run(settings: Settings) -> dict[str, Any]:
    """One run's figures."""
    reference, told, others = begun(settings["seed"])
    model, costs = copy.deepcopy(reference), {}
    if settings["method"] == "repaired":  # the right reward, but after the one that was cheated
        practised(settings | {"method": "reward", "reward": "in order"}, model, told, others)
    if settings["method"] in ("rejection", "dpo", "answers"):
        costs = taught(settings, model, told)
    elif settings["method"] != "start":
        curve, seconds = practised(settings, model, told, others)
        costs = {"cpu_seconds": round(seconds, 1), "curve": curve}
        if settings["reward"] != "right" or settings["method"] == "repaired":
            costs["writes"] = commonest(model, others)
    return task.figures(model, reference, others) | costs
