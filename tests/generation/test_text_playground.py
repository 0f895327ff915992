"""The model that writes in the page, in a real browser, held to minigpt in Python."""

from __future__ import annotations

import itertools
import math
import re

import pytest
import torch
from for_everyone import (
    barriers,
    each_theme,
    reserved_height,
    small_targets,
    smallest_letters,
    too_wide,
    wear,
)
from playwright.sync_api import expect
from sampling_by_python import OFF, by_python, decimals, mulberry32

import minigpt
from minigpt.generation import Sampling, generate

CAREFUL = {"temperature": 0.7, "top_p": 0.9}
SETTINGS = [
    CAREFUL,
    {},
    {"temperature": 1.5, "top_k": 40},
    {"temperature": 0.8, "top_k": 200, "top_p": 0.95, "min_p": 0.02},
    {"temperature": 0.0},
]
LABELS = {"temperature": "τ = 0", "top_k": "top-k", "top_p": "top-p", "min_p": "min-p"}
SHOWN = 10


@pytest.fixture(scope="module")
def shipped():
    return minigpt.load("shakespeare", int8=True)


@pytest.fixture
def element(page):
    return page.locator("text-playground")


def open_chapter(page, site_url: str, fragment: str = "") -> None:
    page.goto(site_url + "playground.html" + fragment)
    page.evaluate("customElements.whenDefined('text-playground').then(() => true)")


def renew(page) -> None:
    page.evaluate(
        """() => {
            const element = document.createElement('text-playground');
            element.setAttribute('prompt', 'HAMLET:\\\\n');
            document.querySelector('text-playground').replaceWith(element);
            return element.load().then(() => true);
        }"""
    )


def alone(browser, site_url: str, fragment: str = "", **options):
    """A page of its own, where nothing else loads the model, and the files it asked for."""
    page = browser.new_context(**options).new_page()
    for other in ("looking-glass", "logit-lens"):
        page.route(f"**/{other}.js*", lambda route: route.fulfill(body=""))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    open_chapter(page, site_url, fragment)
    return page, page.locator("text-playground"), asked


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def configure(element, settings: dict, **fields) -> None:
    """Move the sliders and fill in the fields that stand elsewhere, as a reader does."""
    element.evaluate(
        """(element, [settings, fields]) => {
            for (const { name, stops, slider } of element.form.sliders) {
                const at = stops.indexOf(settings[name]);
                if (at < 0) throw new Error(`${name} cannot be ${settings[name]}`);
                if (slider.value === String(at)) continue;
                slider.value = at;
                slider.dispatchEvent(new Event('input', { bubbles: true }));
            }
            for (const [name, value] of Object.entries(fields)) {
                const { box: prompt, seed, tokens } = element.form;
                const field = { prompt, seed, tokens }[name];
                field.value = value;
                field.dispatchEvent(new Event('change', { bubbles: true }));
            }
        }""",
        [OFF | settings, fields],
    )


def write(element, settings: dict | None = None, **fields) -> list[int]:
    """Set, press and wait: the tokens that were written."""
    if settings is not None or fields:
        configure(element, CAREFUL if settings is None else settings, **fields)
    element.evaluate("e => e.write()")
    return written(element)


def written(element) -> list[int]:
    return element.evaluate("e => e.ids.slice(e.ids.length - e.written)")


def rest(element) -> None:
    expect(element).to_have_attribute("data-state", "waiting")


def message(element):
    return element.locator("p.mg-message").last


def token(element, at: int):
    return element.locator(".mg-token").nth(at)


def fact(element, name: str) -> str:
    return element.locator(f"[data-value={name}]").inner_text()


def logits(model, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids]))[0, -1].double()


# What it writes


def test_nothing_is_loaded_before_the_press(browser, site_url):
    page, element, asked = alone(browser, site_url)
    element.get_by_role("textbox", name="Prompt").focus()
    element.get_by_role("slider", name="Temperature").press("ArrowLeft")
    page.wait_for_load_state("networkidle")
    engine = {"gpt-worker.js", "vector-product.wasm"}
    assert not {"int8.safetensors", "tokenizer.json", *engine} & set(asked)
    expect(element.locator(".mg-loading")).to_contain_text("at the first press at the latest")
    button(element, "Write").click()
    expect(token(element, 0)).to_be_visible()
    assert asked.count("int8.safetensors") == 1
    page.context.close()


