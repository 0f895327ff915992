"""The box that answers in the page, in a real browser, held to minigpt in Python."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import play_finder_file
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
from page_scripts import ASSETS
from playwright.sync_api import expect

import minigpt
from minigpt.data.sets.play_characters import WORDINGS
from minigpt.exchange.shipped import PRETRAINED
from minigpt.finetuning import answer, load_adapter, load_template, set_adapter
from minigpt.generation import Sampling

FOLDER = PRETRAINED / "play-finder"
CASSIO, OPHELIA, NEVER, SUM = (
    "In which play is CASSIO?",
    "Name the play of OPHELIA.",
    "In which play is OTHELLO?",
    "What is 2 + 2?",
)
SIDES = ("on", "off")


@pytest.fixture(scope="module")
def by_python():
    """What minigpt answers to a question, with the adapter on and off."""
    model, tokenizer = minigpt.load("shakespeare", int8=True)  # as the page has it
    load_adapter(model, FOLDER, other_base=True)
    template, greedy = load_template(FOLDER), Sampling(temperature=0.0)

    def both(question: str) -> list[str]:
        messages, found = [{"role": "user", "content": question}], []
        for name in ("default", None):
            set_adapter(model, name)
            found.append("".join(answer(model, tokenizer, template, messages, sampling=greedy)))
        return found

    return both


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "playground.html")
    page.evaluate("customElements.whenDefined('chat-box').then(() => true)")


def renew(page) -> None:
    page.evaluate(
        """() => {
            const element = document.createElement('chat-box');
            document.querySelector('chat-box').replaceWith(element);
            return element.load().then(() => true);
        }"""
    )


@pytest.fixture
def element(page):
    return page.locator("chat-box")


def alone(browser, site_url: str, **options):
    """A page of its own, where nothing else loads the model, and the files it asked for."""
    page = browser.new_context(**options).new_page()
    for other in ("text-playground", "looking-glass", "logit-lens"):
        page.route(f"**/{other}.js*", lambda route: route.fulfill(body=""))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    open_chapter(page, site_url)
    return page, page.locator("chat-box"), asked


def button(element, name: str, exact: bool = True):
    return element.get_by_role("button", name=name, exact=exact)


def field(element):
    return element.get_by_role("textbox", name="Question")


def ask(element, question: str) -> None:
    field(element).fill(question)
    element.evaluate("e => e.ask()")


def shown(element, at: int = 0) -> list[str]:
    """The two answers to a question, the newest at 0."""
    turn = element.get_by_role("listitem").nth(at)
    return [turn.locator(f"[data-side={side}] .mg-answer").inner_text() for side in SIDES]


def notes(element, at: int = 0) -> list[str]:
    return element.get_by_role("listitem").nth(at).locator(".mg-side .mg-note").all_inner_texts()


def message(element):
    return element.locator("p.mg-message").last


def slowed(element, milliseconds: int) -> None:
    """Each token takes so long."""
    element.evaluate(
        """async (element, milliseconds) => {
            const models = await element.load();
            for (const side of ["base", "tuned"]) {
                const { scores } = models[side];
                models[side].scores = async (ids) => {
                    await new Promise((resolve) => setTimeout(resolve, milliseconds));
                    return scores.call(models[side], ids);
                };
            }
            element.mend = () => {
                delete models.base.scores;
                models.tuned.scores = (ids) => models.base.ask("scores", [ids, "play-finder"]);
            };
        }""",
        milliseconds,
    )


# What it answers


@pytest.mark.parametrize(
    ("question", "right"), [(CASSIO, "Othello"), (OPHELIA, "Hamlet"), (NEVER, None), (SUM, None)]
)
def test_both_answers_are_minigpt_s(element, by_python, question, right):
    ask(element, question)
    assert shown(element) == by_python(question)
    assert right in (shown(element)[0], None)
    expect(element.locator(".mg-asked")).to_have_text(f"READER: {question}")
    assert element.get_by_role("listitem").count() == 1
    for note, side in zip(notes(element), SIDES, strict=True):
        ids = element.evaluate(f"e => e.turns[0].answers.{side}.ids")
        assert note == f"{len(ids)} tokens with its end mark"


def test_nothing_is_loaded_before_the_first_question(browser, site_url):
    page, element, asked = alone(browser, site_url)
    field(element).focus()
    button(element, "Off").click()
    page.wait_for_load_state("networkidle")
    heavy = {"gpt-worker.js", "int8.safetensors", "adapter_model.safetensors"}
    assert not heavy & set(asked)
    expect(element.locator(".mg-loading")).to_contain_text("are loaded at the first question")
    button(element, CASSIO, exact=False).click()
    expect(element.locator("[data-side=off] .mg-note")).to_contain_text("with its end mark")
    for name in ("int8.safetensors", "adapter_model.safetensors", "adapter_config.json"):
        assert asked.count(name) == 1
    page.context.close()


def test_an_example_is_asked_at_a_press(element, by_python):
    for question in (CASSIO, OPHELIA, NEVER, SUM):
        button(element, question, exact=False).click()
        expect(element.locator(".mg-asked").first).to_have_text(f"READER: {question}")
        expect(element).to_have_attribute("data-state", "waiting")
        assert shown(element) == by_python(question)
        expect(field(element)).to_have_value(question)


def test_the_switch_says_which_answers_and_the_other_side_comes_beside(element, by_python):
    on, off = by_python(CASSIO)
    group = element.get_by_role("group", name="The adapter")
    expect(group.locator("[aria-pressed=true]")).to_have_text("Both")
    button(group, "Off").click()
    expect(group.locator("[aria-pressed=true]")).to_have_text("Off")
    ask(element, CASSIO)
    assert shown(element) == ["", off]
    assert notes(element)[0] == "not asked"
    button(group, "On").click()
    ask(element, CASSIO)
    assert shown(element) == [on, off]
    assert element.get_by_role("listitem").count() == 1


def test_the_last_questions_stay_and_no_more(element):
    button(element, "On").click()
    for number in range(6):
        ask(element, f"In which play is NUMBER {number}?")
    asked = element.locator(".mg-asked").all_inner_texts()
    assert asked == [f"READER: In which play is NUMBER {n}?" for n in (5, 4, 3, 2)]


def test_a_question_is_asked_alone(element, by_python):
    ask(element, SUM)
    ask(element, CASSIO)
    assert shown(element) == by_python(CASSIO)
    assert shown(element, 1) == by_python(SUM)


def test_a_reader_s_own_model_does_not_answer_here(page, element, by_python):
    page.evaluate(
        """async () => {
            const file = new URL("_static/engine/model-in-use.js", document.baseURI);
            const { useModel } = await import(file);
            window.useModel = useModel;
            useModel({ scores() { throw new Error("asked"); }, close() { } });
        }"""
    )
    ask(element, CASSIO)
    page.evaluate("useModel(undefined)")
    assert shown(element) == by_python(CASSIO)


def test_the_answer_comes_token_by_token_and_stops_when_told(page, element):
    slowed(element, 60)
    button(element, "Off").click()
    field(element).fill(SUM)
    button(element, "Ask").click()
    expect(element.locator("[data-side=off] .mg-answer")).not_to_be_empty()
    expect(button(element, "Stop")).to_be_visible()
    field(element).press("Escape")
    expect(button(element, "Ask")).to_be_visible()
    expect(element).to_have_attribute("data-state", "waiting")
    expect(element.locator("[data-side=off] .mg-note")).to_have_text("stopped")
    part = shown(element)[1]
    element.evaluate("e => e.mend()")
    ask(element, SUM)
    assert shown(element)[1].startswith(part) and shown(element)[1] != part


def test_a_question_while_it_answers_ends_the_first(element, by_python):
    slowed(element, 30)
    element.evaluate(
        """async (element, [first, second]) => {
            const one = element.askThis(first);
            while (!element.turns[0]?.answers.on?.ids.length) {
                await new Promise(requestAnimationFrame);
            }
            const two = element.askThis(second);
            element.mend();
            await Promise.all([one, two]);
        }""",
        [SUM, CASSIO],
    )
    assert shown(element) == by_python(CASSIO)
    assert notes(element, 1) == ["stopped", "not asked"]


# What it says of itself


def test_it_says_what_it_knows_and_how_often_it_is_right(element):
    measured = play_finder_file.measured()
    told = element.locator(".mg-knows").inner_text().replace("\u00a0", " ")
    assert told.startswith("It knows one kind of question: in which of Shakespeare’s plays")
    for kind in play_finder_file.KINDS:
        right, asked = measured[kind]["right"], measured[kind]["asked"]
        assert f"{int(100 * right / asked + 0.5)} % of {asked:,} " in told


def test_the_counts_are_those_that_were_measured(site):
    stored = json.loads((files("minigpt") / "results" / "play_finder.json").read_text("utf-8"))
    written = json.loads((site / "_static" / "results" / "play-finder.json").read_text("utf-8"))
    assert written == play_finder_file.measured()
    for kind, name in play_finder_file.KINDS.items():
        assert stored[name]["right"] == written[kind]["right"] <= written[kind]["asked"]
        assert stored[name]["asked"] == written[kind]["asked"] > 0


def test_the_examples_are_what_their_words_say():
    stored = json.loads((files("minigpt") / "results" / "play_finder.json").read_text("utf-8"))
    text = (ASSETS / "elements" / "chat-box" / "examples.js").read_text("utf-8")
    found = re.findall(r'question: "(.*)", kind: "(.*)"', text)
    assert [question for question, _ in found] == [CASSIO, OPHELIA, NEVER, SUM]
    wordings = {
        "told": stored["heard"],
        "told, in other words": stored["unheard"],
        "never told": WORDINGS[:1],
    }
    for question, kind in found[:3]:
        name = re.search("[A-Z]{2,}", question)[0]
        assert (name in stored["held_out"]) == (kind == "never told")
        assert question in [wording.format(name=name) for wording in wordings[kind]]


def test_where_the_counts_do_not_come_it_answers_nevertheless(browser, site_url):
    page, element, _ = alone(browser, site_url)
    page.route("**/play-finder.json", lambda route: route.fulfill(status=404))
    element.scroll_into_view_if_needed()
    expect(element.locator(".mg-knows")).to_contain_text("could not be loaded")
    ask(element, CASSIO)
    assert shown(element)[0] != ""
    page.unroute("**/play-finder.json")
    element.evaluate("e => e.load()")
    expect(element.locator(".mg-knows")).to_contain_text("Measured: right on")
    page.context.close()


# What goes wrong


def test_an_empty_question_is_told(element):
    ask(element, "  ")
    expect(message(element)).to_have_text("Type a question first.")
    expect(field(element)).to_be_focused()
    assert element.get_by_role("listitem").count() == 0


def test_a_question_that_is_too_long_is_told(element):
    ask(element, "why " * 200)
    expect(message(element)).to_contain_text(
        re.compile(r"^No answer: the question has \d+ tokens with its names, and there is room for")
    )
    ask(element, CASSIO)
    expect(message(element)).to_be_empty()


@pytest.mark.parametrize("file", ["int8.safetensors", "adapter_model.safetensors"])
def test_a_model_that_does_not_come_is_said_and_tried_again(browser, site_url, file):
    page, element, _ = alone(browser, site_url)
    page.route(f"**/{file}", lambda route: route.fulfill(status=404, body=""))
    field(element).fill(CASSIO)
    field(element).press("Enter")
    loading = element.locator(".mg-loading")
    expect(loading).to_contain_text("Could not load the model: check the connection")
    expect(loading).to_contain_text("answered 404")
    expect(element).to_have_attribute("data-state", "waiting")
    page.unroute(f"**/{file}")
    button(element, "Try again").press("Enter")
    expect(element.locator("[data-side=off] .mg-note")).to_contain_text("with its end mark")
    expect(field(element)).to_be_focused()
    page.context.close()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("throw new Error('out of memory')", "this device has too little memory"),
        ("return new Float32Array(4096).fill(NaN)", "its scores are not finite"),
        ("throw new TypeError('x is undefined')", "The page made a mistake"),
    ],
)
def test_a_model_that_fails_on_the_way_is_told(element, failure, words):
    element.evaluate(
        f"""async (element) => {{
            const {{ tuned }} = await element.load();
            const {{ scores }} = tuned;
            tuned.scores = async () => {{ tuned.scores = scores; {failure}; }};
        }}"""
    )
    ask(element, CASSIO)
    expect(message(element)).to_contain_text(words)
    assert notes(element) == ["not asked", "not asked"]
    ask(element, CASSIO)
    expect(message(element)).to_be_empty()
    assert "" not in shown(element)


# For all readers


def test_with_the_keyboard_alone(page, element):
    field(element).focus()
    field(element).press("Enter")
    expect(element.locator("[data-side=off] .mg-note")).to_contain_text("with its end mark")
    names = []
    for _ in range(9):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.slice(0, 12)"))
    assert names[0] == "Ask"
    assert names[5:8] == ["Both", "On", "Off"]
    assert page.evaluate("document.activeElement.className") == "mg-turns"  # it scrolls by keys


def test_the_answers_are_announced_at_their_end(element, by_python):
    ask(element, CASSIO)
    on, off = by_python(CASSIO)
    expect(element.locator(".mg-visually-hidden[role=status]")).to_have_text(
        f"Adapter on: {on}\nAdapter off: the book’s model: {off}"
    )


@each_theme
def test_no_accessibility_violation(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    ask(element, CASSIO)
    ask(element, SUM)
    assert barriers(page, "chat-box") == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    reserved = reserved_height(page, site_url + "playground.html", "chat-box")
    page.goto(site_url + "playground.html")
    element = page.locator("chat-box")
    page.evaluate("customElements.whenDefined('chat-box').then(() => true)")
    heights = {reserved}
    for question in ("", CASSIO, SUM, "O"):
        if question:
            ask(element, question)
        heights.add(element.evaluate("e => e.offsetHeight"))
        assert too_wide(element, but="input, .mg-visually-hidden") == []
    assert small_targets(element) == []
    assert smallest_letters(element, "*:not(.mg-visually-hidden)") >= 13
    assert heights == {reserved}
    needed = element.evaluate("e => { e.style.minHeight = 0; return e.offsetHeight; }")
    assert reserved - needed < 16  # and little stays empty
    context.close()
