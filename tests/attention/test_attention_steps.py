"""Attention by hand in the page, in a real browser, held to torch and to sums done on paper."""

from __future__ import annotations

import math

import book_sources
import pytest
import torch
from for_everyone import barriers, each_theme, reserved_height, small_targets, wear
from page_complaints import complaints_of
from torch.nn import functional as F

FOLDER = book_sources.ROOT / "book" / "assets" / "elements" / "attention-steps"
STEPS = ("products", "scores", "masked", "exponentials", "weights", "outputs")
# The tests' own example, whose sums are easy; the chapter's is checked with its own numbers.
EXAMPLE = {
    "tokens": "the,cat,sat",
    "q": "1,0;0,1;1,1",
    "k": "1,0;0,2;1,1",
    "v": "1,0;0,1;2,-2",
}
ROOT2 = math.sqrt(2)


@pytest.fixture(scope="module")
def chapter(browser, site_url):
    """The chapter on attention, what its element says, and what the page complained of."""
    context = browser.new_context()
    page = context.new_page()
    complaints = complaints_of(page)
    open_chapter(page, site_url)
    names = ("tokens", "q", "k", "v")
    element = page.locator("attention-steps")
    yield page, {name: element.get_attribute(name) for name in names}, complaints
    context.close()


@pytest.fixture
def page(chapter):
    """The chapter with a new element, which must not complain."""
    page, attributes, complaints = chapter
    page.set_viewport_size({"width": 1280, "height": 900})
    wear(page, "light")
    put(page, **attributes)
    yield page
    found, complaints[:] = list(complaints), []
    assert found == []


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "attention.html")
    page.evaluate("customElements.whenDefined('attention-steps').then(() => true)")


def put(page, **attributes: str):
    """The chapter's element, replaced by one with these attributes."""
    page.evaluate(
        """(attributes) => {
            const element = document.createElement('attention-steps');
            for (const [name, value] of Object.entries(attributes)) {
                element.setAttribute(name, value);
            }
            element.append('the fallback');
            document.querySelector('attention-steps').replaceWith(element);
        }""",
        {**EXAMPLE, **attributes},
    )
    return page.locator("attention-steps")


@pytest.fixture
def element(page):
    return put(page)


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def field(element, name: str):
    return element.get_by_role("spinbutton", name=name, exact=True)


def go(element, step: int) -> None:
    slider = element.get_by_role("slider")
    slider.press("Home")
    for _ in range(step - 1):
        slider.press("ArrowRight")


def working(element) -> list[str]:
    return element.locator(".mg-working p").all_inner_texts()


def message(element) -> str:
    return element.locator(".mg-message").inner_text()


def table(element, name: str = "matrix") -> list[list[str]]:
    rows = element.locator(f".mg-{name} tbody tr:not([aria-hidden])")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def value(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def matrix(text: str) -> torch.Tensor:
    rows = [[float(x) for x in row.split(",")] for row in text.split(";")]
    return torch.tensor(rows, dtype=torch.float64)


def by_torch(q, k, v, mask: bool = True, scale: bool = True) -> dict[str, torch.Tensor]:
    products = q @ k.transpose(-2, -1)
    scores = products / math.sqrt(q.shape[-1]) if scale else products
    future = torch.ones_like(scores, dtype=torch.bool).triu(1) & mask
    masked = scores.masked_fill(future, float("-inf"))
    return {
        "products": products,
        "scores": scores,
        "masked": masked,
        "exponentials": masked.exp(),
        "sums": masked.exp().sum(-1),
        "weights": masked.softmax(-1),
        "outputs": F.scaled_dot_product_attention(
            q, k, v, is_causal=mask, scale=None if scale else 1.0
        ),
    }


# The computation, without its looks


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_every_step_equals_torch(page, mask, scale):
    generator = torch.Generator().manual_seed(27)
    q, k, v = torch.rand(3, 50, 3, 2, dtype=torch.float64, generator=generator) * 6 - 3
    got = page.evaluate(
        """async ([q, k, v, options]) => {
            const path = '_static/elements/attention-steps/attention-by-hand.js';
            const url = new URL(path, document.baseURI);
            const { attentionByHand } = await import(url);
            return q.map((_, i) => attentionByHand(q[i], k[i], v[i], options));
        }""",
        [q.tolist(), k.tolist(), v.tolist(), {"mask": mask, "scale": scale}],
    )
    want = by_torch(q, k, v, mask, scale)
    for name in (*STEPS, "sums"):
        found = torch.tensor([example[name] for example in got], dtype=torch.float64)
        torch.testing.assert_close(found, want[name], rtol=1e-9, atol=1e-9)


def test_other_sizes_equal_torch_too(page):
    generator = torch.Generator().manual_seed(3)
    q, k = torch.randn(2, 5, 4, dtype=torch.float64, generator=generator)
    v = torch.randn(5, 3, dtype=torch.float64, generator=generator)
    got = page.evaluate(
        """async ([q, k, v]) => {
            const path = '_static/elements/attention-steps/attention-by-hand.js';
            const url = new URL(path, document.baseURI);
            return (await import(url)).attentionByHand(q, k, v).outputs;
        }""",
        [q.tolist(), k.tolist(), v.tolist()],
    )
    want = by_torch(q, k, v)["outputs"]
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), want)


