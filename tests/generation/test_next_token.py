"""The distribution of the next token in the page, in a real browser, held to minigpt's sampling."""

from __future__ import annotations

import base64
import itertools
import json
import math
import re

import book_sources
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
from next_token_file import STEP, TEXTS, next_token_payload
from playwright.sync_api import expect
from sampling_by_python import OFF, by_python, decimals, mulberry32

import minigpt
from minigpt.tokenizer import BPETokenizer

ASSETS = book_sources.ROOT / "book" / "assets"
NAMES = list(TEXTS)
LABELS = {"temperature": "Temperature", "top_k": "Top-k", "top_p": "Top-p", "min_p": "Min-p"}
PRESETS = {
    "Greedy": {"temperature": 0.0},
    "As trained": {},
    "Careful": {"temperature": 0.7, "top_p": 0.9},
    "Wild": {"temperature": 1.5},
}
SETTINGS = [
    *PRESETS.values(),
    {"temperature": 2.0},
    {"temperature": 0.05},
    {"top_k": 1},
    {"top_k": 40},
    {"top_p": 0.01},
    {"top_p": 0.9},
    {"min_p": 0.05},
    {"min_p": 1.0},
    {"temperature": 0.8, "top_k": 200, "top_p": 0.95, "min_p": 0.02},
    {"temperature": 1.5, "top_k": 3000, "top_p": 0.5},
    {"temperature": 0.3, "min_p": 0.01},
    {"temperature": 0.0, "top_k": 5, "top_p": 0.5, "min_p": 0.1},
]
ORDER = ["kept", "temperature", "top_k", "top_p", "min_p"]
SHOWN = 12


def fates(scores, removed: list[str]) -> list[tuple[float, int]]:
    """Scores and what became of them, best first: of equal scores it does not matter which goes."""
    return sorted((-s, ORDER.index(r)) for s, r in zip(scores, removed, strict=True))


def drawn(probabilities: list[float], number: int, seed: int = 1) -> dict[int, int]:
    """The counts of draws: the token, in the order given, in whose share the chance falls."""
    counts: dict[int, int] = {}
    sums = list(itertools.accumulate(probabilities))
    for chance in itertools.islice(mulberry32(seed), number):
        place = next(i for i, total in enumerate(sums) if chance < total)
        counts[place] = counts.get(place, 0) + 1
    return counts


