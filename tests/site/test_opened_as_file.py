"""A page opened as a file: browsers run no modules there, and each element says where it works."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import book_sources
import pytest
from for_everyone import barriers, each_theme, wear
from page_complaints import complaints_of
from playwright.sync_api import expect

SITE = book_sources.ROOT / "_build" / "html"
PAGES = [
    path.name for path in sorted(SITE.glob("*.html")) if "data-still=" in path.read_text("utf-8")
]
NOTICE = "This part is alive at an address, and not in a page opened as a file."


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints = complaints_of(page)
    page.on("requestfailed", lambda request: complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


def told(page, folder: Path) -> None:
    """Every element says it, with the command for this folder and the page's own address."""
    elements = page.locator("[data-still]")
    assert elements.count() == Path(folder, Path(page.url).name).read_text("utf-8").count(
        "data-still="
    )
    for element in elements.all():
        expect(element).to_contain_text(NOTICE)
        expect(element).to_contain_text("run make book")
        expect(element).to_contain_text(element.get_attribute("data-still"))
        command = shlex.split(element.locator(".mg-command").inner_text())
        assert command[:3] == ["python3", "-m", "http.server"]
        assert Path(command[command.index("--directory") + 1]) == folder
        link = element.locator("a")
        assert link.get_attribute("href") == f"http://127.0.0.1:8000/{Path(page.url).name}"
        assert link.inner_text() == link.get_attribute("href")
        assert element.bounding_box()["height"] < 400  # of the room that it needs alive


@pytest.mark.parametrize("name", PAGES)
def test_each_element_says_where_it_is_alive(page, site, name):
    page.goto((site / name).as_uri())
    told(page, site)


def test_all_elements_are_tried():
    text = "".join((SITE / name).read_text("utf-8") for name in PAGES)
    scripts = (book_sources.ROOT / "book" / "assets").glob("elements/*/*.js")
    defined = {path.stem for path in scripts if f'define("{path.stem}"' in path.read_text("utf-8")}
    used = {name for name in defined if f"<{name} data-still=" in text}
    assert {"text-playground", "looking-glass", "live-tokenizer", "loss-curves"} <= used
    assert len(used) == 16


def test_a_folder_of_any_name_is_quoted(page, site, tmp_path):
    folder = tmp_path / 'it\'s a $HOME `of` bücher "here"'
    folder.mkdir()
    shutil.copy(site / "playground.html", folder)
    shutil.copytree(site / "_static", folder / "_static")
    page.goto((folder / "playground.html").as_uri())
    told(page, folder)


def test_figures_are_drawn_in_a_file_too(page, site):
    page.goto((site / "tokenizer.html").as_uri())
    for figure in page.locator(".minigpt-figure").all():
        figure.scroll_into_view_if_needed()
        figure.locator("canvas").first.wait_for()


@each_theme
def test_the_notice_can_be_read_by_all(page, site, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((site / "playground.html").as_uri())
    wear(page, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Its own requests for styles would be refused here.
    assert barriers(page, preload=False) == []


def test_an_address_has_no_notice(page, site_url):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site_url}playground.html")
    expect(page.locator("text-playground").get_by_role("button").first).to_be_visible()
    assert NOTICE not in page.inner_text("main")
    assert not any("opened-as-file" in url for url in asked)


def test_without_javascript_the_sentence_stays(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "playground.html").as_uri())
    expect(page.locator("text-playground")).to_contain_text("With JavaScript, a model writes here.")
    assert NOTICE not in page.inner_text("main")
    context.close()