def test_numbers_are_short_and_honest(page):
    cases = [
        (1, False, "1"),
        (-0.0, False, "0"),
        (-0.0001, False, "0"),
        (1e-17, False, "0"),  # the rest of a sum that is 0
        (1e-17, True, "1e−17"),  # an exponential
        (2.34e-61, True, "2e−61"),
        (0, True, "0"),
        (0.70710678, False, "0.707"),
        (-1.5, False, "−1.5"),
        (0.2, False, "0.2"),
        (10.25512, False, "10.255"),
        (1.7225, False, "1.722"),  # 1.72249…: Python rounds it so too
        (1.7224999, False, "1.722"),  # not by way of 1.7225
        (1.7235001, False, "1.724"),
        (0.9996, False, "1"),
        (99.99964, False, "100"),
        (12345.678, False, "12346"),
        (114.551, False, "114.55"),
        (-123456.0, False, "−1.2e5"),
        (2.26e70, True, "2.3e70"),
        (float("-inf"), True, "−∞"),
    ]
    got = page.evaluate(
        """async (cases) => {
            const path = '_static/elements/attention-steps/words.js';
            const { shown } = await import(new URL(path, document.baseURI));
            return cases.map(([x, tiny]) => shown(x, tiny));
        }""",
        [[x, tiny] for x, tiny, _ in cases],
    )
    assert got == [text for *_, text in cases]


# The element


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_the_chapters_example_equals_torch_at_every_step(page, mask, scale):
    element = page.locator("attention-steps")
    want = by_torch(*(matrix(element.get_attribute(name)) for name in "qkv"), mask, scale)
    element.get_by_role("checkbox", name="Causal mask").set_checked(mask)
    element.get_by_role("checkbox", name="Divide by").set_checked(scale)
    for number, name in enumerate(STEPS, 1):
        go(element, number)
        rows = want[name]
        if name in ("exponentials", "weights"):
            rows = torch.cat([rows, rows.sum(-1, keepdim=True)], dim=-1)
        found = torch.tensor([[value(text) for text in row] for row in table(element)])
        torch.testing.assert_close(found.double(), rows, rtol=1e-4, atol=6e-4)


def test_each_step_spells_out_its_sums(element):
    step = button(element, "Step")
    found = [working(element)]
    for _ in range(5):
        step.click()
        found.append(working(element))
    e = [math.exp(x / ROOT2) for x in (1, 2, 2)]
    w = [x / sum(e) for x in e]
    assert found == [
        [
            "“sat” asks: its query times each key, number by number, summed.",
            "“the”: 1×1 + 1×0 = 1",
            "“cat”: 1×0 + 1×2 = 2",
            "“sat”: 1×1 + 1×1 = 2",
        ],
        [
            "Each dot product of “sat” is divided by √D = √2 = 1.414.",
            "“the”: 1 ÷ 1.414 = 0.707",
            "“cat”: 2 ÷ 1.414 = 1.414",
            "“sat”: 2 ÷ 1.414 = 1.414",
        ],
        [
            "“sat” comes last and may look at every token: nothing is masked in its row.",
            "“the”: 0.707 stays",
            "“cat”: 1.414 stays",
            "“sat”: 1.414 stays",
        ],
        [
            "exp makes each score of “sat” positive; then they are summed.",
            "“the”: exp(0.707) = 2.028",
            "“cat”: exp(1.414) = 4.113",
            "“sat”: exp(1.414) = 4.113",
            "sum: 2.028 + 4.113 + 4.113 = 10.255",
        ],
        [
            "Divided by their sum, the exponentials of “sat” become weights that sum to 1.",
            *(
                f"“{t}”: {x:.3f} ÷ 10.255 = {y:.3f}"
                for t, x, y in zip(("the", "cat", "sat"), e, w, strict=True)
            ),
        ],
        [
            "“sat” receives the values, each times its weight, summed.",
            "first number: 0.198×1 + 0.401×0 + 0.401×2 = 1",
            "second number: 0.198×0 + 0.401×1 + 0.401×(−2) = −0.401",
        ],
    ]


