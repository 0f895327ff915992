"""The page's letters, numbers and white space are the package's, whatever Unicode a browser has."""

from __future__ import annotations

import re

import pytest
from page_scripts import ASSETS

from minigpt.tokenizer.presplit import compiled

# Where a class's code points begin and end, over all of them but the halves of surrogate pairs.
EDGES = """async ([url, name]) => {
  const inside = new RegExp(`^[${(await import(url))[name]}]$`, "u");
  const edges = [];
  let was = false;
  for (let code = 0; code <= 0x110000; code++) {
    const surrogate = code >= 0xD800 && code < 0xE000;
    const is = code < 0x110000 && !surrogate && inside.test(String.fromCodePoint(code));
    if (is !== was) edges.push(code);
    was = is;
  }
  return edges;
}"""


def edges(pattern: str) -> list[int]:
    """The same by the package."""
    pattern, found, was = compiled(pattern), [], False
    for code in range(0x110001):
        surrogate = 0xD800 <= code < 0xE000
        here = code < 0x110000 and not surrogate and bool(pattern.match(chr(code)))
        if here != was:
            found.append(code)
        was = here
    return found


@pytest.mark.parametrize(
    ("name", "pattern"), [("LETTERS", r"\p{L}"), ("NUMBERS", r"\p{N}"), ("SPACES", r"\s")]
)
def test_each_class_holds_what_the_packages_holds(browser, site_url, name, pattern):
    page = browser.new_page()
    page.goto(f"{site_url}404.html")
    got = page.evaluate(EDGES, [f"{site_url}_static/engine/letters.js", name])
    page.close()
    assert got == edges(pattern), "letters.js counts the steps between these in base 36"


def test_the_engine_asks_no_browser_what_a_letter_is():
    for script in ASSETS.glob("engine/*.js"):
        # Without comments, and without the patterns of tokenizer.json, which are only compared.
        code = re.sub(r"//.*|String\.raw`.*`", "", script.read_text("utf-8"))
        assert not re.search(r"\\p\{|\bIntl\b|\.(normalize|toLocale\w+|localeCompare)\(", code), (
            script
        )
