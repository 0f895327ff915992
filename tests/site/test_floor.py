"""The pages work in the browsers of spring 2023, which `book/index.md` names.

Versions are those of MDN's browser-compat-data: the first in which Chrome (and Edge), Firefox and
Safari have a thing, None where a browser has it not at all.
"""

from __future__ import annotations

import json
import re

import book_sources
import pytest
from page_complaints import complaints_of
from page_scripts import ASSETS
from playwright.sync_api import expect

FLOOR = (112, 114, 16.4)
SENTENCE = "Chrome and Edge 112, Firefox 114 and Safari 16.4"
NEWER = {  # methods and interfaces, taken away from the browser of the tests
    "Array.fromAsync": (121, 115, 16.4),
    "Array.prototype.toReversed": (110, 115, 16),
    "Array.prototype.toSorted": (110, 115, 16),
    "Array.prototype.toSpliced": (110, 115, 16),
    "Array.prototype.with": (110, 115, 16),
    "TypedArray.prototype.toReversed": (110, 115, 16),
    "TypedArray.prototype.toSorted": (110, 115, 16),
    "TypedArray.prototype.with": (110, 115, 16),
    "Object.groupBy": (117, 119, 17.4),
    "Map.groupBy": (117, 119, 17.4),
    "Promise.withResolvers": (119, 121, 17.4),
    "Promise.try": (128, 134, 18.2),
    "String.prototype.isWellFormed": (111, 119, 16.4),
    "String.prototype.toWellFormed": (111, 119, 16.4),
    "Set.prototype.union": (122, 127, 17),
    "Set.prototype.intersection": (122, 127, 17),
    "Set.prototype.difference": (122, 127, 17),
    "Set.prototype.symmetricDifference": (122, 127, 17),
    "Set.prototype.isSubsetOf": (122, 127, 17),
    "Set.prototype.isSupersetOf": (122, 127, 17),
    "Set.prototype.isDisjointFrom": (122, 127, 17),
    "Iterator": (122, 131, 18.4),
    "IteratorPrototype.map": (122, 131, 18.4),
    "IteratorPrototype.filter": (122, 131, 18.4),
    "IteratorPrototype.take": (122, 131, 18.4),
    "IteratorPrototype.drop": (122, 131, 18.4),
    "IteratorPrototype.flatMap": (122, 131, 18.4),
    "IteratorPrototype.reduce": (122, 131, 18.4),
    "IteratorPrototype.toArray": (122, 131, 18.4),
    "IteratorPrototype.forEach": (122, 131, 18.4),
    "IteratorPrototype.some": (122, 131, 18.4),
    "IteratorPrototype.every": (122, 131, 18.4),
    "IteratorPrototype.find": (122, 131, 18.4),
    "ArrayBuffer.prototype.transfer": (114, 122, 17.4),
    "ArrayBuffer.prototype.resize": (111, 128, 16.4),
    "Uint8Array.fromBase64": (140, 133, 18.2),
    "Uint8Array.prototype.toBase64": (140, 133, 18.2),
    "Uint8Array.prototype.toHex": (140, 133, 18.2),
    "Float16Array": (135, 129, 18.2),
    "Math.f16round": (135, 129, 18.2),
    "Math.sumPrecise": (147, 137, 26.2),
    "RegExp.escape": (136, 134, 18.2),
    "Error.isError": (134, 138, 26),
    "JSON.rawJSON": (114, 135, 18.4),
    "Temporal": (144, 139, None),
    "Intl.Segmenter": (87, 125, 14.1),
    "Intl.DurationFormat": (129, 136, 16.4),
    "URL.canParse": (120, 115, 17),
    "URL.parse": (126, 126, 18),
    "AbortSignal.any": (116, 124, 17.4),
    "Element.prototype.checkVisibility": (105, 106, 17.4),
    "Element.prototype.setHTMLUnsafe": (124, 123, 17.4),
    "Element.prototype.moveBefore": (133, 144, None),
    "HTMLElement.prototype.popover": (114, 125, 17),
    "HTMLElement.prototype.showPopover": (114, 125, 17),
    "HTMLElement.prototype.hidePopover": (114, 125, 17),
    "HTMLElement.prototype.togglePopover": (114, 125, 17),
    "Document.prototype.startViewTransition": (111, 144, 18),
    "CloseWatcher": (126, 149, None),
    "navigation": (102, 147, 26.2),
    "scheduler": (94, 142, None),
    "requestIdleCallback": (47, 55, None),
}
WRITTEN = {  # syntax and styles: what to look for, and since when
    r"(?<![\w-])&(?= |:|\[|\.)(?=[^;]*\{)": ("CSS nesting", (112, 117, 16.5)),
    r":has\(": (":has", (105, 121, 15.4)),
    r"light-dark\(": ("light-dark", (123, 120, 17.5)),
    r"@scope|@starting-style": ("@scope, @starting-style", (118, 129, 17.4)),
    r"\(scripting": ("@media (scripting)", (120, 113, 17)),
    r"text-wrap: (balance|pretty)": ("text-wrap", (114, 121, 17.5)),
    r"field-sizing": ("field-sizing", (123, None, 26.2)),
    r"::details-content": ("::details-content", (131, 143, 18.4)),
    r"content-visibility": ("content-visibility", (85, 125, 18)),
    r"@property": ("@property", (85, 128, 16.4)),
    r"anchor-name|position-anchor": ("anchors", (125, 147, 26)),
    r"style\.zoom": ("zoom", (1, 126, 3.1)),
    r":popover-open": (":popover-open", (114, 125, 17)),
    r"[^-]print-color-adjust": ("print-color-adjust", (136, 97, 15.4)),
    r"(?<![\w.])/[^/\n*]+/[dgimsuy]*v[dgimsuy]*(?=[.,;)])": ("the flag v", (112, 116, 17)),
    r"import .* with \{ ?type": ("import attributes", (123, 138, 17.2)),
    r"^\s*(await )?using \w+ =": ("using", (134, 141, None)),
    r"\(\?[ims]+:": ("modifiers in regular expressions", (125, 132, None)),
}
# Where one of these only makes better what works without it, and why.
BETTER = {
    ("site/text.css", "text-wrap"): "headings break anywhere",
    ("site/front.css", "text-wrap"): "a lead may end in a short line",
    ("site/print.css", "field-sizing"): "a long text in a box is cut on paper",
    ("site/print.css", "::details-content"): "printing.js opens folds",
    ("site/print.css", "content-visibility"): "printing.js opens folds",
    ("site/printing.js", "zoom"): "a table that is too wide is cut on paper",
    ("site/print.css", "print-color-adjust"): "the older name stands before it",
    ("site/book.js", "showPopover"): "book.js opens menus by a class where there is none",
    ("site/book.js", "hidePopover"): "book.js opens menus by a class where there is none",
}
SOURCES = [*sorted(ASSETS.rglob("*.js")), *sorted(ASSETS.rglob("*.css"))]
SOURCES += [*sorted((ASSETS.parent / "_templates").glob("*.html"))]
SOURCES += sorted((book_sources.ROOT / "minigpt").rglob("*.css"))

