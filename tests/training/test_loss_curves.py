"""The runs with planted faults in the page, in a real browser, held to the stored curves."""

from __future__ import annotations

import itertools
import json
import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from importlib.resources import files

import book_sources
import pytest
from for_everyone import (
    barriers,
    each_theme,
    reserved_height,
    small_targets,
    smallest_letters,
    too_wide,
    wear,
)
from page_complaints import complaints_of
from playwright.sync_api import expect

FOLDER = book_sources.ROOT / "book" / "assets" / "elements" / "loss-curves"
STORED = json.loads((files("minigpt") / "results" / "curves.json").read_text("utf-8"))
SETTINGS = STORED["settings"]
STEPS = SETTINGS["steps"]
RUNS = {run["bug"]: run for run in STORED["runs"]}
HEALTHY = ("none", "none-with-dropout")
FAULTS = [bug for bug in RUNS if bug not in HEALTHY]
LOGGED = range(0, STEPS, SETTINGS["log_every"])
EVALUATED = [*range(0, STEPS, SETTINGS["evaluate_every"]), STEPS]


def renew(page) -> None:
    page.evaluate(
        """() => {
            const element = document.createElement('loss-curves');
            document.querySelector('loss-curves').replaceWith(element);
            return element.load();
        }"""
    )


@pytest.fixture
def element(page):
    return page.locator("loss-curves")


@pytest.fixture
def diagnoses(page) -> list[dict]:
    """The order of the runs, their answers and their choices, as the page has them."""
    return page.evaluate(
        """async () => {
            const { DIAGNOSES } = await import(
                new URL('_static/elements/loss-curves/diagnoses.js', document.baseURI));
            return DIAGNOSES;
        }"""
    )


@pytest.fixture
def answers(page) -> dict:
    return page.evaluate(
        """async () => {
            const { ANSWERS } = await import(
                new URL('_static/elements/loss-curves/diagnoses.js', document.baseURI));
            return ANSWERS;
        }"""
    )


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "training.html")
    page.evaluate(
        "customElements.whenDefined('loss-curves').then("
        "() => document.querySelector('loss-curves').load())"
    )


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def show(element, number: int) -> None:
    element.get_by_role("toolbar", name="Runs").get_by_role("button").nth(number).click()


def choice(element, key: str):
    return element.locator(f"[data-answer={key}]")


def feedback(element) -> str:
    return element.locator(".mg-feedback").inner_text()


def move(element, place: int) -> None:
    """Bring the cursor to a place: an index of LOGGED, or one more for the end."""
    element.get_by_role("slider").evaluate(
        "(slider, place) => { slider.value = place; slider.dispatchEvent(new Event('input')); }",
        place,
    )


def readout(element) -> dict[str, str]:
    """The numbers at the cursor, by name."""
    parts = element.locator("output [data-value]")
    return dict(text.split("\u00a0") for text in parts.all_inner_texts())


def shown(x: float | None) -> str:
    """A number as the page writes it. Decimal, as JavaScript rounds halves up."""
    if x is None:
        return "nan"
    if x == 0:
        return "0"
    if 0.1 <= x < 100:
        return str(Decimal(x).quantize(Decimal("0.001"), ROUND_HALF_UP))
    if 1e-4 <= x < 1e5:
        three = Context(prec=3, rounding=ROUND_HALF_UP).create_decimal(Decimal(x))
        return format(float(three), ".8f").rstrip("0").rstrip(".")
    mantissa, power = f"{x:.1e}".split("e")
    return f"{mantissa}e{int(power)}".replace("-", "−")


def average(values: list[float], weight: float = 0.9) -> list[float]:
    """The running average, from its definition: earlier values weigh 0.9 of the next one's."""
    found = []
    for i in range(len(values)):
        weights = [weight ** (i - j) for j in range(i + 1)]
        total = sum(w * x for w, x in zip(weights, values, strict=False))
        found.append(total / sum(weights))
    return found


