"""The one document that is printed as a PDF: every page of the book, and how it is found in it.

A fold's text stands at the end of its chapter, so that readers can try first; code that only draws
a figure is left to the notebook.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import book_sources
import web_addresses
from bs4 import BeautifulSoup, Tag

from editions.browser import other_scripts
from editions.built import built_site
from editions.print import static_pages
from editions.shared import edition

STYLE = Path(__file__).with_name("print.css")
COVER = Path(__file__).with_name("cover.svg")
CONTENTS = "Contents"
FOLDS = "Answers and solutions"
TASKS = {"exercises": "exercise", "break-it": "bug"}  # what is numbered in which section
SHORT = 15  # lines of code or output up to which they stay on one page
WIDE = 78  # characters that fit a line of code; longer lines are set smaller, then wrapped


def anchor(stem: str, fragment: str = "") -> str:
    """The id in the one document of a place on a page."""
    return f"{stem}--{fragment}"


def page_number(soup: BeautifulSoup, target: str) -> Tag:
    """Where the number of the page of a target will stand."""
    # Three figures keep the lines of the first printing as long as the last one's.
    tag = soup.new_tag("span", attrs={"class": "page", "data-page-of": target})
    tag.string = "000"
    return tag


def set_links(page: static_pages.Page, soup: BeautifulSoup, executable: set[str]) -> None:
    """Turn links between pages into links within the document, those to another chapter with
    the number of the page."""
    stems = {stem for stem, _ in static_pages.listed()}
    for link in page.article.select("a[href]"):
        path, _, fragment = link["href"].partition("#")
        stem = path.removesuffix(".html") or page.stem
        if stem not in stems:
            continue
        target = anchor(stem, fragment)
        link["href"] = f"#{target}"
        if stem != page.stem and stem in executable and page.stem in executable:
            link.insert_after(" (page ", page_number(soup, target), ")")
    for tag in page.article.select("[id]"):
        tag["id"] = anchor(page.stem, tag["id"])


def gather_folds(page: static_pages.Page, soup: BeautifulSoup) -> None:
    """Move what is folded to the end of the chapter, and say in its place where it went.

    The code of figures goes, and so does the text beside a picture: the picture is there.
    """
    for fold in page.article.select("details.in-words, details.drawing"):
        fold.decompose()
    folds = page.article.select("details.fold")
    if not folds:
        return
    end = soup.new_tag("section", attrs={"id": "folds", "class": "folds"})
    heading = soup.new_tag("h2")
    heading.string = FOLDS
    end.append(heading)
    for number, fold in enumerate(folds, 1):
        task = task_of(fold)
        title, here, there = text_without_show(fold.summary), f"fold-{number}", f"unfold-{number}"
        asked = soup.new_tag("p", attrs={"class": "unfold", "id": here})
        link, name = soup.new_tag("a", attrs={"href": f"#{there}"}), soup.new_tag("strong")
        # "12. A solution" after an exercise "1." reads like another exercise.
        link.string = name.string = f"Note {number}. {title}"
        asked.extend([link, ", page ", page_number(soup, anchor(page.stem, there))])
        block = soup.new_tag("div", attrs={"class": "folded"})
        head = soup.new_tag("p", attrs={"class": "folded-title", "id": there})
        back = soup.new_tag("a", attrs={"href": f"#{here}"})
        back.append("asked on page ")
        back.append(page_number(soup, anchor(page.stem, here)))
        head.extend([name, f", {task}, " if task else ", ", back])
        fold.replace_with(asked)
        fold.summary.decompose()
        block.append(head)
        block.extend(list(fold.children))
        end.append(block)
    page.article.append(end)


def task_of(fold: Tag) -> str:
    """The numbered exercise or bug that a fold follows, as in "exercise 3"; "" elsewhere."""
    section = fold.find_parent("section")
    kind = TASKS.get(section.get("id"), "") if section else ""
    block = fold.find_parent(class_="cell") or fold
    before = map(static_pages.text_of, block.find_previous_siblings("p"))
    number = next(filter(None, (re.match(r"(\d+)\. ", text) for text in before)), None)
    return f"{kind} {number[1]}" if kind and number else ""


def text_without_show(summary: Tag) -> str:
    """A fold's title without the verb of a button: "Show a solution" is "A solution"."""
    title = static_pages.text_of(summary)
    shown = title.removeprefix("Show ")
    return title if shown == title else shown[0].upper() + shown[1:]