@pytest.mark.parametrize("prompt", ["HAMLET:\n", "First Citizen:\nWe are", "안녕 👍"])
def test_the_greedy_text_is_minigpts(element, shipped, prompt):
    model, tokenizer = shipped
    ids = tokenizer.encode(prompt)
    wanted = generate(model, [ids], 60, Sampling(temperature=0.0))[0]
    assert write(element, {"temperature": 0.0}, prompt=prompt, tokens=60) == wanted
    assert element.evaluate("e => e.ids") == ids + wanted
    assert element.evaluate("e => e.text") == tokenizer.decode(ids + wanted)
    assert element.locator(".mg-flow").text_content() == tokenizer.decode(ids + wanted)
    assert element.evaluate("e => e.written") == 60
    expect(element.locator(".mg-speed")).to_have_text(
        re.compile(r"^60 tokens in \d+\.\d s: \d+ a second$")
    )


def test_beyond_what_the_model_sees_it_goes_on_as_minigpt_does(element, shipped):
    model, tokenizer = shipped
    room = model.config.context_length
    prompt = "First Citizen:\nWe are not to be spoke with.\n\n" * room
    ids = tokenizer.encode(prompt)[: room - 20]
    prompt = tokenizer.decode(ids)
    assert tokenizer.encode(prompt) == ids
    wanted = generate(model, [ids], 60, Sampling(temperature=0.0))[0]
    assert write(element, {"temperature": 0.0}, prompt=prompt, tokens=60) == wanted
    expect(message(element)).to_be_empty()
    longer = tokenizer.encode(long := prompt + prompt)
    wanted = generate(model, [longer[-room:]], 5, Sampling(temperature=0.0))[0]
    assert write(element, {"temperature": 0.0}, prompt=long, tokens=5) == wanted
    expect(message(element)).to_have_text(
        f"The prompt has {len(longer)} tokens and the model sees {room}: "
        f"the first {len(longer) - room} are forgotten."
    )


def test_an_empty_prompt_begins_with_an_empty_line(element, shipped):
    model, tokenizer = shipped
    wanted = generate(model, [tokenizer.encode("\n\n")], 8, Sampling(temperature=0.0))[0]
    assert write(element, {"temperature": 0.0}, prompt="", tokens=8) == wanted
    expect(message(element)).to_contain_text(
        "The prompt is empty, so the text begins with an empty"
    )


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_distribution_is_minigpts(element, shipped, settings):
    model, tokenizer = shipped
    ids = write(element, settings, tokens=12, seed=3)
    prompt = tokenizer.encode("HAMLET:\n")
    configure(element, {"min_p": 0.5})  # what was drawn with other settings stays as it was
    for at in (0, 4, 11):
        token(element, at).click()
        scores = logits(model, prompt + ids[:at])
        wanted = by_python(scores, settings)
        found = element.evaluate(
            """({ drawn: { result } }) => ({
                probabilities: [...result.probabilities], entropy: result.entropy,
                removed: Array.from(result.removedBy, (step) => step ?? 'kept'),
            })"""
        )
        probabilities = torch.tensor(found["probabilities"]).double()
        torch.testing.assert_close(probabilities, wanted["probabilities"], atol=1e-3, rtol=0)
        assert found["removed"] == wanted["removed"]
        assert found["entropy"] == pytest.approx(wanted["entropy"], abs=1e-3)

        # And the reader sees these numbers.
        order = scores.sort(descending=True, stable=True).indices.tolist()
        rank = order.index(ids[at])
        assert fact(element, "rank") == f"{rank + 1} of 4,096"
        assert fact(element, "left") == f"{wanted['left']:,} of 4,096"
        assert fact(element, "entropy") == f"{found['entropy']:.2f} nats"
        gone = [f"{n:,} by {LABELS[s]}" for s in LABELS if (n := wanted["removed"].count(s))]
        assert fact(element, "removed") == (", ".join(gone) or "none")
        own = scores.softmax(-1)
        shown = order[:SHOWN] + [ids[at]] * (rank >= SHOWN)
        rows = element.locator("tbody tr").all()
        assert len(rows) == len(shown) + 1
        for i, row in zip(shown, rows, strict=False):
            assert row.locator("button").get_attribute("data-id") == str(i)
            before, after = row.locator("td").all_inner_texts()
            assert about(before, own[i])
            removed = wanted["removed"][i]
            if removed == "kept":
                assert about(after, wanted["probabilities"][i])
            else:
                assert after == f"out by {LABELS[removed]}"
            assert row.locator(".mg-chosen-mark").count() == (i == ids[at])