def points(element, name: str) -> list[tuple[float, float]]:
    """Where a curve goes through, in pixels of the picture."""
    path = element.locator(f".mg-chart .mg-{name}").get_attribute("d")
    return [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]


def loss_ticks(element) -> dict[float, float]:
    """The numbers beside the axis of the loss, and their heights in the picture."""
    found = element.evaluate(
        """e => {
            const frame = e.querySelector('.mg-frame').getAttribute('d').match(/V([\\d.]+)/)[1];
            return [...e.querySelectorAll('.mg-chart .mg-tick[text-anchor=end]')]
                .map((tick) => [tick.textContent, Number(tick.getAttribute('y')) - 4])
                .filter(([, y]) => y <= Number(frame) + 0.1);
        }"""
    )
    return {float(text.replace("≤", "").replace("−", "-")): y for text, y in found}


def interpolated(x: float, ticks: dict[float, float], scale=lambda x: x) -> float:
    """The height that belongs to a number, from the axis's first and last tick."""
    (low, bottom), *_, (high, top) = sorted(ticks.items())
    share = (scale(x) - scale(low)) / (scale(high) - scale(low))
    return bottom + share * (top - bottom)


# The data


def test_the_page_has_the_stored_runs(site, element):
    assert element.evaluate("e => e.data") == STORED
    assert next(iter(RUNS)) == "none"
    assert len(RUNS) == 11 and len(FAULTS) == 9


def test_every_fault_has_its_diagnosis(diagnoses, answers):
    assert sorted(d["bug"] for d in diagnoses) == sorted(FAULTS)
    for diagnosis in diagnoses:
        keys = diagnosis["choices"]
        assert len(set(keys)) == len(keys) == 4
        assert diagnosis["answer"] in keys
        # One order for all, so that the place tells nothing.
        assert keys == [key for key in answers if key in keys], diagnosis["bug"]
    used = {key for d in diagnoses for key in d["choices"]}
    assert used == set(answers)


def known(values: list[float | None]) -> list[float]:
    return [x for x in values if x is not None]


