"""<training-run> in a real browser: what it shows and says, and that its model opens at home."""

from __future__ import annotations

import json
import re
import zipfile
from itertools import pairwise

import pytest
import torch
from for_everyone import barriers, each_theme, small_targets, smallest_letters, too_wide, wear
from page_complaints import complaints_of
from playwright.sync_api import expect

from minigpt.__main__ import main
from minigpt.data import train_validation_split
from minigpt.exchange import load
from minigpt.tokenizer import open_tokenizer

SMALL = 'text="names" size="4 thousand" steps="60"'
KEPT = SMALL + ' keep="a test"'


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "train.html")
    page.evaluate("customElements.whenDefined('training-run').then(() => true)")


def put(page, attributes: str) -> None:
    page.evaluate(
        """(attributes) => {
            const made = document.createElement("div");
            made.innerHTML = `<training-run ${attributes}></training-run>`;
            document.querySelector("training-run").replaceWith(made.firstChild);
        }""",
        attributes,
    )


def renew(page) -> None:
    put(page, SMALL)
    page.evaluate("document.querySelector('training-run').load()")


@pytest.fixture
def element(page):
    return page.locator("training-run")


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def train(element, **changes) -> None:
    """A run with these changes of the recipe, until it stands."""
    element.evaluate("(e, changes) => e.train(changes)", changes)


def current(element) -> dict:
    return element.evaluate(
        "e => { const { losses, looks, step } = e.board.current; return { losses, looks, step }; }"
    )


def line(element) -> str:
    return element.locator(".mg-progress-line").inner_text()


def message(element):
    return element.locator("p.mg-message")


def points(element, name: str) -> list[tuple[float, float]]:
    path = element.locator(f".mg-chart .mg-{name}").last.get_attribute("d")
    return [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]


def drawn(element) -> None:
    """When the picture shows what is known."""
    element.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def test_one_press_trains_it(element):
    expect(button(element, "Begin anew")).to_be_hidden()
    button(element, "Train").click()
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    assert line(element).startswith("Step 60 of 60:")
    told = element.locator(".mg-stands").inner_text()
    run = current(element)
    apart = f"{run['looks'][-1]['loss']:.2f}"
    pattern = (
        rf"Training loss \d\.\d\d; on the text kept apart {apart}: "
        r"better than guessing \(3\.\d\d\).*\."
    )
    assert re.fullmatch(pattern, told)
    assert len(run["losses"]) == 60 and run["looks"][-1]["step"] == 60
    assert run["looks"][-1]["loss"] < run["looks"][0]["loss"] - 0.4


def test_the_curve_is_drawn_where_the_losses_are(element):
    train(element)
    drawn(element)
    run = current(element)
    guessing = element.evaluate("e => e.board.current.facts.guessing")
    ticks = dict(
        element.evaluate(
            """e => [...e.querySelectorAll('.mg-chart .mg-tick[text-anchor=end]')]
                .map((tick) => [tick.textContent, Number(tick.getAttribute('y')) - 4])"""
        )
    )
    zero, two = ticks["0"], ticks["2"]

    def height(loss: float) -> float:
        return zero + loss / 2 * (two - zero)

    validation = points(element, "validation")
    assert len(validation) == len(run["looks"])
    for (_, y), look in zip(validation, run["looks"], strict=True):
        assert y == pytest.approx(height(look["loss"]), abs=0.1)
    raw = points(element, "raw")
    assert [y for _, y in raw] == pytest.approx([height(x) for x in run["losses"]], abs=0.1)
    line_at = element.locator(".mg-reference").first.get_attribute("y1")
    assert float(line_at) == pytest.approx(height(guessing), abs=0.1)
    names = element.locator(".mg-chart .mg-name").all_text_contents()
    assert names[0] == f"guessing {guessing:.2f}"


@pytest.fixture(scope="module")
def whole(chapter) -> dict:
    """A run of the small settings that nothing happened to."""
    page, _ = chapter
    renew(page)
    element = page.locator("training-run")
    train(element)
    return current(element)


def test_a_pause_and_what_goes_on_are_one_run(whole, element):
    element.evaluate(
        """async (e) => {
            e.train();
            while (!e.board.current?.losses.length) await new Promise((r) => setTimeout(r, 5));
            await e.board.press();
        }"""
    )
    expect(button(element, "Go on").or_(button(element, "Train again"))).to_be_visible()
    if button(element, "Go on").is_visible():
        button(element, "Go on").click()
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    assert current(element) == whole