def about(shown: str, probability: torch.Tensor) -> bool:
    p = probability.item()
    near = (p - 1e-4, p, p + 1e-4)
    return shown.replace("\u00a0", " ") in {decimals(max(x, 0)) for x in near}


def test_each_token_is_where_chance_fell(element):
    ids = write(element, SETTINGS[2], tokens=20, seed=4_000_000_000)
    chances = list(itertools.islice(mulberry32(4_000_000_000), 20))
    for at in range(0, 20, 3):
        token(element, at).click()
        order, probabilities = element.evaluate(
            "({ drawn: { order, result } }) => [order, [...result.probabilities]]"
        )
        sums = list(itertools.accumulate(probabilities[i] for i in order))
        place = next(i for i, total in enumerate(sums) if chances[at] < total)
        assert ids[at] == order[place]
        start = sums[place] - probabilities[order[place]]
        assert fact(element, "share") == f"{start:.3f} to {sums[place]:.3f}"
        assert fact(element, "chance") == f"{chances[at]:.3f}"
        left = element.locator(".mg-line .mg-share").evaluate("mark => mark.style.left")
        assert left == f"{100 * chances[at]:.2f}%"


def test_the_same_fields_write_the_same_and_every_one_of_them_counts(page, element):
    first = write(element, {}, tokens=12, seed=1)
    assert write(element) == first
    others = [
        write(element, {}, seed=2),
        write(element, {}, seed=1, prompt="ROMEO:\n"),
        *(
            write(element, settings, prompt="HAMLET:\n", seed=1)
            for settings in ({"temperature": 0.3}, {"top_k": 3}, {"top_p": 0.3}, {"min_p": 0.5})
        ),
    ]
    for other in others:
        assert len(other) == 12
        assert other != first
    renew(page)
    assert write(element, {}, tokens=7) == first[:7]


def test_another_seed_is_another_one(element):
    seeds = {element.evaluate("e => e.form.seed.value")}
    for _ in range(3):
        button(element, "Another seed").click()
        seeds.add(element.evaluate("e => e.form.seed.value"))
    assert len(seeds) > 2
    assert element.evaluate("e => e.fields.seed") == int(element.evaluate("e => e.form.seed.value"))


def test_numbers_that_a_field_cannot_hold_are_brought_back(element):
    for value, taken in (("0", "1"), ("1000", "400"), ("", "120"), ("2.4", "2")):
        configure(element, {}, tokens=value)
        assert element.evaluate("e => e.form.tokens.value") == taken
        expect(message(element)).to_have_text(
            f"Tokens to write: a whole number from 1 to 400, so {taken} is taken."
        )
    configure(element, {}, seed=-5)
    expect(message(element)).to_have_text(
        "Seed of chance: a whole number from 0 to 4,294,967,295, so 0 is taken."
    )


def test_a_press_sets_all_sliders_as_under_the_chapter(element):
    group = element.get_by_role("group", name="Settings to start from")
    for name, settings in (("Wild", {"temperature": 1.5}), ("Careful", CAREFUL)):
        group.get_by_role("button", name=name).click()
        assert element.evaluate("e => e.form.settings") == OFF | settings
        expect(group.locator("[aria-pressed=true]")).to_have_text(re.compile(f"^{name}"))
    assert element.get_by_role("slider", name="Top-p").get_attribute("aria-valuetext") == "0.90"


def test_a_prompt_to_start_from(element):
    button(element, "First Citizen: ↵ We are").click()
    assert element.evaluate("e => e.form.box.value") == "First Citizen:\nWe are"
    expect(element.get_by_role("textbox", name="Prompt")).to_be_focused()


# Branches