def tail(values: list[float | None]) -> float:
    """The mean of the last tenth of the steps, which one unlucky batch cannot sway."""
    last = known(values)[-len(values) // 10 :]
    return sum(last) / len(last)


def test_the_texts_say_what_the_curves_show():
    """What the diagnoses claim of the curves, with the numbers left out that the page fills in."""
    training = {bug: tail(run["training_loss"]) for bug, run in RUNS.items()}
    valid = {bug: known(run["validation_loss"]) for bug, run in RUNS.items()}
    final = {bug: values[-1] for bug, values in valid.items()}
    norms = {bug: known(run["gradient_norm"]) for bug, run in RUNS.items()}
    uniform, letters, pairs = (SETTINGS[key] for key in ("ln_vocabulary", "unigram", "bigram"))

    assert RUNS["none"]["training_loss"][0] == pytest.approx(uniform, abs=0.1)
    assert final["none"] < pairs < letters < uniform
    assert final["none"] == pytest.approx(training["none"], abs=0.1)

    slow = valid["rate-over-100"]
    assert final["rate-over-100"] > final["none"] + 0.5
    assert all(later < earlier for earlier, later in itertools.pairwise(slow))

    heart = valid["overfitting"]
    best = heart.index(min(heart))
    assert heart[best:] == sorted(heart[best:])
    assert final["overfitting"] > min(heart) + 0.5
    assert training["overfitting"] < training["none"] - 0.5

    fast = valid["rate-times-100"]
    assert max(abs(x - letters) for x in fast[1:]) < 0.25
    assert final["rate-times-100"] > final["none"] + 0.5

    assert RUNS["bad-start"]["training_loss"][0] > 5 * uniform
    assert final["bad-start"] > final["none"] + 0.1

    assert RUNS["targets-not-shifted"]["training_loss"][0] < uniform - 0.3
    assert final["targets-not-shifted"] < 0.01

    assert min(norms["no-zero-grad"]) > 1 > 2 * min(norms["none"])
    assert min(norms["bad-start"]) < 1  # or the answer would fit it too
    assert final["no-zero-grad"] > final["none"] + 0.2

    assert training["leaked-validation"] < training["none"] - 0.5
    assert final["leaked-validation"] < final["none"] - 0.5
    assert final["leaked-validation"] == pytest.approx(training["leaked-validation"], abs=0.1)
    falls = [a - b for a, b in itertools.pairwise(valid["leaked-validation"])]
    assert 0 < min(falls[1:]) < max(falls[1:]) < 0.3  # little by little

    ahead = [x - y for x, y in zip(valid["future-not-masked"], valid["none"], strict=True)]
    parted = next(i for i, x in enumerate(ahead) if x < -0.1)
    assert max(map(abs, ahead[:parted])) < 0.05
    assert parted > 1
    assert final["future-not-masked"] < 0.1

    beside, forgetful = RUNS["none-with-dropout"], RUNS["no-eval-mode"]
    assert forgetful["training_loss"] == pytest.approx(beside["training_loss"], abs=0.02)
    assert final["no-eval-mode"] > final["none-with-dropout"] + 0.08 > final["none"] + 0.1
    assert training["no-eval-mode"] > training["none"] + 0.1


def test_the_planted_lines_have_the_numbers_of_the_runs(page, diagnoses):
    lines = {d["bug"]: f"{d['right']}\n{d['planted']}" for d in diagnoses}
    rate = SETTINGS["learning_rate"]
    for bug, factor in (("rate-over-100", 0.01), ("rate-times-100", 100)):
        found = [float(x) for x in re.findall(r"\de-\d", lines[bug])]
        assert found == pytest.approx([rate, factor * rate])
    few = SETTINGS["few"]
    assert f"[:{few:_}]" in lines["overfitting"]
    assert f"[:{few:_}]" in lines["leaked-validation"]
    assert f"[:{few // 2:_}]" in lines["leaked-validation"]
    show(page.locator("loss-curves"), 1 + list(lines).index("overfitting"))
    choice(page.locator("loss-curves"), "overfitting").click()
    rounds = STEPS * SETTINGS["batch_size"] * SETTINGS["context_length"] / few
    assert f"go {rounds:.0f} times through its {few:,} characters" in feedback(
        page.locator("loss-curves")
    )


# The picture


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("log", [False, True])
def test_the_curves_are_drawn_where_the_axis_says(element, diagnoses, number, log):
    show(element, number)
    element.get_by_role("checkbox", name="Logarithmic").set_checked(log)
    run = RUNS[["none", *(d["bug"] for d in diagnoses)][number]]
    ticks = loss_ticks(element)
    assert len(ticks) >= 2
    assert list(ticks) == sorted(ticks)
    scale = math.log if log else float
    for name, values in (("training", "training_loss"), ("validation", "validation_loss")):
        found = points(element, name)
        wanted = [max(x, 1e-3) if log else x for x in known(run[values])]
        heights = [interpolated(x, ticks, scale) for x in wanted]
        assert [y for _, y in found] == pytest.approx(heights, abs=0.3)
        steps = [x for x, _ in found]
        places = list(LOGGED) if name == "training" else EVALUATED
        gaps = {
            round((b - a) / (q - p), 2)
            for a, b, p, q in zip(steps, steps[1:], places, places[1:], strict=False)
        }
        assert max(gaps) - min(gaps) <= 0.05  # evenly, up to the rounding of pixels
    names = element.locator(".mg-chart .mg-name").all_text_contents()
    assert names[0] == "uniform"
    lines = element.locator(".mg-chart .mg-reference")
    heights = [float(y) for y in lines.evaluate_all("all => all.map(l => l.getAttribute('y1'))")]
    levels = [SETTINGS[name] for name in ("ln_vocabulary", "unigram", "bigram")]
    assert heights == pytest.approx([interpolated(x, ticks, scale) for x in levels], abs=0.3)


def test_the_legend_names_every_line(element):
    assert element.get_by_text("the healthy run", exact=True).is_hidden()  # it is the one shown
    show(element, 1)
    entries = element.get_by_role("list", name="Legend").get_by_role("listitem").all_inner_texts()
    levels = {name: SETTINGS[name] for name in ("ln_vocabulary", "unigram", "bigram")}
    assert entries[:4] == [
        "training loss",
        "validation loss",
        "length of the gradient",
        "the healthy run",
    ]
    for entry, (name, level) in zip(
        entries[4:], zip(("uniform", "letters", "pairs"), levels.values(), strict=True), strict=True
    ):
        assert entry.startswith(f"{name} {level:.2f}: ")
    # Not by colour alone: another dash, or marks on the line.
    looks = element.locator(".mg-sample path").evaluate_all(
        "all => all.map(p => [getComputedStyle(p).strokeDasharray, getComputedStyle(p).stroke])"
    )
    training, validation, norm, healthy, *references = (tuple(look) for look in looks)
    assert len({training[0], validation[0], references[0][0]}) == 3
    assert len({training, validation, norm, healthy, references[0]}) == 5


def test_a_run_with_dropout_lies_before_a_healthy_one_with_dropout(element, diagnoses):
    number = 1 + [d["bug"] for d in diagnoses].index("no-eval-mode")
    show(element, number)
    ticks = loss_ticks(element)
    wanted = RUNS["none-with-dropout"]["validation_loss"]
    heights = [interpolated(x, ticks) for x in wanted]
    behind = points(element, "healthy-validation")
    assert [y for _, y in behind] == pytest.approx(heights, abs=0.3)


def test_the_healthy_run_lies_behind_the_others(element):
    own = points(element, "training")
    assert element.locator(".mg-chart .mg-healthy-training").count() == 0
    show(element, 1)
    behind = points(element, "healthy-training")
    assert behind != points(element, "training")
    assert [x for x, _ in behind] == [x for x, _ in own]
    order = element.locator(".mg-chart path").evaluate_all("all => all.map(p => p.classList[0])")
    assert order.index("mg-healthy-validation") < order.index("mg-training")


def test_the_picture_says_what_it_shows(element, diagnoses):
    for number, bug in enumerate(["none", *(d["bug"] for d in diagnoses)]):
        show(element, number)
        words = element.get_by_role("img").get_attribute("aria-label")
        name = f"Run {number} of 9" if number else "Healthy run"
        assert words.startswith(f"{name}. The training loss starts at ")
        for key, places in (("training_loss", LOGGED), ("validation_loss", EVALUATED)):
            values = RUNS[bug][key]
            least = min(known(values))
            assert f"starts at {shown(values[0])}, is lowest with {shown(least)} at step" in words
            assert f"at step {list(places)[values.index(least)]}, and" in words
            if None not in values:
                assert f"and ends at {shown(values[-1])}. " in words
        norms = known(RUNS[bug]["gradient_norm"])
        assert f"between {shown(min(norms))} and {shown(max(norms))}." in words
        assert bug == "none" or bug not in words


def test_smoothing_draws_the_running_average(element):
    raw = points(element, "training")
    element.get_by_role("checkbox", name="Smooth").check()
    values = average(RUNS["none"]["training_loss"])
    ticks = loss_ticks(element)
    heights = [interpolated(x, ticks) for x in values]
    assert [y for _, y in points(element, "training")] == pytest.approx(heights, abs=0.3)
    assert points(element, "raw") == raw  # what was measured stays behind it
    move(element, 40)
    assert readout(element)["training"] == shown(RUNS["none"]["training_loss"][40])
    assert f"(smoothed {shown(values[40])})" in element.locator("output").inner_text()
    element.get_by_role("checkbox", name="Smooth").uncheck()
    assert points(element, "training") == raw
    assert "smoothed" not in element.locator("output").inner_text()


# The cursor


def test_the_readout_is_what_was_measured(element, diagnoses):
    for number, bug in enumerate(["none", *(d["bug"] for d in diagnoses)]):
        show(element, number)
        run = RUNS[bug]
        for place in (0, 1, 37, len(LOGGED) - 1):
            move(element, place)
            step = LOGGED[place]
            measured = step // SETTINGS["evaluate_every"]
            assert readout(element) == {
                "step": str(step),
                "training": shown(run["training_loss"][place]),
                "validation": shown(run["validation_loss"][measured]),
                "gradient": shown(run["gradient_norm"][place]),
            }
            told = f"(at step {EVALUATED[measured]})"
            assert (told in element.locator("output").inner_text()) == (step != EVALUATED[measured])
        move(element, len(LOGGED))
        end = {"step": str(STEPS), "validation": shown(run["validation_loss"][-1])}
        assert readout(element) == end


def test_arrow_keys_move_the_cursor(element):
    slider = element.get_by_role("slider", name="Step")
    slider.press("Home")
    assert readout(element)["step"] == "0"
    slider.press("ArrowRight")
    assert readout(element)["step"] == str(LOGGED[1])
    said = slider.get_attribute("aria-valuetext")
    assert said == element.locator("output").text_content()
    slider.press("End")
    assert readout(element)["step"] == str(STEPS)


def test_the_pointer_moves_the_cursor(page, element):
    element.locator(".mg-chart").scroll_into_view_if_needed()
    box = element.locator(".mg-chart").bounding_box()
    steps = [x for x, _ in points(element, "training")]
    for place in (0, 20, 100):
        page.mouse.move(box["x"] + steps[place] + 1, box["y"] + 100)
        assert readout(element)["step"] == str(LOGGED[place])
        assert element.get_by_role("slider").input_value() == str(place)
        line = element.locator(".mg-cursor line").get_attribute("x1")
        assert float(line) == pytest.approx(steps[place], abs=0.1)
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 300)
    assert readout(element)["step"] == str(STEPS)


