"""The logit lens in the page, in a real browser, held to the Python model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from for_everyone import barriers, each_theme, wear
from playwright.sync_api import expect

import minigpt
from minigpt.data import shakespeare, train_validation_split

TEXTS = [
    "O",
    "KING RICHARD III:\nA horse, a",
    "To be, or not to be: that is the",
    "JULIET:\nRomeo!\n\nROMEO:\nMy dear?\n\nJULIET:\n",
    "안녕 👍 “quoted” – 3.14159",
]
PROMPT = TEXTS[1]
LENS = "document.querySelector('logit-lens')"
LAPTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def shipped():
    return minigpt.load("shakespeare", int8=True)


@pytest.fixture(scope="module")
def lens_of(shipped):
    """A function: the log-probabilities of a text at every place, (L + 1, T, V)."""
    model, tokenizer = shipped

    def of(text: str) -> torch.Tensor:
        stream: list[torch.Tensor] = []
        hooks = [
            block.register_forward_hook(lambda _, given, made: stream.extend([given[0], made]))
            for block in model.blocks
        ]
        with torch.no_grad():
            model(torch.tensor([tokenizer.encode(text)]))
            places = torch.cat([stream[0], *stream[1::2]])
            scores = model.lm_head(model.final_norm(places))
        for hook in hooks:
            hook.remove()
        return scores.log_softmax(-1)

    return of


def test_before_any_block_a_common_token_gives_itself_and_a_rarer_one_nonsense(lens_of, shipped):
    # The chapter says so of the prompt that it shows; nonsense is what training hardly met.
    tokenizer = shipped[1]
    ids = torch.tensor(tokenizer.encode(PROMPT))
    counts = torch.bincount(
        torch.tensor(tokenizer.encode(train_validation_split(shakespeare())[0])),
        minlength=len(tokenizer.vocab),
    )
    answers = lens_of(PROMPT)[0].argmax(-1)
    itself = answers == ids
    assert 0 < itself.sum() < len(ids)
    assert counts[answers[~itself]].max() <= 1
    assert counts[ids[itself]].min() > counts[ids[~itself]].max()


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "playground.html")
    page.evaluate("customElements.whenDefined('logit-lens').then(() => true)")


def renew(page, prompt: str = PROMPT, **attributes: str) -> None:
    """A lens alone, its model there at once."""
    page.evaluate(
        """(attributes) => {
            const element = document.createElement('logit-lens');
            for (const name in attributes) element.setAttribute(name, attributes[name]);
            document.querySelector('looking-glass, logit-lens').replaceWith(element);
            return element.load();
        }""",
        {"prompt": prompt, **attributes},
    )


class Lens:
    """What a reader sees of the first lens."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator("logit-lens").first
        self.box = self.root.locator("textarea")
        self.cells = self.root.get_by_role("gridcell")
        self.verdict = self.root.locator(".mg-lens-verdict")
        self.scroll = self.root.locator(".mg-lens-scroll")

    def type(self, text: str) -> None:
        self.box.fill(text)
        self.page.evaluate(f"{LENS}.updated")

    def cell(self, place: int, t: int):
        return self.root.locator(f"[data-place='{place}'][data-token='{t}']")

    def chosen(self) -> list[list[int]]:
        return self.root.locator("[aria-selected=true]").evaluate_all(
            "cells => cells.map(({ dataset }) => [Number(dataset.place), Number(dataset.token)])"
        )


@pytest.fixture
def lens(page) -> Lens:
    return Lens(page)


def test_before_any_block_the_table_repeats_the_text_as_the_chapter_says(lens_of, shipped):
    ids = torch.tensor(shipped[1].encode(PROMPT))
    repeated = [(place.argmax(-1) == ids).float().mean().item() for place in lens_of(PROMPT)]
    assert repeated[0] > 0.5 > repeated[-1]


def test_answers_come_up_early_and_late_as_the_chapter_says(lens_of):
    first = []
    for text in (PROMPT, "SIR TOBY"):
        best = [place[-1].argmax().item() for place in lens_of(text)]
        first.append(best.index(best[-1]))
    late, early = first
    assert late > len(best) // 2
    assert early == 1


def percent(p: float) -> str:
    return "<\u00a00.1\u00a0%" if 0 < p < 0.0005 else f"{100 * p:.1f}\u00a0%"


def spelled(data: bytes) -> str:
    return data.decode().replace(" ", "·").replace("\n", "↵")


def settled(best: list[int]) -> int:
    """The first place from which on the last guess is the best one."""
    return next(place for place in range(len(best)) if set(best[place:]) == {best[-1]})


# The numbers