def test_another_token_takes_the_place_and_the_text_goes_on(element, shipped):
    first = write(element, {}, tokens=25)
    token(element, 5).click()
    alternative = element.locator(".mg-alternative:not([aria-disabled])").nth(1)
    put = int(alternative.get_attribute("data-id"))
    assert put != first[5]
    alternative.focus()
    alternative.press("Enter")
    rest(element)
    branched = written(element)
    assert branched[:6] == [*first[:5], put]
    assert len(branched) == 5 + 25
    assert branched[6:25] != first[6:]
    expect(token(element, 5)).to_have_class("mg-token mg-by-hand")
    expect(element.locator(".mg-chosen-mark")).to_have_text("put in")
    expect(element.locator(f".mg-alternative[data-id='{put}']")).to_be_focused()
    chances = element.evaluate("e => e.shown.tokens.map(({ chance }) => chance)")
    assert chances[6:] == list(itertools.islice(mulberry32(1), 30))[6:]
    model, tokenizer = shipped
    token(element, 10).click()
    found = element.evaluate("e => [...e.drawn.result.probabilities]")
    prompt = tokenizer.encode("HAMLET:\n")
    wanted = logits(model, prompt + branched[:10]).softmax(-1)
    torch.testing.assert_close(torch.tensor(found).double(), wanted, atol=1e-3, rtol=0)

    # Again from there, and back, twice.
    element.locator(".mg-alternative:not([aria-disabled])").first.click()
    rest(element)
    assert written(element)[:10] == branched[:10]
    undo = button(element, "Back to the text before")
    undo.click()
    expect(message(element)).to_have_text("Back to the text before: 30 tokens.")
    assert written(element) == branched
    undo.click()
    expect(undo).to_have_attribute("aria-disabled", "true")
    assert written(element) == first
    assert element.locator(".mg-token").count() == 25
    undo.press("Enter")
    assert written(element) == first


def test_the_same_branch_gives_the_same_text(element):
    texts = []
    for _ in range(2):
        write(element, {}, tokens=15)
        token(element, 3).click()
        element.locator(".mg-alternative:not([aria-disabled])").nth(2).click()
        rest(element)
        texts.append(written(element))
    assert texts[0] == texts[1]


# Stopping, going on


def slowly(element, milliseconds: int = 30) -> None:
    element.evaluate(
        """(element, milliseconds) => {
            const scores = element.model.scores;
            element.model.scores = async (ids) => {
                await new Promise((resolve) => setTimeout(resolve, milliseconds));
                return scores.call(element.model, ids);
            };
        }""",
        milliseconds,
    )


def at_full_speed(element) -> None:
    element.evaluate("e => { delete e.model.scores; }")


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_it_stops_and_goes_on_where_it_stopped(page, element, way):
    whole = write(element, {}, tokens=40)
    slowly(element)
    configure(element, {})
    start = element.locator("[data-action=write]")
    start.click()
    expect(start).to_have_text("Stop")
    expect(element.locator(".mg-token")).not_to_have_count(40)
    expect(element.locator("[aria-busy=true]")).to_have_count(1)
    expect(button(element, "Go on")).to_have_attribute("aria-disabled", "true")
    expect(token(element, 3)).to_be_visible()
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        start.click()
    expect(start).to_have_text("Write")
    expect(element.locator("[aria-busy=true]")).to_have_count(0)
    at_full_speed(element)
    some = written(element)
    assert 4 <= len(some) < 40
    assert some == whole[: len(some)]
    configure(element, {}, tokens=40 - len(some))
    button(element, "Go on").click()
    rest(element)
    assert written(element) == whole


def test_writing_anew_while_it_writes_ends_the_first(element):
    whole = write(element, {}, tokens=25)
    slowly(element, 15)
    element.evaluate("e => { e.write(); }")
    expect(token(element, 2)).to_be_visible()
    element.evaluate("e => e.write()")
    at_full_speed(element)
    assert written(element) == whole
    assert element.locator(".mg-token").count() == 25


def test_the_page_is_painted_once_a_frame_at_most(element):
    frames, paints = element.evaluate(
        """async (element) => {
            const latest = await element.model.scores(element.model.tokenizer.encode("To be"));
            element.model.scores = async () => {
                await new Promise((resolve) => setTimeout(resolve));  // several a frame
                return latest;
            };
            let frames = 0;
            const count = () => { frames += 1; frame = requestAnimationFrame(count); };
            let frame = requestAnimationFrame(count);
            let paints = 0;
            const observer = new MutationObserver((records) => {
                paints += records.filter(({ addedNodes }) => addedNodes.length).length;
            });
            observer.observe(element.view.tokens, { childList: true });
            await element.write();
            cancelAnimationFrame(frame);
            await Promise.resolve();
            delete element.model.scores;
            return [frames, paints];
        }"""
    )
    assert 1 < paints <= frames + 1


def test_a_text_that_the_model_ends_is_ended(element, shipped):
    end = shipped[1].special_tokens["<|endoftext|>"]
    element.evaluate(
        """(element, end) => {
            const { scores } = element.model;
            element.model.scores = async (ids) => {
                const found = await scores.call(element.model, ids);
                if (ids.length > 12) found[end] = 1000;
                return found;
            };
        }""",
        end,
    )
    ids = write(element)
    at_full_speed(element)
    assert ids.index(end) == len(ids) - 1 < 20
    expect(message(element)).to_contain_text("The model ended the text here")