@pytest.fixture(scope="module")
def stored(site) -> dict:
    return json.loads((site / "_static" / "models" / "next-token.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def scores(stored) -> dict[str, torch.Tensor]:
    """The scores that the page has, (V,) in double precision, by the context's name."""
    found = {}
    for context in stored["contexts"]:
        below = torch.frombuffer(bytearray(base64.b64decode(context["below"])), dtype=torch.uint16)
        found[context["name"]] = -below.double() * stored["step"]
    return found


@pytest.fixture
def element(page):
    return page.locator("next-token")


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "generation.html")
    page.evaluate(
        "customElements.whenDefined('next-token').then("
        "() => document.querySelector('next-token').load())"
    )


def renew(page) -> None:
    page.evaluate(
        """() => {
            const element = document.createElement('next-token');
            document.querySelector('next-token').replaceWith(element);
            return element.load();
        }"""
    )


def answering(**answer):
    return lambda route: route.fulfill(**answer)


def button(element, name: str):
    return element.get_by_role("button", name=name)


def slider(element, name: str):
    return element.get_by_role("slider", name=LABELS[name])


def choose(element, context: str) -> None:
    element.get_by_role("radio", name=context).check()


def configure(element, settings: dict) -> None:
    """Move the sliders that stand elsewhere, as a reader does."""
    element.evaluate(
        """(element, settings) => {
            for (const { name, stops, slider } of element.sliders) {
                const at = stops.indexOf(settings[name]);
                if (at < 0) throw new Error(`${name} cannot be ${settings[name]}`);
                if (slider.value === String(at)) continue;
                slider.value = at;
                slider.dispatchEvent(new Event('input'));
            }
        }""",
        OFF | settings,
    )


def result(element) -> dict:
    """What the page computed, for each id."""
    return element.evaluate(
        """({ result }) => ({
            probabilities: [...result.probabilities],
            removed: Array.from(result.removedBy, (step) => step ?? 'kept'),
            left: result.left, entropy: result.entropy,
        })"""
    )


def numbers(element) -> dict[str, str]:
    return dict(
        element.evaluate(
            "e => [...e.querySelectorAll('[data-value]')]"
            ".map((x) => [x.dataset.value, x.textContent])"
        )
    )


def rows(element) -> list[list[str]]:
    """The table's rows, as text: token, model, after, drawn."""
    return element.evaluate(
        "e => [...e.querySelectorAll('tbody tr')].map((row) => [...row.cells]"
        ".map((cell) => cell.textContent.replaceAll('\\u00a0', ' ')))"
    )


def texts() -> list[str]:
    """Each token as the page spells it, when it is plain ASCII."""
    vocabulary = BPETokenizer.shakespeare().vocab
    return [v.decode("latin1").replace(" ", "·").replace("\n", "↵") for v in vocabulary]


# The scores


def test_the_scores_are_the_shipped_models(stored, scores):
    model, tokenizer = minigpt.load("shakespeare")
    assert [(c["name"], c["text"]) for c in stored["contexts"]] == list(TEXTS.items())
    for name, text in TEXTS.items():
        with torch.inference_mode():
            logits = model.double()(torch.tensor([tokenizer.encode(text)]))[0, -1]
        found = scores[name]
        assert len(found) == tokenizer.vocab_size == 4096
        torch.testing.assert_close(found, logits - logits.max(), atol=STEP / 2 + 1e-6, rtol=0)
        torch.testing.assert_close(found.softmax(-1), logits.softmax(-1), atol=5e-4, rtol=0)
    assert max(len(c["below"]) for c in stored["contexts"]) < 12 * 1024


def test_the_same_model_gives_the_same_file(site):
    model, tokenizer = minigpt.load("shakespeare")
    written = (site / "_static" / "models" / "next-token.json").read_text("utf-8")
    assert next_token_payload(model.double(), tokenizer) == written


def test_the_contexts_differ(scores):
    """From one that is nearly certain to one that is wide open."""
    left = [by_python(scores[name], {"top_p": 0.9})["left"] for name in NAMES]
    assert left[0] == 1
    assert left[-1] == max(left) > 100
    assert len(set(left)) > 3


def test_scores_too_far_apart_are_refused(as_readers_run_it):
    def model(ids):
        return torch.tensor([[[0.0, -66.0, -1.0]]]).double()

    with pytest.raises(ValueError, match=r"'To be' one score is 66\.0 nats below .* hold 65\.5"):
        next_token_payload(model, BPETokenizer.shakespeare(), {"Far": "To be"})


# The steps


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_everything_equals_python(element, scores, name):
    choose(element, name)
    for settings in SETTINGS:
        configure(element, settings)
        found, wanted = result(element), by_python(scores[name], settings)
        assert found["left"] == wanted["left"], settings
        values = scores[name].tolist()
        assert fates(values, found["removed"]) == fates(values, wanted["removed"]), settings
        mine = torch.tensor(found["probabilities"]).double().sort(descending=True).values
        theirs = wanted["probabilities"].sort(descending=True).values
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)
        assert found["entropy"] == pytest.approx(wanted["entropy"], abs=1e-6)