def test_stepping_stops_at_both_ends(element):
    back, step = button(element, "Back"), button(element, "Step")
    slider = element.get_by_role("slider")
    caption = element.locator(".mg-matrix caption")
    back.click(force=True)  # stays focusable at the start, and does nothing
    assert back.get_attribute("aria-disabled") == "true"
    assert caption.inner_text() == "1. Dot products q · k"
    assert slider.get_attribute("aria-valuetext") == "step 1 of 6: dot products q · k"
    for _ in range(7):
        step.click(force=True)
    assert step.get_attribute("aria-disabled") == "true"
    assert caption.inner_text() == "6. Outputs: weighted values"
    assert slider.input_value() == "6"
    back.click()
    assert caption.inner_text() == "5. Weights: ÷ the sum"
    assert step.get_attribute("aria-disabled") == "false"
    slider.fill("3")
    assert caption.inner_text() == "3. The future masked"
    assert element.locator(".mg-place").inner_text() == "step 3 of 6"


def test_who_asks_is_followed_through_all_steps(element):
    assert element.locator(".mg-matrix tr[aria-current] th").inner_text() == "sat"
    button(element, "cat").click()
    assert button(element, "cat").get_attribute("aria-pressed") == "true"
    assert button(element, "sat").get_attribute("aria-pressed") == "false"
    for step in range(1, 7):
        go(element, step)
        assert element.locator(".mg-matrix tr[aria-current] th").all_inner_texts() == ["cat"]
        assert "“cat”" in working(element)[0]
        trace = table(element, "trace")
        assert len(trace) == step  # what comes later is not given away
        if step < 6:
            assert trace[-1] == table(element)[1][:3]
    e = math.exp(ROOT2)
    assert trace == [
        ["0", "2", "1"],
        ["0", "1.414", "0.707"],
        ["0", "1.414", "−∞"],
        ["1", "4.113", "0"],
        [f"{1 / (1 + e):.3f}", f"{e / (1 + e):.3f}", "0"],
        [f"({1 / (1 + e):.3f}, {e / (1 + e):.3f})"],
    ]
    caption = element.locator(".mg-trace caption").inner_text()
    assert caption == "“cat” through the steps"


def test_the_numbers_that_a_step_multiplies_are_marked(element):
    used = (
        "inputs => inputs.filter(i => i.classList.contains('mg-used'))"
        ".map(i => i.getAttribute('aria-label').split(',')[0])"
    )
    fields = element.locator(".mg-number")
    keys = ["key of “the”"] * 2 + ["key of “cat”"] * 2 + ["key of “sat”"] * 2
    button(element, "cat").click()
    assert sorted(fields.evaluate_all(used)) == sorted(["query of “cat”"] * 2 + keys)
    go(element, 2)
    assert fields.evaluate_all(used) == []
    go(element, 6)
    assert fields.evaluate_all(used) == [key.replace("key", "value") for key in keys]


def test_masked_scores_show_a_sign_and_a_hatch(element):
    button(element, "the").click()
    go(element, 3)
    assert table(element) == [
        ["0.707", "−∞", "−∞"],
        ["0", "1.414", "−∞"],
        ["0.707", "1.414", "1.414"],
    ]
    assert working(element) == [
        "“the” may not look at what comes later: “cat” and “sat”.",
        "“the”: 0.707 stays",
        "“cat”: 0 becomes −∞",
        "“sat”: 0.707 becomes −∞",
    ]
    hatch = "cells => cells.map(c => getComputedStyle(c).backgroundImage.includes('gradient'))"
    for step, hatched in ((2, 0), (3, 3), (4, 3), (5, 3), (6, 0)):
        go(element, step)
        assert sum(element.locator(".mg-matrix td").evaluate_all(hatch)) == hatched


