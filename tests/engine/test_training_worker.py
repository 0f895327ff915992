"""A run in a worker: it answers while it trains, goes on after a pause and after its tab is closed,
and what the page fetches for it is the package's."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, fields, replace

import pytest
import training_files
from page_complaints import complaints_of

from minigpt.data import shakespeare
from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Recipe

TEXT = shakespeare()[:6000]
RECIPE = Recipe(steps=60, batch_size=4, learning_rate=1e-2, warmup=5)
SIZES = {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 16}
LANGUAGE = """async () => {
    const names = ["training/run-in-worker.js", "training/kept-run.js", "training/training-run.js",
        "training/texts.js", "training/room.js", "training/training-job.js"];
    const address = (name) => new URL(`_static/engine/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.begun = async (wish) => {
        const news = [];
        const stops = [];  // who waits for it to stand
        const run = await RunInWorker.start(wish, (one) => {
            news.push(one);
            if ("stopped" in one || "failed" in one) stops.splice(0).forEach((stop) => stop());
        });
        const until = async (step) => {
            const stopped = new Promise((resolve) => stops.push(resolve));
            await run.go(step);
            await stopped;
        };
        const losses = () => [...run.facts.losses, ...news.flatMap((one) => [...one.losses ?? []])];
        const looks = () => [...run.facts.looks, ...news.flatMap(({ look }) => look ?? [])];
        return { run, news, until, losses, looks };
    };
    window.errorOf = async (act) => {
        try { await act(); } catch (error) { return error.message; }
    };
}"""


def order(**changed) -> dict:
    return {
        "text": TEXT,
        "merges": 0,
        "sizes": SIZES,
        "recipe": asdict(RECIPE),
        "look": 20,
        "sample": {"prompt": "", "tokens": 30, "seed": 1},
    } | changed


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(LANGUAGE)


@pytest.mark.parametrize("in_script", [False, True], ids=["wasm", "script"])
def test_its_losses_are_those_of_the_run(page, in_script):
    """And neither a pause, nor a look, nor a question moves them."""
    found, wanted = page.evaluate(
        """async ([order, inScript]) => {
            const { run, until, losses } = await begun({ order, inScript });
            await until(13);
            await run.write({ prompt: "To be", tokens: 5, seed: 3 });
            await until(24);
            await run.home();
            await until(25);
            run.close();
            const text = readText(order.text, { merges: 0, length: 16 });
            const config = { ...run.facts.config };
            const wasm = inScript ? undefined : await fetchedWasm();
            const own = await TrainingRun.make({ config, recipe: order.recipe, text, wasm });
            return [losses(), Array.from({ length: 25 }, () => Math.fround(own.step().loss))];
        }""",
        [order(), in_script],
    )
    assert found == wanted and len(found) == 25


def test_it_tells_what_it_learns_from_and_what_guessing_and_counting_reach(page):
    facts = page.evaluate(
        """async (order) => {
            const { run } = await begun({ order });
            run.close();
            return run.facts;
        }""",
        order(),
    )
    vocabulary = len(set(TEXT))
    assert facts["guessing"] == pytest.approx(math.log(vocabulary))
    assert 2 < facts["pairs"] < 2.9
    assert (facts["training"], facts["validation"]) == (5400, 600)
    model = GPT(GPTConfig(vocabulary, 16, n_layer=1, n_head=2, n_embd=16))
    assert facts["count"] == sum(p.numel() for p in model.parameters())
    assert facts["step"] == 0 and facts["looks"] == []


def test_it_looks_at_the_beginning_and_the_end_and_in_between(page):
    looks, news = page.evaluate(
        """async (order) => {
            const { run, until, looks, news } = await begun({ order });
            await until();
            run.close();
            return [looks(), news];
        }""",
        order(recipe=asdict(replace(RECIPE, steps=50))),
    )
    assert [look["step"] for look in looks] == [0, 20, 40, 50]
    assert looks[0]["loss"] == pytest.approx(math.log(len(set(TEXT))), abs=0.05)
    assert looks[-1]["loss"] < looks[0]["loss"] - 0.5
    assert all(len(look["text"]) == 30 for look in looks)
    assert len({look["text"] for look in looks}) == 4
    assert news[-1] == {"stopped": 50, "ended": True}
    reports = [one for one in news if one.get("step")]
    assert reports[-1]["perSecond"] > 1 and reports[-1]["seconds"] > 0


def test_the_same_seed_writes_the_same_text(page):
    texts = page.evaluate(
        """async (order) => {
            const { run, until } = await begun({ order });
            await until(10);
            const write = (seed, prompt) => run.write({ prompt, tokens: 40, seed });
            const texts = [await write(1, ""), await write(1, ""), await write(2, ""),
                await write(1, "The"), await errorOf(() => write(1, "Ünd"))];
            run.close();
            return texts.map((one) => one.text ?? one);
        }""",
        order(),
    )
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[3]) == 40
    assert "“Ü”, character 1 of the text, is not among" in texts[4]


def test_the_rate_can_be_changed_while_it_runs(page):
    plain, changed, told = page.evaluate(
        """async (order) => {
            const steps = async (act) => {
                const { run, until, losses } = await begun({ order: structuredClone(order) });
                await until(10);
                await act(run);
                await until(20);
                const state = await run.state();
                run.close();
                return [losses(), state.weights.length];
            };
            const [plain] = await steps(() => {});
            const [changed, size] = await steps((run) => run.setRate(0.1));
            return [plain, changed, size];
        }""",
        order(),
    )
    assert plain[:11] == changed[:11] and plain[12:] != changed[12:]
    assert told > 3000


def test_the_page_answers_while_it_trains_and_so_does_the_worker(page):
    """A frame is late by no more than 100 ms, most of the time: other work shares the processor."""
    waits, answers, steps = page.evaluate(
        """async ([order]) => {
            const { run, news } = await begun({ order });
            await run.go();
            const waits = [];
            const answers = [];
            let last = performance.now();
            for (let i = 0; i < 20; i++) {
                await new Promise((resolve) => setTimeout(resolve, 20));
                waits.push(performance.now() - last - 20);
                const asked = performance.now();
                await run.setRate(0.01);
                answers.push(performance.now() - asked);
                last = performance.now();
            }
            await run.pause();
            const step = news.findLast((one) => one.step)?.step;
            run.close();
            return [waits, answers, step];
        }""",
        [
            order(
                sizes={"n_layer": 2, "n_head": 4, "n_embd": 32, "n_positions": 32},
                recipe=asdict(replace(RECIPE, steps=5000, batch_size=8)),
                look=5000,
            )
        ],
    )
    assert sorted(waits)[len(waits) // 2] < 100
    assert sorted(answers)[len(answers) // 2] < 250  # a slice of 50 ms, and its last step
    assert steps > 0


def test_snapshots_show_what_a_step_was_long_after_it(page):
    """Attention, sample and gradients of a step are those of a run that ends there."""
    losses, then, now, looks, told = page.evaluate(
        """async (order) => {
            const text = "Thou art";
            const long = await begun({ order: structuredClone(order) });
            await long.until(5);
            const then = await long.run.attention({ step: 5, text });
            await long.until(30);
            const now = await long.run.attention({ step: 5, text });
            const told = [await errorOf(() => long.run.attention({ step: 5, text: "Ü" })),
                await errorOf(() => long.run.attention({ step: 5, text: "" })),
                (await long.run.attention({ step: 29, text: text.repeat(3) })).left];
            const looks = long.looks();
            const losses = long.losses();
            long.run.close();
            const list = (heads) => heads.map((map) => [...map]);
            const plain = (one) => ({ ...one, maps: one.maps.map(list) });
            return [losses, plain(then), plain(now), looks, told];
        }""",
        order(inside=True),
    )
    assert then == now and then["step"] == 5 and len(then["bytes"]) == 8
    assert [look["step"] for look in looks] == [0, 1, 2, 5, 10, 20]
    assert all(len(look["gradients"]["blocks"]) == 1 for look in looks)
    assert looks[0]["gradients"]["tables"] > 0
    assert "“Ü”, character 1 of the text, is not among" in told[0]
    assert "nothing to look at" in told[1] and told[2] == 8
    plain = page.evaluate(
        """async (order) => {
            const { run, until, losses } = await begun({ order });
            await until(30);
            run.close();
            return losses();
        }""",
        order(),
    )
    assert losses == plain  # looking moves nothing


def test_the_model_taken_home_is_the_best_of_its_looks(page, site_url):
    """Not the last one, which a rate too high has ruined; after the page was left, too."""
    spoilt = """async (order) => {
        const { run, until, looks, news } = await begun({ order, keepAs: "a test" });
        await until(10);
        const early = await run.home();
        await until(41);
        const then = (await run.home()).files["model.safetensors"];
        await run.setRate(3);
        await until();
        const { step, files } = await run.home();
        const same = then.every((byte, i) => byte === files["model.safetensors"][i]);
        const write = async (step) => [(await run.write({ step, prompt: "", tokens: 30, seed: 1 })),
            looks().find((look) => look.step === (step ?? 60)).text];
        const written = [await write(40), await write()];
        const other = await run.write({ step: 20, prompt: "", tokens: 3, seed: 1 });
        run.close();
        const told = news.findLast(({ best }) => best).best;
        return { early: early.step, step, same, told, written, other: other.step, looks: looks() };
    }"""
    found = page.evaluate(spoilt, order(sample={"prompt": "", "tokens": 30, "seed": 1}))
    losses = {look["step"]: look["loss"] for look in found["looks"]}
    assert losses[60] > losses[40] + 0.1 and losses[40] < losses[20]
    assert found["early"] == 10  # before the first look, as it is
    assert found["step"] == 40 and found["same"]
    assert found["told"] == {"step": 40, "loss": losses[40]}
    for (answer, text), step in zip(found["written"], (40, 60), strict=True):
        assert answer == {"step": step, "text": text}
    assert found["other"] == 60  # these weights are not kept
    open_chapter(page, site_url)
    after = page.evaluate(
        """async () => {
            const { run } = await begun({ keepAs: "a test" });
            const { step } = await run.home();
            await run.forget();
            run.close();
            return [step, run.facts.best.step];
        }"""
    )
    assert after == [40, 40]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": ""}, "There is no text"),
        ({"text": "To be, or not to be"}, "The text is too short"),
        ({"text": "aaaa" * 500}, "nothing to guess"),
        (
            {"sample": {"prompt": "Ü", "tokens": 3, "seed": 1}},
            "“Ü”, character 1 of the text, is not among",
        ),
    ],
)
def test_what_cannot_be_begun_is_refused_in_words(page, changed, said):
    assert said in page.evaluate("(order) => errorOf(() => begun({ order }))", order(**changed))


def test_a_rate_that_breaks_it_is_told(page):
    news = page.evaluate(
        """async (order) => {
            const { run, until, news } = await begun({ order });
            await until();
            run.close();
            return news.at(-1);
        }""",
        order(recipe=asdict(replace(RECIPE, learning_rate=1e30, warmup=0, clip=None))),
    )
    assert re.search(r"no number any more after \d+ steps: the learning rate", news["failed"])


# Kept in the browser


def test_a_run_goes_on_after_its_page_was_left(page, site_url):
    """From a batch in the middle, to the same losses, looks included."""
    whole, wanted = page.evaluate(
        """async (order) => {
            const { run, until, losses, looks } = await begun({ order });
            await until();
            run.close();
            return [losses(), looks()];
        }""",
        order(),
    )
    page.evaluate(
        """async (order) => {
            const { run, until } = await begun({ order, keepAs: "a test" });
            await until(31);  // and the page is left, without a farewell
        }""",
        order(),
    )
    open_chapter(page, site_url)
    step, losses, looks = page.evaluate(
        """async () => {
            const { run, until, losses, looks } = await begun({ keepAs: "a test" });
            await until();
            const { step } = run.facts;
            await run.forget();
            run.close();
            return [step, losses(), looks()];
        }"""
    )
    assert step == 31
    assert losses == whole and looks == wanted
    told = page.evaluate("errorOf(() => begun({ keepAs: 'a test' }))")
    assert "no run is kept here any more" in told


def test_it_is_kept_with_the_rate_that_it_was_given(page):
    rate = page.evaluate(
        """async (order) => {
            const { run, until } = await begun({ order, keepAs: "a test" });
            await until(2);
            await run.setRate(0.004);
            await until(3);
            const { order: { recipe } } = await kept("a test");
            await run.forget();
            run.close();
            return recipe.learning_rate;
        }""",
        order(),
    )
    assert rate == 0.004


def test_without_storage_it_trains_and_says_so(browser, site_url):
    page = browser.new_page()
    complaints = complaints_of(page)
    kept = (training_files.ASSETS / "engine" / "training" / "kept-run.js").read_text("utf-8")
    body = kept.replace("globalThis.indexedDB", "undefined")
    assert body != kept
    page.route(
        "**/kept-run.js",
        lambda route: route.fulfill(body=body, content_type="text/javascript"),
    )
    open_chapter(page, site_url)
    news = page.evaluate(
        """async (order) => {
            const { run, until, news } = await begun({ order, keepAs: "a test" });
            await until(5);
            await until(9);
            run.close();
            return news;
        }""",
        order(),
    )
    assert [one["stopped"] for one in news if "stopped" in one] == [5, 9]
    told = [one["keepsNothing"] for one in news if "keepsNothing" in one]
    assert told == ["this browser keeps nothing here"]  # once
    assert complaints == []
    page.close()


# What it fetches


def test_the_recipe_is_the_packages(site):
    told = json.loads((site / "_static" / "training" / "recipe.json").read_text("utf-8"))
    ours = asdict(RECIPES["adamw"])
    assert [size["name"] for size in told["sizes"]] == [
        "4 thousand",
        "28 thousand",
        "0.2 million",
        "0.8 million",
    ]
    for size in told["sizes"]:
        recipe = Recipe(**size["recipe"])
        other = {f.name for f in fields(Recipe) if getattr(recipe, f.name) != ours[f.name]}
        assert other <= {"steps", "batch_size", "learning_rate"}
        sizes = {n: size["sizes"][n] for n in ("n_layer", "n_head", "n_embd")}
        model = GPT(GPTConfig(65, size["sizes"]["n_positions"], **sizes))
        numbers = sum(p.numel() for p in model.parameters())
        assert numbers == pytest.approx(
            float(size["name"].split()[0]) * (1e3 if "thousand" in size["name"] else 1e6), rel=0.17
        )


def test_the_texts_are_there_and_long_enough_for_every_size(site):
    folder = site / "_static" / "training"
    told = json.loads((folder / "recipe.json").read_text("utf-8"))
    texts = {t["name"]: (folder / f"{t['name']}.txt").read_text("utf-8") for t in told["texts"]}
    assert {t["name"]: t["characters"] for t in told["texts"]} == {
        n: len(x) for n, x in texts.items()
    }
    longest = max(size["sizes"]["n_positions"] for size in told["sizes"])
    assert all(len(text) // 10 > 2 * longest + 1 for text in texts.values())
    assert shakespeare().startswith(texts["shakespeare"]) and len(texts["shakespeare"]) >= 100_000
    lines = texts["names"].split()
    assert {"Hamlet", "Romeo", "Puck"} <= set(lines) and len(lines) > 600
    assert not re.search(r"```|\{[a-z]+(:[a-z]+)?\}`", texts["chapter"])  # prose, and no markup


TWELVE = """async (order) => {
    const { run, until, losses } = await begun({ order });
    await until(5);
    await until(12);
    await run.pause();
    const { steps } = await run.state();
    run.close();
    return [losses(), steps, run.facts.cores];
}"""
HALF = {"batch_size": 3}  # windows: two for the first core, one for the second


def test_two_cores_reach_the_losses_of_one(page):
    """Their sums differ in their order, and a pause waits for the step at hand."""
    recipe = asdict(RECIPE) | HALF
    alone, together = (
        page.evaluate(TWELVE, order(recipe=recipe, together=both)) for both in (False, True)
    )
    assert together[0] == pytest.approx(alone[0], abs=1e-5)
    assert len(together[0]) == together[1] == alone[1] == 12
    assert (alone[2], together[2]) == (1, 2)


@pytest.mark.parametrize("how", ["does not start", "breaks", "says so", "is silent"])
def test_a_second_core_that_fails_costs_nothing_but_time(page, how):
    """The job is in the page here, so that its second worker can be another."""
    alone, found, cores = page.evaluate(
        """async ([order, how]) => {
            class Failing extends EventTarget {
                postMessage({ begin }) {
                    const tell = (event) => this.dispatchEvent(event);
                    const answer = (data) => tell(new MessageEvent("message", { data }));
                    const fails = () => tell(new ErrorEvent("error", { message: "gone" }));
                    setTimeout(() => {
                        if (how === "does not start" || (how === "breaks" && !begin)) fails();
                        else if (begin) answer({ ready: true });
                        else if (how === "says so") answer({ error: "gone" });
                    });
                }
                terminate() {}
            }
            const [ours, later] = [Worker, setTimeout];
            const losses = async (together) => {
                const job = await TrainingJob.begin({ ...order, together },
                    { wasm: await fetchedWasm(), tell() {} });
                const { cores } = job.facts;
                await job.go(12);
                return { losses: job.losses, cores };
            };
            const alone = await losses(false);
            window.Worker = Failing;
            window.setTimeout = (act, after) => later(act, after === 10_000 ? 50 : after);
            const found = await losses(true);
            [window.Worker, window.setTimeout] = [ours, later];
            return [alone.losses, found.losses, found.cores];
        }""",
        [order(), how],
    )
    assert found == alone and len(found) == 12
    assert cores == (1 if how == "does not start" else 2)