@pytest.mark.parametrize("name", NAMES[1::2])
def test_the_reader_sees_these_numbers(element, scores, name):
    choose(element, name)
    own = scores[name].softmax(-1)
    spelled = texts()
    order = scores[name].sort(descending=True, stable=True).indices.tolist()
    for settings in SETTINGS:
        configure(element, settings)
        wanted = by_python(scores[name], settings)
        after = wanted["probabilities"]
        assert numbers(element) == {
            "left": f"{wanted['left']:,} of 4,096",
            "entropy": f"{wanted['entropy']:.2f} nats",
            "equal": f"{math.exp(wanted['entropy']):.1f} equally probable tokens",
            "largest": decimals(after.max().item()),
        }
        found = rows(element)
        assert len(found) == SHOWN + 1
        for (token, model, now, count), i in zip(found[:SHOWN], order, strict=False):
            removed = wanted["removed"][i]
            by = {"temperature": "τ = 0"}.get(removed, LABELS.get(removed, "").lower())
            assert (token, model, count) == (spelled[i], decimals(own[i].item()), "")
            assert now == (decimals(after[i].item()) if removed == "kept" else f"out by {by}")
        left = [wanted["removed"][i] for i in order[SHOWN:]].count("kept")
        said = {0: "all out", 4096 - SHOWN: "all kept"}.get(left, f"{left:,} kept")
        assert found[-1] == [
            f"4,084 others{said}",
            decimals(own[order[SHOWN:]].sum().item()),
            decimals(after[order[SHOWN:]].sum().item()),
            "",
        ]


