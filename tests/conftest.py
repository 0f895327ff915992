"""What several test files share: unchecked annotations, the built site, and a browser."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings
from page_complaints import complaints_of

settings.register_profile("book", derandomize=True, deadline=None)
settings.load_profile("book")

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
LAPTOP = {"width": 1280, "height": 900}
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


@pytest.fixture
def as_readers_run_it() -> Iterator[None]:
    """Without the checked annotations: their errors would stand in for the package's own, and
    the compiler cannot trace them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site below /minigpt/, as GitHub Pages does, and keeps quiet."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        if not path.startswith("/minigpt/"):
            return str(SITE / "no-such-page")
        return super().translate_path(path.removeprefix("/minigpt"))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None):
        page = (SITE / "404.html").read_bytes()
        self.send_response(code, message)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if not (SITE / "index.html").exists():
        pytest.fail(f"{SITE}/index.html is missing: build the site first with `make book`")
    return SITE


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """The address of the built site, served from a sub-path."""
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/minigpt/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium: the machine's own, else an installed Chrome."""
    from playwright.sync_api import Error, sync_playwright

    path = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path, channel=None if path else "chrome", args=FLAGS
            )
        except Error as error:
            message = f"no Chromium: install it, or run `playwright install chrome` ({error})"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def chapter(request, browser, site_url):
    """The page that the test file's `open_chapter` opens, and what it complained of."""
    context = browser.new_context()
    page = context.new_page()
    complaints = complaints_of(page)
    request.module.open_chapter(page, site_url)
    yield page, complaints
    context.close()


@pytest.fixture
def page(request, chapter):
    """That page as each test finds it: a laptop's width, light, no fragment in its address, and
    what the test file's `renew` does, where it has one. It must not complain."""
    page, complaints = chapter
    page.set_viewport_size(LAPTOP)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.evaluate("history.replaceState(null, '', location.pathname)")
    getattr(request.module, "renew", lambda page: None)(page)
    yield page
    found, complaints[:] = list(complaints), []
    assert found == []