# Characters


def test_characters_spread_over_tokens_are_shown_whole(page, element, shipped):
    tokenizer = shipped[1]
    parts = [tokenizer.vocab.index(bytes([b])) for b in "안👍".encode()]
    branches = ",".join(f"{at}:{i}" for at, i in enumerate(parts))
    page.evaluate(
        "fragment => { location.hash = fragment; }",
        f"#playground?prompt=A&written=9&branches={branches}",
    )
    expect(message(element)).to_contain_text("a text of 9 tokens, of which 7 were put in by hand")
    ids = write(element)
    assert ids[:7] == parts
    shown = element.locator(".mg-token").all_text_contents()
    assert shown[:7] == ["", "", "안", "", "", "", "👍"]
    assert token(element, 1).get_attribute("aria-label") == r"part of a character, \x95"
    assert token(element, 1).bounding_box()["width"] > 5
    assert element.locator(".mg-flow").text_content().startswith("A안👍")
    token(element, 0).click()
    expect(element.locator(".mg-drawn h3")).to_have_text(r"Written token 1: \xec")


# Links


def test_a_link_gives_the_same_text(browser, site_url, element):
    prompt = "안녕 👍🏽\n“É” & 100% #x=1?\n"
    write(element, {"temperature": 1.3, "top_k": 100}, prompt=prompt, seed=77, tokens=20)
    token(element, 4).click()
    element.locator(".mg-alternative:not([aria-disabled])").nth(3).click()
    rest(element)
    configure(element, {"temperature": 0.5, "min_p": 0.1}, seed=5, tokens=10)
    button(element, "Go on").click()
    rest(element)
    wanted = element.evaluate("e => e.ids")
    button(element, "Copy link").click()
    fragment = element.evaluate("() => location.hash")
    assert element.evaluate("e => e.link") == fragment

    page, other, asked = alone(browser, site_url, fragment)
    expect(message(other)).to_have_text(
        "From a link: a text of 34 tokens, of which 1 was put in by hand. Press Write."
    )
    assert "int8.safetensors" not in asked
    assert other.evaluate("e => e.fields") == {
        "prompt": prompt,
        "settings": OFF | {"temperature": 1.3, "top_k": 100},
        "seed": 77,
        "tokens": 10,
    }
    assert other.evaluate("e => e.getBoundingClientRect().top") < 200
    assert other.evaluate("e => e.link") == fragment
    for _ in range(2):
        button(other, "Write").click()
        rest(other)
        assert other.evaluate("e => e.ids") == wanted
    assert other.evaluate("e => e.link") == fragment
    # With other fields it is another text, without what was put in by hand.
    configure(other, CAREFUL)
    assert len(write(other)) == 10
    assert other.locator(".mg-token.mg-by-hand").count() == 0
    page.context.close()


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("#playground?prompt=%E0%A4%A", "“%E0%A4%A” is cut off or was changed on its way"),
        ("#playground?temperature=hot", "its temperature cannot be “hot”"),
        ("#playground?temperature=off", "its temperature cannot be “off”"),
        ("#playground?top_p=0.123", "its top_p cannot be “0.123”"),
        ("#playground?top_k=0", "its top_k cannot be “0”"),
        ("#playground?seed=-1", "its seed cannot be “-1”"),
        ("#playground?seed=4294967296", "its seed cannot be “4294967296”"),
        ("#playground?tokens=401", "its tokens cannot be “401”"),
        ("#playground?written=2001", "its written cannot be “2001”"),
        ("#playground?written=3&branches=3:1", "its branches cannot be “3:1”"),
        ("#playground?written=3&branches=1:5,1:6", "its branches cannot be “1:5,1:6”"),
        ("#playground?written=3&branches=1:", "its branches cannot be “1:”"),
        ("#playground?branches=0:5", "its branches cannot be “0:5”"),
        ("#playground?written=9&changes=4:1:off:off:off", "its changes cannot be"),
        ("#playground?prompt=a&prompt=b", "“prompt=b” is not understood"),
        ("#playground?", "“” is not understood"),
        ("#playground?colour=red", "it has a “colour”"),
    ],
)
def test_a_damaged_link_is_told_in_words(page, element, fragment, words):
    page.evaluate("hash => history.replaceState(null, '', hash)", fragment)
    renew(page)
    expect(message(element)).to_contain_text(f"The link to a text is damaged: {words}")
    assert element.evaluate("e => e.fields") == {
        "prompt": "HAMLET:\n",
        "settings": OFF | CAREFUL,
        "seed": 1,
        "tokens": 120,
    }


