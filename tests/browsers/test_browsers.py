"""The built site in Chromium, Firefox and WebKit, which are asked the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import chromium, firefox, webkit

from editions.built import built_site

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SIZES = [(1280, 900), (360, 740)]
PAGES = sorted(path.name for path in built_site.SITE.glob("*.html"))
OWN = "'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
# First in each page's head: nothing of another site is loaded, and what goes wrong is noted.
WATCHED = f"""<head>
<meta http-equiv="Content-Security-Policy" content="default-src {OWN}">
<script>{(HERE / "watch.js").read_text("utf-8")}</script>
"""
LOOK, FOCUSED, STYLES = (
    (HERE / name).read_text("utf-8") for name in ("look.js", "focused.js", "styles.js")
)
# What only improves a text where it is known, what only phones need, and what only long texts on
# paper do.
NOT_NEEDED = {"text-wrap: pretty", "text-size-adjust: 100%", "field-sizing: content"}
FIRST, LAST, MOST_STOPS = "Skip to the text", "Report a mistake", 400
# What the playground writes with a seed.
WRITE = """
  await customElements.whenDefined("text-playground");
  const element = document.querySelector("text-playground");
  element.form.seed.value = 1;
  element.form.tokens.value = 40;
  await element.write();
  return element.text;
"""
# Where the steps of attention stand, as soon as they stand where they should.
PLACE = """
  const place = document.querySelector("attention-steps .mg-place");
  for (let waited = 0; place.textContent !== args[0] && waited < 2000; waited += 20) {
    await new Promise((done) => setTimeout(done, 20));
  }
  return place.textContent;
"""


@pytest.fixture(scope="module")
def address(site: Path, tmp_path_factory) -> Iterator[str]:
    """The address of the built site, each page watched from its first line on."""
    copy = tmp_path_factory.mktemp("browsers") / "site"
    shutil.copytree(site, copy)
    for page in copy.glob("*.html"):
        text = page.read_text("utf-8")
        assert text.count("<head>") == 1, page.name
        page.write_text(text.replace("<head>", WATCHED), "utf-8")
    with built_site.served(copy) as found:
        yield found


@pytest.fixture(scope="module")
def in_chromium(browser) -> Iterator[chromium.Chromium]:
    with chromium.opened(browser) as driven:
        yield driven


@pytest.fixture(scope="module", params=["chromium", "firefox", "webkit"])
def driven(request, tmp_path_factory):
    """Each browser in turn, one at a time."""
    if request.param == "chromium":
        yield request.getfixturevalue("in_chromium")
        return
    module = {"firefox": firefox, "webkit": webkit}[request.param]
    with module.started(tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_a_page(driven, address, page):
    """All of it is drawn, nothing goes wrong, and it fits: on a desk and on phones."""
    wrong = {}
    driven.open(address + page)
    for width, height in SIZES:
        driven.resize(width, height)
        wrong[width] = driven.run(LOOK)
    assert wrong == {width: [] for width, _ in SIZES}
    assert driven.complaints() == []


@pytest.fixture(scope="module")
def text(in_chromium, address) -> str:
    """What the playground writes in Chromium, which its own tests hold to Python."""
    in_chromium.open(address + "playground.html")
    return in_chromium.run(WRITE)


def test_a_seed_writes_the_same_text(driven, address, text):
    driven.open(address + "playground.html")
    assert driven.run(WRITE) == text
    assert len(text) > 80


def test_the_styles_are_understood(driven, address, site):
    """A declaration that a browser does not know it drops, and says nothing."""
    sheets = [path.relative_to(site).as_posix() for path in site.glob("_static/*/**/*.css")]
    driven.open(address)
    assert set(driven.run(STYLES, *sheets)) <= NOT_NEEDED


def test_the_keyboard_goes_through_a_page(driven, address):
    """Each stop is seen and marked, they come in the page's order, and the last one is its end."""
    driven.resize(*SIZES[0])
    driven.open(address + "model.html")
    driven.run(LOOK)
    driven.run("""
      for (const fold of document.querySelectorAll("details")) fold.open = false;
      document.documentElement.style.scrollBehavior = "auto";
      scrollTo(0, 0);
    """)
    stops = []
    for _ in range(MOST_STOPS):
        driven.press("Tab")
        if (stop := driven.run(FOCUSED)) is None:
            break
        stops.append(stop)
        if stop["name"] == LAST:  # one more, and Firefox has the focus itself, and keeps it
            break
    assert (stops[0]["name"], stops[-1]["name"]) == (FIRST, LAST)
    good = {"seen": True, "marked": True, "later": True}
    assert [stop for stop in stops if stop | good != stop] == []


def test_the_keyboard_works_a_slider_and_a_button(driven, address):
    driven.resize(*SIZES[0])
    driven.open(address + "attention.html")
    driven.run("await customElements.whenDefined('attention-steps')")
    for control, keys, step in [
        ("[type=range]", "ArrowRight", 2),
        ("button + button", "Enter", 3),
        ("button", "Enter", 2),
    ]:
        driven.run("document.querySelector(`attention-steps ${args[0]}`).focus()", control)
        driven.press(keys)
        place = f"step {step} of 6"
        assert driven.run(PLACE, place) == place, (control, keys)