def aim_at_headings(article: Tag) -> None:
    """Let what leads to a section lead to its heading: the section's box may begin at the foot
    of the page before."""
    for section in article.select("section[id]"):
        heading = section.find(["h1", "h2", "h3", "h4"], recursive=False)
        for label in section.find_all("span", id=True, recursive=False):
            heading.insert(0, label.extract())
        heading["id"] = section.attrs.pop("id")


def untag_figures(article: Tag) -> None:
    """Leave the word figure to the pictures, which have the alternative text; a PDF's tag of
    that name around picture and caption would be one without."""
    for figure in article.select("figure"):
        figure.name = "div"
        figure["class"] = [*figure.get("class", []), "figure"]


def mark_code(article: Tag) -> None:
    """Tell apart the blocks of code and output that need smaller letters to fit, and those
    short enough for one page."""
    for block in article.select("pre"):
        lines = block.get_text().splitlines()
        told = {"wide": max(map(len, lines), default=0) > WIDE, "short": len(lines) <= SHORT}
        block["class"] = [name for name, is_so in told.items() if is_so]


def announce_parts(article: Tag, soup: BeautifulSoup) -> None:
    """Say before a picture that was cut that it goes on."""
    for still in article.select(".still"):
        if (parts := len(still.select(":scope > a"))) > 1:
            said = soup.new_tag("p", attrs={"class": "in-parts"})
            said.string = f"A picture in {parts} parts, from the top down:"
            still.insert(0, said)


def contents(pages: list[static_pages.Page]) -> str:
    """The contents page: parts, pages and their sections, each with its page number."""

    def entry(level: int, target: str, title: str) -> str:
        return (
            f'<li class="level-{level}"><a href="#{target}">{html.escape(title)}</a>'
            f'<span class="page" data-page-of="{target}">000</span></li>'
        )

    lines, part = [], ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f'<li class="part">{html.escape(part)}</li>')
        lines.append(entry(1, anchor(page.stem), page.title))
        lines += [entry(2, target, title) for target, title in page.sections]
    return f'<nav class="contents" id="contents"><h1>{CONTENTS}</h1><ul>{"".join(lines)}</ul></nav>'


def title_page(about: edition.Edition) -> str:
    """The cover's drawing, the version and the date, and where the living book is."""
    address = web_addresses.homepage()
    return (
        f'<header class="title-page">{COVER.read_text("utf-8")}'
        f"<p>{html.escape(', '.join(about.authors))}</p>"
        f"<p>Version {about.version}, {about.day}</p>"
        f'<p><a href="{address}">{address.split("://", 1)[-1]}</a></p>'
        "<p>On the website every figure answers and every chapter can be run.</p></header>"
    )


def document(pages: list[static_pages.Page], about: edition.Edition) -> str:
    """The HTML that is printed; the pages' articles are changed."""
    soup, executable = BeautifulSoup("", "html.parser"), set(book_sources.stems())
    heads = []
    for page in pages:
        gather_folds(page, soup)
        aim_at_headings(page.article)
        untag_figures(page.article)
        set_links(page, soup, executable)
        mark_code(page.article)
        announce_parts(page.article, soup)
        page.article["id"] = anchor(page.stem)
        page.article["class"] = "page-of-the-book"
        page.article["style"] = f"page: of-{page.stem}"  # "title" is taken
        title = page.title.replace("\\", "\\\\").replace('"', '\\"')
        heads.append(f'@page of-{page.stem} {{ @top-center {{ content: "{title}" }} }}')
    static = built_site.SITE / "_static"
    styles = "".join(
        f'<link rel="stylesheet" href="{path.as_uri()}">'
        for path in (static / "pygments.css", static_pages.FRONT_PAGE, STYLE)
    )
    font = (static / "fonts" / "math.woff2").as_uri()
    articles = "".join(str(page.article) for page in pages)
    return (
        f'<!DOCTYPE html><html lang="{edition.LANGUAGE}" data-theme="light"><head>'
        f'<meta charset="utf-8"><title>{html.escape(about.title)}</title>{styles}<style>'
        f'@font-face {{ font-family: "MiniGPT Math"; src: url("{font}") }}\n'
        f"{other_scripts.faces()}html {{ --others: {other_scripts.families()} }}\n"
        f"{chr(10).join(heads)}</style></head><body>"
        f"{title_page(about)}{contents(pages)}{articles}</body></html>"
    )