REMOVE = """(() => {
  const roots = {
    TypedArray: Object.getPrototypeOf(Int8Array),
    IteratorPrototype: Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
  };
  for (const path of PATHS) {
    const names = path.split(".");
    const last = names.pop();
    const holder = names.reduce((object, name) => roots[name] ?? object?.[name], globalThis);
    for (let o = holder; o; o = Object.getPrototypeOf(o)) delete o[last];
  }
})();""".replace("PATHS", json.dumps(sorted(NEWER)))


def is_newer(versions) -> bool:
    return any(has is None or has > floor for has, floor in zip(versions, FLOOR, strict=True))


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\w\"'`])//[^\n]*|\{#.*?#\}", "", text, flags=re.DOTALL)


def test_the_book_names_them():
    assert SENTENCE in (ASSETS.parent / "index.md").read_text("utf-8")
    assert all(is_newer(versions) for versions in NEWER.values())
    assert all(is_newer(versions) for _, versions in WRITTEN.values())


def used() -> set[tuple[str, str]]:
    """Where something newer is written: the file below book/assets, and what."""
    methods = {path.rpartition(".")[2] for path in NEWER if ".prototype." in path} - {"resize"}
    found = set()
    for source in SOURCES:
        name = source.relative_to(ASSETS).as_posix() if ASSETS in source.parents else source.name
        text = without_comments(source.read_text("utf-8"))
        written = {what: look for look, (what, _) in WRITTEN.items()}
        if source.suffix != ".css":
            del written["CSS nesting"]  # an ampersand means something else
        found |= {(name, what) for what, look in written.items() if re.search(look, text, re.M)}
        found |= {(name, called) for called in methods if re.search(rf"\.{called}\(", text)}
    return found


