"""Links of the pages that whole books are made of."""

from __future__ import annotations

import pytest
import web_addresses
from bs4 import BeautifulSoup

from editions.print import epub, pdf_document, static_pages

pytestmark = pytest.mark.slow  # reads what `make formats` made

HERE = "tokenizer"


def linked(target: str) -> static_pages.Page:
    """The page ``HERE`` with one link."""
    article = BeautifulSoup(f'<div><a href="{target}">x</a></div>', "html.parser").div
    return static_pages.Page(HERE, "Part", "Page", article, {})


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("#here", "#here"),
        ("tokenizer.html", "tokenizer.html"),
        ("tokenizer.html#here", "#here"),
        ("model.html#sec", "model.html#sec"),
        ("downloads/a.pdf", f"{web_addresses.homepage()}downloads/a.pdf"),
        ("search.html?q=a", f"{web_addresses.homepage()}search.html?q=a"),
        ("notebooks/a.ipynb?x=a/../b", f"{web_addresses.homepage()}notebooks/a.ipynb?x=a/../b"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("https://example.org/", "https://example.org/"),
    ],
)
def test_links_out_of_the_book_are_absolute(target, led):
    article = linked(target).article
    static_pages.resolve_links(article, HERE, {HERE, "model"})
    assert article.a["href"] == led


@pytest.mark.parametrize(
    ("target", "in_epub", "in_pdf"),
    [
        ("model.html#sec", f"{epub.file_of('model')}#sec", "#model--sec"),
        ("#here", "#here", "#tokenizer--here"),
        ("mailto:a@example.org", "mailto:a@example.org", "mailto:a@example.org"),
        ("https://example.org", "https://example.org", "https://example.org"),
    ],
)
def test_only_links_to_pages_of_the_book_are_turned_inwards(target, in_epub, in_pdf):
    assert f'href="{in_epub}"' in epub.of_the_book(linked(target))
    page = linked(target)
    pdf_document.set_links(page, BeautifulSoup("", "html.parser"), set())
    assert page.article.a["href"] == in_pdf
