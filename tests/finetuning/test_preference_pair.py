"""DPO on one pair in the page, in a real browser, held to `dpo_loss` and to its gradient."""

from __future__ import annotations

import itertools
import math
import re
import shlex
import statistics

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
from lone_element import each_width, load, replace, serve_alone
from playwright.sync_api import expect

from minigpt.finetuning import dpo_loss
from minigpt.lessons.tuning_results import tuning_runs

NAME = "preference-pair"
RUN = {"chosen": -0.17, "rejected": -0.57, "beta": 0.1}
TITLES = {"chosen": "Chosen, log-ratio", "rejected": "Rejected, log-ratio", "beta": "β, weight"}


def open_chapter(page, site_url: str) -> None:
    page.goto(serve_alone(page, site_url, NAME, 'chosen="-0.17" rejected="-0.57"'))
    load(page, NAME)


def renew(page) -> None:
    replace(page, NAME, chosen="-0.17", rejected="-0.57")


@pytest.fixture
def element(page):
    return page.locator(NAME)


def by_package(chosen: float, rejected: float, beta: float) -> dict[str, float]:
    """Margin, agreement, loss and both gradients, by the package and torch."""
    policy = torch.tensor([[chosen], [rejected]], dtype=torch.float64, requires_grad=True)
    reference = torch.zeros(1, dtype=torch.float64)
    loss, *rewards = dpo_loss(policy[0], policy[1], reference, reference, beta)
    loss.backward()
    up, down = policy.grad[:, 0].tolist()
    margin = (rewards[0] - rewards[1]).item()
    return {"margin": margin, "loss": loss.item(), "chosen": up, "rejected": down}


def slide(element, name: str, value: float) -> None:
    element.evaluate(
        """(element, [name, value]) => {
            const slider = element.sliders[name];
            slider.value = value;
            slider.dispatchEvent(new Event('input'));
        }""",
        [name, value],
    )


def shown(element, name: str) -> str:
    return element.locator(f"[data-value={name}]").inner_text()


def press(element, name: str) -> None:
    element.get_by_role("button", name=name).click()


def number(text: str) -> float:
    return float(text.replace("−", "-").removesuffix(" nats").split("= ")[-1])


def test_everything_equals_the_package(element):
    places = [-3, -0.57, -0.17, 0, 1.3, 3]
    states = [*itertools.product(places, places, [0.01, 0.1, 1.0])]
    results = element.evaluate(
        """(e, states) => states.map(([chosen, rejected, beta]) => {
            e.change({ chosen, rejected, beta });
            return e.result;
        })""",
        states,
    )
    for state, found in zip(states, results, strict=True):
        wanted = by_package(*state)
        assert found["margin"] == pytest.approx(wanted["margin"], abs=1e-12)
        assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-12)
        assert found["agreement"] == pytest.approx(math.exp(-wanted["loss"]), rel=1e-12)
        assert found["push"] == pytest.approx(-wanted["chosen"], rel=1e-12)
        assert found["push"] == pytest.approx(wanted["rejected"], rel=1e-12)


def test_far_margins_stay_exact(page):
    found = page.evaluate(
        """async () => {
            const url = new URL('_static/elements/preference-pair/dpo.js', document.baseURI);
            const { dpo } = await import(url);
            return [dpo(800, 0, 1), dpo(-800, 0, 1)];
        }"""
    )
    assert [each["loss"] for each in found] == [0, 800]
    assert [each["push"] for each in found] == [0, 1]


def test_it_starts_at_ln_2(element):
    assert shown(element, "loss") == "−ln 0.500 = 0.693 nats"
    assert shown(element, "margin") == "0.1 × (0 − 0) = 0.000"
    assert [shown(element, "chosen"), shown(element, "rejected")] == ["▲ +0.0500", "▼ −0.0500"]
    assert "still the reference" in element.locator(".mg-told").inner_text()
    slide(element, "beta", 12)
    assert shown(element, "loss") == "−ln 0.500 = 0.693 nats"
    assert shown(element, "chosen") == "▲ +0.5000"


def test_what_a_run_showed(element):
    press(element, "What a run showed")
    assert element.evaluate("e => e.state") == RUN
    wanted = by_package(**RUN)
    assert shown(element, "margin") == "0.1 × (−0.17 − (−0.57)) = 0.040"
    assert number(shown(element, "loss")) == round(wanted["loss"], 3) == 0.673
    assert number(shown(element, "agreement")) == round(math.exp(-wanted["loss"]), 3)
    notes = element.locator(".mg-note").all_inner_texts()
    assert notes[0] == f"{math.exp(-0.17):.2f} × the reference’s probability"
    assert notes[2] == "implied rewards −0.017, −0.057"
    assert "Both answers became less likely" in element.locator(".mg-told").inner_text()


def test_without_a_run_there_is_no_button_for_it(page, element):
    replace(page, NAME)
    assert element.get_by_role("button").all_inner_texts() == ["Take a step", "Back to 0, 0"]


def test_a_step_goes_against_the_gradient_and_the_loss_falls(element):
    state, losses = {"chosen": 0.0, "rejected": 0.0}, []
    for _ in range(5):
        wanted = by_package(**state, beta=0.1)
        losses.append(wanted["loss"])
        press(element, "Take a step")
        state = {name: state[name] - 2 * wanted[name] for name in state}
        found = element.evaluate("e => e.state")
        assert found == pytest.approx(state | {"beta": 0.1}, abs=1e-12)
    assert losses == sorted(losses, reverse=True)
    assert state["chosen"] == pytest.approx(-state["rejected"])
    press(element, "Back to 0, 0")
    assert element.evaluate("e => e.state") == {"chosen": 0, "rejected": 0, "beta": 0.1}