def test_nothing_newer_is_written_but_what_only_makes_better():
    assert used() == set(BETTER)


@pytest.mark.parametrize(
    "newer",
    ["a { & b { c: d } }", "a:has(b) {", "x = /a/v;", "y.toSorted()", "text-wrap: balance"],
)
def test_it_would_be_seen(newer, tmp_path, monkeypatch):
    (tmp_path / "new.css").write_text(newer)
    monkeypatch.setitem(globals(), "SOURCES", [tmp_path / "new.css"])
    assert used()


@pytest.fixture
def old(browser):
    """A page of a browser that has nothing newer, in its workers neither."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    context.add_init_script(REMOVE)
    page = context.new_page()

    def send_worker(route) -> None:
        _, _, below = route.request.url.partition("/_static/")
        script = (ASSETS / below.partition("?")[0]).read_text("utf-8")
        first = "import " + json.dumps("data:text/javascript," + REMOVE.replace("%", "%25")) + ";\n"
        route.fulfill(body=first + script, content_type="text/javascript")

    page.route(re.compile(r"/(gpt|training)-worker\.js"), send_worker)
    complaints = complaints_of(page)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("stem", [*book_sources.stems(), "playground", "train"])
def test_everything_on_a_page_works_without_what_is_newer(stem, old, site_url):
    old.goto(f"{site_url}{stem}.html")
    assert old.evaluate("[].toSorted") is None
    old.wait_for_function("!document.querySelector('[data-still]:not(:defined)')")
    old.evaluate("() => { window.print = () => { window.all = true; }; }")
    old.keyboard.press("Control+p")  # loads and draws all
    old.wait_for_function("window.all")
    for figure in old.locator(".minigpt-figure").all():
        expect(figure).not_to_contain_text("could not be drawn")
        expect(figure.locator("canvas").first).to_be_attached()
    for element in old.locator("[data-still]").all():
        expect(element).not_to_have_attribute("data-state", "failed")
        expect(element).not_to_contain_text(re.compile("mistake|Could not"))


def test_a_model_trains_without_what_is_newer(old, site_url):
    old.goto(f"{site_url}train.html")
    old.wait_for_function("Boolean(customElements.get('training-run'))")
    element = old.locator("training-run")
    element.evaluate("e => e.train({ steps: 10 })")
    expect(element.locator(".mg-progress-line")).to_contain_text("Step 10 of 10")
    with old.expect_download():
        element.get_by_role("button", name="Take it home").click()


def test_menus_open_without_popovers(old, site_url):
    old.set_viewport_size({"width": 360, "height": 740})
    old.add_init_script("""addEventListener("click", (event) => {
      if (event.target.closest("[popovertarget]")) event.preventDefault();  // of what it has itself
    }, true);""")
    old.goto(f"{site_url}tokenizer.html")
    menus = {".mg-nav-button": "#mg-nav", ".mg-run-button": "#mg-run", ".mg-toc-button": "#mg-toc"}
    for button, menu in menus.items():
        for other in menus.values():
            expect(old.locator(other)).to_be_hidden()
        old.locator(button).click()
        expect(old.locator(menu)).to_be_visible()
        old.keyboard.press("Escape")
        expect(old.locator(menu)).to_be_hidden()
    old.keyboard.press("Control+k")
    expect(old.locator("#mg-nav input")).to_be_focused()
    old.locator(".mg-theme-button").click()
    expect(old.locator("#mg-nav")).to_be_hidden()