def test_a_finger_moves_the_cursor(browser, site_url):
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True)
    page = context.new_page()
    open_chapter(page, site_url)
    element = page.locator("loss-curves")
    element.locator(".mg-chart").scroll_into_view_if_needed()
    box = element.locator(".mg-chart").bounding_box()
    x, _ = points(element, "training")[80]
    page.touchscreen.tap(box["x"] + x, box["y"] + 120)
    assert abs(int(readout(element)["step"]) - LOGGED[80]) <= SETTINGS["log_every"]
    context.close()


# The diagnosis


def test_every_run_is_reached_by_number_and_step_by_step(element):
    heading = element.locator(".mg-headline .mg-title")
    runs = element.get_by_role("toolbar", name="Runs").get_by_role("button")
    assert runs.count() == 10
    seen = [heading.inner_text()]
    for _ in range(9):
        button(element, "Next").click()
        seen.append(heading.inner_text())
        assert runs.locator("xpath=self::*[@aria-pressed='true']").count() == 1
    assert seen == ["Healthy run", *(f"Run {n} of 9" for n in range(1, 10))]
    assert button(element, "Next").get_attribute("aria-disabled") == "true"
    button(element, "Next").click(force=True)
    assert heading.inner_text() == "Run 9 of 9"
    button(element, "Previous").click()
    assert heading.inner_text() == "Run 8 of 9"
    for number in (3, 0):
        runs.nth(number).click()
        assert heading.inner_text() == seen[number]
    assert button(element, "Previous").get_attribute("aria-disabled") == "true"


