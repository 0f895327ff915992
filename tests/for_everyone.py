"""Whether all readers can use what a page shows: by assistive technology, on a phone, by touch."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE, LAPTOP = 360, 1280

# axe judges each theme once, and each width once: its longest rules are about colours, which no
# width changes.
# Each theme once and each width once; what is built is looked at on a laptop, in light, anyway.
each_theme = pytest.mark.parametrize(
    ("width", "theme"), [(PHONE, "dark"), pytest.param(LAPTOP, "light", marks=pytest.mark.slow)]
)


def wear(page, theme: str) -> None:
    """Give a page its colours for light or for dark surroundings."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)


def open_folds(page) -> None:
    """Open what waits for a guess, and what holds a figure, which is drawn where it can be seen."""
    closed = page.locator("details.mg-foreseen, details:has(.minigpt-figure)")
    closed.evaluate_all("folds => folds.forEach((fold) => { fold.open = true; })")


def barriers(page, inside: str | None = None, **options) -> list[str]:
    """What axe finds that would keep some readers out: the rule and the elements; in a whole page,
    or inside the elements of a selector."""
    options = {"resultTypes": ["violations"]} | options
    found = Axe().run(page, context=inside, options=options).response["violations"]
    return [f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in found]


def reserved_height(page, address: str, element: str) -> int:
    """The pixels that an element keeps free before its scripts come; it must not need more then, or
    the page jumps under its reader."""
    scripts = f"**/elements/{element}/*.js*"
    page.route(scripts, lambda route: None)  # on their way for ever
    page.goto(address, wait_until="domcontentloaded")
    page.unroute(scripts)
    return page.evaluate(f"document.querySelector('{element}').offsetHeight")


def too_wide(element, but: str = ".mg-visually-hidden") -> list[str]:
    """The element and all inside it that are wider than their boxes, as HTML; ``but`` selects
    those inside that may be."""
    return element.evaluate(
        """(e, but) => [e, ...e.querySelectorAll(`*:not(${but})`)].filter(
            (x) => x.clientWidth && x.scrollWidth > x.clientWidth + 1).map((x) => x.outerHTML)""",
        but,
    )


def small_targets(element, controls: str = "button, input") -> list[list[int]]:
    """Width and height in pixels of the controls that a finger would miss: of those that show, the
    ones under 24 (WCAG 2.2, 2.5.8)."""
    sizes = element.locator(controls).evaluate_all(
        "es => es.filter(e => e.offsetParent).map(e => [e.offsetWidth, e.offsetHeight])"
    )
    return [size for size in sizes if min(size) < 24]


def smallest_letters(element, texts: str) -> float:
    """The size in pixels of the smallest letters in the parts that a selector names."""
    return element.locator(texts).evaluate_all(
        "all => Math.min(...all.map(x => parseFloat(getComputedStyle(x).fontSize)))"
    )
