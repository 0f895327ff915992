"""The mask painter in the page, in a real browser, held to the template and to the loss."""

from __future__ import annotations

import json
import math

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
from masked_chats_file import CHATS, TEMPLATE, masked_chats_payload

import minigpt
from minigpt.finetuning import ChatTemplate, Examples, answer_tensors
from minigpt.training import IGNORED, next_token_loss

NAME = "mask-painter"
PRESETS = ["Only the answer", "Everything", "Answer without its end mark", "Labels not shifted"]
LESSONS = [
    "It learns to answer, and to stop.",
    "what a reader asks",
    "never to stop",
    "one token over",
]


def open_chapter(page, site_url: str) -> None:
    page.goto(serve_alone(page, site_url, NAME))
    load(page, NAME)


def renew(page) -> None:
    replace(page, NAME)


@pytest.fixture
def element(page):
    return page.locator(NAME)


@pytest.fixture(scope="module")
def model_and_tokenizer():
    model, tokenizer = minigpt.load("shakespeare")
    return model.double(), tokenizer


@pytest.fixture(scope="module")
def stored(site) -> list[dict]:
    return json.loads((site / "_static" / "models" / "masked-chats.json").read_text("utf-8"))[
        "chats"
    ]


def choose(element, chat: str, preset: str = PRESETS[0]) -> None:
    element.get_by_role("radio", name=chat).check()
    element.get_by_role("button", name=preset, exact=True).click()


def places(element):
    return element.locator("button.mg-column")


def labels(element) -> list[int]:
    """What the loss sees at each place: a token's id, or -100."""
    return element.locator("button.mg-column .mg-target").evaluate_all(
        "all => all.map((e) => Number((e.querySelector('.mg-chip-id') ?? e).textContent"
        ".replace('−', '-')))"
    )


def shown(element, name: str) -> str:
    return element.locator(f"[data-value={name}]").inner_text()


def loss_shown(element) -> float:
    return float(shown(element, "loss").split("= ")[1].removesuffix(" nats"))


@pytest.fixture(scope="module")
def logits(stored, model_and_tokenizer) -> dict[str, torch.Tensor]:
    """The model's scores at each place of each chat, (1, T - 1, V)."""
    model, _ = model_and_tokenizer
    with torch.no_grad():
        return {chat["name"]: model(torch.tensor([chat["ids"][:-1]])) for chat in stored}


# What is stored


def test_the_chats_are_the_templates(stored, model_and_tokenizer):
    assert ChatTemplate() == TEMPLATE
    _, tokenizer = model_and_tokenizer
    assert [chat["name"] for chat in stored] == list(CHATS)
    for chat, messages in zip(stored, CHATS.values(), strict=True):
        ids, counts = TEMPLATE.encode(messages, tokenizer)
        assert (chat["ids"], chat["counts"]) == (ids, counts)
        # Without the end marks, the answers alone are left of what counts.
        kept = [i for place, i in enumerate(ids) if counts[place] and place not in chat["ends"]]
        answers = [m["content"] for m in messages if m["role"] == "assistant"]
        assert tokenizer.decode(kept) == "".join(answers)
        assert tokenizer.decode([ids[i] for i in chat["ends"]]) == "\n\n" * len(answers)
        turns = [
            tokenizer.decode(ids[start:stop])
            for start, stop in zip(chat["starts"], [*chat["starts"][1:], None], strict=True)
        ]
        assert turns == [TEMPLATE.text([message]) for message in messages]


def test_the_same_model_gives_the_same_file(site, model_and_tokenizer):
    written = (site / "_static" / "models" / "masked-chats.json").read_text("utf-8")
    assert masked_chats_payload(*model_and_tokenizer) == written
    assert len(written) < 4096


# The loss


def masked(ids: list[int], preset: str, counts: list[bool], ends: list[int]) -> list[int]:
    """The targets under a preset, by hand."""
    n = len(ids) - 1
    return {
        PRESETS[0]: [ids[t + 1] if counts[t + 1] else IGNORED for t in range(n)],
        PRESETS[1]: ids[1:],
        PRESETS[2]: [
            ids[t + 1] if counts[t + 1] and t + 1 not in ends else IGNORED for t in range(n)
        ],
        PRESETS[3]: [ids[t] if counts[t] else IGNORED for t in range(n)],
    }[preset]


@pytest.mark.parametrize("chat", CHATS)
def test_labels_and_losses_are_the_packages(element, stored, logits, chat):
    found = next(each for each in stored if each["name"] == chat)
    ids, counts = found["ids"], found["counts"]
    for preset, lesson in zip(PRESETS, LESSONS, strict=True):
        choose(element, chat, preset)
        targets = masked(ids, preset, counts, found["ends"])
        assert labels(element) == targets
        wanted = next_token_loss(logits[chat], torch.tensor([targets]))
        counted = len(targets) - targets.count(IGNORED)
        assert shown(element, "counted") == f"{counted} of {len(targets)} labels"
        assert loss_shown(element) == pytest.approx(wanted.item(), abs=0.0011)
        assert element.evaluate("e => e.result.loss") == pytest.approx(wanted.item(), abs=0.0005)
        assert lesson in element.locator(".mg-lesson").inner_text()
        pressed = element.locator("[data-preset][aria-pressed=true]").all_inner_texts()
        assert pressed == [preset]