def test_every_run_is_answered_wrongly_and_rightly(element, diagnoses, answers):
    score = element.locator(".mg-score")
    for number, diagnosis in enumerate(diagnoses, 1):
        show(element, number)
        assert "Choose an answer." in feedback(element)
        question = element.get_by_role("group", name="What is wrong with this run?")
        assert (diagnosis.get("known") or "") in question.inner_text()
        assert question.get_by_role("button").count() == 4
        assert element.locator(".mg-choice").all_inner_texts() == [
            answers[key]["label"] for key in diagnosis["choices"]
        ]
        for key in diagnosis["choices"]:
            if key != diagnosis["answer"]:
                choice(element, key).click()
                assert feedback(element) == f"Wrong: {answers[key]['looks']}"
                assert choice(element, key).inner_text().endswith("✗ wrong")
        assert score.inner_text() == f"{number - 1} of 9 diagnosed"
        choice(element, diagnosis["answer"]).click()
        told = feedback(element)
        label = answers[diagnosis["answer"]]["label"]
        assert told.startswith(f"Right: {label[0].lower()}{label[1:]}.")
        for title in ("What gives it away", "How to confirm it", "The fix"):
            assert title in told
        assert (diagnosis["confirm"] or "go ") in told  # one is made of the settings
        assert diagnosis["fix"] in told
        assert not re.search("undefined|NaN|null|Infinity", told)
        assert choice(element, diagnosis["answer"]).inner_text().endswith("✓ right")
        assert score.inner_text() == f"{number} of 9 diagnosed"
        assert button(element, f"Run {number}, diagnosed").is_visible()
    show(element, 1)  # what was answered stays answered
    assert feedback(element).startswith("Right: ")
    assert element.locator("[data-verdict=wrong]").count() == 3