def test_small_scores_with_ties_too(page):
    torch.manual_seed(5)
    cases = []
    for i in range(60):
        scores = (3 * torch.randn(9, dtype=torch.float64)).round(decimals=i % 3 // 2)
        cases.append((scores, SETTINGS[i % len(SETTINGS)] | ({"top_k": 3} if i % 2 else {})))
    found = page.evaluate(
        """async (cases) => {
            const url = new URL('_static/engine/sampling.js', document.baseURI);
            const { sample } = await import(url);
            return cases.map(([scores, settings]) => {
                const result = sample(Float64Array.from(scores), settings);
                return { ...result, probabilities: [...result.probabilities],
                         removed: Array.from(result.removedBy, (step) => step ?? 'kept') };
            });
        }""",
        [(scores.tolist(), OFF | settings) for scores, settings in cases],
    )
    for (scores, settings), got in zip(cases, found, strict=True):
        wanted = by_python(scores, settings)
        values = scores.tolist()
        assert fates(values, got["removed"]) == fates(values, wanted["removed"]), settings
        assert got["left"] == wanted["left"]
        assert got["entropy"] == pytest.approx(wanted["entropy"], abs=1e-6)
        assert sorted(got["probabilities"]) == pytest.approx(
            sorted(wanted["probabilities"].tolist()), abs=1e-6
        )


def test_each_slider_says_what_it_removes(element, scores):
    choose(element, NAMES[3])
    configure(element, settings := SETTINGS[12])
    removed = by_python(scores[NAMES[3]], settings)["removed"]
    said = [f"{removed.count(name):,}" for name in ORDER[2:]]
    assert "0" not in said[:2]
    notes = element.locator(".mg-setting .mg-note").all_inner_texts()
    assert notes == ["sharper", *(f"removes {n if n != '0' else 'none'}" for n in said)]
    configure(element, {"temperature": 0.0, "top_k": 3})
    assert element.locator(".mg-setting .mg-note").all_inner_texts() == [
        "greedy",
        "removes none",
        "",
        "",
    ]


def test_bars_are_as_long_as_the_probabilities(element, scores):
    choose(element, NAMES[3])
    own = scores[NAMES[3]].softmax(-1).sort(descending=True).values[:SHOWN]
    ends = set()
    for settings in SETTINGS[:4]:
        configure(element, settings)
        after = by_python(scores[NAMES[3]], settings)["probabilities"]
        after = after.sort(descending=True).values[:SHOWN]
        end = float(element.locator(".mg-axis span").last.inner_text())
        ends.add(end)
        assert end >= max(own[0], after[0])
        for name, values in (("own", own), ("after", after)):
            widths = element.locator(f"tbody .mg-{name}").evaluate_all(
                "es => es.map(e => e.getBoundingClientRect().width / e.parentNode.clientWidth)"
            )
            assert widths == pytest.approx((values / end).tolist(), abs=0.01)
    assert max(ends) == 1 and len(ends) > 1


def test_removed_tokens_are_told_by_more_than_colour(element):
    configure(element, {"top_k": 5})
    lines = "cs => cs.map((c) => getComputedStyle(c).textDecorationLine)"
    chips = element.locator("tbody .mg-chip-text")
    assert chips.evaluate_all(lines) == ["none"] * 5 + ["line-through"] * 7
    hatched = element.locator("tbody .mg-own").evaluate_all(
        "bars => bars.map((bar) => getComputedStyle(bar).backgroundImage !== 'none')"
    )
    assert hatched == [False] * 5 + [True] * 7
    assert [row[2] for row in rows(element)[5:12]] == ["out by top-k"] * 7


@pytest.mark.parametrize("name", PRESETS)
def test_a_button_sets_all_sliders(element, name):
    configure(element, SETTINGS[12])
    group = element.get_by_role("group", name="Settings to start from")
    assert group.locator("[aria-pressed=true]").count() == 0
    group.get_by_role("button", name=name).click()
    assert element.evaluate("e => e.settings") == OFF | PRESETS[name]
    pressed = group.locator("[aria-pressed=true]")
    assert [text.split("\n")[0].strip() for text in pressed.all_inner_texts()] == [name]
    for setting, value in (OFF | PRESETS[name]).items():
        said = "off" if value is None else f"{value:.2f}"
        assert slider(element, setting).get_attribute("aria-valuetext") == said
        values = element.locator(".mg-value").all_inner_texts()
        assert values[list(OFF).index(setting)] == said


def test_the_sliders_go_from_end_to_end(element):
    ends = {
        "temperature": ("0.00", "2.00"),
        "top_k": ("1", "off"),
        "top_p": ("0.01", "off"),
        "min_p": ("off", "1.00"),
    }
    for name, (first, last) in ends.items():
        slider(element, name).press("Home")
        assert slider(element, name).get_attribute("aria-valuetext") == first
        slider(element, name).press("End")
        assert slider(element, name).get_attribute("aria-valuetext") == last
    stops = element.evaluate("e => e.sliders[1].stops")
    assert stops[:6] == [1, 2, 3, 4, 5, 6]
    assert {40, 50, 100} <= set(stops)
    assert stops[-2:] == [4000, None]
    ratios = [b / a for a, b in itertools.pairwise(stops[3:-1])]
    assert min(ratios) > 1 and max(ratios) <= 1.5


# Drawing


def counts(element) -> dict[int, int]:
    return dict(element.evaluate("e => [...e.counts]"))


@pytest.mark.parametrize("settings", [{}, PRESETS["Careful"], SETTINGS[12], {"temperature": 0.0}])
def test_draws_are_those_of_the_seed_and_add_up(element, scores, settings):
    choose(element, NAMES[3])
    configure(element, settings)
    order = element.evaluate("e => e.context.order")
    found = result(element)
    button(element, "Draw 100").click()
    expected = drawn([found["probabilities"][i] for i in order], 100)
    assert counts(element) == {order[place]: n for place, n in expected.items()}
    button(element, "Draw one").click()
    for _ in range(9):
        button(element, "Draw 100").click()
    total = counts(element)
    assert sum(total.values()) == 1001
    shown = [int(row[3].replace(",", "")) for row in rows(element)]
    assert shown == [total.get(i, 0) for i in order[:SHOWN]] + [1001 - sum(shown[:SHOWN])]
    tally = element.locator(".mg-tally").inner_text()
    different = f"{len(total)} different token" + ("s" if len(total) > 1 else "")
    assert tally == f"1,001 drawn, {different}."
    # Never a removed one; the rest as often as probable, within five standard deviations.
    assert {found["removed"][i] for i in total} == {"kept"}
    for i in order[:SHOWN]:
        p = found["probabilities"][i]
        assert abs(total.get(i, 0) / 1001 - p) <= 5 * math.sqrt(p * (1 - p) / 1001) + 1e-9


def test_a_sum_that_rounding_leaves_below_1_draws_no_removed_token(page):
    found = page.evaluate(
        """async (cases) => {
            const { draw } = await import(new URL('_static/engine/sampling.js', document.baseURI));
            return cases.map(([order, chance]) => draw([0.25, 0, 0.5, 0], order, chance));
        }""",
        [([2, 0, 1, 3], 0.99), ([1, 2, 3, 0], 0.0), ([2, 1, 0, 3], 0.5), ([2, 0, 3, 1], 0.49)],
    )
    assert found == [0, 2, 0, 2]


def test_the_same_settings_draw_the_same(page, element):
    def draw() -> dict[int, int]:
        configure(element, PRESETS["Careful"])
        button(element, "Draw 100").click()
        return counts(element)

    first = draw()
    configure(element, {})
    assert draw() == first
    button(element, "Clear").click()
    assert counts(element) == {}
    assert draw() == first
    renew(page)
    assert draw() == first


def test_a_change_clears_the_counts(element):
    nothing = "Nothing drawn yet. Drawing starts from seed 1, anew after each change."
    changes = [
        lambda: slider(element, "top_k").press("ArrowLeft"),
        lambda: button(element, "Wild").click(),
        lambda: choose(element, NAMES[-1]),
        lambda: button(element, "Clear").click(),
    ]
    for change in changes:
        button(element, "Draw one").click()
        assert sum(counts(element).values()) == 1
        assert button(element, "Clear").get_attribute("aria-disabled") == "false"
        change()
        assert counts(element) == {}
        assert {row[3] for row in rows(element)} == {""}
        assert element.locator(".mg-tally").inner_text() == nothing
        assert element.locator(".mg-next").inner_text() == "?"
        assert button(element, "Clear").get_attribute("aria-disabled") == "true"
    button(element, "Draw one").click()
    button(element, "Wild").click()  # pressed already: nothing changes, nothing is lost
    assert sum(counts(element).values()) == 1


def test_the_text_goes_on_with_the_drawn_token(element):
    for name, text in TEXTS.items():
        choose(element, name)
        shown = text.replace("\n", "↵\n")
        assert element.locator(".mg-reading").text_content() == f"{shown}?"
        button(element, "Greedy").click()
        button(element, "Draw one").click()
        best = rows(element)[0][0]
        assert element.locator(".mg-reading").text_content() == shown + best


def test_marks_stand_at_the_share_of_the_draws(element):
    choose(element, NAMES[3])
    button(element, "Draw 100").click()
    end = float(element.locator(".mg-axis span").last.inner_text())
    places = element.locator("tbody .mg-share").evaluate_all(
        "marks => marks.map((mark) => mark.hidden ? null : parseFloat(mark.style.left))"
    )
    for place, row in zip(places, rows(element), strict=False):
        share = int(row[3]) / 100
        hidden = share == 0 or share > end
        assert place == (None if hidden else pytest.approx(100 * share / end, abs=0.01))
    assert any(place is not None for place in places)


# For all readers


def test_everything_works_with_the_keyboard_alone(page, element):
    element.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    assert element.get_by_role("radio", name=NAMES[1]).is_checked()
    assert element.evaluate("e => e.context.name") == NAMES[1]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert element.evaluate("e => e.settings") == OFF | PRESETS["Careful"]
    page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press("Tab")
        page.keyboard.press(key)
    assert element.evaluate("e => e.settings") == {
        "temperature": 0.75,
        "top_k": 4000,
        "top_p": 0.89,
        "min_p": 0.01,
    }
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert sum(counts(element).values()) == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert sum(counts(element).values()) == 101
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert counts(element) == {}
    assert page.evaluate("document.activeElement.textContent") == "Clear"


def test_changes_are_announced_once_the_sliders_rest(page, element, scores):
    region = element.locator("[role=status]")
    assert region.count() == 1
    assert region.text_content() == ""  # nothing is said before a reader acts
    region.evaluate(
        """region => {
            region.said = [];
            new MutationObserver(() => region.said.push(region.textContent))
                .observe(region, { childList: true });
        }"""
    )
    choose(element, NAMES[3])
    for _ in range(6):
        slider(element, "temperature").press("ArrowLeft")
    slider(element, "top_k").evaluate(
        """slider => {
            for (slider.value = 35; slider.value > 10; slider.value -= 1)
                slider.dispatchEvent(new Event('input'));
        }"""
    )
    assert region.evaluate("region => region.said") == []
    expect(region).not_to_be_empty()
    settings = element.evaluate("e => e.settings")
    assert settings["temperature"] == 0.7
    wanted = by_python(scores[NAMES[3]], settings)
    best = texts()[scores[NAMES[3]].argmax()]
    assert region.evaluate("region => region.said") == [
        f"{NAMES[3]}, temperature 0.70, top-k {settings['top_k']}: {wanted['left']:,} of 4,096 "
        f"tokens kept, as undecided as among {math.exp(wanted['entropy']):.1f} equally probable "
        f"tokens. Most probable is “{best}” with {wanted['probabilities'].max():.3f}."
    ]
    button(element, "Draw one").click()
    newest = element.locator(".mg-next").inner_text()
    assert region.text_content() == f"Drawn: “{newest}”. 1 drawn, 1 different token."
    button(element, "Draw 100").click()
    said = region.text_content()
    found = re.findall(r"“(.+?)” (\d+)", said)
    assert said.startswith("Drawn most often: ")
    assert [int(n) for _, n in found] == sorted((int(n) for _, n in found), reverse=True)
    assert len(found) == 5
    assert said.endswith(element.locator(".mg-tally").inner_text())
    assert region.evaluate("region => region.said.length") == 3
    button(element, "Clear").click()
    assert region.text_content() == "Counts cleared."


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    for settings in ({}, {"top_k": 5}):
        configure(element, settings)
        button(element, "Draw 100").click()
        assert barriers(page, "next-token") == []


@pytest.mark.parametrize(
    "width", [360, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (768, 1280))]
)
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    height = "document.querySelector('next-token').offsetHeight"
    reserved = reserved_height(page, site_url + "generation.html", "next-token")
    open_chapter(page, site_url)
    element = page.locator("next-token")
    assert element.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    heights = {page.evaluate(height)}
    top = (
        "e => e.querySelector('table').getBoundingClientRect().top - e.getBoundingClientRect().top"
    )
    tops = set()
    for name in NAMES:
        choose(element, name)
        for settings in SETTINGS[::5]:
            configure(element, settings)
            element.evaluate("e => e.drawTokens(100)")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert too_wide(element) == []
            heights.add(page.evaluate(height))
            tops.add(round(element.evaluate(top)))
    assert max(tops) - min(tops) <= 1
    assert max(abs(found - reserved) for found in heights) <= 24
    assert smallest_letters(element, "label, td, th, dt, dd, p, span:not(:empty)") >= 12
    assert small_targets(element) == []
    context.close()


