"""Groups of answers in the page, in a real browser, held to `group_advantages`."""

from __future__ import annotations

import itertools
import json
import math
import re
from importlib.resources import files

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
from lone_element import each_width, load, replace, serve_alone

from minigpt.finetuning import group_advantages

NAME = "answer-group"
STORED = json.loads((files("minigpt") / "results" / "answer_groups.json").read_text("utf-8"))
GROUPS = STORED["groups"]
PROMPTS = list(dict.fromkeys(group["prompt"] for group in GROUPS))
STEPS = sorted({group["step"] for group in GROUPS})
MIXED = next(g for g in GROUPS if len({a["reward"] for a in g["answers"]}) > 1)
EQUAL = next(g for g in GROUPS if not any(a["reward"] for a in g["answers"]))


def open_chapter(page, site_url: str) -> None:
    page.goto(serve_alone(page, site_url, NAME))
    load(page, NAME)


def renew(page) -> None:
    replace(page, NAME)


@pytest.fixture
def element(page):
    return page.locator(NAME)


def choose(element, group: dict) -> None:
    element.get_by_role("radio", name=group["prompt"], exact=True).check()
    steps = element.get_by_role("group", name="Steps of training")
    steps.get_by_role("radio", name=str(group["step"]), exact=True).check()


def show(element) -> None:
    element.get_by_role("button", name="Show the advantages").click()


def cells(element, column: int) -> list[str]:
    return element.evaluate(
        "(e, i) => [...e.querySelectorAll('tbody tr')].map((row) => row.cells[i].textContent"
        ".replaceAll('\\u00a0', ' '))",
        column,
    )


def told(element) -> str:
    return element.locator(".mg-told").inner_text()


def signed(x: float) -> str:
    text = f"{abs(x):.3f}"
    return text if text == "0.000" else ("−" if x < 0 else "+") + text


def rewards_of(group: dict, beta: float) -> torch.Tensor:
    """(1, 8), less the penalty."""
    return torch.tensor(
        [[a["reward"] - beta * (a["logprob"] - a["reference"]) for a in group["answers"]]],
        dtype=torch.float64,
    )


def test_the_site_has_the_stored_groups(site):
    served = json.loads((site / "_static" / "results" / "answer_groups.json").read_text("utf-8"))
    assert served == STORED
    pairs = {(group["prompt"], group["step"]) for group in GROUPS}
    assert pairs == set(itertools.product(PROMPTS, STEPS))
    assert {len(group["answers"]) for group in GROUPS} == {8}


def test_advantages_are_the_packages(element):
    places = itertools.product(range(len(PROMPTS)), range(len(STEPS)))
    settings = [*itertools.product(places, [False, True], [0, 0.05, 0.5])]
    results = element.evaluate(
        """(e, settings) => settings.map(([[prompt, step], divide, beta]) => {
            e.change({ prompt, step, divide, beta });
            return e.result;
        })""",
        settings,
    )
    for ((prompt, step), divide, beta), found in zip(settings, results, strict=True):
        group = next(
            g for g in GROUPS if g["prompt"] == PROMPTS[prompt] and g["step"] == STEPS[step]
        )
        rewards = rewards_of(group, beta)
        wanted = group_advantages(rewards, divide)[0].tolist()
        assert found["rewards"] == pytest.approx(rewards[0].tolist(), abs=1e-12)
        assert found["advantages"] == pytest.approx(wanted, abs=1e-9)
        assert found["mean"] == pytest.approx(rewards.mean().item(), abs=1e-12)


def test_by_hand(page):
    """Two of eight are right: 1 − 1/4 and −1/4, and the spread is √(3/16)."""
    found = page.evaluate(
        """async () => {
            const url = new URL('_static/elements/answer-group/advantages.js', document.baseURI);
            const { groupAdvantages } = await import(url);
            const rewards = [1, 0, 0, 0, 1, 0, 0, 0];
            const equal = [0.1, 0.1, 0.1];  // their sum is not 0.3 in floats
            return [groupAdvantages(rewards, false), groupAdvantages(rewards, true),
                groupAdvantages(equal, true)];
        }"""
    )
    assert found[0]["advantages"] == [0.75, -0.25, -0.25, -0.25, 0.75, -0.25, -0.25, -0.25]
    assert found[0]["spread"] == pytest.approx(math.sqrt(3 / 16))
    assert found[1]["advantages"][:2] == pytest.approx([math.sqrt(3), -math.sqrt(1 / 3)])
    assert found[2]["advantages"] == [0, 0, 0]
    assert found[2]["equal"]


def test_the_answers_are_those_of_the_group(element):
    for group in GROUPS[::5]:
        choose(element, group)
        answers = group["answers"]
        assert cells(element, 0) == [a["text"].strip() or "(nothing)" for a in answers]
        chances = [math.exp(a["logprob"]) for a in answers]
        small = [f"{p:.3f}" if p >= 0.0005 else "< 0.001" for p in chances]
        assert [text.replace("< ", "<").replace("<", "< ") for text in cells(element, 1)] == small
        verdicts = [f"{'✓ right' if a['reward'] else '✗ wrong'}{a['reward']}" for a in answers]
        assert cells(element, 2) == verdicts
        right = sum(a["reward"] for a in answers)
        numbers = element.locator("dd").all_inner_texts()
        assert numbers[:2] == [f"{right} of 8", f"{right / 8:.3f}"]


