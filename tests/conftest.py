"""What several test files share: unchecked annotations, the built site, and a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import jaxtyping
import pytest
import torch
from for_everyone import wear
from hypothesis import settings
from page_complaints import complaints_of

from editions.browser import chromium
from editions.built import built_site

settings.register_profile("book", derandomize=True, deadline=None)
settings.load_profile("book")

LAPTOP = {"width": 1280, "height": 900}


@pytest.fixture
def as_readers_run_it() -> Iterator[None]:
    """Without the checked annotations: their errors would stand in for the package's own, and
    the compiler cannot trace them."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small models are slower on two; and sums are then taken in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def in_64_bits() -> Iterator[None]:
    """As in the chapters, which compute what they show in float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def live(monkeypatch):
    """As a reader's notebook runs it."""
    monkeypatch.delenv("MINIGPT_BOOK")


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    try:
        return built_site.require()
    except ValueError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """The address of the built site, served from a sub-path."""
    with built_site.served(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, as `chromium` finds it; where there is none, `make test` installs one."""
    with ExitStack() as stack:
        try:
            launched = stack.enter_context(chromium.launched())
        except ValueError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield launched


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
    wear(page, "light")
    page.evaluate("history.replaceState(null, '', location.pathname)")
    getattr(request.module, "renew", lambda page: None)(page)
    yield page
    found, complaints[:] = list(complaints), []
    assert found == []