def test_steps_stop_at_the_ends_of_the_sliders(element):
    slide(element, "beta", 12)
    slide(element, "chosen", 2.9)
    slide(element, "rejected", 2.9)
    press(element, "Take a step")
    assert element.evaluate("e => e.state") == {"chosen": 3, "rejected": 1.9, "beta": 1}


@pytest.mark.parametrize(
    ("chosen", "rejected", "said"),
    [
        (1, 1, "Both answers changed alike"),
        (-1, 0.5, "prefers the rejected answer"),
        (2, 1, "Both answers became likelier"),
        (1, -1, "lies above the rejected one"),
        (-0.5, -1, "Both answers became less likely"),
    ],
)
def test_each_place_has_its_sentence(element, chosen, rejected, said):
    slide(element, "chosen", chosen)
    slide(element, "rejected", rejected)
    assert said in element.locator(".mg-told").inner_text()


def test_the_point_lies_on_the_curve_and_bars_are_as_long_as_the_pushes(element):
    for chosen, rejected, beta in [(0, 0, 6), (2, -1, 12), (-3, 3, 12), (-1, 2, 9)]:
        slide(element, "chosen", chosen)
        slide(element, "rejected", rejected)
        slide(element, "beta", beta)
        gap = element.evaluate(
            """e => {
                const path = e.querySelector('.mg-loss');
                const [x, y] = ['cx', 'cy'].map((a) => Number(
                    e.querySelector('.mg-point').getAttribute(a)));
                let least = Infinity;
                for (let s = 0; s <= path.getTotalLength(); s += 0.5) {
                    const p = path.getPointAtLength(s);
                    least = Math.min(least, Math.hypot(p.x - x, p.y - y));
                }
                return least;
            }"""
        )
        assert gap < 1
        push = element.evaluate("e => e.result.push")
        end = float(element.locator("div.mg-axis span").last.inner_text())
        shares = element.locator(".mg-length").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().width / e.parentNode.clientWidth)"
        )
        assert shares == pytest.approx([push / end / 2] * 2, abs=0.01)


def test_everything_works_with_the_keyboard_alone(page, element):
    element.get_by_role("slider", name=TITLES["chosen"]).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert element.evaluate("e => e.state") == {"chosen": -0.01, "rejected": -3, "beta": 1}
    slider = element.get_by_role("slider", name=TITLES["beta"])
    assert slider.get_attribute("aria-valuetext") == "1"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert element.evaluate("e => e.state.chosen") > 0
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert element.evaluate("e => e.state") == RUN


def test_changes_are_announced_once_they_rest(element):
    region = element.locator("[role=status]")
    assert region.text_content() == ""
    for value in (-1, -0.5, -0.17):
        slide(element, "chosen", value)
    assert region.text_content() == ""
    slide(element, "rejected", -0.57)
    expect(region).to_contain_text("Margin 0.040, loss 0.673, pushes 0.0490 up and down.")
    assert "Both answers became less likely" in region.text_content()
    label = element.locator("svg").get_attribute("aria-label")
    assert label.startswith("The loss falls as the margin grows, from 6.00 at −6")


@each_theme
def test_it_can_be_used_by_all(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    wear(page, theme)
    press(element, "What a run showed")
    assert barriers(page, NAME) == []
    assert too_wide(element) == []
    assert small_targets(element) == []
    assert smallest_letters(element, "p, dt, dd, text, .mg-axis") >= 12


@each_width
def test_it_keeps_its_height(page, element, width):
    page.set_viewport_size({"width": width, "height": 900})
    heights = element.evaluate(
        """(e, states) => states.map(([chosen, rejected, beta]) => {
            e.change({ chosen, rejected, beta });
            return [e.offsetHeight, e.picture.getBoundingClientRect().top];
        })""",
        [*itertools.product((-3, -1.755, 0, 3), (-2.755, 0, 3), (0.015, 1))],
    )
    assert heights == heights[:1] * len(heights)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_the_page_does_not_jump(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    address = serve_alone(page, site_url, NAME, 'chosen="-0.17" rejected="-0.57"')
    reserved = reserved_height(page, address, NAME)
    page.goto(address)
    load(page, NAME)
    page.locator(NAME).evaluate("e => e.pose()")
    assert page.locator(NAME).evaluate("e => e.offsetHeight") == reserved
    context.close()


def test_the_chapters_run_is_a_stored_one():
    """The attributes in the chapter: log-ratios at a step, of one seed or the mean of all."""
    chapter = book_sources.ROOT / "book" / "finetuning.md"
    text = chapter.read_text("utf-8") if chapter.exists() else ""
    found = re.search(r"\{page-widget\} preference-pair\n:attributes: (.*)", text)
    if not found:
        pytest.skip("no chapter shows the element yet")
    given = dict(pair.split("=") for pair in shlex.split(found[1]))
    curves = [run["log_ratios"] for run in tuning_runs("sorting", method="dpo")]
    seen = [(round(c, 2), round(r, 2)) for curve in curves for _, c, r in curve]
    for points in zip(*curves, strict=True):
        seen.append(tuple(round(statistics.fmean(p[i] for p in points), 2) for i in (1, 2)))
    assert (float(given["chosen"]), float(given["rejected"])) in seen
    assert float(given.get("beta", 0.1)) == 0.1
