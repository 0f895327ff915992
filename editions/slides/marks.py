"""What of a chapter goes onto slides, and what is said with it, read from its built page.

Marks in a chapter's source:

- ``[A sentence.]{.key}``: a point;
- the tag ``slide`` on a code cell: its code and what it shows; ``slide-output``: what it shows;
- ``:class: key`` on a formula or a table, ``:attributes: class=key`` on a page's element.

What an audience may guess first waits for a key: what a cell shows, what is folded on the page,
and everything after a marked "Predict, then run".

A section without marks is left out. The chapter's box and its recap need none.
"""

from __future__ import annotations

import copy
import dataclasses
import html
import re

import web_addresses
from bs4 import Tag

from editions.built import built_page, stills
from editions.built.unlinked import inner, unlinked
from editions.shared import edition

CODE_LINES = 14  # what a room reads before it stops listening
QUESTION = re.compile(r"<strong>Predict, then")
SAID = ["p", "li", "div.mg-math", "h3"]  # what a section says, besides what it runs and draws


@dataclasses.dataclass(frozen=True)
class Item:
    """One thing on a slide.

    Attributes:
        kind: "point", "code", "output", "formula", "table", "figure" or "foot".
        html: what stands there; for a figure, nothing.
        still: the picture of a figure.
        joined: whether it belongs to the item before it, as an output does to its code.
        waits: whether it appears with a key of its own, unless a slide begins with it.
    """

    kind: str
    html: str = ""
    still: stills.Still | None = None
    joined: bool = False
    waits: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """A section of a chapter: its heading, where it is, what it shows and what it says.

    Attributes:
        title: its heading, as HTML.
        address: of the section, on the published site.
        items: what goes onto its slides, in the chapter's order.
        said: its whole prose, as HTML.
    """

    title: str
    address: str
    items: list[Item]
    said: str


def sentence(tag: Tag) -> str:
    """A point as a sentence: what stood behind a colon begins with a capital."""
    text = re.sub(r"[;,]$", ".", inner(unlinked(tag)))
    return re.sub(r"^((?:<(?!code)[^>]+>)*)([a-z])", lambda m: m[1] + m[2].upper(), text)


def cause(tag: Tag) -> str:
    """What the fold around a point calls a bug by its first words, unless that was said before."""
    fold = tag.find_parent("details")
    title = fold and fold.select_one("summary .sd-summary-text")
    if not title or fold.select_one(".key") is not tag:
        return ""
    if title.get_text() != "The cause":
        return ""
    return f'<span class="cause">The cause: {inner(unlinked(fold.strong))}</span> '


def ended(items: list[Item]) -> list[Item]:
    """The items, with a full stop for a colon where nothing that it announces follows."""
    out = []
    for item, after in zip(items, [*items, None][1:], strict=True):
        if item.kind == "point" and (after is None or after.kind == "point"):
            item = dataclasses.replace(item, html=re.sub(r":((?:</\w+>)*)$", r".\1", item.html))
        out.append(item)
    return out


def asked(items: list[Item]) -> list[Item]:
    """The items, of which those wait that stand after a question to the audience."""
    questions = [i for i, item in enumerate(items) if QUESTION.match(item.html)]
    first = questions[0] if questions else len(items)
    return [
        dataclasses.replace(item, waits=item.waits or i > first) for i, item in enumerate(items)
    ]


def cell_items(cell: Tag, whole: bool, shown: dict[int, stills.Still], where: str) -> list[Item]:
    """A marked code cell; ``whole``: with its code.

    Raises:
        ValueError: when its code is too long, or when there is nothing to show.
    """
    items = []
    if whole:
        code = cell.select_one(".cell_input .highlight")
        lines = code.get_text().strip("\n").count("\n") + 1
        if lines > CODE_LINES:
            raise ValueError(
                f"{where}: a cell tagged `slide` has {lines} lines of code, and a slide takes "
                f"{CODE_LINES}: tag it `slide-output`, or cut the cell in two"
            )
        items.append(Item("code", str(code)))
    for output in cell.select(".cell_output .output"):
        if id(output) in shown:
            items.append(Item("figure", still=shown[id(output)], joined=whole, waits=True))
        elif text := output.select_one(".highlight"):
            items.append(Item("output", str(text), joined=whole, waits=True))
    if not items:
        raise ValueError(f"{where}: a cell tagged `slide-output` shows nothing: untag it")
    return items