def test_the_words_hold_the_runs_own_numbers(element, diagnoses):
    """Every number with decimals in what is said of a run is one of the stored ones."""
    for number, diagnosis in enumerate(diagnoses, 1):
        healthy = RUNS[diagnosis.get("beside") or "none"]
        show(element, number)
        choice(element, diagnosis["answer"]).click()
        run = RUNS[diagnosis["bug"]]
        keys = ("training_loss", "validation_loss", "gradient_norm")
        stored = {shown(x) for r in (run, healthy) for key in keys for x in r[key]}
        stored |= {shown(SETTINGS[key]) for key in ("ln_vocabulary", "unigram", "bigram")}
        evidence = element.locator(".mg-feedback dd").first.inner_text()
        found = re.findall(r"\d+\.\d{3,}", evidence)
        assert found or " 0" in evidence
        assert set(found) <= stored


def test_the_planted_line_is_shown_when_asked_for(element, diagnoses):
    assert element.locator("[aria-controls]").is_hidden()  # the healthy run has none
    for number, diagnosis in enumerate(diagnoses, 1):
        show(element, number)
        reveal = element.locator("[aria-controls]")
        code = element.locator("#" + reveal.get_attribute("aria-controls"))
        assert reveal.inner_text() == "Show the planted bug"
        assert reveal.get_attribute("aria-expanded") == "false"
        assert code.is_hidden()
        assert diagnosis["planted"] not in element.inner_text()
        reveal.click()
        assert reveal.inner_text() == "Hide the planted bug"
        assert reveal.get_attribute("aria-expanded") == "true"
        assert code.locator("code").all_inner_texts() == [diagnosis["right"], diagnosis["planted"]]
        assert diagnosis["right"] != diagnosis["planted"]
        if number > 1:
            reveal.click()
            assert code.is_hidden()
    show(element, 1)  # opened before, still open
    assert element.locator("[aria-controls]").get_attribute("aria-expanded") == "true"