def test_a_token_that_the_model_does_not_have_is_told_in_words(page, element):
    page.evaluate("location.hash = '#playground?written=9&branches=2:99999'")
    expect(message(element)).to_contain_text("From a link")
    assert write(element) == []
    expect(message(element)).to_contain_text("puts in token 99999, but the model’s last is 4,095")


def test_other_fragments_are_left_alone(page, element):
    write(element, tokens=5, prompt="ROMEO:\n")
    for fragment in ("#sec:playground-glass", "#playground", "#prompt=x"):
        page.evaluate("hash => { location.hash = hash; }", fragment)
        page.wait_for_timeout(50)
        expect(message(element)).to_be_empty()
        assert element.evaluate("e => e.form.box.value") == "ROMEO:\n"
        assert page.evaluate("decodeURIComponent(location.hash)") == fragment


def test_copying(page, element):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write(element, tokens=5)
    clipboard = "navigator.clipboard.readText()"
    button(element, "Copy text").click()
    expect(message(element)).to_have_text("Text copied.")
    assert page.evaluate(clipboard) == element.evaluate("e => e.text")
    button(element, "Copy link").click()
    expect(message(element)).to_have_text("Link copied; it is in the address bar too.")
    assert page.evaluate(clipboard) == page.url
    assert "#playground?prompt=HAMLET%3A%0A&temperature=0.7&" in page.url
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('denied')); }"
    )
    button(element, "Copy text").click()
    expect(message(element)).to_contain_text("Select the text and copy it by hand")
    button(element, "Copy link").click()
    expect(message(element)).to_contain_text("The link is in the address bar")
    page.evaluate("() => { delete navigator.clipboard.writeText; }")


# What goes wrong


def test_a_model_that_does_not_come_is_said_and_tried_again(browser, site_url):
    page, element, _ = alone(browser, site_url)
    page.route("**/int8.safetensors", lambda route: route.fulfill(status=404, body=""))
    configure(element, CAREFUL, tokens=20)
    button(element, "Write").click()
    expect(element.locator(".mg-loading")).to_contain_text("Could not load the model: check")
    expect(element.locator(".mg-loading")).to_contain_text("answered 404")
    rest(element)
    assert element.evaluate("e => e.written") == 0
    page.unroute("**/int8.safetensors")
    button(element, "Try again").press("Enter")
    expect(element.locator(".mg-token")).to_have_count(20)  # what was asked for is done
    expect(element.locator("[data-action=write]")).to_be_focused()
    page.context.close()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            "throw new Error('out of memory')",
            "this device has too little memory. What",
        ),
        ("return new Float32Array(4096).fill(NaN)", "its scores are not finite"),
    ],
)
def test_a_model_that_fails_on_the_way_leaves_the_text(element, failure, words):
    whole = write(element, {}, tokens=12)
    element.evaluate(
        f"""(element) => {{
            const {{ scores }} = element.model;
            element.model.scores = async (ids) => {{
                if (ids.length > 10) {{ delete element.model.scores; {failure}; }}
                return scores.call(element.model, ids);
            }};
        }}"""
    )
    some = write(element)
    assert 0 < len(some) < 12
    expect(message(element)).to_contain_text(words)
    expect(message(element)).to_contain_text("What it wrote so far stays.")
    assert element.locator(".mg-token").count() == len(some)
    button(element, "Try again").click()
    expect(element.locator(".mg-token")).to_have_count(12)
    rest(element)
    assert written(element) == whole
    expect(message(element)).to_be_empty()
    expect(button(element, "Try again")).to_be_hidden()


def test_trying_again_writes_what_the_box_says_by_then(browser, site_url):
    page, element, _ = alone(browser, site_url)
    page.route("**/int8.safetensors", lambda route: route.fulfill(status=404))
    configure(element, CAREFUL, tokens=3)
    button(element, "Write").click()
    expect(element.locator(".mg-loading")).to_contain_text("answered 404")
    page.unroute("**/int8.safetensors")
    element.evaluate("e => { e.form.box.value = 'ROMEO:'; }")
    button(element, "Try again").click()
    expect(element.locator(".mg-token")).to_have_count(3)
    assert element.evaluate("e => e.text").startswith("ROMEO:")
    page.context.close()


