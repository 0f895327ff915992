"""A page of the site as it is photographed: light, sharp, and with nothing lying over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from editions.browser import other_scripts

WIDTH = 760  # CSS pixels of the window: its column of text is about as wide as a printed one
HEIGHT = 2400  # of the window: an element that lies partly outside is photographed in part
DENSITY = 2  # pixels of the picture to one of CSS
SCRIPTS, JAVASCRIPT = re.compile(r"\.js(\?|$)"), "text/javascript"
FONTS = "http://other-scripts.invalid/{name}"  # answered from this machine

# Bars that stay on the screen would lie over the pictures.
SETTLE = """({ faces, families }) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: faces }));
  const { style } = document.documentElement;
  const sans = getComputedStyle(document.documentElement).getPropertyValue("--mg-sans");
  style.setProperty("--mg-sans", `${sans || "sans-serif"}, ${families}`);
  for (const e of document.querySelectorAll("body *")) {
    if (["fixed", "sticky"].includes(getComputedStyle(e).position)) e.style.position = "static";
  }
}"""


def send_font(route) -> None:
    name = route.request.url.rpartition("/")[2]
    allowed = {"Access-Control-Allow-Origin": "*"}
    route.fulfill(path=other_scripts.fonts()[name], headers=allowed)


@contextmanager
def opened(browser, address: str, scripts: bool = True) -> Iterator:
    """A Playwright page at ``address`` while the block runs, ready for pictures. Without its
    ``scripts`` nothing moves on it, not even by a part of a pixel."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=DENSITY,
        color_scheme="light",
        reduced_motion="reduce",
    )
    try:
        page.route(FONTS.format(name="*"), send_font)
        if not scripts:
            # Not refused: an element whose script does not come gives back the room kept for it.
            page.route(SCRIPTS, lambda route: route.fulfill(body="", content_type=JAVASCRIPT))
        page.goto(address)
        faces = other_scripts.faces(FONTS)
        page.evaluate(SETTLE, {"faces": faces, "families": other_scripts.families()})
        yield page
    finally:
        page.close()