def stop_at_33(element) -> None:
    """A run that was begun and paused, as a reader may whose run is longer than these."""
    element.evaluate(
        """async (e) => {
            await e.load();
            const { board } = e;
            const { goOn } = board;
            board.goOn = async () => { await board.run.go(33); };
            await board.train();
            while (board.state !== "paused") await new Promise((r) => setTimeout(r, 5));
            board.goOn = goOn;
        }"""
    )


def test_a_page_that_was_closed_goes_on(whole, page, element, site_url):
    put(page, KEPT)
    stop_at_33(element)
    open_chapter(page, site_url)
    put(page, KEPT)
    element.evaluate("e => e.load()")
    expect(message(element)).to_contain_text("A run of yours was kept in this browser")
    assert "step 33 of 60" in message(element).inner_text()
    button(element, "Go on").click()
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    assert current(element) == whole
    button(element, "Forget what is kept").click()
    expect(message(element)).to_contain_text("Nothing of it is kept in this browser any more")
    expect(button(element, "Forget what is kept")).to_be_hidden()
    put(page, KEPT)
    element.evaluate("e => e.load()")
    expect(button(element, "Train")).to_be_visible()
    assert message(element).inner_text() == ""


SETTINGS = """e => Object.fromEntries(["text", "own", "tokens", "size", "rate", "steps"].map(
    (name) => [name, e.querySelector(`[id$=-${name}]`).value]))"""


@pytest.mark.parametrize("text", ["own", "chapter"])
def test_the_settings_and_the_text_come_back_with_the_run(page, element, site_url, text):
    put(page, KEPT)
    element.evaluate("e => e.load()")
    element.get_by_label("Text", exact=True).select_option(text)
    own = "".join(f"{i} green bottles hang there.\n" for i in range(200))
    if text == "own":
        element.get_by_label("Paste it here").fill(own)
    element.get_by_label("Tokens").select_option("100")
    element.get_by_label("Size, in numbers").select_option("1")
    element.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    element.get_by_label("Steps").fill("20")
    before = element.evaluate(SETTINGS)
    assert (before["size"], before["steps"], before["tokens"]) == ("1", "20", "100")
    train(element)
    open_chapter(page, site_url)
    put(page, KEPT)
    element.evaluate("e => e.load()")
    expect(message(element)).to_contain_text("A run of yours was kept in this browser")
    assert element.evaluate(SETTINGS) == before
    needs = f"{len(own):,} characters" if text == "own" else "16,"
    expect(element.locator(".mg-needs")).to_contain_text(needs)
    assert element.get_by_label("Paste it here").is_visible() == (text == "own")
    order, kept = element.evaluate("async e => [await e.board.fields.order(), e.board.own.order]")
    assert order == kept
    button(element, "Forget what is kept").click()
    expect(message(element)).to_contain_text("Nothing of it is kept")


def test_a_new_run_asks_before_it_takes_the_place_of_a_long_one(element):
    put(element.page, KEPT)
    train(element)
    element.evaluate("e => { e.board.own.seconds = 11; }")
    own = current(element)
    question = element.get_by_role("group", name="Begin a new run?")
    expect(question).to_be_hidden()
    again = button(element, "Train again")
    again.focus()
    element.page.keyboard.press("Enter")
    expect(question).to_contain_text(
        "takes the place of yours: Names: the people of the plays, 4 thousand numbers, "
        "characters, step 60."
    )
    keep = button(element, "Keep my run")
    expect(keep).to_be_focused()
    expect(keep).to_have_accessible_description(re.compile("takes the place of yours"))
    assert barriers(element.page, "training-run") == []
    element.page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(again).to_be_focused()
    assert current(element) == own
    again.click()
    keep.click()
    assert element.evaluate("e => e.board.earlier.length") == 0
    again.click()
    button(element, "Begin the new one").click()
    expect(again).to_be_focused()
    expect(element.locator(".mg-key li")).to_have_count(3, timeout=20_000)
    expect(again).to_be_visible(timeout=20_000)
    assert current(element) == own  # the same settings
    again.click()  # of a short run it does not ask
    expect(question).to_be_hidden()
    expect(element.locator(".mg-key li")).to_have_count(4)
    button(element, "Forget what is kept").click()


def test_a_new_run_that_cannot_begin_costs_nothing(whole, element):
    stop_at_33(element)
    element.get_by_label("Text", exact=True).select_option("own")
    element.get_by_label("Paste it here").fill("To be")
    button(element, "Begin anew").click()
    expect(message(element)).to_contain_text("The text is too short")
    button(element, "Go on").click()
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    assert current(element) == whole