def test_the_right_mask_is_what_examples_trains_on(element, stored, model_and_tokenizer):
    model, tokenizer = model_and_tokenizer
    choose(element, "Three roles")
    example = ChatTemplate().encode(CHATS["Three roles"], tokenizer)
    inputs, targets = answer_tensors([example])
    assert labels(element) == targets[0].tolist()
    with torch.no_grad():
        wanted = Examples([example], len(example[0]), seed=1).loss(model, inputs, targets)
    assert loss_shown(element) == pytest.approx(wanted.item(), abs=0.0011)


def test_the_sum_is_worked_out(element, stored):
    surprises = [s for s, t in zip(stored[0]["next"], labels(element), strict=True) if t != -100]
    terms = " + ".join(f"{s:.3f}" for s in surprises)
    assert shown(element, "sum") == f"{terms} = {math.fsum(surprises):.3f}"
    assert shown(element, "loss").startswith(f"{math.fsum(surprises):.3f} ÷ 6 = ")
    nats = element.locator(".mg-nats").all_inner_texts()
    assert [x for x in nats if x] == [f"{s:.3f}" for s in surprises]
    choose(element, "One answer", "Everything")
    assert "… (23 more)" in shown(element, "sum")


# Painting


def test_a_place_is_switched_and_switched_back(element):
    before = labels(element)
    place = places(element).nth(22)
    assert place.get_attribute("aria-pressed") == "true"
    place.click()
    assert labels(element) == [*before[:22], -100, *before[23:]]
    assert place.get_attribute("aria-pressed") == "false"
    assert place.get_attribute("aria-label") == "“↵”, label −100"
    assert element.locator("[data-preset][aria-pressed=true]").count() == 0
    assert "It learns 3 of the answers’ 4 tokens" in element.locator(".mg-lesson").inner_text()
    place.click()
    assert labels(element) == before
    assert place.get_attribute("aria-label") == "“↵”, label “O”, surprise 3.532"


def test_with_shift_a_stretch_is_painted(element):
    choose(element, "One answer", "Everything")
    places(element).nth(5).click()
    places(element).nth(9).click(modifiers=["Shift"])
    assert [t for t, label in enumerate(labels(element)) if label == -100] == [5, 6, 7, 8, 9]
    places(element).nth(2).click(modifiers=["Shift"])
    assert [t for t, label in enumerate(labels(element)) if label == -100] == [*range(2, 10)]


def test_everything_works_with_the_keyboard_alone(page, element):
    places(element).first.focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert [t for t, label in enumerate(labels(element)) if label != -100][:5] == [0, 1, 2, 3, 22]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert labels(element)[4] != -100
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.ariaLabel").startswith("“↵”, label “↵”")
    assert element.locator("button.mg-column[tabindex='0']").count() == 1
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == PRESETS[3]
    page.keyboard.press("Enter")
    assert "one token over" in element.locator(".mg-lesson").inner_text()


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ([], "refuses such an example"),
        ([26, 27], "It learns to end a turn"),
        ([3, 4], "It learns from 2 tokens that others write"),
        ([22, 23, 24, 25, 26], "only in part how to stop"),
        ([4, 22, 23, 24, 25, 26, 27], "1 of the 7 labels that count"),
    ],
)
def test_any_mask_has_its_sentence(element, kept, said):
    element.evaluate(
        "(e, kept) => { e.mask = e.mask.map((_, t) => kept.includes(t)); e.render(); }", kept
    )
    assert said in element.locator(".mg-lesson").inner_text()
    if not kept:
        assert shown(element, "loss") == "nothing to take the mean of"


# For all readers


def test_what_does_not_count_is_told_by_more_than_colour(element):
    styles = element.locator(".mg-ignored").evaluate_all(
        "all => all.map((e) => [e.textContent, getComputedStyle(e).borderTopStyle].join(' '))"
    )
    assert set(styles) == {"−100 dashed"}


@each_theme
def test_it_can_be_used_by_all(page, element, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    wear(page, theme)
    choose(element, "Two answers", "Everything")
    assert barriers(page, NAME) == []
    assert too_wide(element) == []
    assert small_targets(element) == []
    assert smallest_letters(element, "p, dt, dd, .mg-target, .mg-nats") >= 12
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@each_width
def test_it_keeps_its_height(page, element, width):
    page.set_viewport_size({"width": width, "height": 900})
    heights = element.evaluate(
        """e => e.chats.flatMap((_, i) => {
            e.choose(i);
            return e.presets.map((button) => { button.click(); return e.offsetHeight; });
        })"""
    )
    assert len(set(heights)) == 1
    columns = element.evaluate("e => e.columns.map((column) => column.offsetLeft)")
    element.get_by_role("button", name="Everything").click()
    assert element.evaluate("e => e.columns.map((column) => column.offsetLeft)") == columns


def test_the_page_does_not_jump(browser, site_url):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    reserved = reserved_height(page, serve_alone(page, site_url, NAME), NAME)
    page.goto(serve_alone(page, site_url, NAME))
    load(page, NAME)
    assert page.locator(NAME).evaluate("e => e.offsetHeight") == reserved
    context.close()


def test_what_does_not_come_is_said_and_tried_again(browser, site_url):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/masked-chats.json", lambda route: route.fulfill(body='{"chats": ['))
    page.goto(serve_alone(page, site_url, NAME))
    load(page, NAME)
    element = page.locator(NAME)
    assert "the chats" in element.locator("[role=status]").inner_text()
    page.unroute("**/masked-chats.json")
    element.get_by_role("button", name="Try again").click()
    element.get_by_role("button", name="Everything").wait_for(timeout=5000)
    context.close()