@pytest.mark.parametrize("width", [360, 1280])
def test_a_run_that_reaches_nan_is_said_to_end(browser, site_url, diagnoses, width):
    data = json.loads(json.dumps(STORED))
    (run,) = (run for run in data["runs"] if run["bug"] == diagnoses[0]["bug"])
    ends = 60
    for key in ("training_loss", "gradient_norm"):
        run[key][ends:] = [None] * (len(LOGGED) - ends)
    measured = LOGGED[ends] // SETTINGS["evaluate_every"]
    run["validation_loss"][measured:] = [None] * (len(EVALUATED) - measured)
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    complaints = complaints_of(page)
    page.route("**/curves.json", lambda route: route.fulfill(json=data))
    open_chapter(page, site_url)
    element = page.locator("loss-curves")
    show(element, 1)
    step = LOGGED[ends]
    assert f"From step {step} on the training loss is nan" in element.inner_text()
    assert element.locator(".mg-chart .mg-end").text_content() == f"nan from step {step}"
    words = element.get_by_role("img").get_attribute("aria-label")
    assert f"and is nan from step {step} on. The validation loss" in words
    assert len(points(element, "training")) == ends
    assert len(points(element, "validation")) == measured
    for option in ("Logarithmic", "Smooth"):
        element.get_by_role("checkbox", name=option).check()
        assert len(points(element, "training")) == ends
    move(element, ends)
    assert {**readout(element), "step": ""} == {
        "step": "",
        "training": "nan",
        "validation": "nan",
        "gradient": "nan",
    }
    assert element.locator(".mg-cursor circle").count() == 0
    assert "NaN" not in element.evaluate("e => e.outerHTML")
    choice(element, diagnoses[0]["answer"]).click()
    assert feedback(element).startswith("Right: ")
    assert complaints == []
    context.close()


def test_runs_that_do_not_load_are_said_in_words(browser, site_url):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/curves.json", lambda route: route.abort())
    open_chapter(page, site_url)
    element = page.locator("loss-curves")
    expect(element.get_by_role("status")).to_contain_text("Could not load the runs: check")
    assert element.get_by_role("slider").count() == 0
    page.unroute("**/curves.json")
    button(element, "Try again").press("Enter")
    expect(element.get_by_role("slider")).to_be_visible()
    expect(button(element, "Next")).to_be_focused()
    context.close()


@pytest.mark.parametrize("change", ["bug", "more", "short"])
def test_other_data_is_refused(browser, site_url, change):
    data = json.loads(json.dumps(STORED))
    if change in ("bug", "more"):
        if change == "more":
            data["runs"].append(dict(data["runs"][3]))
        data["runs"][-1]["bug"] = "unheard-of"
        words = "runs and diagnoses differ"
    else:
        data["runs"][3]["gradient_norm"].pop()
        words = f"the run {data['runs'][3]['bug']} has {len(LOGGED) - 1} values of norm"
    context = browser.new_context()
    page = context.new_page()
    page.route("**/curves.json", lambda route: route.fulfill(json=data))
    open_chapter(page, site_url)
    expect(page.locator("loss-curves").get_by_role("status")).to_contain_text(words)
    context.close()


# For all readers


def test_everything_works_with_the_keyboard_alone(page, element, diagnoses):
    button(element, "Previous").focus()

    def tab(times: int = 1) -> None:
        for _ in range(times):
            page.keyboard.press("Tab")

    tab()
    page.keyboard.press("Enter")  # Next
    assert element.locator(".mg-headline .mg-title").inner_text() == "Run 1 of 9"
    tab()  # the list of runs is one stop
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert element.locator(".mg-headline .mg-title").inner_text() == "Run 2 of 9"
    tab()
    page.keyboard.press("End")
    assert readout(element)["step"] == str(STEPS)
    tab()
    page.keyboard.press("Space")
    assert element.get_by_role("checkbox", name="Logarithmic").is_checked()
    tab()
    page.keyboard.press("Space")
    assert element.get_by_role("checkbox", name="Smooth").is_checked()
    tab(1 + diagnoses[1]["choices"].index(diagnoses[1]["answer"]))
    page.keyboard.press("Enter")
    assert feedback(element).startswith("Right: ")
    assert page.evaluate("document.activeElement.dataset.answer") == diagnoses[1]["answer"]
    left = 4 - diagnoses[1]["choices"].index(diagnoses[1]["answer"])
    tab(left)
    page.keyboard.press("Enter")
    assert element.locator(".mg-planted").is_visible()


def test_the_first_run_begins_the_diagnosis(page, element):
    button(element, "To run 1").press("Enter")
    assert element.locator(".mg-headline .mg-title").inner_text() == "Run 1 of 9"
    assert page.evaluate("'answer' in document.activeElement.dataset")