def test_samples_can_be_gone_through(element):
    train(element)
    looks = current(element)["looks"]
    assert element.locator(".mg-samples .mg-title").inner_text().startswith("After 60 steps")
    slider = element.get_by_role("slider", name="The look that is shown")
    slider.press("Home")
    title = element.locator(".mg-samples .mg-title").inner_text()
    loss = f"{looks[0]['loss']:.2f}"
    assert title == f"After 0 steps, loss on the text kept apart {loss}, it writes:"
    shown = element.locator(".mg-written").inner_text()
    assert shown.split() == looks[0]["text"].split()


def test_names_beside_each_other_stay_apart_and_inside(page):
    places = page.evaluate(
        """async () => {
            const { spread } = await import(new URL(
                "_static/elements/training-run/run-chart.js", document.baseURI));
            return spread([298, 5, 150, 299, 2, 300], { apart: 10, top: 4, bottom: 300 });
        }"""
    )
    assert places == [280, 14, 150, 290, 4, 300]


def test_the_slider_moves_sample_gradients_and_attention_together(element):
    put(element.page, f"{SMALL} inside")
    element.evaluate("e => e.load()")
    train(element)
    looks = current(element)["looks"]
    steps = [look["step"] for look in looks]
    assert {0, 1, 2, 5, 10, 20, 50, 60} <= {*steps}
    inside = element.locator(".mg-inside")
    title = inside.locator(".mg-title")
    slider = element.get_by_role("slider", name="The look that is shown")
    seen = []
    for key, step in (("End", 60), ("Home", 0), ("ArrowRight", 1)):
        slider.press(key)
        words = "1 step" if step == 1 else f"{step} steps"
        expect(title.last).to_have_text(f"Attention after {words}")
        assert title.first.inner_text() == f"Gradient sizes after {words}"
        written = element.locator(".mg-samples .mg-title").inner_text()
        assert written.startswith(f"After {words}, loss on the text kept apart ")
        tables = looks[steps.index(step)]["gradients"]["tables"]
        told = inside.locator(".mg-sizes").inner_text()
        assert float(re.match(r"tables ([\d.e-]+), block 1 ", told)[1]) == pytest.approx(
            tables, rel=0.05
        )
        seen.append(element.evaluate("e => [...e.board.inside.attention.shownMap]"))
    assert seen[0] != seen[1] != seen[2]
    rows = inside.get_by_label("From token").locator("option").count()
    assert len(seen[0]) == rows**2
    assert "run side by side and level off are well, however far apart" in inside.inner_text()
    lines = element.locator(".mg-gradient-chart .mg-gradient")
    assert lines.count() == 2
    assert len(points(element, "gradient")) == len(looks)


def test_the_reader_chooses_sentence_head_and_token(element):
    put(element.page, f"{SMALL} inside")
    element.evaluate("e => e.load()")
    train(element)
    inside = element.locator(".mg-inside")
    inside.get_by_label("Sentence").fill("Hamlet")
    words = inside.locator(".mg-attention-words")
    expect(words).to_contain_text("“t” (token 6) looks")
    inside.get_by_label("From token").select_option("2")
    expect(words).to_contain_text("“m” (token 3) looks")
    first = words.inner_text()
    inside.get_by_label("Head", exact=True).select_option("Block 1, head 2")
    expect(words).not_to_have_text(first)
    inside.get_by_label("Sentence").fill("Ham9")
    expect(words).to_contain_text("“9”, character 4 of the text, is not among")
    inside.get_by_label("Sentence").fill("Ham")
    expect(words).to_contain_text("looks")
    element.locator(".mg-map").click(position={"x": 100, "y": 190})  # second row, first column
    expect(words).to_contain_text("“a” (token 2) looks")
    inside.get_by_text("The numbers of block 1, head 2").click()
    expect(inside.locator("tbody tr")).to_have_count(3)


def test_it_goes_on_from_a_beginning_or_says_why_not(element):
    button(element, "Let it write").click()
    assert "no model yet" in message(element).inner_text()
    train(element)
    element.get_by_role("textbox", name="Begin with").fill("Ham")
    button(element, "Let it write").click()
    expect(element.locator(".mg-written b")).to_have_text("Ham")
    assert len(element.locator(".mg-written").inner_text()) > 20
    element.get_by_role("textbox", name="Begin with").fill("9")
    button(element, "Let it write").click()
    expect(message(element)).to_contain_text("“9”, character 1 of the text, is not among")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no text: paste one, or choose one below."),
        ("To be", "The text is too short"),
        ("a" * 900, "there is nothing to guess."),
    ],
)
def test_a_text_that_is_none_is_refused(element, text, said):
    element.get_by_label("Text", exact=True).select_option("own")
    element.get_by_label("Paste it here").fill(text)
    button(element, "Train").click()
    expect(message(element)).to_contain_text(said)
    expect(button(element, "Train")).to_be_visible()