@pytest.mark.parametrize("text", TEXTS)
def test_the_lens_in_the_page_equals_python(lens, lens_of, text):
    want = lens_of(text)
    lens.type(text)
    got = lens.page.evaluate(f"{LENS}.trace.lens")
    assert (len(got), len(got[0])) == want.shape[:2]
    entropy = -(want.exp() * want).sum(-1)
    for place, guesses in enumerate(got):
        for t, guess in enumerate(guesses):
            p = want[place, t].exp()
            best = p.topk(10)
            told = [entry["probability"] for entry in guess["best"]]
            np.testing.assert_allclose(told, best.values, rtol=0, atol=1e-3)
            # Of two that are level it does not matter which comes first.
            ids = [entry["id"] for entry in guess["best"]]
            np.testing.assert_allclose(p[ids], best.values, rtol=0, atol=1e-4)
            assert len(set(ids)) == 10
            assert guess["entropy"] == pytest.approx(entropy[place, t].item(), abs=1e-3)


def test_the_table_shows_the_best_guess_of_every_place(lens, lens_of, shipped):
    _, tokenizer = shipped
    want = lens_of(PROMPT).exp()
    rows = lens.root.locator("[role=grid] tbody tr")
    names = ["after the tables", *(f"after block {i + 1}" for i in range(len(want) - 1))]
    assert [text.replace("\xa0", " ") for text in rows.locator("th").all_inner_texts()] == names
    columns = lens.root.locator("[role=grid] thead th").all_text_contents()
    pieces = [spelled(tokenizer.token_bytes(i)) for i in tokenizer.encode(PROMPT)]
    assert columns == ["depth", *(f"{t + 1} {piece}" for t, piece in enumerate(pieces))]
    for place in range(len(want)):
        for t in range(len(pieces)):
            cell = lens.cell(place, t)
            p, i = want[place, t].max(-1)
            told, tint, classes = cell.evaluate(
                "c => [c.lastChild.textContent, c.style.getPropertyValue('--tint'), c.className]"
            )
            assert told == percent(p)
            assert float(tint) == pytest.approx(math.sqrt(p), abs=1e-3)
            data = tokenizer.token_bytes(int(i))
            if data.isascii() and data.strip().isalpha():
                assert cell.locator(".mg-chip-text").inner_text() == spelled(data)
                words = f"“{data.decode().removeprefix(' ')}”, {percent(p)}"
                assert cell.get_attribute("aria-label") == words
            best = want[:, t].argmax(-1).tolist()
            assert ("mg-settled" in classes) == (place >= settled(best))


def test_a_chosen_cell_tells_its_five_best_and_its_entropy(lens, lens_of, shipped):
    _, tokenizer = shipped
    want = lens_of(PROMPT)
    places, size = want.shape[:2]
    assert lens.chosen() == [[places - 1, size - 1]]
    for place, t in ((0, 0), (3, 5), (places - 1, 2)):
        lens.cell(place, t).click()
        assert lens.chosen() == [[place, t]]
        p = want[place, t].exp().topk(5)
        shown = lens.root.locator(".mg-likely tr").evaluate_all(
            "rows => rows.map(row => [row.cells[0].textContent, row.cells[1].textContent])"
        )
        assert [number for _, number in shown] == [percent(x) for x in p.values]
        for (name, _), i in zip(shown, p.indices, strict=True):
            data = tokenizer.token_bytes(int(i))
            if data.isascii() and data.strip().isalpha():
                assert name == spelled(data)
        entropy = -(want[place, t].exp() * want[place, t]).sum().item()
        told = lens.root.locator(".mg-lens-entropy").inner_text()
        assert told.startswith(f"Entropy {entropy:.2f} nats: as undecided as among ")
        as_many = float(told.split("among ")[1].split(" equally")[0])
        assert as_many == pytest.approx(math.exp(entropy), abs=0.06)
        where = f"After block\xa0{place}" if place else "After the tables"
        caption = lens.root.locator(".mg-likely caption").text_content()
        assert caption.startswith(f"{where}, the best guesses for what follows “")
        assert f"(token {t + 1})" in caption


def test_the_verdict_says_from_where_on_the_answer_leads(page, lens, lens_of):
    last = page.evaluate(f"{LENS}.trace.lens.length - 1")
    for t, best in enumerate(lens_of(PROMPT).argmax(-1).T.tolist()):
        lens.cell(last, t).click()
        check_verdict(lens.verdict.inner_text(), settled(best), last)
    # Places that no text may show: the first, one on the way, and the last alone.
    for best, place in (([7] * (last + 1), 0), ([8, 7, 8] + [7] * (last - 2), 3)):
        told = page.evaluate(
            f"""(best) => {{
                const lens = {LENS};
                best.forEach((id, place) => {{ lens.trace.lens[place][0].best[0].id = id; }});
                lens.token = 0;
                return lens.judge();
            }}""",
            best,
        )
        check_verdict(told, place, last)
    best = [7] * last + [8]
    told = page.evaluate(
        f"""(best) => {{
            best.forEach((id, place) => {{ {LENS}.trace.lens[place][0].best[0].id = id; }});
            return {LENS}.judge();
        }}""",
        best,
    )
    check_verdict(told, last, last)


