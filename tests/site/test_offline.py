"""The book offline, in a real browser: nothing is fetched unasked, and then every file is kept."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import shutil
import struct
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import book_sources
import numpy as np
import offline_site
import pytest
import training_files
import yaml
from for_everyone import barriers, open_folds
from page_complaints import complaints_of
from PIL import Image
from playwright.sync_api import expect

SITE = book_sources.ROOT / "_build" / "html"
ICONS = book_sources.ROOT / "book" / "assets" / "site" / "icons"
PAGES = sorted(path.name for path in SITE.glob("*.html"))
CONFIG = yaml.safe_load((book_sources.ROOT / "_config.yml").read_text("utf-8"))
FEW = ("index.html", "status.html", "404.html", "manifest.webmanifest")
FEW_ASSETS = (
    *(f"site/{name}" for name in ("offline.js", "book.js", "logo.svg")),
    *CONFIG["sphinx"]["config"]["html_css_files"],
    "pygments.css",
)
KEPT = "Kept for reading offline."


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder below /minigpt/ and notes what it is asked for. HTTP/1.0, its default, so
    that no open connection outlives the server."""

    def do_GET(self) -> None:
        address = self.path.split("?")[0].removeprefix("/minigpt/")
        self.server.asked.append(address)
        path = self.server.folder / (address or "index.html")
        status = 500 if address in self.server.broken else 200 if path.is_file() else 404
        body = (path if status == 200 else self.server.folder / "404.html").read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(path) if status == 200 else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")  # as GitHub Pages does
        self.send_header("Service-Worker-Allowed", "/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """A web server for one folder: ``asked`` grows with the requests, ``broken`` answer 500."""

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.asked, self.broken = folder, [], set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/minigpt/"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address) -> None:
        pass  # a browser that leaves early

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def opened(browser, folder: Path, **options):
    """A server of `folder`, and a browser context with a page that has not gone there yet."""
    server = Server(folder)
    context = browser.new_context(**options)
    context.set_default_timeout(10_000)
    try:
        yield server, context.new_page()
    finally:
        context.close()
        server.stop()


def part(page, name: str):
    return page.locator(f".mg-offline-{name}")


def keep(page) -> None:
    part(page, "keep").click()
    expect(part(page, "status")).to_have_text(KEPT)


def caches_of(page) -> dict[str, list[str]]:
    """The names of all caches, with the addresses that each has, below the site's root."""
    return page.evaluate(
        """async () => {
             const found = {};
             for (const name of await caches.keys()) {
               const requests = await (await caches.open(name)).keys();
               found[name] = requests.map(({ url }) => url.split("/minigpt/")[1]).sort();
             }
             return found;
           }"""
    )


def update(page) -> None:
    """Look for a new edition, as a browser does by itself when a page is opened."""
    page.evaluate(
        """async () => {
             const registration = await navigator.serviceWorker.getRegistration();
             await registration.update().catch(() => {});
             const worker = registration.installing;
             while (worker?.state === "installing") {
               await new Promise((done) => { worker.onstatechange = done; });
             }
           }"""
    )


# What is built


def test_the_list_leaves_out_what_no_page_asks_for(tmp_path):
    kept = ["404.html", "_static/a b.js", "_static/site/icons/icon.png", "index.html"]
    left_out = [
        ".nojekyll",
        "_sources/index.md",
        "_static/.hidden",
        "_static/site/card.png",
        "_static/site/icons/maskable.svg",
        "_static/site/road/model.svg",
        "chapter.ipynb",
        "_static/engine/product.wat",
        "notebooks/text.txt",
        "objects.inv",
        "robots.txt",
        "service-worker.js",
        "sitemap.xml",
    ]
    for name in kept + left_out:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    listed = offline_site.kept_files(tmp_path)
    quoted = ["404.html", "_static/a%20b.js", "_static/site/icons/icon.png", "index.html"]
    assert list(listed) == quoted
    assert [path.relative_to(tmp_path).as_posix() for path in listed.values()] == kept


def test_the_worker_lists_the_files_as_they_are_when_the_build_ends(site):
    worker = (site / "service-worker.js").read_text("utf-8")
    listed = json.loads(re.search(r"const FILES = (\{.*?\});", worker, re.DOTALL)[1])
    files = offline_site.kept_files(site)
    assert listed == {address: offline_site.integrity(path) for address, path in files.items()}
    assert set(PAGES) <= listed.keys()
    assert not (site / "_static" / "site" / "service-worker.js").exists()


def test_nothing_is_kept_that_no_file_mentions(site):
    files = offline_site.kept_files(site).values()
    text = "".join(
        path.read_text("utf-8")
        for path in files
        if path.suffix in {".html", ".css", ".js", ".webmanifest"} and "bokeh" not in path.parts
    )
    unused = {path.name for path in files if path.name not in text}
    unused -= {"404.html", "design-tabs.js"}  # for wrong addresses, and for pages with tabs
    unused -= {"attention-only.json", "attention-only.safetensors"}  # attention-only.js adds these
    unused -= {f"{name}.txt" for name in training_files.TEXTS}  # recipe.json names these
    assert unused == set(), "leave them out in book/_ext/site/offline_site.py"


def test_the_button_tells_the_sum_of_all_files(site):
    script = (site / "_static/site/offline.js").read_text("utf-8")
    told = re.search(r"const BYTES = +(\d+);", script)[1]
    assert int(told) == sum(p.stat().st_size for p in offline_site.kept_files(site).values())


def test_the_manifest_names_the_app_and_its_icons(site):
    manifest = json.loads((site / "manifest.webmanifest").read_text("utf-8"))
    assert manifest["name"] == CONFIG["sphinx"]["config"]["ogp_site_name"]
    assert manifest["short_name"] == CONFIG["project"]
    assert manifest["start_url"] == manifest["scope"] == "./"
    assert manifest["id"] == urlsplit(CONFIG["html"]["baseurl"]).path
    assert manifest["display"] == "standalone"
    assert 20 < len(manifest["description"]) < 200
    found = {}
    for icon in manifest["icons"]:
        header = (site / icon["src"]).read_bytes()[:24]
        assert header.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", header[16:])
        assert icon["sizes"] == f"{width}x{height}"
        found.setdefault(icon.get("purpose", "any"), set()).add(width)
    assert found == {"any": {192, 512}, "maskable": {512}}
    with Image.open(site / "_static/site/icons/apple-touch-icon.png") as picture:
        assert picture.size == (180, 180)


def test_the_colours_of_the_app_are_those_of_the_page(site):
    style = (site / "_static" / "site" / "colours.css").read_text("utf-8")
    light, dark = re.findall(r"--mg-page: (#\w+);", style)
    for name in PAGES:
        head = (site / name).read_text("utf-8")
        assert re.findall(r'"theme-color" media="\(.*: (\w+)\)" content="(.*)"', head) == [
            ("light", light),
            ("dark", dark),
        ]
    manifest = json.loads((site / "manifest.webmanifest").read_text("utf-8"))
    assert manifest["theme_color"] == manifest["background_color"] == dark


def test_a_launcher_may_cut_any_shape_out_of_the_maskable_icon():
    with Image.open(ICONS / "maskable-512.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    y, x = np.mgrid[:512, :512] - 255.5
    outside = np.hypot(x, y) > 0.4 * 512  # what a launcher may cut off
    ground = [int(offline_site.GROUND[i : i + 2], 16) for i in (1, 3, 5)]
    assert (pixels[outside] == ground).all()
    assert (pixels[~outside] != ground).any(1).mean() > 0.3
    for name in ("maskable-512", "apple-touch-icon"):
        with Image.open(ICONS / f"{name}.png") as picture:
            assert picture.mode == "RGB", "a launcher fills what is transparent"


def test_the_icons_sources_draw_the_marks_of_the_favicon():
    favicon, maskable = (
        ElementTree.parse(path).getroot()
        for path in (ICONS.parent / "favicon.svg", ICONS / "maskable.svg")
    )
    marks = [mark.attrib for mark in list(favicon)[2:]]
    assert marks == [mark.attrib for mark in maskable.find("{*}g")]


# The whole book, kept and then without a server


@pytest.fixture(scope="module")
def whole(site, browser) -> Iterator:
    """A browser page of the whole book before the server stopped, and the server."""
    with opened(browser, site, viewport={"width": 1280, "height": 800}) as (server, page):
        page.goto(f"{server.url}status.html")
        page.wait_for_load_state("networkidle")
        yield server, page


def test_nothing_is_fetched_before_the_reader_asks(whole):
    server, page = whole
    assert caches_of(page) == {}
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(r => r.length)") == 0
    assert "service-worker.js" not in server.asked
    assert [address for address in server.asked if re.search("models|bokeh|icons", address)] == []


@pytest.fixture(scope="module")
def pressed(whole):
    """What the server was asked for after the press, and what the page told meanwhile."""
    server, page = whole
    server.asked.clear()
    page.evaluate(
        """() => {
             const box = document.querySelector(".mg-offline");
             const bar = box.querySelector("progress");
             window.told = { status: [], progress: [] };
             new MutationObserver(() => {
               told.status.push(box.querySelector(".mg-offline-status").textContent);
               told.progress.push(bar.getAttribute("aria-valuetext"));
             }).observe(box, { subtree: true, childList: true, attributes: true });
           }"""
    )
    offer = re.compile(r"^Keep for reading offline \(\d+\.\d\sMB\)$")
    expect(part(page, "keep")).to_have_text(offer)
    part(page, "keep").focus()
    page.keyboard.press("Enter")
    expect(part(page, "status")).to_have_text(KEPT)
    return list(server.asked), page.evaluate("told")


def test_one_press_fetches_each_file_once(whole, pressed, site):
    asked, _ = pressed
    files = offline_site.kept_files(site)
    assert sorted(asked) == sorted([*files, "service-worker.js"])
    (stored,) = caches_of(whole[1]).values()
    assert stored == sorted(files)
    # The page itself gets from now on what it has yet to load.
    assert whole[1].evaluate("Boolean(navigator.serviceWorker.controller)")


def test_the_progress_is_told_and_read_out_once(whole, pressed, site):
    _, told = pressed
    total = len(offline_site.kept_files(site))
    # Several at a time may come between two looks at the page.
    steps = [int(re.fullmatch(rf"(\d+) of {total} files", t)[1]) for t in told["progress"] if t]
    assert steps == sorted(steps)
    assert len(set(steps)) > 3
    assert steps[-1] > total / 2
    assert list(dict.fromkeys(told["status"])) == ["Keeping the book for reading offline …", KEPT]
    page = whole[1]
    expect(part(page, "status")).to_have_attribute("role", "status")
    expect(part(page, "remove")).to_be_focused()
    for name in ("keep", "bar", "news"):
        expect(part(page, name)).to_be_hidden()


def test_the_kept_state_is_accessible(whole, pressed):
    assert barriers(whole[1]) == []


@pytest.fixture(scope="module")
def offline(whole, pressed):
    """The page, now that there is no server any more, and what goes wrong from here on."""
    server, page = whole
    server.stop()
    page.context.set_offline(True)
    wrong = complaints_of(page)
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on(
        "response",
        lambda r: (
            wrong.append(f"{r.status}, not kept: {r.url}")
            if r.status != 200 or not (r.from_service_worker or r.url.startswith("data:"))
            else None
        ),
    )
    return page, server.url, wrong


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_the_network(name, offline):
    page, url, wrong = offline
    page.goto("about:blank")  # what the page before still asked for ends here
    wrong.clear()
    assert page.goto(url + name).status == 200
    open_folds(page)
    for figure in page.locator(".minigpt-figure").all():
        figure.scroll_into_view_if_needed()
        figure.locator("canvas").first.wait_for()
    # Past every widget, which fetch what they need when they are near.
    page.evaluate(
        """async () => {
            for (const element of [...document.querySelectorAll("main *")]) {
                if (!element.localName.includes("-")) continue;
                element.scrollIntoView();
                for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
            }
        }"""
    )
    page.wait_for_load_state("networkidle")
    assert wrong == []
    expect(part(page, "status")).to_have_text(KEPT)
    expect(part(page, "status")).not_to_have_attribute("role", "status")


def test_the_folder_is_the_front_page(offline):
    page, url, wrong = offline
    wrong.clear()
    assert page.goto(url).status == 200
    expect(page.locator("h1")).to_have_text("MiniGPT: the book that runs")
    page.wait_for_load_state("networkidle")  # or the next test would break its scripts off
    assert wrong == []


def test_search_finds_a_word_without_the_network(offline):
    page, url, wrong = offline
    wrong.clear()
    page.goto(f"{url}search.html?q=merges")
    page.locator("#search-results a[href*='tokenizer.html']").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert wrong == []


def test_the_model_writes_without_the_network(offline):
    page, url, wrong = offline
    wrong.clear()
    page.goto(f"{url}playground.html#playground?prompt=HAMLET&tokens=5")
    page.evaluate(
        "customElements.whenDefined('text-playground').then("
        "() => document.querySelector('text-playground').write())"
    )
    assert page.evaluate("document.querySelector('text-playground').written") == 5
    assert wrong == []


def test_the_tokenizer_works_without_the_network(offline):
    page, url, wrong = offline
    wrong.clear()
    page.goto(f"{url}tokenizer.html")
    widget = page.locator("live-tokenizer").first
    widget.locator("textarea").fill("To be, or not to be")
    expect(widget.locator('[data-vocabulary="gpt2"] .mg-counts strong')).to_have_text("7")
    assert wrong == []


def test_the_model_comes_with_its_own_bytes(offline, site):
    page, url, _ = offline
    page.goto(url)
    files = sorted(site.glob("_static/models/**/*.*"))
    assert "int8.safetensors" in {path.name for path in files}
    for path in files:
        size, integrity = page.evaluate(
            """async (address) => {
                 const response = await fetch(address);
                 const bytes = await response.arrayBuffer();
                 const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
                 const text = btoa(String.fromCharCode(...hash));
                 return [response.headers.get("Content-Length"), `sha256-${text}`];
               }""",
            url + path.relative_to(site).as_posix(),
        )
        assert integrity == offline_site.integrity(path)
        assert size == str(path.stat().st_size)


def test_the_model_computes_without_the_network(offline, site):
    page, url, wrong = offline
    page.goto(url)
    wrong.clear()
    scores = page.evaluate(
        """async (address) => {
             const { loadShippedModel } = await import(address);
             return (await (await loadShippedModel()).scores([0])).length;
           }""",
        f"{url}_static/engine/shipped-model.js",
    )
    config = json.loads((site / "_static/models/shakespeare/config.json").read_text("utf-8"))
    assert scores == config["vocab_size"]
    assert wrong == []


def test_an_unknown_address_leads_back(offline):
    page, url, _ = offline
    assert page.goto(f"{url}no/such/page").status == 404
    expect(page.locator("h1")).to_have_text("There is no such page")
    page.click("main a")
    expect(page.locator("h1")).to_have_text("MiniGPT: the book that runs")


# A book of two pages, quick to keep and to change


@pytest.fixture
def folder(site, tmp_path) -> Path:
    """A site of a few files, to be changed."""
    folder = tmp_path / "site"
    for name in (*FEW, *(f"_static/{asset}" for asset in FEW_ASSETS)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site / name, folder / name)
    offline_site.write_worker(folder)
    return folder


@pytest.fixture
def book(folder, browser) -> Iterator:
    """A server of that site, and a page that shows its front page."""
    with opened(browser, folder) as (server, page):
        page.goto(server.url)
        expect(part(page, "keep")).to_be_visible()
        yield server, page


@pytest.fixture
def kept_book(book):
    server, page = book
    keep(page)
    server.asked.clear()
    return server, page


def new_edition(folder: Path, mark: str = "A second edition") -> None:
    page = folder / "index.html"
    page.write_text(page.read_text("utf-8").replace("</h1>", f" {mark}</h1>"), "utf-8")
    offline_site.write_worker(folder)


def test_a_new_edition_comes_with_what_has_changed_and_waits_for_the_reader(kept_book, folder):
    server, page = kept_book
    before = caches_of(page)
    new_edition(folder)
    update(page)
    # The script of the button holds the sum of all files.
    assert sorted(server.asked) == ["_static/site/offline.js", "index.html", "service-worker.js"]
    page.reload()
    expect(page.locator("h1")).not_to_contain_text("second edition")
    expect(part(page, "news")).to_be_visible()
    assert barriers(page) == []
    part(page, "reload").click()
    expect(page.locator("h1")).to_contain_text("A second edition")
    expect(part(page, "news")).to_be_hidden()
    after = caches_of(page)
    assert list(after.values()) == list(before.values())
    assert after.keys() != before.keys()


def test_a_new_edition_takes_over_when_no_page_is_open(kept_book, folder):
    server, page = kept_book
    new_edition(folder)
    update(page)
    expect(part(page, "news")).to_be_visible()
    context = page.context
    outside = context.new_page()
    outside.goto(server.url.removesuffix("minigpt/"))
    assert len(caches_of(outside)) == 2
    page.close()
    outside.wait_for_function("async () => (await caches.keys()).length === 1")
    # The last that it does is to claim pages: Chromium may keep one waiting that comes meanwhile.
    outside.wait_for_function(
        """async (scope) => {
            const { active, waiting } = await navigator.serviceWorker.getRegistration(scope);
            return !waiting && active.state === "activated";
        }""",
        arg=server.url,
    )
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("h1")).to_contain_text("A second edition")
    expect(part(page, "status")).to_have_text(KEPT)
    expect(part(page, "news")).to_be_hidden()


def test_another_open_page_is_not_reloaded_but_told(kept_book, folder):
    server, page = kept_book
    other = page.context.new_page()
    other.goto(f"{server.url}status.html")
    expect(part(other, "status")).to_have_text(KEPT)
    other.evaluate("window.typed = 'not lost'")
    new_edition(folder)
    update(page)
    part(page, "reload").click()
    expect(page.locator("h1")).to_contain_text("A second edition")
    expect(part(other, "news")).to_be_visible()
    assert other.evaluate("window.typed") == "not lost"
    with other.expect_navigation():
        part(other, "reload").click()
    expect(part(other, "news")).to_be_hidden()


def test_a_new_edition_that_fails_half_way_leaves_the_old_one(kept_book, folder):
    server, page = kept_book
    (kept,) = caches_of(page)
    for name in ("status.html", "_static/site/logo.svg"):
        path = folder / name
        path.write_bytes(path.read_bytes() + b"\n")
    new_edition(folder)
    server.broken.add("index.html")
    update(page)
    assert "index.html" in server.asked
    assert kept in caches_of(page)
    page.reload()
    expect(part(page, "status")).to_have_text(KEPT)
    expect(part(page, "news")).to_be_hidden()
    expect(page.locator("h1")).not_to_contain_text("second edition")

    # The next attempt fetches what the first did not get.
    came = set(server.asked) & {"status.html", "_static/site/logo.svg"}
    server.broken.clear()
    server.asked.clear()
    update(page)
    expect(part(page, "news")).to_be_visible()
    assert "index.html" in server.asked
    assert not came & set(server.asked)
    part(page, "reload").click()
    expect(page.locator("h1")).to_contain_text("A second edition")
    assert len(caches_of(page)) == 1


def test_a_file_of_another_edition_is_not_kept(kept_book, folder):
    _, page = kept_book
    (kept,) = caches_of(page)
    new_edition(folder)
    path = folder / "index.html"
    path.write_bytes(path.read_bytes() + b"<!-- published since -->")
    update(page)
    page.reload()
    expect(part(page, "status")).to_have_text(KEPT)
    expect(part(page, "news")).to_be_hidden()
    assert "index.html" in caches_of(page)[kept]


def test_a_failure_is_told_and_can_be_tried_again(book):
    server, page = book
    server.broken.add("_static/site/logo.svg")
    part(page, "keep").click()
    expect(part(page, "status")).to_contain_text("check the connection and try again")
    expect(part(page, "keep")).to_have_text("Try again")
    expect(part(page, "keep")).to_be_focused()
    assert barriers(page) == []
    server.broken.clear()
    keep(page)


def test_without_the_network_nothing_begins(book):
    server, page = book
    server.stop()
    part(page, "keep").click()
    expect(part(page, "status")).to_contain_text("check the connection and try again")
    assert caches_of(page) == {}


def test_a_browser_that_refuses_is_told(folder, browser):
    with opened(browser, folder) as (server, page):
        page.add_init_script(
            "ServiceWorkerContainer.prototype.register = () =>"
            " Promise.reject(new DOMException('storage is blocked', 'SecurityError'))"
        )
        page.goto(server.url)
        part(page, "keep").click()
        expect(part(page, "status")).to_contain_text("does not let the page keep files")


def test_a_full_device_is_told(book):
    server, page = book
    session = page.context.new_cdp_session(page)
    origin = server.url.removesuffix("/minigpt/")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 10_000})
    part(page, "keep").click()
    expect(part(page, "status")).to_contain_text("There is too little room")
    assert caches_of(page) == {}
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    keep(page)