def test_nothing_moves_by_itself(element):
    button(element, "Wild").click()
    button(element, "Draw 100").click()
    moving = "e => document.getAnimations().filter(a => e.contains(a.effect.target)).length"
    assert element.evaluate(moving) == 0


def test_scores_that_do_not_load_are_said_in_words(browser, site_url):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/next-token.json", lambda route: route.abort())
    open_chapter(page, site_url)
    element = page.locator("next-token")
    expect(element.get_by_role("status")).to_contain_text(
        "Could not load the model’s scores: check"
    )
    assert element.get_by_role("slider").count() == 0
    page.unroute("**/next-token.json")
    button(element, "Try again").press("Enter")
    expect(slider(element, "temperature")).to_be_visible()
    expect(element.get_by_role("radio").first).to_be_focused()
    context.close()


def test_a_missing_file_and_another_vocabulary_are_said_in_words(browser, site_url, stored):
    short = json.loads(json.dumps(stored))
    short["contexts"][2]["below"] = base64.b64encode(bytes(20)).decode()
    answers = {
        "next-token.json answered 404": {"status": 404, "body": ""},
        f"“{NAMES[2]}” has scores of 10 tokens, and the vocabulary has 4096": {"json": short},
    }
    for words, answer in answers.items():
        context = browser.new_context()
        page = context.new_page()
        page.route("**/next-token.json", answering(**answer))
        open_chapter(page, site_url)
        expect(page.locator("next-token").get_by_role("status")).to_contain_text(words)
        context.close()


def test_the_files_stay_small():
    files = [*(ASSETS / "elements" / "next-token").iterdir(), ASSETS / "engine" / "sampling.js"]
    assert len(files) == 3
    assert sum(path.stat().st_size for path in files) < 25 * 1024
