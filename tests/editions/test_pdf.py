"""The PDF: complete by the built pages, and navigable."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import book_sources
import built_book
import pikepdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup

from editions.built import stills
from editions.print import pdf, pdf_document, static_pages
from editions.shared import edition

pytestmark = pytest.mark.slow  # reads what `make formats` made


@pytest.fixture(scope="module")
def opened():
    """The PDF by its objects."""
    if not pdf.PDF.exists():
        pytest.fail(f"{pdf.PDF} is missing: make it first with `make formats`")
    with pikepdf.open(pdf.PDF) as document:
        yield document


@pytest.fixture(scope="module")
def read(opened) -> tuple[list[str], list[tuple[int, str, int]]]:
    """The text of each page, and the outline: level, title, page counted from 1."""
    document = pypdfium2.PdfDocument(pdf.PDF)
    texts = [page.get_textpage().get_text_range() for page in document]
    outline = [
        (mark.level, mark.get_title(), mark.get_dest().get_index() + 1)
        for mark in document.get_toc()
    ]
    document.close()
    return texts, outline


@pytest.fixture(scope="module")
def chapters_texts(read) -> dict[str, str]:
    """The text of each page of the website as the PDF has it, without white space."""
    texts, outline = read
    starts = [
        page for level, title, page in outline if level == 0 and title != pdf_document.CONTENTS
    ]
    ends = [*(start - 1 for start in starts[1:]), len(texts)]
    stems = [stem for stem, _ in static_pages.listed()]
    found = {}
    for stem, start, end in zip(stems, starts, ends, strict=True):
        found[stem] = built_book.squeezed("".join(texts[start - 1 : end]))
    return found


@pytest.fixture(scope="module")
def annotations(opened) -> list[tuple[int, pikepdf.Object]]:
    """Every link, with the page that it is on."""
    return [
        (number, annotation)
        for number, page in enumerate(opened.pages, 1)
        for annotation in page.get("/Annots", [])
    ]


def test_the_outline_is_that_of_the_pages(read):
    wanted = [(0, pdf_document.CONTENTS)]
    for article in built_book.articles().values():
        wanted.append((0, static_pages.text_of(article.h1)))
        wanted += [(1, static_pages.text_of(tag)) for tag in article.select("section > h2")]
        if article.select("details:not(.cell.tag_hide-input details)"):
            wanted.append((1, pdf_document.FOLDS))
    assert [(level, title) for level, title, _ in read[1] if level < 2] == wanted


def test_the_contents_have_the_pages_of_the_outline(read):
    texts, outline = read
    first = next(page for _, title, page in outline if title != pdf_document.CONTENTS)
    printed = " ".join("".join(texts[1 : first - 1]).split())
    place = 0
    for level, title, page in outline:
        if level < 2 and title != pdf_document.CONTENTS:
            entry = f"{title} {page}"
            place = printed.find(entry, place)
            assert place >= 0, entry


@pytest.mark.parametrize("stem", [stem for stem, _ in static_pages.listed()])
def test_a_page_is_complete(chapters_texts, stem):
    text, article = chapters_texts[stem], built_book.articles()[stem]
    wanted = [*built_book.captions(article), *built_book.equation_numbers(article)]
    wanted += [static_pages.text_of(tag) for tag in article.select("h1, h2, h3, dt")]
    wanted += [static_pages.text_of(tag) for tag in article.select(".citation p, .footnote p")]
    assert [told for told in wanted if built_book.squeezed(told) not in text] == []


@pytest.mark.parametrize("stem", [stem for stem, _ in static_pages.listed()])
def test_every_letter_is_printed(chapters_texts, stem):
    """A letter without a glyph has no text in a PDF either."""
    article = BeautifulSoup(str(built_book.articles()[stem]), "html.parser")
    for hidden in article.select("annotation, .tag_hide-input details, svg, math"):
        hidden.decompose()
    printed = set(unicodedata.normalize("NFKC", chapters_texts[stem]))
    letters = set(unicodedata.normalize("NFKC", article.get_text()))
    marks = {letter for letter in letters if unicodedata.category(letter) in {"Mn", "Mc", "Cf"}}
    assert {c for c in letters - marks - printed if not c.isspace() and c != "-"} == set()


def test_links_lead_somewhere(opened, annotations):
    places = opened.Root.Dests
    pages = {page.objgen for page in opened.pages}
    inner = [str(a.Dest) for _, a in annotations if "/Dest" in a]
    assert len(inner) > len(stills.taken())
    assert [name for name in inner if name not in places] == []
    assert all(places[name][0].objgen in pages for name in set(inner))
    outer = [str(a.A.URI) for _, a in annotations if "/A" in a]
    assert [address for address in outer if not re.match(r"https?://", address)] == []
    assert len(inner) + len(outer) == len(annotations)


def test_no_link_is_lost(annotations):
    outer = {str(a.A.URI) for _, a in annotations if "/A" in a}
    wanted = set().union(*map(built_book.outside, built_book.articles().values()))
    assert wanted <= outer
    inner = {str(a.Dest).removeprefix("/") for _, a in annotations if "/Dest" in a}
    for stem, article in built_book.articles().items():
        for tag in article.select("a[href]"):
            path, _, fragment = tag["href"].partition("#")
            target = path.removesuffix(".html") or stem
            if target in built_book.articles() and not tag.find_parent(class_="tag_hide-input"):
                assert pdf_document.anchor(target, fragment) in inner


def test_references_name_the_right_page(opened, read, annotations):
    """Where a fold went, and "(page 57)" after a link to another chapter."""
    numbers = {page.objgen: number for number, page in enumerate(opened.pages, 1)}
    texts, checked = read[0], 0
    for number, annotation in annotations:
        if "/Dest" not in annotation or "--unfold-" not in str(annotation.Dest):
            continue
        place = numbers[opened.Root.Dests[str(annotation.Dest)][0].objgen]
        assert re.search(rf", page\s+{place}\b", texts[number - 1])
        checked += 1
    folds = sum(
        len(article.select("details:not(.cell.tag_hide-input details, .mg-foreseen)"))
        for article in built_book.articles().values()
    )
    assert checked >= folds


def test_references_between_chapters_name_the_right_page(opened, chapters_texts):
    """ "(page 57)" after a link is where the link goes."""
    numbers = {page.objgen: number for number, page in enumerate(opened.pages, 1)}
    checked = 0
    for stem in book_sources.stems():
        wanted = Counter()
        for link in built_book.articles()[stem].select("a[href]"):
            path, _, fragment = link["href"].partition("#")
            other = path.removesuffix(".html")
            if other in set(book_sources.stems()) - {stem}:
                place = opened.Root.Dests["/" + pdf_document.anchor(other, fragment)]
                wanted[f"(page{numbers[place[0].objgen]})"] += 1
        assert Counter(re.findall(r"\(page\d+\)", chapters_texts[stem])) == wanted
        checked += wanted.total()
    assert checked > 0


def test_it_is_tagged_and_says_what_it_is(opened):
    about = edition.current()
    assert opened.Root.MarkInfo.Marked
    assert opened.Root.Lang == edition.LANGUAGE
    assert opened.docinfo["/Title"] == about.title
    assert opened.docinfo["/Author"] == ", ".join(about.authors)
    assert about.version in str(opened.docinfo["/Subject"])
    assert opened.Root.ViewerPreferences.DisplayDocTitle
    assert "/JavaScript" not in opened.Root.get("/Names", {})
    figures = [
        o for o in opened.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == "/Figure"
    ]
    alts = Counter(str(figure.get("/Alt", "")) for figure in figures)
    assert "" not in alts
    assert set(alts) >= {still.alt for still in stills.taken()}


def test_fonts_travel_with_it(opened):
    fonts = [o for o in opened.objects if isinstance(o, pikepdf.Dictionary) and "/FontBBox" in o]
    described = [o for o in fonts if o.get("/Type") == "/FontDescriptor"]
    assert described
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(o.keys()) for o in described)


def test_pages_are_of_one_size_and_none_is_blank(opened, read):
    for number, page in enumerate(opened.pages, 1):
        width, height = (float(side) * 25.4 / 72 for side in page.mediabox[2:])
        assert (round(width), round(height)) == (176, 250)
        body = read[0][number - 1].split("\n", 1)[-1].strip()
        assert body not in {"", str(number)} or page.get_images(), f"page {number} is blank"
    print(f"{len(opened.pages)} pages, {pdf.PDF.stat().st_size / 1e6:.1f} MB")


def test_folds_move_to_the_end():
    soup = BeautifulSoup(
        '<div><h1>Page</h1><section id="exercises"><h2>A</h2><p><b>3.</b> Write it.</p>'
        '<details class="fold cell"><summary>Show a solution</summary><pre>code</pre></details>'
        '<details class="fold drawing"><summary>Show the code</summary>plot()</details>'
        "<p>after</p></section></div>",
        "html.parser",
    )
    page = static_pages.Page("page", "", "Page", soup.div, {})
    pdf_document.gather_folds(page, soup)
    assert "plot()" not in soup.get_text()
    assert soup.get_text(" ").index("after") < soup.get_text(" ").index("code")
    assert soup.select_one(".unfold a")["href"] == f"#{soup.select_one('.folded-title')['id']}"
    assert soup.select_one(".folded a")["href"] == f"#{soup.select_one('.unfold')['id']}"
    assert soup.select_one(".unfold a").string == "Note 1. A solution"
    title = "Note 1. A solution, exercise 3, asked on page 000"
    assert soup.select_one(".folded-title").get_text() == title
    assert [title for _, title in page.sections] == ["A", pdf_document.FOLDS]


def test_a_long_picture_says_that_it_goes_on():
    soup = BeautifulSoup(
        '<div><p class="still"><a></a><a></a></p><p class="still"><a></a></p></div>', "html.parser"
    )
    pdf_document.announce_parts(soup.div, soup)
    assert soup.get_text() == "A picture in 2 parts, from the top down:"


def test_short_code_stays_on_one_page():
    long = "code\n" * (pdf_document.SHORT + 1)
    soup = BeautifulSoup(f"<pre>code</pre><pre>{long}</pre><pre>{'x' * 99}</pre>", "html.parser")
    pdf_document.mark_code(soup)
    assert [block["class"] for block in soup.select("pre")] == [["short"], [], ["wide", "short"]]


def test_a_page_may_have_any_name():
    taken = re.findall(r"^@page (\w+)", pdf_document.STYLE.read_text("utf-8"), re.MULTILINE)
    assert taken
    pages = []
    for name in taken:
        article = BeautifulSoup("<div><h1>Page</h1></div>", "html.parser").div
        pages.append(static_pages.Page(name, "", name, article, {}))
    printed = pdf_document.document(pages, edition.current())
    assert set(re.findall(r"@page ([\w-]+)", printed)).isdisjoint(taken)
