"""The experiments of <training-run> show what they promise, with the settings of the chapters.

Losses are those of runs in the page, by their seed; margins leave room for other processors.
"""

from __future__ import annotations

import math

import pytest

LANGUAGE = """async () => {
    const names = ["engine/training/training-run.js", "engine/training/texts.js",
        "engine/training/trained-gpt.js", "engine/training/training-job.js",
        "engine/training/room.js",
        "elements/training-run/experiments.js"];
    const address = (name) => new URL(`_static/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    const wasm = await fetchedWasm();
    const { sizes } = await (await fetch(address("training/recipe.json"))).json();
    // Its losses: `first` and `last` on the text kept apart, `lowest` of ten looks, `highest` of a
    // step, how much the last steps differ, and after how many steps it broke.
    window.outcome = async ({ size, text: name, steps, experiment }) => {
        const text = await (await fetch(address(`training/${name}.txt`))).text();
        const { sizes: config, recipe } = sizes.find((one) => one.name === size);
        const plain = { text, title: "", spread: 1, recipe: { ...recipe, steps } };
        const order = experiment ? spoilt(EXPERIMENTS[experiment])(plain) : plain;
        order.recipe.warmup = Math.min(order.recipe.warmup, steps / 10);
        const read = readText(order.text, { merges: 0, length: config.n_positions });
        const run = await TrainingRun.make({ config: trainedConfig(read.tokenizer.size, config),
            recipe: order.recipe, text: read, wasm });
        if (order.spread !== 1) widen(run.model, order.spread);
        const looks = [run.measure()];
        const losses = [];
        let broke;
        try {
            while (run.steps < steps) {
                losses.push(run.step().loss);
                if (run.steps % (steps / 10) === 0) looks.push(run.measure());
            }
        } catch {
            broke = run.steps;
        }
        const end = losses.slice(-100);
        const mean = end.reduce((sum, loss) => sum + loss, 0) / end.length;
        const apart = Math.sqrt(end.reduce((sum, x) => sum + (x - mean) ** 2, 0) / end.length);
        return { first: looks[0], last: looks.at(-1), lowest: Math.min(...looks), training: mean,
            highest: Math.max(...losses), apart, broke: broke ?? 0,
            guessing: Math.log(read.tokenizer.size),
            pairs: lossOfPairs(read.training, read.validation, read.tokenizer.size) };
    };
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(LANGUAGE)


def outcome(page, experiment: str | None, size: str, text: str, steps: int) -> dict:
    wish = {"size": size, "text": text, "steps": steps, "experiment": experiment}
    return page.evaluate("outcome", wish)


def test_three_rates_of_the_first_chapter(page):
    small, right, large = (
        outcome(page, name, "4 thousand", "names", 600)
        for name in ("too-small", "right", "too-large")
    )
    assert right["last"] < small["last"] - 0.5 < small["first"] - 0.9
    assert small["guessing"] == pytest.approx(math.log(53))
    assert 0 < large["broke"] < 100
    assert not small["broke"] and not right["broke"]
    assert large["highest"] > 1000 and small["highest"] < small["guessing"] + 0.1


PROMISES = {  # of an experiment beside the run without: what its note says
    "rate-high": lambda it, plain: (
        it["highest"] > it["guessing"] + 1 and it["last"] > it["pairs"] + 0.3
    ),
    "rate-low": lambda it, plain: (
        it["last"] > plain["last"] + 0.5 and it["highest"] < it["guessing"] + 0.1
    ),
    "batch-one": lambda it, plain: (
        it["apart"] > 1.2 * plain["apart"] and it["last"] > plain["last"] + 0.2
    ),
    "no-warmup": lambda it, plain: it["last"] > plain["last"] + 0.05,
    "descent": lambda it, plain: plain["last"] + 0.1 < it["last"] < it["pairs"] + 0.05,
    "wide-start": lambda it, plain: (
        it["first"] > it["guessing"] + 2 and it["last"] > plain["last"] + 0.05
    ),
    "repeated-line": lambda it, plain: max(it["last"], it["training"]) < 0.3 < plain["last"],
    "little-text": lambda it, plain: (
        it["last"] > it["lowest"] + 0.1 and it["training"] < it["last"] - 0.3
    ),
}


@pytest.mark.slow  # eight runs of some ten seconds
@pytest.mark.timeout(900)
def test_every_experiment_shows_what_it_promises(page):
    settings = ("28 thousand", "shakespeare", 1000)
    plain = outcome(page, None, *settings)
    assert plain["last"] < plain["pairs"] - 0.1
    for name, holds in PROMISES.items():
        it = outcome(page, name, *settings)
        assert holds(it, plain), (name, it, plain)
        assert math.isfinite(it["last"])


def test_every_experiment_has_a_promise(page):
    names = page.evaluate("Object.keys(EXPERIMENTS)")
    assert {*names} == {*PROMISES, "too-small", "right", "too-large"}