def test_a_file_that_is_no_text_is_refused(element):
    element.get_by_label("Text", exact=True).select_option("own")
    element.locator("input[type=file]").set_input_files(
        {"name": "noise.bin", "mimeType": "text/plain", "buffer": bytes(range(256)) * 20}
    )
    expect(message(element)).to_contain_text("noise.bin")
    button(element, "Train").click()
    expect(message(element)).to_contain_text("This is no text, or in an encoding other than UTF-8")


def test_a_text_of_the_readers_from_a_file_is_learned(element):
    element.get_by_label("Text", exact=True).select_option("own")
    text = "".join(f"{i} green bottles, and {i % 7} of them fall.\n" for i in range(60))
    element.locator("input[type=file]").set_input_files(
        {"name": "bottles.txt", "mimeType": "text/plain", "buffer": text.encode()}
    )
    expect(message(element)).to_have_text(f"bottles.txt: {len(text):,} characters.")
    expect(element.locator(".mg-needs")).to_contain_text(f"{len(text):,} characters")
    train(element)
    facts = element.locator(".mg-facts").inner_text()
    assert f"your own text, {len(text):,} characters, the last tenth kept apart" in facts


def test_what_is_pasted_is_counted_at_once_as_the_package_cuts_it(element):
    element.get_by_label("Text", exact=True).select_option("own")
    needs = element.locator(".mg-needs")
    expect(needs).to_have_text("There is no text yet.")
    text = ("To be, or not to be. \n" * 300)[:5101]
    element.get_by_label("Paste it here").fill(text)
    learned, judged = map(len, train_validation_split(text))
    assert (learned, judged) == (4590, 511)
    expect(needs).to_contain_text(
        "5,101 characters: 4,590 to learn from, and 511, at the end, to be judged by; "
    )
    assert element.get_by_label("Paste it here").evaluate("e => e === document.activeElement")


def test_another_size_says_what_it_sets(element):
    element.get_by_label("Size, in numbers").select_option("3")
    said = "The learning rate and the steps are now those that suit this size: 0.001, and 1,200"
    expect(message(element)).to_contain_text(said)
    drawn(element)
    ticks = element.locator(".mg-chart .mg-tick[text-anchor=end]")
    assert ticks.last.text_content() == "1200"  # of the axis, before a run
    element.get_by_label("Steps").fill("500")
    element.get_by_label("Steps").press("Enter")
    drawn(element)
    assert ticks.last.text_content() == "500"


def test_earlier_curves_stay_with_what_they_had_otherwise(element):
    train(element)
    train(element, learning_rate=0.3)
    drawn(element)
    key = element.locator(".mg-key li").all_inner_texts()
    assert len(key) == 3
    assert key[0] == "this run, learning rate 0.3: training loss, smoothed"
    assert re.fullmatch(r"A\s*earlier: learning rate 0\.01; ended at \d\.\d\d after .*", key[2])
    assert element.locator(".mg-chart .mg-earlier").count() == 2  # training and validation
    assert element.locator(".mg-chart .mg-letter").all_text_contents() == ["A"]
    button(element, "Clear earlier curves").click()
    drawn(element)
    assert element.locator(".mg-chart .mg-earlier").count() == 0


CHANGES = {  # of an experiment: in the order, and in its recipe
    "rate-high": ({"recipe"}, {"learning_rate"}),
    "rate-low": ({"recipe"}, {"learning_rate"}),
    "batch-one": ({"recipe"}, {"batch_size"}),
    "no-warmup": ({"recipe"}, {"warmup"}),
    "descent": ({"recipe"}, {"learning_rate", "optimizer"}),
    "wide-start": ({"spread"}, set()),
    "repeated-line": ({"text", "title"}, set()),
    "little-text": ({"text", "title"}, set()),
}


def test_every_experiment_changes_what_it_says(element):
    plain, orders = element.evaluate(
        """async ({ board: { fields } }) => {
            const address = "_static/elements/training-run/experiments.js";
            const { EXPERIMENTS, spoilt } = await import(new URL(address, document.baseURI));
            const orders = {};
            for (const [name, experiment] of Object.entries(EXPERIMENTS)) {
                orders[name] = await fields.order(spoilt(experiment));
            }
            return [await fields.order(), orders];
        }"""
    )
    for name, wanted in CHANGES.items():
        order = orders[name]
        changed = {key for key in plain if order[key] != plain[key]}
        recipe = {key for key in plain["recipe"] if order["recipe"][key] != plain["recipe"][key]}
        assert (changed, recipe) == wanted, name
    assert {*orders} == {*CHANGES, "too-small", "right", "too-large"}


