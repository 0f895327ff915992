"""What a built page shows, and which of it `stills` has pictures of."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup, Tag

from editions.built import built_site, stills


def article(stem: str, site: Path = built_site.SITE) -> Tag:
    """The text of a page, without the links to its own headings, the reader's file and what only
    lets it scroll and wrap.

    Raises:
        ValueError: when the page is missing.
    """
    path = built_site.require(site) / f"{stem}.html"
    if not path.exists():
        raise ValueError(f"{path} is missing: is {stem!r} a page? Then run `make book`")
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    for link in page.select("a.headerlink"):
        link.decompose()
    for fold in page.select("details.mg-foreseen"):  # where nobody is asked, nothing waits
        fold.summary.decompose()
        fold.unwrap()
    for fold in page.select("details.mg-own-file"):  # its lines stand in the chapters
        fold.decompose()
    for tag in page.select("pre wbr"):
        tag.decompose()
    for wrapper in page.select(".mg-code-line, .mg-option, .mg-formula"):
        wrapper.unwrap()
    for block in page.select("pre[style]"):
        block.attrs.clear()
    return page.select_one(".mg-article")


def is_picture(tag: Tag) -> bool:
    """Whether stills are taken of an element (`stills.FIND` says the same to the browser)."""
    classes = tag.get("class", [])
    output = {"output", "text_html"} <= set(classes) and tag.find_parent(class_="cell_output")
    return bool(output) or "-" in tag.name


def pictures(article: Tag) -> list[Tag]:
    """The elements that stills are taken of, in the stills' order: the outermost ones."""
    found = article.find_all(is_picture)
    known = set(map(id, found))
    return [tag for tag in found if known.isdisjoint(map(id, tag.parents))]


def shown(article: Tag, stem: str) -> list[tuple[Tag, stills.Still]]:
    """Each of these elements of a page with its still.

    Raises:
        ValueError: when the stills are missing or not those of this page.
    """
    places, taken = pictures(article), stills.taken(stem)
    if len(places) != len(taken):
        raise ValueError(
            f"{stem}.html shows {len(places)} things that are not text, and there are "
            f"{len(taken)} stills of it: take them again with `make stills`"
        )
    return list(zip(places, taken, strict=True))
