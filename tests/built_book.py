"""What the built pages hold, for the tests of the editions that are whole books."""

from __future__ import annotations

import functools
from collections import Counter

import web_addresses
from bs4 import BeautifulSoup, Tag

from editions.built import built_page, built_site
from editions.print import static_pages


@functools.cache
def articles() -> dict[str, Tag]:
    """The text of each page of the book, without what stills were taken of and cells that only
    hand numbers to the prose."""
    found = {}
    for stem, _ in static_pages.listed():
        page = (built_site.require() / f"{stem}.html").read_text("utf-8")
        article = BeautifulSoup(page, "html.parser").select_one(".mg-article")
        for picture in built_page.pictures(article):
            picture.extract()
        gone = "script, noscript, .headerlink, .mg-start, .toctree-wrapper, details.mg-own-file"
        for tag in article.select(gone):
            tag.decompose()
        for link in article.select('a[href^="_static/"]'):  # a download, which stays on the site
            link["href"] = web_addresses.homepage() + link["href"]
        for cell in article.select(".cell.tag_hide-cell:not(:has(.cell_output))"):
            if "glue(" in cell.pre.get_text():
                cell.decompose()
        found[stem] = article
    return found


def squeezed(text: str) -> str:
    """A text without white space, soft hyphens and the hyphens at ends of lines."""
    return "".join(text.split()).replace("\u00ad", "").replace("\ufffe", "").replace("-", "")


def captions(article: Tag) -> list[str]:
    """The numbered captions of figures, tables and listings."""
    return [static_pages.text_of(tag.parent) for tag in article.select(".caption-number")]


def equation_numbers(article: Tag) -> list[str]:
    """The numbers of numbered formulas, in parentheses."""
    return [tag.get_text().strip() for tag in article.select(".eqno")]


def outside(article: Tag) -> Counter[str]:
    """How often each address outside the site is linked."""
    links = (tag["href"] for tag in article.select("a[href]"))
    return Counter(link for link in links if link.startswith(("http:", "https:")))