def test_removing_leaves_nothing_of_this_site_and_all_of_others(kept_book):
    server, page = kept_book
    others = ["another site's", f"offline {server.url}v2/ abc"]
    page.evaluate("names => Promise.all(names.map((name) => caches.open(name)))", others)
    part(page, "remove").click()
    expect(part(page, "status")).to_have_text("Removed from this device.")
    expect(part(page, "keep")).to_be_focused()
    assert sorted(caches_of(page)) == others
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(r => r.length)") == 0
    page.reload()
    expect(part(page, "keep")).to_be_visible()
    expect(part(page, "remove")).to_be_hidden()
    assert "index.html" in server.asked or "" in server.asked
    assert sorted(caches_of(page)) == others
    keep(page)
    assert set(others) < set(caches_of(page))


def test_what_was_removed_can_be_kept_again_at_once(kept_book):
    server, page = kept_book
    (kept,) = caches_of(page).values()
    part(page, "remove").click()
    keep(page)
    assert list(caches_of(page).values()) == [kept]
    server.stop()
    page.goto(f"{server.url}status.html")
    expect(part(page, "status")).to_have_text(KEPT)


def test_a_worker_of_the_whole_host_is_not_taken_for_ours(book, folder):
    server, page = book
    (folder / "host.js").touch()
    page.evaluate(
        """async (cache) => {
             await caches.open(cache);  // what an attempt that failed may leave
             await navigator.serviceWorker.register("host.js", { scope: "/" });
             await navigator.serviceWorker.ready;
           }""",
        f"offline {server.url} abc",
    )
    page.reload()
    expect(part(page, "keep")).to_have_text("Try again")
    part(page, "remove").click()
    expect(part(page, "keep")).to_contain_text("Keep for reading offline")
    assert caches_of(page) == {}


