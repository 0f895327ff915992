"""A chapter as a post: its blocks, its title, and what is said of it."""

from __future__ import annotations

import datetime

import book_sources
import chapter_notebook
import launch_links
import web_addresses
import yaml

from editions.posts.blocks import Post, Prose
from editions.posts.chapter_reader import Reader
from editions.shared import edition


def last_change(stem: str) -> datetime.date:
    """The day (UTC) on which the chapter or its notebook was last changed."""
    return edition.moment(book_sources.BOOK / f"{stem}.md", book_sources.notebook_path(stem)).date()


def description(stem: str) -> str:
    """What the chapter's page says of itself to search engines."""
    head = yaml.safe_load(book_sources.source(stem).split("---\n", 2)[1])
    return head["myst"]["html_meta"]["description"]


def opening(stem: str, page: str) -> Prose:
    """Where the chapter comes from and where it runs."""
    download = f"{web_addresses.homepage()}notebooks/{stem}.ipynb"
    ways = [
        f"[{'the notebook, to download' if way.get('download') else way['text']}]({way['url']})"
        for way in launch_links.ways(stem, download)
    ]
    book = edition.current().title
    return Prose(
        f"*This post is a chapter of [{book}]({web_addresses.homepage()}). "
        f"[On the book's site]({page}) its figures move and its elements can be tried; to run its "
        f"code: {', '.join(ways)}.*"
    )


def read(stem: str) -> Post:
    """One chapter as a post.

    Raises:
        ValueError: when there is no such chapter, no notebook or no stills, when they do not
            belong together, or when something in the notebook has no form in a post.
    """
    if stem not in book_sources.stems():
        known = ", ".join(book_sources.stems())
        raise ValueError(f"there is no chapter {stem!r} with code; there are: {known}")
    notebook = chapter_notebook.committed(stem)
    if notebook is None:
        raise ValueError(f"notebooks/{stem}.ipynb is missing: make it with `make notebooks`")
    reader = Reader(stem, notebook)
    blocks = list(reader.read())
    first = blocks[0].text if blocks and isinstance(blocks[0], Prose) else ""
    title, _, rest = first.partition("\n")
    rest = rest.strip("\n")
    if not title.startswith("# "):
        raise ValueError(f"notebooks/{stem}.ipynb does not begin with its title")
    return Post(
        stem=stem,
        title=title.removeprefix("# "),
        description=description(stem),
        date=last_change(stem),
        page=reader.page,
        blocks=(opening(stem, reader.page), *([Prose(rest)] if rest else []), *blocks[1:]),
    )
