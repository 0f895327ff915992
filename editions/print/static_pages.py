"""The built pages with nothing that moves, for the editions that are whole books.

Everything that Sphinx resolved (numbers, references, citations, MathML) stays as it is. Outputs
and elements that are not text become their stills, folds become plain `<details>`, and what only
a browser on the website can use goes.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import book_sources
import web_addresses
import yaml
from bs4 import BeautifulSoup, Tag

from editions.built import built_page, built_site, stills
from editions.print import picture_pieces

FRONT_PAGE = Path(__file__).with_name("front_page.css")  # the rules that PDF and EPUB share
# What belongs to the website: scripts, lists of pages, buttons.
SITE_ONLY = "script, noscript, style, .toctree-wrapper, .mg-start, .sd-summary-state-marker"


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of the book.

    Attributes:
        stem: its name, as in `_toc.yml`.
        part: the caption above it there; "" for the first page.
        title: its heading.
        article: its text; the holder's children are what a format writes out. Links to other
            pages of the book have the form `<stem>.html#<fragment>`, those within it
            `#<fragment>`, all others are absolute.
        pictures: by the `src` under which the article shows them, PNG files.
    """

    stem: str
    part: str
    title: str
    article: Tag
    pictures: dict[str, bytes]

    @property
    def sections(self) -> list[tuple[str, str]]:
        """The fragment and the heading of each of its sections."""
        return [
            (heading.get("id") or heading.parent["id"], text_of(heading))
            for heading in self.article.select("section > h2")
        ]


def text_of(tag: Tag) -> str:
    """The text of an element with single spaces."""
    return " ".join(tag.get_text().split())


@functools.cache
def listed() -> list[tuple[str, str]]:
    """The stem and the part of every page, in the order of `_toc.yml`."""
    toc = yaml.safe_load((book_sources.ROOT / "_toc.yml").read_text("utf-8"))
    parts = [
        (entry["file"], part["caption"]) for part in toc["parts"] for entry in part["chapters"]
    ]
    return [(toc["root"], ""), *parts]


def in_words(still: stills.Still) -> str:
    """The text beside an output, where it says more than the words for its picture."""
    one_line = " ".join(still.text.split())
    return "" if one_line.strip("<>").removeprefix("Figure: ") == still.alt else still.text


def show_stills(article: Tag, stem: str, soup: BeautifulSoup) -> dict[str, bytes]:
    """Put stills where the page has something else; returns the pictures.

    Raises:
        ValueError: when the stills are not those of this page.
    """
    pictures = {}
    for place, still in built_page.shown(article, stem):
        widget = still.kind == "widget"
        holder = soup.new_tag("figure" if widget else "div", attrs={"class": "still"})
        cut = picture_pieces.pieces(stills.STILLS / still.file)
        for number, (data, width, height) in enumerate(cut, 1):
            name = still.file if len(cut) == 1 else still.file.replace(".png", f"-{number}.png")
            alt = still.alt if number == 1 else f"The same, part {number} of {len(cut)}"
            width, height = width // stills.DENSITY, height // stills.DENSITY
            # A small picture stays as small as it is on the page; the sheets' rules do the rest.
            style = f"max-width: min(100%, {width}px)"
            size = {"width": str(width), "height": str(height), "style": style}
            link = soup.new_tag("a", attrs={"href": web_addresses.page(stem, still.anchor)})
            link.append(soup.new_tag("img", attrs={"src": name, "alt": alt, **size}))
            holder.append(link)
            pictures[name] = data
        if widget:
            caption = soup.new_tag("figcaption")
            link = soup.new_tag("a", attrs={"href": web_addresses.page(stem, still.anchor)})
            link.string = web_addresses.page(stem).split("://", 1)[-1]
            caption.extend(["A picture of it: on the website it answers, at ", link, "."])
            holder.append(caption)
        elif words := in_words(still):
            told = soup.new_tag("details", attrs={"class": "in-words"})
            summary = soup.new_tag("summary")
            summary.string = "The same as text"
            block = soup.new_tag("pre")
            block.string = words
            told.extend([summary, block])
            holder.append(told)
        place.replace_with(holder)
    return pictures


def plain_folds(article: Tag, soup: BeautifulSoup) -> None:
    """Give every fold one form: a `summary` of text, and a class that says what it hides:
    "aside" for prose, "drawing" for code whose output stays in sight, "cell" for other cells.

    Cells that only hand numbers to the prose go: the prose has the numbers.
    """
    for fold in article.select("details:not(.in-words)"):
        cell = fold.find_parent(class_="cell")
        if cell is not None and not cell.select_one(".cell_output") and "glue(" in cell.get_text():
            cell.decompose()
            continue
        kind = "aside" if cell is None else "cell"
        if cell is not None and "tag_hide-input" in cell["class"]:
            kind = "drawing"
        title = fold.summary.select_one(".sd-summary-text, .collapsed") or fold.summary
        summary = soup.new_tag("summary")
        summary.string = text_of(title)
        fold.summary.replace_with(summary)
        fold.attrs = {"class": f"fold {kind}"}


def resolve_links(article: Tag, stem: str, book: set[str]) -> None:
    """Leave links within the book as they are and make all others absolute."""
    for link in article.select("a[href]"):
        parts = urlsplit(link["href"])
        target = parts.path.removesuffix(".html")
        if parts.scheme or not parts.path:
            continue
        if target in book and parts.path.endswith(".html"):
            if target == stem:
                link["href"] = f"#{parts.fragment}" if parts.fragment else f"{stem}.html"
        else:
            link["href"] = urljoin(web_addresses.page(stem), link["href"])


def page(stem: str, part: str, site: Path = built_site.SITE) -> Page:
    """One page without what moves.

    Raises:
        ValueError: when it is not built, or its stills are missing or of another build.
    """
    soup, article = BeautifulSoup("", "html.parser"), built_page.article(stem, site)
    pictures = show_stills(article, stem, soup)
    for tag in article.select(SITE_ONLY):
        tag.decompose()
    plain_folds(article, soup)
    resolve_links(article, stem, {name for name, _ in listed()})
    for drawing in article.select("svg"):  # html.parser writes all attributes small
        drawing["xmlns"] = "http://www.w3.org/2000/svg"
        drawing["viewBox"] = drawing.attrs.pop("viewbox")
    for formula in article.select("math"):
        formula["xmlns"] = "http://www.w3.org/1998/Math/MathML"
        if source := formula.find("annotation"):
            formula["alttext"] = source.get_text()
            source.decompose()  # readers without MathML would print it beside the formula
    for tag in article.select(
        "pre > span:empty, .highlight .n, .highlight .p, .highlight .w, .pre"
    ):
        tag.unwrap()  # they look like the text around them, and are most of the elements
    for tag in article.select("[tabindex]"):
        del tag["tabindex"]  # nothing scrolls
    if stem in book_sources.stems():
        line = soup.new_tag("p", attrs={"class": "runs-at"})
        link = soup.new_tag("a", attrs={"href": web_addresses.page(stem)})
        link.string = web_addresses.page(stem).split("://", 1)[-1]
        line.extend(["This chapter runs at ", link])
        article.h1.insert_after(line)
    return Page(stem, part, text_of(article.h1), article, pictures)


def pages(site: Path = built_site.SITE) -> list[Page]:
    """Every page of the book, in order; raises `ValueError` as `page` does."""
    return [page(stem, part, site) for stem, part in listed()]
