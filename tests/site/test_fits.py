"""Every page fits a phone and a laptop: code wraps, and what still scrolls says so at its edge."""

from __future__ import annotations

import pytest
from page_complaints import complaints_of

from editions.built import built_site

PAGES = sorted(path.name for path in built_site.SITE.glob("*.html"))
SIZES = [(390, 844), (1280, 900)]
# What each page's boxes are wider than; `unmarked` and what follows must be empty. A table that a
# cell prints may scroll, and has the class that says so.
LOOK = """() => {
  const all = (selector) => [...document.querySelectorAll(`.mg-article ${selector}`)];
  for (const fold of all("details")) fold.open = true;
  const named = (e) => e.textContent.trim().slice(0, 60);
  const scrolls = (e) => e.scrollWidth > e.clientWidth;
  const cue = (e) => {
    const { backgroundImage, backgroundAttachment, overflowX } = getComputedStyle(e);
    return overflowX === "auto" && backgroundImage.split("linear-gradient").length === 5
      && backgroundAttachment === "local, local, scroll, scroll";
  };
  const kept = all("pre.mg-whole-lines"), formulas = all(".mg-formula");
  const tables = all(".pst-scrollable-table-container");
  const inSight = ({ left, right }) => left >= 0 && right <= document.documentElement.clientWidth;
  return {
    blocks: all("pre").length,
    kept: kept.length,
    kept_scrolling: kept.filter(scrolls).length,
    formulas_scrolling: formulas.filter(scrolls).length,
    tables_scrolling: tables.filter(scrolls).length,
    unmarked: all("pre:not(.mg-whole-lines)").filter(scrolls).map(named),
    without_cue: [...kept, ...formulas, ...tables].filter((e) => !cue(e)).map(named),
    out_of_sight: all(".eqno").filter((e) => !inSight(e.getBoundingClientRect())).map(named),
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
}"""
WRONG = ("unmarked", "without_cue", "out_of_sight", "sideways")


@pytest.fixture(scope="module")
def looks(browser, site_url) -> dict[int, dict[str, dict]]:
    """What is seen of each page at each width."""
    found: dict[int, dict[str, dict]] = {width: {} for width, _ in SIZES}
    page = browser.new_page()
    complaints = complaints_of(page)
    for name in PAGES:
        page.goto(site_url + name)
        page.evaluate("document.fonts.ready")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            found[width][name] = page.evaluate(LOOK)
    page.close()
    assert complaints == []
    return found


def counts(looks: dict[str, dict]) -> str:
    return "\n".join(f"{name}: {look}" for name, look in looks.items())


@pytest.mark.parametrize("width", [width for width, _ in SIZES])
def test_nothing_is_cut_and_what_scrolls_says_so(looks, width):
    wrong = {
        name: [look[what] for what in WRONG if look[what]] for name, look in looks[width].items()
    }
    assert not any(wrong.values()), counts(looks[width])
    assert sum(look["blocks"] for look in looks[width].values()) > 500


def test_on_a_laptop_nothing_scrolls(looks):
    scrolling = ("kept_scrolling", "formulas_scrolling", "tables_scrolling")
    assert not any(look[what] for look in looks[1280].values() for what in scrolling), counts(
        looks[1280]
    )


def test_on_a_phone_tables_fit_and_few_other_things_scroll(looks):
    """Tables of a page and three columns always; printed ones and formulas are worth a look when
    there are more of them."""
    told = counts(looks[390])
    assert sum(look["tables_scrolling"] for look in looks[390].values()) == 0, told
    assert sum(look["kept_scrolling"] for look in looks[390].values()) <= 12, told
    assert sum(look["formulas_scrolling"] for look in looks[390].values()) <= 6, told
