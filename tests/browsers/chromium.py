"""Chromium, driven by Playwright, asked what the other browsers are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from page_complaints import complaints_of
from programs import LIMIT


class Chromium:
    """One page of a running Chromium."""

    def __init__(self, page) -> None:
        self._page, self._complaints = page, complaints_of(page)

    def open(self, address: str) -> None:
        self._page.goto(address)

    def run(self, body: str, *args):
        """What the body of an async function of ``args`` returns in the page: plain values."""
        return self._page.evaluate(f"(async (...args) => {{ {body} }})(...{json.dumps(args)})")

    def press(self, keys: str) -> None:
        self._page.keyboard.press(keys)

    def resize(self, width: int, height: int) -> None:
        self._page.set_viewport_size({"width": width, "height": height})

    def complaints(self) -> list[str]:
        """Errors since this was last asked."""
        found, self._complaints[:] = list(self._complaints), []
        return found


@contextmanager
def opened(browser) -> Iterator[Chromium]:
    context = browser.new_context()
    context.set_default_timeout(LIMIT * 1000)
    try:
        yield Chromium(context.new_page())
    finally:
        context.close()