def test_weights_are_tinted_by_their_size(element):
    go(element, 5)
    alphas = element.locator(".mg-matrix .mg-weight").evaluate_all(
        r"cells => cells.map(c => [c.textContent, getComputedStyle(c).backgroundColor])"
    )
    assert len(alphas) == 6
    for weight, colour in alphas:
        alpha = float(colour.rstrip(")").split("/")[1])
        assert alpha == pytest.approx(0.6 * float(weight), abs=0.002)


def test_without_the_mask_nothing_is_masked(element):
    button(element, "the").click()
    element.get_by_role("checkbox", name="Causal mask").uncheck()
    go(element, 3)
    assert "−∞" not in "".join("".join(row) for row in table(element))
    assert working(element)[0] == (
        "The mask is off: nothing is masked, and “the” looks at every token."
    )
    go(element, 4)
    assert working(element)[0] == "exp makes each score of “the” positive; then they are summed."
    element.get_by_role("checkbox", name="Causal mask").check()
    assert working(element)[0] == (
        "exp makes each score of “the” positive, and −∞ to 0; then they are summed."
    )


def test_without_the_division_the_scores_are_the_dot_products(element):
    products = table(element)
    element.get_by_role("checkbox", name="Divide by √D = √2").uncheck()
    go(element, 2)
    assert table(element) == products
    assert working(element)[:2] == [
        "The division is off: the dot products of “sat” stay as they are.",
        "“the”: 1 stays",
    ]
    go(element, 4)
    assert working(element)[-1] == "sum: 2.718 + 7.389 + 7.389 = 17.496"


def test_an_edited_number_counts_at_once(element):
    field(element, "query of “sat”, first number").fill("-2.5")
    assert table(element)[2] == ["−2.5", "2", "−1.5"]
    assert working(element)[1] == "“the”: (−2.5)×1 + 1×0 = −2.5"
    field(element, "key of “the”, second number").fill("0.25")  # finer than the arrows' step
    assert table(element)[2] == ["−2.25", "2", "−1.5"]
    go(element, 6)
    before = table(element)
    field(element, "value of “the”, first number").press("ArrowUp")
    assert field(element, "value of “the”, first number").input_value() == "1.5"
    assert before[0] == ["1", "0"]
    assert table(element)[0] == ["1.5", "0"]
    assert element.get_by_role("spinbutton").count() == 18
    assert element.locator("[aria-invalid=true]").count() == 0


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "The field is empty"),
        ("1e9", "1e9 is out of range"),
        ("-9.5", "−9.5 is out of range"),
        ("9" * 300, f"{'9' * 12}… is out of range"),
    ],
)
def test_a_bad_number_is_named_and_does_not_count(element, typed, fault):
    cell = field(element, "key of “cat”, second number")
    cell.fill("3")
    before = table(element)
    assert before[2] == ["1", "3", "2"]
    cell.fill(typed)
    assert message(element) == (
        f"{fault}: type a number from −9 to 9. Until then the key of “cat”, second number, stays 3."
    )
    assert table(element) == before
    assert cell.get_attribute("aria-invalid") == "true"
    described = element.locator("#" + cell.get_attribute("aria-describedby"))
    assert described.inner_text() == message(element)
    assert described.get_attribute("role") == "status"
    cell.press("Tab")  # what counts comes back, and what was wrong stays to be read
    assert cell.input_value() == "3"
    assert cell.get_attribute("aria-invalid") == "false"
    assert message(element).startswith(fault)
    cell.fill("-9")
    assert table(element)[2] == ["1", "−9", "2"]
    assert message(element).startswith("Type numbers from −9 to 9.")


def test_a_lone_minus_is_waited_for(element):
    cell = field(element, "query of “the”, first number")
    note = message(element)
    cell.press("Control+a")
    cell.press_sequentially("-")
    assert message(element) == note
    cell.press_sequentially("4")
    assert table(element)[0] == ["−4", "0", "−4"]
    cell.press("Control+a")
    cell.press_sequentially("-")
    cell.press("Tab")
    assert message(element).startswith("This is not a number: type a number from −9 to 9.")
    assert cell.input_value() == "-4"
    assert table(element)[0] == ["−4", "0", "−4"]