def test_an_experiment_is_a_press_and_the_plain_settings_come_first(element):
    put(element.page, 'text="names" size="4 thousand" steps="20" experiments="batch-one"')
    element.evaluate("e => e.load()")
    element.get_by_role("group", name="Experiments").get_by_role("button").click()
    expect(element.locator(".mg-key li").nth(2)).to_contain_text("earlier: batch 8 windows")
    expect(element.locator(".mg-progress-line")).to_contain_text("Step 20 of 20:")
    key = element.locator(".mg-key li").first.inner_text()
    assert key == "this run, batch 1 window: training loss, smoothed"
    plain = element.evaluate("async e => e.board.fields.order()")
    assert element.evaluate("e => e.board.earlier.map((run) => run.order)") == [plain]
    assert "One window a step" in element.locator(".mg-experiments .mg-note").inner_text()


def test_an_experiment_does_not_take_the_place_of_the_readers_model(element):
    put(element.page, f'{SMALL} keep="an own run" experiments="rate-high"')
    train(element, learning_rate=0.02)
    own = current(element)
    facts = element.locator(".mg-facts").inner_text()
    experiment = element.get_by_role("group", name="Experiments").get_by_role("button")
    experiment.click()
    expect(message(element)).to_contain_text("Rate too high. A hundred times the learning rate")
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    assert current(element)["losses"] != own["losses"]
    key = element.locator(".mg-key li").nth(2).inner_text()
    assert re.match(r"A\s*your run: learning rate 0\.02; ended at", key)
    title = element.locator(".mg-made .mg-title")
    expect(title).to_have_text("What you have made: your own run, not the experiment that is shown")
    assert element.locator(".mg-facts").inner_text() == facts
    with element.page.expect_download():
        button(element, "Take it home").click()
    best = element.evaluate("async e => (await e.board.homeOfOwn()).step")
    expect(message(element)).to_contain_text(f"the model of step {best}, as config.json")
    kept = """async (name) => {
        const { kept } = await import(new URL(
            "_static/engine/training/kept-run.js", document.baseURI));
        return [...(await kept(name)).losses];
    }"""
    assert element.page.evaluate(kept, "an own run") == own["losses"]
    button(element, "Back to your run").click()
    expect(button(element, "Back to your run")).to_be_hidden()
    expect(button(element, "Train again")).to_be_focused()
    assert current(element) == own
    expect(title).to_have_text("What you have made")
    earlier = element.evaluate("e => e.board.earlier.map((r) => r.order.recipe.learning_rate)")
    assert earlier == pytest.approx([0.01, 1])
    button(element, "Forget what is kept").click()


def test_a_run_that_goes_rests_while_an_experiment_does(whole, element):
    put(element.page, f'{SMALL} experiments="batch-one"')
    stop_at_33(element)
    element.evaluate(
        """async ({ board }) => {
            await board.try("batch-one");
            await board.back();
            await board.goOn();
        }"""
    )
    assert current(element) == whole
    element.evaluate(
        """async (e) => {
            const { board } = e;
            e.train({ steps: 100000 });
            const goes = () => board.current.step > 0 && board.state === "running";
            while (!goes()) await new Promise((r) => setTimeout(r, 5));
            await board.try("batch-one");
            await board.back();
        }"""
    )
    expect(button(element, "Go on")).to_be_visible()
    run = current(element)
    assert 0 < run["step"] == len(run["losses"]) < 100000
    element.evaluate("e => { e.board.goOn(); }")
    expect(button(element, "Pause")).to_be_visible()
    button(element, "Pause").click()
    expect(button(element, "Go on")).to_be_visible()
    assert current(element)["losses"][: run["step"]] == run["losses"]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_press_of_an_experiment_brings_its_progress_into_view(element, motion):
    page = element.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(reduced_motion=motion)
    put(page, f'{SMALL} inside experiments="batch-one"')
    element.evaluate("e => e.load()")
    press = element.get_by_role("group", name="Experiments").get_by_role("button")
    press.scroll_into_view_if_needed()
    progress = element.locator(".mg-progress-line")
    expect(progress).not_to_be_in_viewport()
    element.evaluate(
        """e => {
            const { scrollIntoView } = Element.prototype;
            Element.prototype.scrollIntoView = function (how) {
                e.asked = how.behavior;
                Element.prototype.scrollIntoView = scrollIntoView;
                scrollIntoView.call(this, how);
            };
        }"""
    )
    press.evaluate("e => e.click()")
    expect(progress).to_be_in_viewport(ratio=1)
    expect(element.locator(".mg-chart").first).to_be_in_viewport(ratio=0.8)
    assert element.evaluate("e => e.asked") == ("auto" if motion == "reduce" else "smooth")
    page.emulate_media(reduced_motion="null")
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)