def test_the_reader_guesses_first(element):
    choose(element, MIXED)
    assert set(cells(element, 3)) == {"?"}
    assert element.locator(".mg-up, .mg-down").count() == 0
    assert "Guess, then look." in told(element)
    show(element)
    wanted = group_advantages(rewards_of(MIXED, 0))[0].tolist()
    assert cells(element, 3) == [signed(x) for x in wanted]
    ups = element.locator(".mg-arrow").evaluate_all("all => all.map((e) => e.className)")
    assert ups == [f"mg-arrow mg-{'up' if x > 0 else 'down'}" for x in wanted]
    element.get_by_role("button", name="Hide the advantages").click()
    assert set(cells(element, 3)) == {"?"}
    # Another step keeps them in sight, another prompt is guessed anew.
    show(element)
    choose(element, MIXED | {"step": STEPS[-1]})
    assert "?" not in cells(element, 3)
    choose(element, {"prompt": PROMPTS[-1], "step": STEPS[-1]})
    assert set(cells(element, 3)) == {"?"}


def test_equal_rewards_teach_nothing(element):
    choose(element, EQUAL)
    assert told(element).startswith("None of the 8 is right.")
    show(element)
    assert set(cells(element, 3)) == {"0.000"}
    assert told(element) == (
        "All 8 are wrong, all rewards are equal, and so every advantage is 0: nothing is learned "
        "from this group."
    )
    element.get_by_role("checkbox").check()
    assert set(cells(element, 3)) == {"0.000"}


def test_what_is_said_of_a_group(element):
    choose(element, MIXED)
    show(element)
    wanted = group_advantages(rewards_of(MIXED, 0))[0]
    best, worst = signed(wanted.max().item()), signed(wanted.min().item())
    assert f"Each right answer gets {best}" in told(element)
    assert f"each wrong one {worst}" in told(element)
    element.get_by_role("checkbox", name="Divide by the spread").check()
    wanted = group_advantages(rewards_of(MIXED, 0), divide=True)[0]
    assert f"Each right answer gets {signed(wanted.max().item())}" in told(element)
    assert "pulls as hard as one of halves" in told(element)


def test_the_penalty_is_taken_off_each_reward(element):
    group = next(
        g for g in GROUPS if g["step"] == STEPS[-1] and any(a["reward"] for a in g["answers"])
    )
    choose(element, group)
    slider = element.get_by_role("slider")
    assert slider.get_attribute("aria-valuetext") == "off"
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "0.5"
    rewards = rewards_of(group, 0.5)[0].tolist()
    ends = [signed(r).removeprefix("+") for r in rewards]
    assert [re.sub("[✓✗] (right|wrong)", "", text) for text in cells(element, 2)] == ends
    show(element)
    assert told(element).startswith("With the penalty taken off")


def test_bars_are_as_long_as_the_probabilities_and_grow_with_training(element):
    same = [g for g in GROUPS if g["prompt"] == MIXED["prompt"]]
    most = max(math.exp(a["logprob"]) for g in same for a in g["answers"])
    end = next(end for end in (0.1, 0.2, 0.5, 1) if end >= most)
    for group in same:
        choose(element, group)
        shares = element.locator(".mg-length").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().width / e.parentNode.clientWidth)"
        )
        wanted = [math.exp(a["logprob"]) / end for a in group["answers"]]
        assert shares == pytest.approx(wanted, abs=0.01)


def test_everything_works_with_the_keyboard_alone(page, element):
    element.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    assert element.evaluate("e => e.group.prompt") == PROMPTS[1]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert element.evaluate("e => e.group.step") == STEPS[1]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "?" not in cells(element, 3)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    settings = element.evaluate("e => e.settings")
    assert settings == {"prompt": 1, "step": 1, "divide": True, "beta": 0.01}


@each_theme
def test_it_can_be_used_by_all(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    wear(page, theme)
    element.evaluate("e => e.pose()")
    assert barriers(page, NAME) == []
    assert too_wide(element) == []
    assert small_targets(element) == []
    assert smallest_letters(element, "p, dt, dd, th, td, span") >= 12


@each_width
def test_it_keeps_its_height(page, element, width):
    page.set_viewport_size({"width": width, "height": 900})
    heights = element.evaluate(
        """e => e.prompts.flatMap((_, prompt) => e.steps.flatMap((_, step) =>
            [[false, 0, false], [false, 0, true], [true, 0, true], [true, 0.5, true]].map(
                ([divide, beta, open]) => {
                    e.change({ prompt, step, divide, beta });
                    e.reveal(open);
                    return `${e.offsetHeight} ${e.slider.getBoundingClientRect().top}`;
                })))"""
    )
    assert len(set(heights)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_the_page_does_not_jump(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    address = serve_alone(page, site_url, NAME)
    reserved = reserved_height(page, address, NAME)
    page.goto(address)
    load(page, NAME)
    page.locator(NAME).evaluate("e => e.pose()")
    assert page.locator(NAME).evaluate("e => e.offsetHeight") == reserved
    context.close()


def test_groups_that_do_not_fit_are_named(browser, site_url):
    context = browser.new_context()
    page = context.new_page()
    page.route(
        "**/answer_groups.json",
        lambda route: route.fulfill(body=json.dumps(STORED | {"groups": GROUPS[1:]})),
    )
    page.goto(serve_alone(page, site_url, NAME))
    load(page, NAME)
    element = page.locator(NAME)
    assert "Could not read the answers" in element.locator("[role=status]").inner_text()
    page.unroute("**/answer_groups.json")
    element.get_by_role("button", name="Try again").click()
    element.get_by_role("button", name="Show the advantages").wait_for(timeout=5000)
    context.close()
