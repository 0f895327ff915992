"""The steps of attention for a text of the reader's, in a real browser, held to torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from for_everyone import barriers, each_theme, small_targets, wear
from playwright.sync_api import expect

from minigpt.attention import AttentionOnly
from minigpt.attention.attention_only import PRETRAINED
from minigpt.tokenizer import BPETokenizer

TEXT = "All the world's a stage, and all the men and women merely players"
EXPLORER = "document.querySelector('attention-explorer')"
WIDTH, HEADS, MOST = 16, 4, 8
COLUMNS = ("products", "scores", "masked", "exponentials", "weights")


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.load(PRETRAINED.parent / "shakespeare" / "tokenizer.json")


def heads_of(model: AttentionOnly, ids: list[int]) -> list[tuple[torch.Tensor, ...]]:
    """Queries, keys and values of each layer, (H, T, D), as hooks on the model find them."""
    found: list[tuple[torch.Tensor, ...]] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: found.append(layer.heads(given[0])))
        for layer in model.layers
    ]
    with torch.no_grad():
        model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return [tuple(part[0].double() for part in layer) for layer in found]


def steps_of(q, k, v, asking: int, mask: bool = True, scale: bool = True) -> dict[str, np.ndarray]:
    products = k @ q[asking]
    scores = products / math.sqrt(len(q[0])) if scale else products
    masked = scores.clone()
    if mask:
        masked[asking + 1 :] = -math.inf
    told = {"products": products, "scores": scores, "masked": masked}
    told |= {"exponentials": masked.exp(), "weights": masked.softmax(-1)}
    return {name: x.numpy() for name, x in told.items()} | {
        "outputs": (masked.softmax(-1) @ v).numpy()
    }


@pytest.fixture(scope="module")
def numbers(tokenizer):
    """A function: the steps of one layer, head and token of TEXT, by torch."""
    layers = heads_of(AttentionOnly.pretrained(), tokenizer.encode(TEXT))

    def of(layer: int, head: int, asking: int, **switches: bool) -> dict[str, np.ndarray]:
        q, k, v = (part[head] for part in layers[layer])
        return steps_of(q, k, v, asking, **switches) | {
            "q": q.numpy(),
            "k": k.numpy(),
            "v": v.numpy(),
        }

    return of


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "attention.html")
    page.evaluate("customElements.whenDefined('attention-explorer').then(() => true)")


def renew(page) -> None:
    page.evaluate(
        f"""() => {{
            const element = document.createElement('attention-explorer');
            {EXPLORER}.replaceWith(element);
            return element.load();
        }}"""
    )
    page.locator("attention-explorer textarea").fill(TEXT)


class Steps:
    def __init__(self, page):
        self.explorer = page.locator("attention-explorer")
        self.button = self.explorer.locator(".mg-show-steps")
        self.root = self.explorer.locator("attention-steps")
        self.rows = self.root.locator(".mg-own tbody tr")
        self.chips = self.explorer.locator(".mg-look")

    def choose(self, layer: int, head: int, asking: int) -> None:
        self.explorer.locator(".mg-head").nth(layer * HEADS + head).click()
        self.chips.nth(asking).click()

    def go(self, step: int) -> None:
        self.root.get_by_role("slider").fill(str(step))

    def table(self) -> dict[str, list[str]]:
        rows = self.rows.evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        )
        return {row[0]: row[2:] for row in rows}

    def working(self) -> str:
        return " ".join(self.root.locator(".mg-working p").all_inner_texts())


@pytest.fixture
def steps(page) -> Steps:
    """Opened, at layer 2, head 3 and the twelfth token."""
    steps = Steps(page)
    steps.choose(1, 2, 11)
    steps.button.click()
    return steps


def value(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def shown(x: float, tiny: bool = False) -> float:
    return float(f"{x:.0e}") if tiny and x < 5e-4 else round(float(x), 3)


@pytest.mark.parametrize(("mask", "scale"), [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize(("layer", "head", "asking"), [(1, 2, 11), (0, 0, 3), (1, 0, 14)])
def test_every_number_is_that_of_the_model(steps, numbers, layer, head, asking, mask, scale):
    steps.choose(layer, head, asking)
    steps.root.get_by_role("checkbox", name="Causal mask").set_checked(mask)
    steps.root.get_by_role("checkbox", name="Divide by √D = √16").set_checked(scale)
    steps.go(5)
    want = numbers(layer, head, asking, mask=mask, scale=scale)
    seen = list(range(asking + 1 if mask else len(want["weights"])))
    rows = steps.table()
    single = [name for name in rows if name[0].isdigit() and not name.endswith(("others", "later"))]
    shown_tokens = [int(name.split()[0]) - 1 for name in single]
    assert shown_tokens == sorted(shown_tokens) and asking in shown_tokens
    assert len(shown_tokens) == min(MOST, len(seen))
    strongest = sorted(seen, key=lambda i: -want["weights"][i])[: MOST - 1]
    assert set(strongest) <= set(shown_tokens)
    for name, j in zip(single, shown_tokens, strict=True):
        for text, column in zip(rows[name], COLUMNS, strict=True):
            assert value(text) == pytest.approx(want[column][j], abs=2e-3, rel=2e-3)
    hidden = [j for j in seen if j not in shown_tokens]
    others = next((name for name in rows if "other" in name), None)
    assert (others is None) == (not hidden)
    if others:
        assert others.split()[0] == str(len(hidden))
        highest = value(rows[others][2].removeprefix("≤ "))
        assert 0 <= highest - want["masked"][hidden].max() <= 0.101
        for text, column in zip(rows[others][3:], COLUMNS[3:], strict=True):
            assert value(text) == pytest.approx(want[column][hidden].sum(), abs=2e-3, rel=2e-3)
    later = len(want["weights"]) - 1 - asking if mask else 0
    if later:
        assert rows[f"{later} later"][2:] == ["−∞", "0", "0"]
    total = want["exponentials"].sum()
    assert value(rows["sum"][3]) == pytest.approx(total, abs=2e-3, rel=2e-3)
    assert rows["sum"][4] == "1"


def test_strips_and_numbers_are_the_models_own(steps, numbers):
    want = numbers(1, 2, 11)
    steps.root.locator("summary").click()
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    for step, part, own in ((1, "k", "q"), (6, "v", "outputs")):
        steps.go(step)
        got = steps.root.locator(".mg-own-numbers tbody tr").evaluate_all(cells)
        first = [value(row[1]) for row in got]
        vector = want["outputs"] if part == "v" else want[own][11]
        np.testing.assert_allclose(first, vector, atol=1.1e-3)
        assert len(got) == WIDTH
        strips = steps.root.locator(".mg-own .mg-strip")
        drawn = strips.nth(0 if part == "k" else strips.count() - 1).evaluate(
            """strip => [...strip.children].map((cell) =>
                (cell.classList.contains('mg-below') ? -1 : 1)
                * Number(cell.style.getPropertyValue('--tint')) ** 2)"""
        )
        legend = steps.root.locator(".mg-legend").inner_text()
        most = float(legend.split("±")[1].rstrip("."))
        np.testing.assert_allclose(np.array(drawn) * most, vector, atol=0.03)
    names = steps.root.locator(".mg-own-numbers thead th").all_inner_texts()
    keys = [int(name.split()[0]) - 1 for name in names[2:] if "other" not in name]
    for step, part in ((1, "k"), (6, "v")):
        steps.go(step)
        got = steps.root.locator(".mg-own-numbers tbody tr").evaluate_all(cells)
        table = np.array([[value(x) for x in row[2:]] for row in got]).T
        np.testing.assert_allclose(table[: len(keys)], want[part][keys], atol=1.1e-3)
    # The others' average, by weight, is the rest of the output.
    others = [j for j in range(12) if j not in keys]
    share = want["weights"][others]
    average = share @ want["v"][others] / share.sum()
    np.testing.assert_allclose(table[len(keys)], average, atol=1.1e-3)


def test_the_working_follows_the_token_that_weighs_most(steps, numbers):
    want = numbers(1, 2, 11)
    best = int(want["weights"].argmax())
    who = steps.chips.nth(best).get_attribute("aria-label").split(": ")[1]
    told = []
    for step in range(1, 7):
        steps.go(step)
        told.append(steps.working())
    assert f"“{who}” ({best + 1}), which weighs most: " in told[0]
    products = [(want["q"][11][d], want["k"][best][d]) for d in range(3)]
    for pair in products:
        a, b = (f"{abs(shown(x)):g}" for x in pair)
        assert a in told[0] and b in told[0]
    assert f" + … (13 more) = {shown(want['products'][best])}".replace("-", "−") in told[0]
    assert "is divided by √D = √16 = 4." in told[1]
    assert "may not look at what comes later: 6 tokens." in told[2]
    assert f"sum of all: {shown(want['exponentials'].sum())}" in told[3]
    assert told[4].endswith(f" = {shown(want['weights'][best])}")
    assert told[5].endswith(f"= {shown(want['outputs'][0])}".replace("-", "−"))


def test_the_steps_follow_the_explorer(steps, page):
    title = steps.root.locator(".mg-title")
    expect(title).to_have_text("Layer 2, head 3, step by step for “men” (token 12)")
    steps.chips.nth(2).click()
    expect(title).to_contain_text("(token 3)")
    assert "2 others" not in steps.table() and len(steps.table()) == 3 + 1 + 1 + 1
    steps.explorer.locator(".mg-head").first.click()
    expect(title).to_contain_text("Layer 1, head 1")
    steps.go(4)
    steps.explorer.locator("textarea").fill("Speak")
    expect(title).to_have_text("Layer 1, head 1, step by step for “Speak” (token 1)")
    assert steps.root.locator(".mg-place").inner_text() == "step 4 of 6"  # the step stays
    steps.explorer.locator("textarea").fill("")
    expect(steps.root).to_be_hidden()
    steps.explorer.locator("textarea").fill("O")
    assert list(steps.table()) == ["query", "1 O", "sum"]
    steps.button.click()
    expect(steps.root).to_be_hidden()
    assert steps.button.inner_text() == "Show the steps"


def test_a_token_that_is_pointed_at_leaves_the_steps_alone(steps, page):
    before = steps.working()
    steps.chips.nth(3).hover()
    assert steps.working() == before


def test_steps_that_are_off_say_so(steps):
    for switch in steps.root.get_by_role("checkbox").all():
        switch.uncheck()
    steps.go(5)
    names = steps.root.locator(".mg-own thead th").all_inner_texts()
    assert names[2:] == ["1. q · k", "2. unscaled", "3. no mask", "4. exp", "5. ÷ sum"]
    assert not any("later" in name for name in steps.table())


def test_the_keyboard_reaches_all(steps, page):
    steps.button.focus()
    page.keyboard.press("Tab")
    expect(steps.root.get_by_role("button", name="Back")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert steps.root.locator(".mg-place").inner_text() == "step 2 of 6"
    for _ in range(2):  # the slider, then the fold
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(steps.root.locator(".mg-own-numbers table")).to_be_visible()


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, steps, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    steps.root.locator("summary").click()
    for step in (1, 5, 6):
        steps.go(step)
        assert barriers(page, "attention-explorer") == []


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_it_fits_the_screen_and_nothing_jumps(page, steps, width):
    page.set_viewport_size({"width": width, "height": 800})
    heights = set()
    for step in range(1, 7):
        steps.go(step)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = steps.root.evaluate(
            "e => [e, ...e.querySelectorAll('td, th, p, table')].filter("
            "x => x.scrollWidth > x.clientWidth + 1).map(x => x.textContent)"
        )
        assert wide == []
        heights.add(steps.root.bounding_box()["height"])
    assert max(heights) - min(heights) <= 24
    assert small_targets(steps.root, "button, summary, input") == []