def test_an_experiment_alone_is_not_taken_home(element):
    put(element.page, f'{SMALL} experiments="batch-one"')
    element.evaluate("e => e.load().then(() => e.board.try('batch-one'))")
    expect(element.locator(".mg-facts")).to_contain_text(
        "nothing yet: an experiment is not taken home"
    )
    assert button(element, "Take it home").get_attribute("aria-disabled") == "true"
    expect(button(element, "Back to your run")).to_be_hidden()


def test_three_rates_stand_beside_each_other_in_words_of_the_first_chapter(element):
    rates = 'experiments="too-small right too-large"'
    put(element.page, f'text="names" size="4 thousand" steps="100" simple {rates}')
    element.evaluate("e => e.load()")
    drawn(element)
    chart = element.locator(".mg-chart")
    expect(chart.locator(".mg-name")).to_have_count(0)  # guessing, of a text yet to be read
    assert chart.locator(".mg-tick").last.text_content() == "100"
    for name in ("too-small", "right", "too-large"):
        element.evaluate("(e, name) => e.board.try(name)", name)
    drawn(element)
    key = [
        re.sub(r"after (?!\d+ step).*", "", text)
        for text in element.locator(".mg-key li").all_inner_texts()
    ]
    assert key[0] == "this run, learning rate 3: training loss, smoothed"
    assert re.fullmatch(r"A\s*earlier: learning rate 0\.01; ended at \d\.\d\d ", key[2])
    assert re.fullmatch(r"B\s*earlier: learning rate 0\.3; ended at \d\.\d\d ", key[3])
    assert "the learning rate, 3, is too high" in message(element).inner_text()
    assert re.fullmatch(r"Step \d\d of 100: it broke\.", line(element))
    words = element.inner_text()
    strange = ("token", "warm-up", "AdamW", "pairs", "nats", "descent", "block", "Take it home")
    assert [word for word in strange if word in words] == []
    element.evaluate("e => e.board.try('right')")
    third = element.locator(".mg-key li").nth(4).inner_text()
    assert re.fullmatch(r"C\s*earlier: learning rate 3; broke after \d\d steps", third)


def test_the_ladder_of_the_book_stands_beside_the_plays_alone(element, site):
    told = json.loads((site / "_static" / "training" / "recipe.json").read_text("utf-8"))["ladder"]
    put(element.page, 'text="shakespeare" size="4 thousand" steps="20"')
    train(element)
    drawn(element)
    assert [rung["rung"] for rung in told["rungs"]] == [
        *("one head", "four heads", "one block", "trained well", "trained longer"),
        "the book's model",
    ]
    for width in (1280, 360):
        element.page.set_viewport_size({"width": width, "height": 900})
        drawn(element)
        labels = element.locator(".mg-chart .mg-rung")
        assert labels.count() == 2 + len(told["rungs"])
        boxes = [labels.nth(i).bounding_box() for i in range(labels.count())]
        chart = element.locator(".mg-chart").bounding_box()
        assert all(b["x"] + b["width"] <= chart["x"] + chart["width"] for b in boxes)
        tops = sorted(box["y"] for box in boxes)
        assert all(low - high >= 11 for high, low in pairwise(tops))
    pairs = element.evaluate("e => e.board.current.facts.pairs")
    note = element.locator(".mg-about-ladder")
    assert f"counting pairs has 2.48 there and {pairs:.2f} here" in note.inner_text()
    put(element.page, SMALL)
    train(element)
    drawn(element)
    assert element.locator(".mg-chart .mg-rung").count() == 0 and note.inner_text() == ""


def test_the_rate_is_moved_while_it_trains(element):
    order = element.evaluate(
        """async (e) => {
            e.train({ steps: 5000 });
            const { board } = e;
            while (board.state !== "running") await new Promise((r) => setTimeout(r, 5));
            const slider = e.querySelector("input[id$=rate]");
            slider.value = Number(slider.value) + 1;
            slider.dispatchEvent(new Event("input"));
            await board.press();
            return board.current.order;
        }"""
    )
    assert order["recipe"]["learning_rate"] == 0.03