def check_verdict(told: str, place: int, last: int) -> None:
    words = {
        0: "It leads in every row, even before the first block.",
        last: f"It comes to lead only in the last row, after block\xa0{last}.",
    }
    assert told.endswith(
        words.get(place, f"It comes to lead after block\xa0{place}, and stays there.")
    )


# Using it


def test_cells_are_one_tab_stop_with_arrow_keys(page, lens):
    places, size = page.evaluate(f"[{LENS}.trace.lens.length, {LENS}.ids.length]")
    lens.box.focus()
    page.keyboard.press("Tab")
    expect(lens.cell(places - 1, size - 1)).to_be_focused()
    steps = [
        ("ArrowUp", places - 2, size - 1),
        ("ArrowLeft", places - 2, size - 2),
        ("Home", places - 2, 0),
        ("ArrowLeft", places - 2, 0),  # there is nothing before the first
        ("ArrowDown", places - 1, 0),
        ("ArrowDown", places - 1, 0),  # nor below the last
        ("End", places - 1, size - 1),
        ("ArrowRight", places - 1, size - 1),
        ("ArrowLeft", places - 1, size - 2),
    ]
    for key, place, t in steps:
        page.keyboard.press(key)
        expect(lens.cell(place, t)).to_be_focused()
        assert lens.chosen() == [[place, t]]
        # The chosen cell is in sight, beside the column that stays.
        box = lens.cell(place, t).bounding_box()
        fixed = lens.root.locator("thead th").first.bounding_box()
        assert box["x"] >= fixed["x"] + fixed["width"] - 1
    told = lens.root.locator(".mg-lens > [role=status]")
    expect(told).to_contain_text(f"after block\xa0{places - 1}, ")
    expect(told).to_contain_text(f"(token {size - 1}): “")
    page.keyboard.press("Tab")
    expect(lens.root.locator("a")).to_be_focused()


def test_many_columns_move_within_their_box(page, lens):
    page.set_viewport_size({"width": 360, "height": 740})
    lens.type("my lord " * 60)
    assert lens.root.locator("thead th").count() == 49
    assert "the first 48 are shown" in lens.root.locator(".mg-traced > .mg-message").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert lens.scroll.evaluate("e => e.scrollLeft + e.clientWidth > e.scrollWidth - 4")
    last = lens.cell(2, 47)
    last.focus()
    page.keyboard.press("Home")
    box = lens.cell(2, 0).bounding_box()
    fixed = lens.root.locator("thead th").first.bounding_box()
    assert fixed["x"] >= 0 and box["x"] >= fixed["x"] + fixed["width"] - 1


def test_a_fixed_text_cannot_be_changed(page, lens, shipped):
    _, tokenizer = shipped
    renew(page, "My lord, I", fixed="")
    assert lens.box.get_attribute("readonly") is not None
    assert lens.box.input_value() == "My lord, I"
    assert lens.root.locator("thead th").count() == 1 + len(tokenizer.encode("My lord, I"))


def test_an_attribute_may_hold_a_new_line(page, lens):
    renew(page, r"BRUTUS:\nThis")
    assert lens.box.input_value() == "BRUTUS:\nThis"


def test_an_empty_text_is_said_in_words(lens):
    lens.type("")
    message = lens.root.locator(".mg-traced > .mg-message")
    assert message.inner_text() == "Type something, and its tokens appear here."
    expect(lens.scroll).to_be_hidden()
    lens.type("my lord")
    expect(lens.scroll).to_be_visible()


def test_a_model_that_is_missing_is_asked_for_again(browser, site_url):
    context = browser.new_context(viewport=LAPTOP)
    context.route("**/int8.safetensors", lambda route: route.fulfill(status=404))
    page = context.new_page()
    open_chapter(page, site_url)
    renew(page)
    lens = Lens(page)
    status = lens.root.locator(".mg-loading [role=status]")
    expect(status).to_contain_text("int8.safetensors answered 404")
    context.unroute("**/int8.safetensors")
    lens.root.get_by_role("button", name="Try again").click()
    expect(lens.cells.first).to_be_visible()
    context.close()


# For all readers


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, lens, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    lens.cell(2, 3).click()
    assert barriers(page, "logit-lens") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_jump_and_fits(page, lens, width):
    page.set_viewport_size({"width": width, "height": 800})
    height = lens.root.bounding_box()["height"]
    reserved = lens.root.evaluate("e => parseFloat(getComputedStyle(e).minHeight)")
    assert abs(height - reserved) < 40
    natural = lens.root.evaluate(
        "e => { e.style.minHeight = 0; const { height } = e.getBoundingClientRect();"
        " e.style.minHeight = ''; return height; }"
    )
    assert abs(natural - reserved) < 40
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    targets = lens.cells.evaluate_all("all => all.map((x) => [x.offsetWidth, x.offsetHeight])")
    assert min(min(target) for target in targets) >= 40
