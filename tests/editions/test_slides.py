"""The slides: what is marked arrives, fits, can be read and spoken from, and needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import book_sources
import pytest
import web_addresses
from bs4 import BeautifulSoup
from page_complaints import complaints_of

from editions.built import built_page, built_site
from editions.built.unlinked import unlinked
from editions.slides import deck, marks
from editions.slides.marks import Item, Part

pytestmark = pytest.mark.slow  # reads what `make formats` made

STEMS = book_sources.stems()
FEWEST, MOST = 12, 30  # slides: what 45 minutes can use, a third of them drawings
CHECK = """() => Reveal.getSlides().map((slide) => {
  Reveal.slide(Reveal.getIndices(slide).h);
  const page = slide.querySelector(".page");
  const box = page.getBoundingClientRect(), scale = box.width / 1280;
  const wrong = [];
  const lowest = Math.max(...[...page.children].map((e) => e.getBoundingClientRect().bottom));
  if (lowest > box.bottom - 30 * scale) wrong.push("too much below each other");
  for (const e of page.querySelectorAll("*:not(math *):not(.cut, .cut *)")) {
    const r = e.getBoundingClientRect();
    if (r.right > box.right + 1 || r.left < box.left - 1) wrong.push(`too wide: ${e.outerHTML}`);
    if (e.clientWidth && e.scrollWidth > e.clientWidth + 1) wrong.push(`cut: ${e.outerHTML}`);
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (own && !e.closest("math") && parseFloat(getComputedStyle(e).fontSize) < 24)
      wrong.push(`too small to read: ${e.outerHTML}`);
  }
  for (const image of page.querySelectorAll("img"))
    if (!image.alt || !image.naturalWidth) wrong.push("a picture without words, or broken");
  if (page.querySelectorAll("h1, h2").length !== 1) wrong.push("not one heading");
  if ((slide.querySelector(".notes")?.innerHTML ?? "").length < 200) wrong.push("no notes");
  return wrong.map((w) => `${page.innerText.slice(0, 40)}: ${w.slice(0, 200)}`);
}).flat()"""


def file(stem: str) -> Path:
    """A chapter's slides as they were made."""
    path = deck.SLIDES / f"{stem}.html"
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make slides`")
    return path


def opened(context, stem: str, query: str = ""):
    """A page that shows a chapter's slides, what it complained of and what it asked for."""
    page = context.new_page()
    complaints, asked = complaints_of(page), []
    context.on("request", lambda r: asked.append(r.url))
    page.goto(file(stem).as_uri() + query)
    page.wait_for_function("Reveal.isReady()")
    return page, complaints, asked


@pytest.fixture
def context(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()


@pytest.mark.parametrize("stem", STEMS)
def test_every_slide_fits_and_stands_alone(stem, context):
    page, complaints, asked = opened(context, stem)
    assert page.evaluate(CHECK) == []
    assert FEWEST <= page.evaluate("Reveal.getTotalSlides()") <= MOST
    assert complaints == []
    assert [url[:80] for url in asked if not url.startswith(("file:", "data:"))] == []


def words(tag) -> str:
    """The letters and digits of a tag, in lower case."""
    return re.sub(r"\W+", "", unlinked(tag).get_text()).lower()


@pytest.mark.parametrize("stem", STEMS)
def test_everything_marked_arrives_in_order(stem):
    deck = BeautifulSoup(file(stem).read_text("utf-8"), "html.parser")
    for cause in deck.select(".cause"):  # which no mark says
        cause.decompose()
    shown = [words(point) for point in deck.select(".page li")]
    article = built_page.article(stem)
    wanted = [words(span) for span in article.select("span.key")]
    assert [point for point in shown if point in wanted] == wanted
    others = ".cell.tag_slide .cell_input, div.key, table.key"
    found = deck.select(".page > .code, .page > .formula, .page > .table")
    assert [words(e) for e in found] == [words(e) for e in article.select(others)]
    recap = article.find(id=f"sec-{stem}-recap").find_parent("section").find("ul")
    assert shown[-len(recap.select("li")) :] == [words(li) for li in recap.select("li")]


@pytest.mark.parametrize("stem", STEMS)
def test_every_bug_is_told_with_its_cause_and_not_at_once(stem):
    deck = BeautifulSoup(file(stem).read_text("utf-8"), "html.parser")
    slides_of_it = [p for p in deck.select(".page") if p.h2 and p.h2.get_text()[:8] == "Break it"]
    told = [point for page in slides_of_it for point in page.select("li")]
    bugs = [i for i, point in enumerate(told) if re.match(r"\d\. ", point.get_text())]
    assert bugs
    for bug in bugs:
        assert told[bug + 1].select(".cause"), told[bug]
        first_on_it = told[bug + 1].find_previous(["h2", "li"]).name == "h2"
        assert first_on_it or "fragment" in told[bug + 1]["class"], told[bug]


@pytest.mark.parametrize("stem", STEMS)
def test_a_talk_begins_without_what_is_for_readers(stem):
    first = BeautifulSoup(file(stem).read_text("utf-8"), "html.parser").select_one(".page")
    assert "to read" not in first.get_text()
    foot = first.select_one(".foot").get_text()
    assert foot == f"MiniGPT: the book that runs · {web_addresses.page(stem)}"


def test_the_same_site_gives_the_same_bytes(browser):
    stem = STEMS[0]
    assert deck.deck(stem, browser) == file(stem).read_text("utf-8"), "run `make slides`"


def test_the_speaker_sees_the_notes_without_a_server(context):
    page, complaints, asked = opened(context, STEMS[0])
    page.evaluate("Reveal.slide(3)")
    notes = page.evaluate("Reveal.getCurrentSlide().querySelector('.notes p').innerText")
    with context.expect_page() as speaker:
        page.keyboard.press("s")
    shown = speaker.value.locator(".speaker-controls-notes .value")
    shown.get_by_text(notes).wait_for()
    assert complaints == []
    assert all(url.startswith(("file:", "data:", "about:", "blob:")) for url in asked)


def test_they_print_a_page_each_on_white(browser):
    context = browser.new_context(color_scheme="dark")
    page, complaints, _ = opened(context, STEMS[0], "?print-pdf")
    page.wait_for_selector(".pdf-page")
    count = file(STEMS[0]).read_text("utf-8").count('<section><div class="page">')
    assert page.locator(".pdf-page").count() == count
    hidden = "e => e.filter((e) => getComputedStyle(e).visibility !== 'visible').length"
    assert page.locator(".fragment").count() > 0
    assert page.locator(".fragment").evaluate_all(hidden) == 0
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert complaints == []
    context.close()


def test_what_a_cell_shows_comes_with_the_next_key(context):
    page, *_ = opened(context, "tokenizer")
    page.evaluate("Reveal.slide(2)")
    output = page.locator("section.present .output")
    assert page.locator("section.present .code").is_visible()
    assert not output.is_visible()
    page.keyboard.press("ArrowRight")
    output.wait_for(state="visible")


def test_they_follow_the_readers_theme(browser):
    grounds = set()
    for theme in ("light", "dark"):
        context = browser.new_context(color_scheme=theme)
        page, *_ = opened(context, STEMS[0])
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert len(grounds) == 2


def section(inside: str):
    return BeautifulSoup(f"<section><h2>A title</h2>{inside}</section>", "html.parser").section


def cell(tag: str, code: str, printed: str = "") -> str:
    output = f'<div class="output stream"><div class="highlight"><pre>{printed}</pre></div></div>'
    return (
        f'<div class="cell {tag}"><div class="cell_input"><div class="highlight"><pre>{code}</pre>'
        f'</div></div><div class="cell_output">{output if printed else ""}</div></div>'
    )


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<blockquote class="key">a</blockquote>', "slides cannot show a <blockquote>"),
        ('<span class="key"> </span>', "slides cannot show a <span>"),
        (cell("tag_slide", "x\n" * 15, "1"), "has 15 lines of code, and a slide takes 14"),
        (cell("tag_slide-output", "x"), "shows nothing: untag it"),
    ],
)
def test_a_mark_that_leads_nowhere_is_refused(inside, message):
    with pytest.raises(ValueError, match=f"here: .*{message}"):
        marks.marked(section(inside), {}, "here")


def test_marks_become_items():
    inside = (
        '<p><span class="key">behind <em>a</em> colon;</span> no. <span class="key">So:</span></p>'
        f"{cell('tag_slide', 'x', '1')}{cell('tag_slide-output', 'y', '2')}{cell('', 'z', '3')}"
        '<p><span class="key"><code>code</code> stays:</span></p>'
    )
    items = marks.marked(section(inside), {}, "here")
    assert [(item.kind, item.joined) for item in items] == [
        ("point", False),
        ("point", False),
        ("code", False),
        ("output", True),
        ("output", False),
        ("point", False),
    ]
    points = [item.html for item in items if item.kind == "point"]
    assert points == ["Behind <em>a</em> colon.", "So:", "<code>code</code> stays."]


def test_what_may_be_guessed_waits():
    inside = (
        f'<p><span class="key">seen</span></p>{cell("tag_slide", "x", "1")}<details><summary>'
        '<span class="sd-summary-text">The cause</span></summary><strong>C.</strong> '
        '<span class="key">a</span>'
        '<span class="key">b</span></details><span class="key">seen too</span>'
        '<span class="key"><strong>Predict, then run.</strong> What?</span><details><summary>'
        '<span class="sd-summary-text">Answer</span></summary><span class="key">This.</span>'
        '</details><span class="key">after</span>'
    )
    items = marks.marked(section(inside), {}, "here")
    shown = [(BeautifulSoup(item.html, "html.parser").get_text(), item.waits) for item in items]
    assert shown == [
        ("Seen", False),
        ("x", False),
        ("1", True),
        ("The cause: C. A", True),
        ("B", True),
        ("Seen too", False),
        ("Predict, then run. What?", False),
        ("This.", True),
        ("After", True),
    ]


def test_nothing_waits_at_the_head_of_a_slide():
    items = [(Item("output", name, waits=True), 50.0) for name in ("one", "two")]
    made = deck.section(Part("T", "page.html#t", [], ""), items, False, False, [])
    assert [div["class"] for div in BeautifulSoup(made, "html.parser").select(".output")] == [
        ["output"],
        ["output", "fragment"],
    ]


def test_a_long_output_stands_in_two_columns():
    made = [deck.block(Item("output", "a\n" * lines)) for lines in (14, 15)]
    assert ["columns" in html for html in made] == [False, True]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<section><h1>T</h1><p>[a]{.key}</p></section>", r"does not understand: 'T"),
        ("<section><h1>T</h1></section>", "has no box"),
    ],
)
def test_a_chapter_that_cannot_become_slides_is_refused(page, message, monkeypatch):
    soup = BeautifulSoup(page, "html.parser")
    monkeypatch.setattr(built_page, "article", lambda stem: soup)
    monkeypatch.setattr(built_page, "shown", lambda article, stem: [])
    with pytest.raises(ValueError, match=f"book/new.md.* {message}|book/new.md {message}"):
        marks.parts("new")


def shared(*items: tuple[Item, int]) -> list[list[str]]:
    """What `share_out` puts onto each slide, for items of given heights."""
    part = Part("T", "page.html#t", [item for item, _ in items], "")
    sizes = [(50, height, False) for _, height in items]
    return [[item.html for item, _ in page] for page in deck.share_out(part, sizes)]


def test_a_full_section_goes_on_on_the_next_slide():
    a, b, c = (Item("point", name) for name in "abc")
    assert shared((a, 100), (b, 100), (c, 100)) == [["a", "b", "c"]]
    assert shared((a, 300), (b, 100), (c, 200)) == [["a"], ["b", "c"]]
    output = Item("output", "o", joined=True)
    assert shared((a, 200), (Item("code", "k"), 200), (output, 200)) == [["a"], ["k", "o"]]
    assert shared((a, 150), (Item("point", "so:"), 150), (c, 250)) == [["a"], ["so:", "c"]]
    assert shared((a, 150), (b, 150), (c, 250)) == [["a", "b"], ["c"]]


def test_what_no_slide_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"page.html#t: a marked output needs 700 pixels"):
        shared((Item("output", "o"), 700))


def test_a_missing_page_says_how_to_make_it():
    assert built_site.SITE.exists(), "run `make book`"
    with pytest.raises(ValueError, match=r"no-such\.html is missing.*make book"):
        built_page.article("no-such")


def test_a_script_in_a_page_does_not_end_it():
    code = deck.inline_script('"</script><!--<script>"')
    assert "</script" not in code
    assert "<!--" not in code
