"""Headless Chromium: the machine's own, else an installed Chrome."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched() -> Iterator:
    """A Playwright browser while the block runs.

    Raises:
        ValueError: when there is none on this machine.
    """
    from playwright.sync_api import Error, sync_playwright

    path = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path, channel=None if path else "chrome", args=FLAGS
            )
        except Error as error:
            raise ValueError(
                f"no Chromium: install it, or run `playwright install chrome` ({error})"
            ) from error
        yield chromium
        chromium.close()