def test_a_failure_of_a_text_that_was_replaced_is_not_told(element):
    told = element.evaluate(
        """async (element) => {
            const { scores } = element.model;
            element.model.scores = () => new Promise((_, fail) => { element.fail = fail; });
            element.write();
            while (!element.fail) await new Promise(requestAnimationFrame);
            element.model.scores = scores;
            const second = element.write();
            element.fail(new Error("gone"));
            await second;
            delete element.model.scores;
            return [element.message.textContent, element.written > 0, Boolean(element.wish)];
        }"""
    )
    assert told == ["", True, False]


def test_trying_again_keeps_what_a_link_changed(page, element):
    write(element, CAREFUL, tokens=4)
    configure(element, OFF | {"temperature": 1.5}, tokens=8)
    element.evaluate("e => e.goOn()")
    rest(element)
    link, whole = element.evaluate("e => e.link"), written(element)
    assert "changes" in link
    renew(page)
    page.evaluate("link => { location.hash = link; }", link)
    expect(message(element)).to_contain_text("From a link")
    element.evaluate(
        """async (element) => {
            const { scores } = element.model;
            element.model.scores = async (ids) => {
                if (element.written === 8) { delete element.model.scores; throw new Error("gone"); }
                return scores.call(element.model, ids);
            };
            await element.write();
        }"""
    )
    assert len(written(element)) == 8
    button(element, "Try again").click()
    expect(element.locator(".mg-token")).to_have_count(12)
    rest(element)
    assert written(element) == whole


def test_back_gives_way_to_what_is_begun_after_it(element):
    whole = write(element, CAREFUL, tokens=6)
    told = element.evaluate(
        """async (element) => {
            element.choose(2);
            await element.branch(element.ids.at(-1));
            const writing = element.write();
            await new Promise(requestAnimationFrame);
            element.texts.push(element.shown);
            const back = element.back();
            const again = element.write();
            await Promise.all([writing, back, again]);
            return [element.message.textContent, element.texts.length];
        }"""
    )
    assert told == ["", 0]
    assert written(element) == whole


def test_so_many_texts_are_kept_and_no_more(element):
    write(element, CAREFUL, tokens=2)
    kept = element.evaluate(
        """async (element) => {
            for (let id = 260; id < 275; id++) {
                element.choose(1);
                await element.branch(id);
            }
            return element.texts.length;
        }"""
    )
    assert kept == 10


# For all readers


def test_from_the_prompt_to_a_branch_with_the_keyboard_alone(page, element):
    configure(element, {"temperature": 1.0}, tokens=20)
    element.get_by_role("textbox", name="Prompt").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("To")
    page.keyboard.press("Control+Enter")
    expect(element.locator(".mg-token")).to_have_count(20)
    rest(element)
    first = written(element)
    assert element.evaluate("e => e.text").startswith("HAMLET:\nTo")

    def tab_to(selector: str) -> None:
        for _ in range(25):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"no {selector} by Tab")

    one_stop = element.locator(".mg-token[tabindex='0']")
    expect(one_stop).to_have_count(1)
    tab_to(".mg-token")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(token(element, 2)).to_have_attribute("aria-pressed", "true")
    expect(element.locator(".mg-drawn h3")).to_contain_text("Written token 3")
    expect(one_stop).to_have_count(1)
    page.keyboard.press("ArrowDown")
    assert token(element, 2).bounding_box()["y"] + 10 < page.evaluate(
        "document.activeElement.getBoundingClientRect().top"
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    expect(token(element, 19)).to_be_focused()
    expect(one_stop).to_have_count(1)
    tab_to(".mg-alternative")
    assert element.locator(".mg-alternative[tabindex='0']").count() == 1
    at = page.evaluate("document.activeElement.dataset.id")
    assert at == str(first[2])
    page.keyboard.press("ArrowDown")
    if page.evaluate("document.activeElement.dataset.id") == at:  # it was the last of them
        page.keyboard.press("ArrowUp")
    put = int(page.evaluate("document.activeElement.dataset.id"))
    page.keyboard.press("Space")
    rest(element)
    assert written(element)[:3] == [*first[:2], put]


def test_whole_lines_are_announced_at_a_measured_pace(page, element):
    live = element.locator("p.mg-visually-hidden")
    live.evaluate(
        """live => {
            live.said = [];
            new MutationObserver(() => live.said.push([live.textContent, performance.now()]))
                .observe(live, { childList: true });
        }"""
    )
    slowly(element, 10)
    page.evaluate(
        """() => {  // time runs ten times as fast
            const now = performance.now.bind(performance);
            performance.now = () => 10 * now();
        }"""
    )
    write(element, {}, tokens=80)
    page.evaluate("() => { delete performance.now; }")
    at_full_speed(element)
    said, when = zip(*live.evaluate("live => live.said"), strict=True)
    assert len(said) >= 2
    assert all(b - a > 2900 for a, b in itertools.pairwise(when[:-1]))
    assert all(re.search(r"[\n.?!]$", part) for part in said[:-1])
    assert said[-1].endswith("Written: 80 tokens.")
    # But for blank lines, which the last part may begin with.
    told = "".join("".join(said).removesuffix("Written: 80 tokens.").split())
    assert told == "".join(element.evaluate("e => e.text").removeprefix("HAMLET:\n").split())
    expect(live).to_have_attribute("role", "status")
    token(element, 0).click()
    spelled = element.locator(".mg-chosen .mg-chip-text").inner_text()
    expect(live).to_have_text(
        re.compile(
            f"^“{re.escape(spelled)}”: rank [0-9,]+, probability .*, .* kept. Chance fell on"
        )
    )


def test_tokens_without_a_letter_have_names(element):
    write(element, {"temperature": 0.0}, tokens=60)
    texts = element.locator(".mg-token").all_text_contents()
    assert "\n" in texts
    for at, text in enumerate(texts):
        names = ", ".join({"\n": "line break", " ": "space"}[c] for c in text if not text.strip())
        assert token(element, at).get_attribute("aria-label") == (names or None)


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    found = []
    if theme == "light":  # as it is at first
        found.append(barriers(page, "text-playground"))
    write(element, CAREFUL, tokens=20)
    token(element, 7).click()
    element.locator(".mg-alternative:not([aria-disabled])").last.click()
    rest(element)
    found.append(barriers(page, "text-playground"))
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for vs in found for v in vs] == []


