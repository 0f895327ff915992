"""A page on paper: all that it shows or can show, in dark ink; afterwards it is as it was."""

from __future__ import annotations

import json
import re

import book_sources
import pypdfium2
import pytest
from built_book import squeezed
from page_complaints import complaints_of
from playwright.sync_api import expect

STEMS = book_sources.stems()
A4 = {"width": 718, "height": 1047}  # less margins of 1 cm
INK = "rgb(28, 33, 40)"  # of the light theme
STATE = """() => ({
  theme: document.documentElement.dataset.theme, classes: document.documentElement.className,
  open: [...document.querySelectorAll("details:not([data-still] *)")].map((fold) => fold.open),
  zoomed: document.querySelectorAll("[style*=zoom]").length,
  drawings: document.querySelectorAll(".mg-on-paper").length,
})"""
# What is cut off, or lies beyond the sheet. Some words are for screen readers alone.
CUT = """() => [...document.querySelectorAll(".mg-article :not(pre *, svg *)")].filter((e) => {
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (!box.width || !box.height || style.clipPath !== "none") return false;
  if (e.closest("svg, math, input, [aria-hidden=true]")) return false;
  const hidden = (over) => !["visible", "clip"].includes(over);
  return box.right > innerWidth + 1
    || (hidden(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
    || (hidden(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
}).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def dark_page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    context.add_init_script("""
      localStorage.setItem("theme", "dark");  // it stays, whatever is printed
      matchMedia("print").addEventListener("change", ({ matches }) => {
        if (matches) window.ink = getComputedStyle(document.body).color;
      });
    """)
    page = context.new_page()
    complaints = complaints_of(page)
    yield page
    context.close()
    assert complaints == []


def printed(page) -> str:
    """The text of the page on paper, without white space."""
    sheets = pypdfium2.PdfDocument(page.pdf(format="A4"))
    return squeezed("".join(sheet.get_textpage().get_text_range() for sheet in sheets))


def press_the_keys(page) -> None:
    """Those that print; returns where the browser would."""
    page.wait_for_function("!document.querySelector('[data-still]:not(:defined)')")
    page.evaluate("() => { window.print = () => { window.pressed = true; }; }")
    page.keyboard.press("Control+p")
    page.wait_for_function("window.pressed")


def axis_labels(page) -> set[str]:
    """What stands at the axes of a page's figures."""
    data = "".join(page.locator("script[id$=-data]").all_text_contents())
    return {json.loads(label) for label in re.findall(r'"axis_label": ("[^"]+")', data)}


def all_is_printed(page) -> None:
    before = page.evaluate(STATE)
    text = printed(page)
    folded = page.locator(".mg-article details pre").all_text_contents()
    assert folded
    for code in folded:
        # A machine may lack the fonts of other scripts, and prints boxes.
        lines = [line for line in code.splitlines() if line.isascii()]
        assert squeezed(max(lines, key=len, default="")) in text
    labels = [squeezed(label) for label in axis_labels(page)]
    assert labels or not page.locator(".minigpt-figure").count()
    for label in labels:
        # Chromium writes letters with an outline, invisible here, twice, and a ligature as one.
        twice = "".join(2 * letter for letter in label).replace("ffii", "fifi")
        assert label in text or twice in text
    assert "couldnotbe" not in text
    assert page.evaluate("window.ink") == INK
    assert page.evaluate(STATE) == before


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_is_printed_whole_from_its_top_in_the_dark(stem, dark_page, site_url):
    dark_page.goto(f"{site_url}{stem}.html")
    all_is_printed(dark_page)


def test_a_chapter_opened_as_a_file_is_printed_whole(dark_page, site):
    dark_page.goto((site / "attention.html").as_uri())
    all_is_printed(dark_page)


def test_a_figure_is_printed_as_the_reader_moved_it(dark_page, site_url):
    dark_page.goto(f"{site_url}tokenizer.html")
    figure = dark_page.locator(".minigpt-figure").first
    figure.scroll_into_view_if_needed()
    figure.locator(".noUi-handle").press("End")
    told = figure.get_by_text("tokens in the vocabulary")
    assert squeezed(told.inner_text()) in printed(dark_page)


def test_what_a_page_loads_late_is_there_when_the_keys_print_it(dark_page, site_url):
    dark_page.goto(f"{site_url}generation.html")
    element = dark_page.locator("next-token")
    expect(element).to_have_attribute("data-far", "")  # nobody came near it
    assert "Onthewebsitethispartworks" in printed(dark_page)
    press_the_keys(dark_page)
    text = printed(dark_page)
    assert "Onthewebsitethispartworks" not in text
    assert squeezed(element.locator(".mg-reading").inner_text()) in text


@pytest.mark.slow
@pytest.mark.parametrize("stem", [*STEMS, "playground", "train"])
def test_nothing_is_cut_off_on_paper(stem, dark_page, site_url):
    dark_page.set_viewport_size(A4)
    dark_page.goto(f"{site_url}{stem}.html")
    press_the_keys(dark_page)
    before = dark_page.evaluate(STATE)
    dark_page.emulate_media(media="print")
    expect(dark_page.locator("details:not([open])")).to_have_count(0)
    assert dark_page.evaluate(CUT) == []
    dark_page.emulate_media(media="screen")
    expect(dark_page.locator(".mg-paper")).to_have_count(0)
    assert dark_page.evaluate(STATE) == before