def test_a_rising_loss_is_told(page, element):
    said = page.evaluate(
        """async () => {
            const { rising } = await import(new URL(
                "_static/elements/training-run/run-words.js", document.baseURI));
            const looks = (...losses) => losses.map((loss, i) => ({ step: 100 * i, loss }));
            return [rising(looks(3, 2, 2.01, 1.9)), rising(looks(3, 2, 2.1)),
                rising(looks(3, 4, 5, 6)), rising(looks(3, 2, 2.1, 2.2))];
        }"""
    )
    assert said[:3] == [None, None, None]
    assert said[3].startswith("The loss on the text kept apart was lowest at step 100 (2.00)")


# What the reader takes home


@pytest.mark.parametrize("tokens", ["characters", pytest.param("bpe", marks=pytest.mark.slow)])
@pytest.mark.usefixtures("as_readers_run_it")  # JSON of JavaScript has 0 for 0.0
def test_the_folder_opens_at_home_and_writes(element, tmp_path, capsys, tokens):
    put(element.page, f'{SMALL} tokens="{tokens}"')
    train(element)
    with element.page.expect_download() as download:
        button(element, "Take it home").click()
    assert download.value.suggested_filename == "my-gpt.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    model, tokenizer = load(tmp_path / "my-gpt"), open_tokenizer(tmp_path / "my-gpt")
    text = element.evaluate("async e => (await e.board.fields.order()).text")
    ids = torch.tensor([tokenizer.encode(train_validation_split(text)[1])])
    length = model.config.context_length
    windows = (ids.shape[1] - 1) // length
    with torch.no_grad():
        inputs = ids[0, : windows * length].view(windows, length)
        targets = ids[0, 1 : windows * length + 1].view(windows, length)
        loss = torch.nn.functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
    lowest = min(look["loss"] for look in current(element)["looks"])
    assert lowest == pytest.approx(loss.item(), abs=1e-4)
    install = element.locator(".mg-made").get_by_role("link", name="how to install it")
    assert install.get_attribute("href") == "command-line.html"
    assert "my.txt is a file with your own text" in element.locator(".mg-made").inner_text()
    command = element.locator(".mg-made-command").inner_text()
    assert command == 'minigpt generate "" --model my-gpt'
    assert main(["generate", "", f"--model={tmp_path / 'my-gpt'}", "--tokens=20"]) == 0
    assert len(capsys.readouterr().out) >= 20


RUINED = """async ({ board }) => {  // by a rate that was put up where it stands
    board.changeRate(3);
    await board.goOn();
    return board.current.looks;
}"""


def test_the_best_model_is_taken_home_and_what_writes_is_named(element):
    put(element.page, f"{SMALL} inside")
    stop_at_33(element)
    looks = element.evaluate(RUINED)
    best = min(looks, key=lambda look: look["loss"])
    assert 0 < best["step"] < 60
    facts = element.locator(".mg-facts").inner_text()
    words = f"of step {best['step']}, where the loss on the text kept apart was lowest"
    assert f"{words}: {best['loss']:.2f}" in facts
    with element.page.expect_download():
        button(element, "Take it home").click()
    expect(message(element)).to_contain_text(f"the model of step {best['step']}, as config.json")
    title = element.locator(".mg-samples .mg-title")
    button(element, "Let it write").click()
    expect(title).to_have_text("After 60 steps, it goes on from your beginning:")
    element.get_by_role("slider", name="The look that is shown").press("ArrowLeft")
    button(element, "Let it write").click()
    step = looks[-2]["step"]
    expect(title).to_have_text(f"After {step} steps, it goes on from your beginning:")


def test_weights_that_are_gone_are_told_of(element):
    train(element)
    element.get_by_role("slider", name="The look that is shown").press("Home")
    button(element, "Let it write").click()
    expect(element.locator(".mg-samples .mg-title")).to_have_text(
        "After 60 steps (the weights of step 0 are not kept), it goes on from your beginning:"
    )


@pytest.mark.slow  # another page, and its own model
def test_it_opens_in_the_playground(element, site_url):
    page = element.page
    train(element)
    button(element, "Open in the playground").click()
    page.wait_for_url("**/playground.html#trained-here")
    told = page.locator("text-playground .mg-model p.mg-message")
    expect(told).to_contain_text("It is open: the whole page uses it now.", timeout=20_000)
    assert told.inner_text().startswith("The model that you trained is a GPT with 4,")
    open_chapter(page, site_url)


# For all readers