def test_what_is_not_in_the_list_comes_from_the_network(kept_book, folder):
    server, page = kept_book
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "a.ipynb").write_text("{}", "utf-8")
    assert page.evaluate("fetch('notebooks/a.ipynb').then(r => r.status)") == 200
    assert page.goto(f"{server.url}no/such/page").status == 404
    page.goto(f"{server.url}status.html")  # the front page has an element, which is not kept here
    page.evaluate("fetch('status.html', { headers: { Range: 'bytes=0-9' } })")
    assert page.evaluate("fetch('status.html', { method: 'POST' }).then(r => r.status)") == 501
    assert server.asked == ["notebooks/a.ipynb", "no/such/page", "status.html"]


STANDALONE = """
const real = matchMedia;
matchMedia = (query) => query === "(display-mode: standalone)" ? { matches: true } : real(query);
"""


def test_the_installed_app_keeps_the_book_by_itself(book):
    _, page = book
    page.add_init_script(STANDALONE)
    page.reload()
    expect(part(page, "status")).to_have_text(KEPT)
    part(page, "remove").click()
    expect(part(page, "keep")).to_be_visible()
    page.reload()
    expect(part(page, "keep")).to_be_visible()
    assert caches_of(page) == {}, "what a reader removed came back"


def test_installing_the_app_keeps_the_book(book):
    _, page = book
    page.evaluate("dispatchEvent(new Event('appinstalled'))")
    expect(part(page, "status")).to_have_text(KEPT)


def test_a_browser_can_install_the_site(site, browser):
    with opened(browser, site) as (server, page):
        page.goto(server.url)
        session = page.context.new_cdp_session(page)
        assert session.send("Page.getAppManifest")["errors"] == []
        errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # Playwright's pages are private windows, from which a browser installs nothing. The shell
        # of Chromium installs nothing anyway: it does not say so, and makes no id of the manifest.
        assert {error["errorId"] for error in errors} <= {"in-incognito"}
        assert session.send("Page.getAppId").get("appId", server.url) == server.url


def test_a_browser_without_workers_offers_nothing(site, browser):
    with opened(browser, site) as (server, page):
        page.add_init_script("delete Navigator.prototype.serviceWorker")
        complaints = complaints_of(page)
        page.goto(server.url)
        page.wait_for_load_state("networkidle")
        expect(page.locator(".mg-offline")).to_be_hidden()
        page.goto((site / "index.html").as_uri())
        expect(page.locator(".mg-offline")).to_be_hidden()
        assert complaints == []