def test_reset_brings_back_numbers_and_switches(element):
    go(element, 6)
    button(element, "cat").click()
    before = table(element)
    field(element, "value of “the”, first number").fill("7")
    field(element, "key of “the”, second number").fill("5")
    field(element, "query of “cat”, second number").fill("99")
    for switch in element.get_by_role("checkbox").all():
        switch.uncheck()
    assert table(element) != before
    button(element, "Reset").click()
    assert table(element) == before  # the step and who asks stay
    assert field(element, "value of “the”, first number").input_value() == "1"
    assert field(element, "query of “cat”, second number").input_value() == "1"
    assert element.locator("[aria-invalid=true]").count() == 0
    assert all(switch.is_checked() for switch in element.get_by_role("checkbox").all())
    assert message(element) == "The chapter’s numbers are back."


def test_only_what_is_new_is_announced(element):
    element.evaluate(
        """element => {
            const region = element.querySelector('.mg-working');
            new MutationObserver(() => { region.said = (region.said ?? 0) + 1; })
                .observe(region, { childList: true, subtree: true, characterData: true });
        }"""
    )
    region = element.locator(".mg-working")
    assert region.get_attribute("role") == "status"
    element.get_by_role("checkbox", name="Causal mask").uncheck()  # step 1 does not change
    assert region.evaluate("region => region.said ?? 0") == 0
    button(element, "Step").click()
    assert region.evaluate("region => region.said ?? 0") == 1


def test_extreme_numbers_stay_numbers_and_stay_in_the_box(page):
    page.set_viewport_size({"width": 360, "height": 800})
    rows = "-8.5,-8.5;9,9;-9,8.5"
    element = put(page, q=rows, k=rows, v="-8.5,8.5;-8.5,8.5;-8.5,8.5")
    element.get_by_role("checkbox", name="Causal mask").uncheck()
    element.get_by_role("checkbox", name="Divide by").uncheck()
    for step in range(1, 7):
        go(element, step)
        assert "NaN" not in element.inner_text()
        assert "Infinity" not in element.inner_text()
        wide = element.evaluate(
            "e => [e, ...e.querySelectorAll('td, p, table')].filter("
            "x => x.scrollWidth > x.clientWidth).map(x => x.textContent)"
        )
        assert wide == []
        broken = element.locator("td:not(:has(input))").evaluate_all(
            "cells => cells.filter(c => { const r = document.createRange();"
            " r.selectNodeContents(c); return r.getClientRects().length > 1; })"
            ".map(c => c.textContent)"
        )
        assert broken == []  # a number stays on one line
    cut = "inputs => inputs.filter(i => i.scrollWidth > i.clientWidth).map(i => i.value)"
    assert element.locator(".mg-number").evaluate_all(cut) == []
    assert table(element) == [["−8.5", "8.5"]] * 3  # the average of equal values


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"q": "1,0;0,1"}, "q has 2 rows for 3 tokens: write one row a token"),
        ({"k": "1,0;0;1,1"}, "row 2 of k has length 1: give all rows of q, k and v equally many"),
        ({"v": "1,0,1;0,1,1;1,1,1"}, "row 1 of v has length 3"),
        ({"q": "1,0;0,one;1,1"}, "row 2 of q has “one”: write a number from −9 to 9"),
        ({"q": "1,0;0,;1,1"}, "row 2 of q has “”: write a number from −9 to 9"),
        ({"v": "1,0;0,9.5;1,1"}, "row 2 of v has “9.5”"),
        ({"v": "1,0;0,NaN;1,1"}, "row 2 of v has “NaN”"),
        ({"tokens": "the,cat"}, "q has 3 rows for 2 tokens"),
        ({"tokens": "the,,sat"}, "tokens is “the,,sat”: write 2 to 3 words"),
        ({"tokens": "a,b,c,d"}, "tokens is “a,b,c,d”"),
        ({"tokens": ""}, "tokens is “”"),
    ],
)
def test_a_wrong_example_is_said_in_words(page, attributes, words):
    element = put(page, **attributes)
    alert = element.get_by_role("alert").inner_text()
    assert alert.startswith(f"This example cannot be shown: {words}")
    assert "the fallback" in element.inner_text()
    assert element.get_by_role("button").count() == 0
    assert element.bounding_box()["height"] < 250


def test_a_smaller_example_works_too(page):
    element = put(page, tokens="a,b", q="1;2", k="3;4", v="5;-6")
    assert table(element) == [["3", "4"], ["6", "8"]]
    go(element, 2)
    assert working(element)[0] == "Each dot product of “b” is divided by √D = √1 = 1."
    go(element, 6)
    assert table(element)[0] == ["5"]