def test_keys_alone_train_it(element):
    page = element.page
    button(element, "Train").focus()
    page.keyboard.press("Enter")
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)
    expect(button(element, "Train again")).to_be_focused()
    slider = element.get_by_role("slider", name="Learning rate")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "0.003"
    reached = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Train again", "Let it write", "Take it home", "Open in the playground"} <= reached


def test_a_screen_reader_hears_a_few_words_and_not_every_step(element):
    told = element.evaluate(
        """async (e) => {
            const heard = [];
            const live = e.querySelector(".mg-visually-hidden[role=status]");
            const hear = () => heard.push(live.textContent);
            new MutationObserver(hear).observe(live, { childList: true });
            await e.train({ steps: 200 });
            return heard;
        }"""
    )
    assert 2 <= len(told) <= 6
    assert told[0].startswith("It trains: Names")
    assert told[1].startswith("Step ") and ", training loss " in told[1]
    assert told[-1].startswith("It has learned. Step 200, loss on the text kept apart ")
    assert "On the text kept apart it began at 3." in element.get_by_role("img").get_attribute(
        "aria-label"
    )


@each_theme
def test_it_is_accessible_and_fits(element, width, theme):
    page = element.page
    page.set_viewport_size({"width": width, "height": 900})
    wear(page, theme)
    put(page, f'{SMALL} inside experiments="rate-high batch-one wide-start"')
    element.evaluate("e => e.load()")
    train(element)
    train(element, batch_size=1)
    drawn(element)
    expect(element.locator(".mg-inside .mg-title").last).to_have_text("Attention after 60 steps")
    assert barriers(page, "training-run") == []
    assert too_wide(element, but=".mg-visually-hidden, select, .mg-written") == []
    assert small_targets(element, "button, input:not([type=file]), select") == []
    assert smallest_letters(element, "p, li, dd, dt, text") >= 12
    assert page.evaluate("document.documentElement.scrollWidth") <= width


ALL_EXPERIMENTS = " ".join(CHANGES)
PAGE = 'text="shakespeare" size="28 thousand" inside'  # as book/train.md has it


@pytest.mark.parametrize(
    ("width", "attributes"), [(360, SMALL), (1280, SMALL), (390, PAGE), (1280, PAGE)]
)
def test_it_keeps_its_height_while_it_trains(element, width, attributes):
    page = element.page
    page.set_viewport_size({"width": width, "height": 900})
    put(page, f'{attributes} experiments="{ALL_EXPERIMENTS}"')
    before = element.evaluate("e => e.offsetHeight")
    element.evaluate("e => e.load()")
    train(element, steps=60)
    drawn(element)
    assert element.evaluate("e => e.offsetHeight") == before
    made = element.locator(".mg-made").bounding_box()
    box = element.bounding_box()
    assert box["y"] + box["height"] - made["y"] - made["height"] < 160  # no blank card below


# The box on the front page


@pytest.fixture
def front(browser, site_url):
    page = browser.new_page()
    complaints = complaints_of(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site_url)))
    page.goto(site_url + "index.html", wait_until="networkidle")
    yield page, asked
    assert complaints == []
    page.close()


def test_the_front_page_fetches_nothing_before_the_press(front):
    page, asked = front
    page.locator("training-run").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if re.search(r"_static/(engine/training|training)/", url)]
    box = page.locator("training-run")
    box.evaluate("e => e.setAttribute('steps', 40)")
    button(box, "Train a GPT in this page").click()
    expect(button(box, "Train again")).to_be_visible(timeout=30_000)
    expect(button(box, "Train again")).to_be_focused()
    assert any("training/shakespeare.txt" in url for url in asked)
    assert len(box.locator(".mg-written").inner_text()) > 100
    assert box.get_by_role("link").get_attribute("href") == "train.html"
    assert barriers(page, "training-run") == []


def test_a_script_that_does_not_come_is_told_of(browser, site_url):
    page = browser.new_page()
    page.route("**/training-board.js", lambda route: route.abort())
    page.goto(site_url + "index.html")
    box = page.locator("training-run")
    button(box, "Train a GPT in this page").click()
    expect(message(box)).to_contain_text("Could not load the trainer: check the connection")
    expect(button(box, "Try again")).to_be_visible()
    page.close()


def test_the_ladder_of_the_page_needs_no_more_than_it_tells(element):
    """The numbers that learn, and the memory, as told before the run begins."""
    expect(element.locator(".mg-needs")).to_contain_text("numbers that learn")
    told = element.locator(".mg-needs").inner_text()
    train(element)
    count = element.evaluate("e => e.board.current.facts.count")
    assert f"{count:,} numbers that learn" in told
