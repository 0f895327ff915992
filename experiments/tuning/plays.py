"""Who is in which play: questions that were told, and others that were not."""

from __future__ import annotations

import functools
from typing import Any

from minigpt.data.sets.data_set import Pair
from minigpt.data.sets.play_characters import told_and_untold
from minigpt.finetuning import ChatTemplate, Examples, Replay
from minigpt.generation import Sampling, generate
from minigpt.model import GPT
from minigpt.training import TextBatches, measure
from tuning.methods import old_loss, prepared, recipe_of, tokenizer, tuned
from tuning.methods import plays as plays_text

STEPS, LONG, BATCH = 80, 400, 32
MOST = 16  # tokens of an answer
REPLAYED = 64  # tokens of a window of the plays
SEEDS = (1, 2, 3)
TEMPLATE = ChatTemplate()
Settings = dict[str, Any]


def grid() -> list[Settings]:
    """The runs, those first that the chapter needs most."""
    rows: list[tuple[str, float, int, dict[str, Any], tuple[int, ...]]] = [
        ("full", 1e-3, STEPS, {}, SEEDS),
        ("scratch", 1e-3, STEPS, {}, SEEDS),
        ("lora", 5e-3, STEPS, {"rank": 8}, SEEDS),
        ("full", 1e-3, STEPS, {"share": 0.25}, SEEDS),
        ("full, no mask", 1e-3, STEPS, {}, SEEDS),
        ("last-block", 3e-3, STEPS, {}, SEEDS),
        ("lora", 5e-3, LONG, {"rank": 8}, SEEDS),
        ("scratch", 1e-3, LONG, {}, SEEDS),
    ]
    before = {"experiment": "plays", "method": "before", "seed": 1, "learning_rate": 0.0}
    runs = [before | {"steps": 0}]
    for name, rate, steps, more, seeds in rows:
        for seed in seeds:
            run = {"experiment": "plays", "method": name, "seed": seed, "learning_rate": rate}
            runs.append(run | {"steps": steps} | more)
    return runs


def chat(pair: Pair, answered: bool = True) -> list[dict[str, str]]:
    """A question, and its answer."""
    messages = [{"role": "user", "content": pair.prompt}]
    return messages + ([{"role": "assistant", "content": pair.answer}] if answered else [])


@functools.cache
def examples(seed: int, masked: bool = True) -> Examples:
    """The questions that are told; without the mask everything counts, questions and names too."""
    encoded = [TEMPLATE.encode(chat(pair), tokenizer()) for pair in told_and_untold().told]
    if not masked:
        encoded = [(ids, [True] * len(ids)) for ids, _ in encoded]
    return Examples(encoded, length=256, seed=seed)


def right(model: GPT, pairs: list[Pair]) -> int:
    """How many questions are answered right: greedy, to the letter."""
    names = tokenizer()
    prompts = [TEMPLATE.encode(chat(p, False), names, answer=True)[0] for p in pairs]
    stop = names.encode("\n")[:1]
    found = generate(model, prompts, MOST, Sampling(temperature=0.0), stop)
    return sum(names.decode(ids) == p.answer for ids, p in zip(found, pairs, strict=True))


def figures(model: GPT) -> dict[str, Any]:
    """As `experiments/finetuning.py` tells them, with how many questions there are of each."""
    found: dict[str, Any] = {}
    for name, pairs in told_and_untold()._asdict().items():
        found |= {name: right(model, pairs), f"{name}_of": len(pairs)}
    loss = measure(model, examples(1), BATCH)
    return found | {"loss": round(loss, 4), "old": round(old_loss(model), 4)}


def run(settings: Settings) -> dict[str, Any]:
    """One run's figures."""
    seed, method = settings["seed"], settings["method"]
    if method == "before":
        return figures(prepared("full", 1)[0].eval())
    model, trained = prepared(method.split(",")[0], seed, settings.get("rank", 8))
    source = examples(seed, masked="no mask" not in method)
    if "share" in settings:
        source = Replay(source, TextBatches(plays_text()[0], REPLAYED, seed), settings["share"])
    recipe = recipe_of(settings["learning_rate"], settings["steps"], BATCH, seed)
    _, seconds = tuned(model, source, recipe)
    return figures(model) | {"trained": trained, "cpu_seconds": seconds}