def test_everything_works_with_the_keyboard_alone(page, element):
    button(element, "Back").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert element.locator(".mg-place").inner_text() == "step 3 of 6"
    page.keyboard.press("Tab")  # the slider
    page.keyboard.press("End")
    assert element.locator(".mg-place").inner_text() == "step 6 of 6"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # “the”
    assert table(element, "trace")[-1] == ["(1, 0)"]
    for _ in range(3):  # past the other two, to the first query
        page.keyboard.press("Tab")
    name = "() => document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(name) == "query of “the”, first number"
    page.keyboard.press("ArrowDown")
    assert field(element, "query of “the”, first number").input_value() == "0.5"
    for _ in range(18):  # past the other numbers
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not element.get_by_role("checkbox", name="Causal mask").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert element.get_by_role("checkbox", name="Causal mask").is_checked()
    assert field(element, "query of “the”, first number").input_value() == "1"


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    element = page.locator("attention-steps")
    element.locator(".mg-number").nth(3).fill("77")
    for step in (1, 3, 4, 5, 6):
        go(element, step)
        assert barriers(page, "attention-steps") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    height = "document.querySelector('attention-steps').offsetHeight"
    reserved = reserved_height(page, site_url + "attention.html", "attention-steps")
    open_chapter(page, site_url)
    element = page.locator("attention-steps")
    place = (
        "e => Math.round(e.querySelector('.mg-inputs').getBoundingClientRect().top"
        " - e.getBoundingClientRect().top)"
    )
    seen, places = set(), set()
    for who in element.locator(".mg-buttons").nth(1).get_by_role("button").all():
        who.click()
        for step in range(1, 7):
            go(element, step)
            seen.add(page.evaluate(height))
            places.add(element.evaluate(place))
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert element.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert max(places) - min(places) <= 1
    element.locator(".mg-number").first.fill("1e9")
    seen.add(page.evaluate(height))
    assert max(seen) - min(min(seen), reserved) <= 24
    assert small_targets(element) == []
    context.close()


def test_nothing_moves_by_itself(element):
    button(element, "Step").click()
    moving = "e => document.getAnimations().filter(a => e.contains(a.effect.target)).length"
    assert element.evaluate(moving) == 0


def test_the_chapter_and_the_element_round_alike(page):
    """The chapter's cell prints `round(number, 3)` of what the element shows."""
    element = page.locator("attention-steps")
    want = by_torch(*(matrix(element.get_attribute(name)) for name in "qkv"))["outputs"]
    go(element, 6)
    shown = [[value(text) for text in row] for row in table(element)]
    assert shown == [[round(x, 3) for x in row] for row in want.tolist()]
    assert shown[2] == [0.62, 0.306]  # as the chapter prints it
    chapter = (book_sources.ROOT / "notebooks" / "attention.ipynb").read_text("utf-8")
    assert "output   [0.62, 0.306]" in chapter


def test_a_step_that_is_switched_off_is_not_named_as_if_it_were_on(element):
    element.get_by_role("checkbox", name="Causal mask").uncheck()
    element.get_by_role("checkbox", name="Divide by").uncheck()
    go(element, 6)
    names = element.locator(".mg-trace tbody th").all_inner_texts()
    assert names[1:3] == ["2. unscaled", "3. no mask"]
    captions = []
    for step in (2, 3):
        go(element, step)
        captions.append(element.locator(".mg-matrix caption").inner_text())
    assert captions == ["2. Not divided by √D", "3. Nothing masked"]
    assert element.get_by_role("slider").get_attribute("aria-valuetext").endswith("nothing masked")
    button(element, "Reset").click()
    assert element.locator(".mg-matrix caption").inner_text() == "3. The future masked"


def test_the_controls_stand_side_by_side_on_a_laptop(element):
    tops = {round(button(element, name).bounding_box()["y"]) for name in ("Back", "Step")}
    assert len(tops) == 1
    tops = {round(button(element, name).bounding_box()["y"]) for name in ("the", "cat", "sat")}
    assert len(tops) == 1
    assert element.get_by_role("slider").bounding_box()["width"] > 250


def test_the_files_stay_small():
    files = list(FOLDER.iterdir())
    assert max(len(path.read_text("utf-8").splitlines()) for path in files) < 240
    assert sum(path.stat().st_size for path in files) < 36 * 1024