@pytest.mark.parametrize("width", [360, 480, 1280])
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    height = "document.querySelector('text-playground').offsetHeight"
    reserved = reserved_height(page, site_url + "playground.html", "text-playground")
    context.close()
    page, element, _ = alone(browser, site_url, viewport={"width": width, "height": 800})
    assert abs(page.evaluate(height) - reserved) <= 24
    write(element, tokens=40)
    token(element, 3).click()
    element.locator("details").evaluate_all("all => all.forEach((e) => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert too_wide(element) == []
    assert smallest_letters(element, "label, td, th, dt, dd, p, span:not(:empty)") >= 12
    assert small_targets(element, "button, input, textarea, summary") == []
    page.context.close()


def test_nothing_moves_where_readers_ask_for_that(page, element):
    page.emulate_media(reduced_motion="reduce")
    write(element, tokens=40)
    page.evaluate("scrollTo(0, 0)")
    moving = "() => document.getAnimations().length"
    element.evaluate("e => e.choose(3)")
    first = page.evaluate("scrollY")
    page.wait_for_timeout(150)
    assert page.evaluate("scrollY") == first > 0
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")


def test_what_is_told_of_a_token_comes_into_view(page, element):
    write(element, tokens=40)
    page.set_viewport_size({"width": 360, "height": 500})
    token(element, 2).click()
    expect(element.locator(".mg-drawn h3")).to_be_in_viewport()


def test_what_was_ruled_out_is_told_by_more_than_colour(element):
    write(element, {"top_k": 4}, tokens=3)
    token(element, 1).click()
    cells = element.locator("tbody tr td:last-child").all_inner_texts()
    assert cells[4:SHOWN] == ["out by top-k"] * (SHOWN - 4)
    hatched = element.locator("tbody .mg-own").evaluate_all(
        "bars => bars.map((bar) => getComputedStyle(bar).backgroundImage !== 'none')"
    )
    assert hatched == [False] * 4 + [True] * (SHOWN - 4)


def test_bars_are_as_long_as_the_probabilities(element):
    write(element, CAREFUL, tokens=6)
    token(element, 3).click()
    end = float(element.locator("caption .mg-axis span").last.inner_text())
    for name, values in (("own", "e.drawn.own"), ("after", "e.drawn.result.probabilities")):
        wanted = element.evaluate(f"e => e.drawn.order.slice(0, {SHOWN}).map((id) => {values}[id])")
        widths = element.locator(f"tbody .mg-{name}").evaluate_all(
            "es => es.map(e => e.getBoundingClientRect().width / e.parentNode.clientWidth)"
        )[:SHOWN]
        for width, p in zip(widths, wanted, strict=True):
            assert math.isclose(width, p / end, abs_tol=0.015)