def marked(
    section: Tag, shown: dict[int, stills.Still], where: str, inner_too: bool = True
) -> list[Item]:
    """The marked things in one section, in order; ``inner_too``: with the sections inside it.

    Raises:
        ValueError: for a mark on something that slides cannot show.
    """
    items = []
    for tag in section.select(".key, .cell.tag_slide, .cell.tag_slide-output"):
        classes = tag["class"]
        if not inner_too and tag.find_parent("section") is not section:
            continue
        if "cell" in classes:
            items += cell_items(tag, "tag_slide" in classes, shown, where)
        elif id(tag) in shown:
            items.append(Item("figure", still=shown[id(tag)]))
        elif "mg-math" in classes:
            items.append(Item("formula", inner(unlinked(tag)), joined=bool(items)))
        elif tag.name == "table":
            items.append(Item("table", str(unlinked(tag)), joined=bool(items)))
        elif tag.name == "span" and tag.get_text(strip=True):
            waits = tag.find_parent("details") is not None
            items.append(Item("point", cause(tag) + sentence(tag), waits=waits))
        else:
            raise ValueError(
                f"{where}: slides cannot show a <{tag.name}> with the class `key`: mark a "
                "sentence, a formula, a table, a page's element or a code cell"
            )
    return asked(ended(items))


def said(section: Tag) -> str:
    """The prose of a section as HTML: paragraphs, lists and formulas, also the folded ones."""
    paragraphs = []
    for tag in section.select(", ".join(SAID)):
        if tag.find_parent(class_="cell") or tag.find_parent(["table", "figcaption"]):
            continue
        if tag.find_parent("li") or tag.find_parent(built_page.is_picture):
            continue
        name = "p" if tag.name == "div" else tag.name
        if text := inner(unlinked(tag)):
            paragraphs.append(f"<{name}>{text}</{name}>")
    return "\n".join(paragraphs)


def parts(stem: str) -> list[Part]:
    """A chapter as its slides need it: the box first, what is marked, and the recap last.

    Raises:
        ValueError: for marks that lead nowhere, and when nothing is marked.
    """
    article = built_page.article(stem)
    if "]{.key}" in article.get_text():
        around = re.search(r".{0,40}\]\{\.key\}", article.get_text())[0]
        raise ValueError(f"book/{stem}.md: a mark that MyST does not understand: {around!r}")
    shown = {id(tag): still for tag, still in built_page.shown(article, stem)}
    page = web_addresses.page(stem)
    top = article.find("section")
    sections = top.find_all("section", recursive=False)
    opening = copy.copy(top)
    for section in opening.find_all("section", recursive=False):
        section.decompose()
    heading, box = inner(unlinked(top.find("h1"))), opening.select_one(".chapter-box")
    if box is None:
        raise ValueError(f"book/{stem}.md has no box (:class: chapter-box) for the first slide")
    # The line of the cost, which says how long reading takes, is of no use in a talk.
    gives = [
        Item("point", inner(unlinked(p)))
        for p in box.select("p:not(.admonition-title)")
        if not p.get_text().startswith("It takes")
    ]
    gives.append(Item("foot", f"{html.escape(edition.current().title)} · {html.escape(page)}"))
    box.decompose()
    found = [Part(heading, page, gives, said(opening))]
    if points := marked(top, shown, f"book/{stem}.md, before the first section", inner_too=False):
        about = heading.split(": ", 1)[-1]
        found.append(Part(about[0].upper() + about[1:], page, points, said(opening)))
    recap = None
    for section in sections:
        name = inner(unlinked(section.find("h2")))
        items = marked(section, shown, f"book/{stem}.md, {name!r}")
        address = f"{page}#{section['id']}"
        if section.find(id=f"sec-{stem}-recap"):
            points = [
                Item("point", inner(unlinked(li))) for li in section.find("ul").find_all("li")
            ]
            recap = Part(name, address, points, said(section))
        elif items:
            found.append(Part(name, address, items, said(section)))
    if recap is None:
        raise ValueError(f"book/{stem}.md has no section labelled sec:{stem}-recap to end with")
    if len(found) < 3:
        raise ValueError(f"book/{stem}.md has no marks: mark its key sentences with […]{{.key}}")
    return [*found, recap]