def test_what_is_new_is_announced_once(element, diagnoses):
    region = element.locator("[role=status]")
    assert region.count() == 1
    assert element.locator("output").get_attribute("aria-live") == "off"
    assert region.inner_text() == ""  # nothing is said before a reader acts
    region.evaluate(
        """region => {
            region.said = 0;
            new MutationObserver((changes) => { region.said += changes.length; })
                .observe(region, { childList: true });
        }"""
    )
    button(element, "Next").click()
    assert region.text_content() == element.get_by_role("img").get_attribute("aria-label")
    assert region.evaluate("region => region.said") == 1
    choice(element, diagnoses[0]["answer"]).click()
    assert region.text_content().startswith("Right: ")
    assert diagnoses[0]["fix"] in region.text_content()
    assert region.evaluate("region => region.said") == 2
    move(element, 3)  # the slider speaks for itself
    assert region.evaluate("region => region.said") == 2


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, element, diagnoses, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    for number in (0, 1, 4):
        show(element, number)
        if number:
            for key in diagnoses[number - 1]["choices"]:
                choice(element, key).click()
            button(element, "Show the planted bug").click()
        assert barriers(page, "loss-curves") == []


@pytest.mark.parametrize(
    "width", [360, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (768, 1280))]
)
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    height = "document.querySelector('loss-curves').offsetHeight"
    reserved = reserved_height(page, site_url + "training.html", "loss-curves")
    open_chapter(page, site_url)
    element = page.locator("loss-curves")
    assert element.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    assert abs(page.evaluate(height) - reserved) <= 24
    places = set()
    top = (
        "e => ['.mg-chart', '.mg-options'].map((name) => Math.round("
        "e.querySelector(name).getBoundingClientRect().top - e.getBoundingClientRect().top))"
    )
    outside = """e => [...e.querySelectorAll('.mg-chart *')].filter((mark) => {
        const inner = mark.getBoundingClientRect();
        const outer = mark.ownerSVGElement.getBoundingClientRect();
        return inner.left < outer.left - 1 || inner.right > outer.right + 1
            || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    }).map((mark) => mark.outerHTML)"""
    for number in range(10):
        show(element, number)
        for log in (False, True):
            element.get_by_role("checkbox", name="Logarithmic").set_checked(log)
            element.get_by_role("checkbox", name="Smooth").set_checked(log)
            places.add(tuple(element.evaluate(top)))
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert too_wide(element) == []
            assert element.evaluate(outside) == []
        if number:
            for option in element.locator(".mg-choice").all():
                option.click()
            button(element, "Show the planted bug").click()
            assert too_wide(element) == []
            places.add(tuple(element.evaluate(top)))
    chart, options = zip(*places, strict=True)
    assert max(chart) - min(chart) <= 1
    assert max(options) - min(options) <= 24
    assert smallest_letters(element, "text, output, li, dd, code") >= 12
    assert small_targets(element) == []
    context.close()


def test_a_screen_that_turns_is_drawn_anew(page, element):
    show(element, 2)
    page.set_viewport_size({"width": 360, "height": 800})
    box = "e => [e.viewBox.baseVal.width, e.viewBox.baseVal.height]"
    size = "e => [e.clientWidth, e.clientHeight]"
    chart = element.locator(".mg-chart")
    page.wait_for_function("() => document.querySelector('.mg-chart').viewBox.baseVal.width < 330")
    assert chart.evaluate(box) == chart.evaluate(size)


def test_nothing_moves_by_itself(element):
    button(element, "Next").click()
    moving = "e => document.getAnimations().filter(a => e.contains(a.effect.target)).length"
    assert element.evaluate(moving) == 0


def test_the_files_stay_small():
    scripts = list(FOLDER.iterdir())
    assert len(scripts) == 4
    assert sum(path.stat().st_size for path in scripts) < 42 * 1024
