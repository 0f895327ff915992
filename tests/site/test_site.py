"""The built website in a real browser: what it loads, says, shows, and whether all can use it."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import bokeh_js
import book_sources
import chapter_notebook
import front_page
import mathml
import own_file
import pytest
import web_addresses
import yaml
from bokeh import plotting
from for_everyone import barriers, each_theme, open_folds
from playwright.sync_api import expect
from sphinx.errors import ExtensionError

from minigpt.lessons.drawing.figure import Figure
from minigpt.lessons.tokenizer.plots import sentence

SITE = book_sources.ROOT / "_build" / "html"
PAGES = sorted(path.name for path in SITE.glob("*.html"))
STEMS = book_sources.stems()
UNLISTED = {"404.html", "search.html"}  # pages that no search engine should offer
PHONE, LAPTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
NARROWEST = {"width": 320, "height": 640}  # that a page must fit (WCAG 2.2, 1.4.10)
BASE = yaml.safe_load((book_sources.ROOT / "_config.yml").read_text("utf-8"))["html"]["baseurl"]


def text_of(name: str) -> str:
    return (SITE / name).read_text("utf-8")


class Watched:
    """A browser page that notes what it asks for and what goes wrong."""

    def __init__(self, browser, viewport=LAPTOP, theme="light"):
        self.context = browser.new_context(viewport=viewport, color_scheme=theme)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("requestfailed", lambda r: self.wrong.append(f"failed: {r.url}"))
        self.page.on("pageerror", lambda e: self.wrong.append(f"page error: {e}"))
        self.page.on(
            "response", lambda r: self.wrong.append(f"{r.status}: {r.url}") if r.status > 399 else 0
        )
        self.page.on(
            "console",
            lambda m: self.wrong.append(m.text) if m.type in {"error", "warning"} else None,
        )

    def see_all(self) -> None:
        """Go down the page as a reader does, so that all that loads late is loaded."""
        open_folds(self.page)
        for figure in self.page.locator(".minigpt-figure").all():
            figure.scroll_into_view_if_needed()
            figure.locator("canvas").first.wait_for()
            expect(figure.locator(".noUi-handle:not([aria-label])")).to_have_count(0)
        self.page.keyboard.press("End")


@pytest.fixture
def open_page(browser):
    opened = []

    def start(address: str, **options) -> Watched:
        watched = Watched(browser, **options)
        opened.append(watched)
        watched.page.goto(address)
        return watched

    yield start
    for watched in opened:
        watched.context.close()


def test_the_site_has_its_pages(site):
    assert {"index.html", "404.html", "search.html"} | {f"{s}.html" for s in STEMS} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_third_party_and_reports_no_error(name, open_page, site_url):
    watched = open_page(site_url + name)
    watched.see_all()
    watched.page.wait_for_load_state("networkidle")
    assert watched.wrong == []
    assert [url for url in watched.requests if not url.startswith((site_url, "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opened_as_a_file_shows_its_text_in_its_style(name, open_page, site):
    watched = open_page((site / name).as_uri())
    assert watched.page.locator("h1").is_visible()
    if name != "404.html":  # its addresses are absolute: it answers at any depth of the site
        assert watched.wrong == []
        style = "getComputedStyle(document.querySelector('.mg-bar')).position"
        assert watched.page.evaluate(style) == "sticky"


# The chapters are long: `make test-all` looks at them, and at their elements in every state.
LONG = {f"{stem}.html" for stem in STEMS}


@each_theme
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in PAGES],
)
def test_a_page_is_accessible_and_fits_the_screen(name, width, theme, open_page, site_url):
    watched = open_page(site_url + name, viewport={"width": width, "height": 800}, theme=theme)
    watched.see_all()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (
        theme == "dark"
    )
    assert barriers(watched.page) == []


# Controls whose words are cut, and what lies beyond the screen and in no box that scrolls.
BEYOND = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (!box.width || !box.height || e.closest("svg, math, .mg-skip, [type=range]")) return false;
  if (e.matches("button, input, select, summary") && e.scrollWidth > e.clientWidth + 1) return true;
  if (box.right <= innerWidth + 1) return false;
  for (let around = e.parentElement; around; around = around.parentElement) {
    if (getComputedStyle(around).overflowX !== "visible") return false;
  }
  return true;
}).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_the_narrowest_screen_before_and_after_its_font_comes(name, browser, site_url):
    page = browser.new_context(viewport=NARROWEST).new_page()
    held = []
    page.route("**/*.woff2*", lambda route: held.append(route))
    page.goto(site_url + name, wait_until="domcontentloaded")
    page.wait_for_function("!document.querySelector('[data-still]:not(:defined)')")
    page.evaluate("() => { window.print = () => { window.all = true; }; }")
    page.keyboard.press("Control+p")  # loads and draws all
    page.wait_for_function("window.all")
    for late in (True, False):
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"], late
        assert page.evaluate(BEYOND) == [], late
        for route in held:
            route.continue_()
        held.clear()
        page.evaluate("document.fonts.ready.then(() => true)")
    page.context.close()


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_what_all_pages_have_is_accessible_in_each_theme_and_width(viewport, open_page, site_url):
    watched = open_page(f"{site_url}index.html", viewport=viewport)
    assert barriers(watched.page) == []
    watched.page.click(".mg-theme-button")
    assert watched.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert barriers(watched.page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_introduces_itself(name):
    page = text_of(name)
    head = page.split("</head>")[0]
    assert re.search(r'<html lang="en"', head)
    assert re.search(r"<title>[^<]{5,}</title>", head)
    (description,) = re.findall(r'<meta [^>]*name="description"[^>]*>', head)
    assert 20 <= len(re.search(r'content="([^"]*)"', description)[1]) <= 200
    assert len(re.findall(r"<h1[ >]", page)) == 1
    if name not in UNLISTED:
        for card in ("og:title", "og:description", "og:url", "og:image", "og:type"):
            assert head.count(f'property="{card}"') == 1, card
        assert f'<link rel="canonical" href="{BASE}{name}">' in head


def test_the_social_card_is_a_small_picture():
    address = re.search(r'property="og:image" content="([^"]+)"', text_of("index.html"))[1]
    assert address.startswith(BASE)
    picture = (SITE / address.removeprefix(BASE)).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert len(picture) < 100_000


def test_the_sitemap_lists_every_page():
    tree = ElementTree.parse(SITE / "sitemap.xml")
    listed = {node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert listed == {BASE + name for name in PAGES if name not in UNLISTED}
    assert f"Sitemap: {BASE}sitemap.xml" in text_of("robots.txt")


def test_a_wrong_address_leads_back(open_page, site_url):
    watched = open_page(f"{site_url}no/such/page")
    assert watched.wrong[0].startswith("404")
    assert watched.page.evaluate(
        "getComputedStyle(document.querySelector('.mg-bar')).position"
    ) == ("sticky")
    watched.page.click("main a")
    assert watched.page.url.startswith(site_url)
    assert watched.page.locator("h1").inner_text() == "MiniGPT: the book that runs"


def test_a_formula_is_mathml_set_in_the_books_font(open_page, site_url):
    pages = "".join(map(text_of, PAGES))
    assert "<math" in pages
    assert "mathjax" not in "".join(re.findall(r"<script.*?</script>", pages, re.DOTALL)).lower()
    watched = open_page(site_url + next(n for n in PAGES if "<mfrac>" in text_of(n)))
    watched.page.wait_for_function("document.fonts.check('16px \"MiniGPT Math\"')")
    fraction = watched.page.locator("mfrac").first
    above, below = (fraction.locator("> *").nth(i).bounding_box() for i in (0, 1))
    assert above["y"] + above["height"] <= below["y"] + 1
    assert 10 < fraction.bounding_box()["height"] < 100


def test_a_formula_that_is_not_latex_fails_the_build():
    with pytest.raises(ExtensionError, match=r"(?s)\\frac\{1\}.*expected an argument"):
        mathml.to_mathml(r"\frac{1}", display=True)


def test_the_maths_font_covers_what_formulas_use():
    page = "<math><mi>x</mi><mo>∑</mo><annotation>q</annotation></math> and <i>text</i>"
    assert mathml.characters(page) == {0x1D465, ord("x"), ord("∑")}


def test_the_maths_font_covers_the_root_sign_that_no_text_spells():
    assert mathml.characters("<math><msqrt><mn>2</mn></msqrt></math>") == {ord("2"), ord("√")}


@pytest.mark.parametrize(
    ("letter", "slanted"),
    [*zip("AZahzΑΣΩαω∂∇ϵϕ", "𝐴𝑍𝑎ℎ𝑧𝛢𝛴𝛺𝛼𝜔𝜕𝛻𝜖𝜙", strict=True), ("1", "1"), ("∞", "∞")],
)
def test_the_maths_font_covers_the_letters_that_browsers_slant(letter, slanted):
    page = f"<math><mi>{letter}</mi></math>"
    assert mathml.characters(page) == {ord(letter), ord(slanted)}
    upright = f'<math><mi mathvariant="normal">{letter}</mi></math>'
    assert mathml.characters(upright) == {ord(letter)}


def test_bokeh_comes_once_and_only_when_a_figure_is_near(open_page, site_url):
    watched = open_page(f"{site_url}tokenizer.html")
    watched.page.wait_for_load_state("networkidle")

    def loaded() -> list[str]:
        return [url.rsplit("/", 1)[1] for url in watched.requests if "bokeh" in url]

    assert loaded() == []
    assert watched.page.locator(".minigpt-figure").count() > 0
    watched.see_all()
    assert loaded() == ["bokeh.min.js", "bokeh-widgets.min.js"]
    assert watched.page.locator("script[src*=bokeh]").count() == 2  # a cache hides requests
    assert watched.page.locator(".minigpt-figure:not(:has(canvas))").count() == 0


def test_pages_without_a_figure_do_not_mention_bokeh():
    for name in PAGES:
        if "minigpt-figure" not in text_of(name):
            assert "figures.js" not in text_of(name), name


def test_figures_take_the_colours_of_the_page(open_page, site_url):
    watched = open_page(f"{site_url}tokenizer.html")
    watched.see_all()
    labels = """() => Bokeh.documents.flatMap(d => d.roots()).flatMap(r => [...r.references()])
                .filter(m => m.type.endsWith("Axis")).map(m => m.axis_label_text_color)"""
    ink = "getComputedStyle(document.documentElement).getPropertyValue('--mg-ink').trim()"
    light = watched.page.evaluate(ink)
    assert set(watched.page.evaluate(labels)) == {light}
    watched.page.click(".mg-theme-button")
    dark = watched.page.evaluate(ink)
    assert dark != light
    assert set(watched.page.evaluate(labels)) == {dark}
    spans = """() => Bokeh.documents.flatMap(d => d.roots()).flatMap(r => [...r.references()])
               .filter(m => m.type === "Span").map(m => m.line_color.value ?? m.line_color)"""
    muted = watched.page.evaluate(ink.replace("ink", "muted"))
    assert set(watched.page.evaluate(spans)) == {muted}


def test_a_figure_is_described_without_javascript(browser, site_url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}tokenizer.html")
    assert page.locator(".minigpt-figure").count() > 0
    for figure in page.locator(".minigpt-figure").all():
        expect(figure.get_by_text(figure.get_attribute("aria-label"), exact=True)).to_be_visible()
        expect(figure).to_contain_text("drawn by a script, which does not run here")
        assert figure.bounding_box()["height"] < 200
    context.close()


@pytest.mark.parametrize(
    "name", [name for name in PAGES if "page-widget-fallback" in text_of(name)]
)
def test_a_sentence_stands_for_an_element_without_javascript(browser, site_url, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site_url + name)
    fallbacks = page.locator(".page-widget-fallback")
    assert fallbacks.count() == text_of(name).count("page-widget-fallback")
    for fallback in fallbacks.all():
        expect(fallback.locator("p").first).to_be_visible()
        assert len(fallback.inner_text()) > 20
        assert fallback.locator("..").bounding_box()["height"] < 200
    context.close()


def test_a_page_has_a_figures_words_and_data_and_no_other_script():
    figure = Figure(plotting.figure(height=70), 'a <b> & "c"')._repr_html_()
    shown = bokeh_js.for_the_page(figure)
    assert shown.count("<script") == 1
    assert 'style="min-height: 70px"' in shown
    words = figure[figure.index("<p>") : figure.index("</div>")]
    assert "a &lt;b&gt; &amp; &quot;c&quot;" in words
    assert words in shown


def test_a_figure_says_why_it_is_not_drawn(open_page, site_url):
    watched = open_page(f"{site_url}tokenizer.html")
    watched.page.route("**/bokeh.min.js", lambda route: route.abort())
    figure = watched.page.locator(".minigpt-figure").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_contain_text("could not be drawn (bokeh.min.js did not load): check the")
    expect(figure).to_contain_text(figure.get_attribute("aria-label"))
    assert figure.bounding_box()["height"] < 200


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 404, "body": ""}, "did not load: check the connection"),
        ({"body": "no.such()", "content_type": "text/javascript"}, "has a mistake: please report"),
        ({"body": "export {", "content_type": "text/javascript"}, "has a mistake: please report"),
    ],
)
def test_an_element_says_why_it_does_not_run(browser, site_url, answer, told):
    page = browser.new_page()
    page.route("**/attention-steps.js", lambda route: route.fulfill(**answer))
    page.goto(f"{site_url}attention.html")
    element = page.locator("attention-steps")
    expect(element).to_contain_text(told)
    expect(element).to_contain_text(element.get_attribute("data-still"))
    assert element.bounding_box()["height"] < 300
    page.close()


def test_no_height_is_kept_free_for_what_is_hidden():
    shown = {"name": "Figure", "attributes": {"height": 380}}
    hidden = {"name": "Figure", "attributes": {"height": 380, "visible": False}}
    assert bokeh_js.height({"name": "Column", "attributes": {"children": [shown, hidden]}}) == 380


def test_the_slider_tells_what_python_would(open_page, site_url):
    watched = open_page(f"{site_url}tokenizer.html")
    figure = watched.page.locator(".minigpt-figure").first
    figure.scroll_into_view_if_needed()
    handle = figure.locator(".noUi-handle")
    handle.focus()
    sizes, unseen = watched.page.evaluate(
        """() => Bokeh.documents.flatMap(d => d.roots()).flatMap(r => [...r.references()])
           .filter(m => m.type === "ColumnDataSource" && m.data.size)
           .map(m => [m.data.size, m.data.unseen].map(a => [...a]))[0]"""
    )
    watched.page.keyboard.press("Home")
    for size, carried in zip(sizes, unseen, strict=True):
        told = re.sub(r"</?b>", "", sentence(size, float(carried), n_embd=768))
        expect(figure.get_by_text(f"{size:,} tokens in the vocabulary")).to_have_text(told)
        watched.page.keyboard.press("ArrowRight")
    assert len(sizes) > 5


def test_a_choice_of_colours_is_kept(open_page, site_url):
    watched = open_page(f"{site_url}index.html", theme="dark")
    button = watched.page.locator(".mg-theme-button")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    watched.page.goto(f"{site_url}status.html")
    assert watched.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_menus_open_from_the_keyboard(open_page, site_url):
    watched = open_page(f"{site_url}tokenizer.html", viewport=PHONE)
    for button, menu in (
        (".mg-nav-button", "#mg-nav"),
        (".mg-run-button", "#mg-run"),
        (".mg-toc-button", "#mg-toc"),
    ):
        watched.page.focus(button)
        assert not watched.page.locator(menu).is_visible()
        watched.page.keyboard.press("Enter")
        assert watched.page.locator(f"{menu} a").last.is_visible()
        watched.page.keyboard.press("Escape")
        assert not watched.page.locator(menu).is_visible()


def test_the_contents_mark_the_place_both_ways(open_page, site_url):
    page = open_page(f"{site_url}tokenizer.html").page
    page.emulate_media(reduced_motion="reduce")
    marked = page.locator(".mg-toc [aria-current]")
    links = page.locator('.mg-toc a[href^="#"]:not([href="#"])')
    expect(marked).to_have_count(0)
    for i in (0, 1, 2, 1, 0):
        here, after = (links.nth(j).get_attribute("href") for j in (i, i + 1))
        page.evaluate("at => document.querySelector(at).scrollIntoView()", here)
        expect(marked).to_have_count(1)
        expect(marked).to_have_attribute("href", here)
        # Down until the next heading shows below the end of this section, and up again.
        page.evaluate(
            "at => { document.querySelector(at).scrollIntoView(); scrollBy(0, -100); }", after
        )
        page.wait_for_timeout(100)
        page.evaluate("scrollBy(0, -300)")
        page.wait_for_timeout(100)
        expect(marked).to_have_attribute("href", here)
    page.evaluate("scrollTo(0, 0)")
    expect(marked).to_have_count(0)


def test_control_k_in_a_text_field_is_not_taken(open_page, site_url):
    page = open_page(f"{site_url}tokenizer.html").page
    search = page.locator("#mg-nav input")
    for field in ("live-tokenizer textarea", "merge-stepper input[type=text]"):
        page.locator(field).focus()
        page.keyboard.press("Control+k")
        expect(page.locator(field)).to_be_focused()
        page.keyboard.press("Meta+k")
        expect(search).to_be_focused()
    page.locator("merge-stepper input[type=range]").first.focus()
    page.keyboard.press("Control+k")
    expect(search).to_be_focused()


def test_search_finds_a_word(open_page, site_url):
    watched = open_page(f"{site_url}index.html")
    watched.page.wait_for_load_state("networkidle")
    watched.page.keyboard.press("Control+k")
    watched.page.keyboard.type("merges")
    watched.page.keyboard.press("Enter")
    watched.page.locator("#search-results a[href*='tokenizer.html']").first.wait_for()
    assert watched.wrong == []


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_offers_its_committed_notebook(stem, open_page, site_url):
    watched = open_page(f"{site_url}{stem}.html")
    links = [a.get_attribute("href") for a in watched.page.locator("#mg-run a").all()]
    assert len(links) == 3
    repository = web_addresses.repository().removeprefix("https://github.com/")
    for link in links:
        assert link.endswith(f"notebooks/{stem}.ipynb")
        assert repository in link or link == f"notebooks/{stem}.ipynb"
    download = watched.page.locator("#mg-run a[download]").evaluate("a => a.href")
    served = watched.context.request.get(download).body()
    assert served == book_sources.notebook_path(stem).read_bytes()


@pytest.mark.parametrize("name", [n for n in PAGES if n not in UNLISTED])
def test_the_link_to_a_pages_source_is_right(name):
    (path,) = re.findall(r'href="[^"]*/blob/main/(book/[^"?]+)\?plain=1"', text_of(name))
    assert (book_sources.ROOT / path).is_file()


def test_the_front_page_says_what_there_is_and_what_it_costs():
    page = text_of("index.html")
    assert page.count("minutes to read") == len(STEMS)
    assert page.count('class="mg-station') == len(front_page.STATIONS)
    peak = max(chapter_notebook.committed(stem).metadata["minigpt"]["peak_mb"] for stem in STEMS)
    assert f"{peak} MB of memory" in page and f"<strong>{own_file.length()} lines</strong>" in page


def dead_links(folder: Path) -> subprocess.CompletedProcess:
    lychee = Path(sys.executable).parent / "lychee"
    command = [lychee, "--offline", "--include-fragments", "--no-progress"]
    # 404.html is served at any depth, so its addresses start with the site's own path.
    command += ["--exclude-path", "404.html", "--root-dir", folder, f"{folder}/**/*.html"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_link_and_anchor_leads_somewhere(site):
    found = dead_links(site)
    assert found.returncode == 0, found.stdout


def test_the_link_check_sees_a_dead_page_and_a_dead_anchor(site, tmp_path):
    copy = shutil.copytree(site, tmp_path / "site", ignore=shutil.ignore_patterns("bokeh"))
    planted = '<a href="no-such-page.html">a</a><a href="index.html#no-such-anchor">b</a></main>'
    page = copy / "status.html"
    page.write_text(page.read_text("utf-8").replace("</main>", planted), "utf-8")
    found = dead_links(copy)
    assert found.returncode != 0
    assert "no-such-page.html" in found.stdout
    assert "no-such-anchor" in found.stdout


def test_no_page_is_heavy():
    for name in PAGES:
        page = text_of(name)
        own = re.findall(r'(?:src|href)="(?:/minigpt/)?(_static/[^"?]+\.(?:js|css))', page)
        size = sum((SITE / path).stat().st_size for path in set(own))
        assert size < 150_000, f"{name} loads {size} bytes of script and style"
