"""The whole book as one EPUB 3, from the built pages.

    python -m editions.print.epub

writes `_build/formats/minigpt.epub`: a document a page, formulas as MathML, folds as folds, the
stills instead of what moves. The same sources give the same bytes.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from html import escape
from pathlib import Path
from typing import BinaryIO

import book_sources
import web_addresses
from bs4 import Tag

from editions.browser import chromium
from editions.built import built_site
from editions.print import static_pages
from editions.shared import edition
from editions.shared.command import parser, refusals_told
from minigpt.data.whole_file import write_whole

EPUB = book_sources.ROOT / "_build" / "formats" / "minigpt.epub"
STYLE = Path(__file__).with_name("epub.css")
COVER = Path(__file__).with_name("cover.svg")
FONT = "_static/fonts/math.woff2"  # STIX Two Math, whose licence (OFL) lets books carry it

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""

# What EPUB Accessibility 1.1 asks a book to say of itself.
ACCESSIBILITY = {
    "schema:accessMode": ("textual", "visual"),
    "schema:accessModeSufficient": ("textual", "textual,visual"),
    "schema:accessibilityFeature": (
        "alternativeText",
        "displayTransformability",
        "MathML",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "schema:accessibilityHazard": ("none",),
    "schema:accessibilitySummary": (
        "Every picture has a description, outputs that are drawn also stand as text, formulas are "
        "MathML, and headings are nested as the contents are.",
    ),
}


def xhtml(title: str, body: str, kind: str) -> str:
    """A content document of one `epub:type`."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
        f'lang="{edition.LANGUAGE}" xml:lang="{edition.LANGUAGE}">\n<head>'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" type="text/css" href="book.css"/></head>\n'
        f'<body epub:type="{kind}">{body}</body>\n</html>\n'
    )


def file_of(stem: str) -> str:
    """The document of a page; a page may be called "title" or "nav"."""
    return f"page-{stem}.xhtml"


def of_the_book(page: static_pages.Page) -> str:
    """A page as a content document; its article is changed."""
    stems = {stem for stem, _ in static_pages.listed()}
    for link in page.article.select("a[href]"):
        path, hash_, fragment = link["href"].partition("#")
        if (stem := path.removesuffix(".html")) in stems:
            link["href"] = f"{file_of(stem)}{hash_}{fragment}"
    for part in page.article.select("[scriptlevel]:not(mstyle)"):
        # MathML 3, to which books are held, knows this attribute on one element only.
        part.wrap(Tag(name="mstyle", attrs={"scriptlevel": part.attrs.pop("scriptlevel")}))
    for picture in page.article.select("img"):
        picture["src"] = f"pictures/{picture['src']}"
    kind = "bodymatter" if page.part else "frontmatter"
    return xhtml(page.title, page.article.decode_contents(), kind)


def cover_png() -> bytes:
    """The cover as a PNG, which every shelf can show.

    Raises:
        ValueError: when there is no browser.
    """
    with chromium.launched() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1700}, color_scheme="light")
        page.set_content(f"<style>body {{ margin: 0 }}</style>{COVER.read_text('utf-8')}")
        return page.screenshot()


def title_page(about: edition.Edition) -> str:
    address = web_addresses.homepage()
    body = (
        f'<section class="title-page"><img src="pictures/cover.png" alt="{escape(about.title)}"/>'
        f"<p>{escape(', '.join(about.authors))}</p><p>Version {about.version}, {about.day}</p>"
        f'<p><a href="{address}">{address.split("://", 1)[-1]}</a></p>'
        "<p>On the website every figure answers and every chapter can be run.</p></section>"
    )
    return xhtml(about.title, body, "frontmatter")


def navigation(pages: list[static_pages.Page]) -> str:
    """The navigation document: parts, pages and their sections."""

    def entry(page: static_pages.Page) -> str:
        file = file_of(page.stem)
        inner = "".join(
            f'<li><a href="{file}#{target}">{escape(title)}</a></li>'
            for target, title in page.sections
        )
        listed = f"<ol>{inner}</ol>" if inner else ""
        return f'<li><a href="{file}">{escape(page.title)}</a>{listed}</li>'

    items, part = [], ""
    for page in pages:
        if page.part != part:
            items.append(f"{'</ol></li>' if part else ''}<li><span>{escape(page.part)}</span><ol>")
            part = page.part
        items.append(entry(page))
    closing = "</ol></li>" if part else ""
    first = next((page.stem for page in pages if page.part), pages[0].stem)
    body = (
        f'<nav epub:type="toc" role="doc-toc" id="toc"><h1>Contents</h1>'
        f"<ol>{''.join(items)}{closing}</ol></nav>"
        '<nav epub:type="landmarks" hidden="hidden"><h2>Landmarks</h2><ol>'
        '<li><a epub:type="titlepage" href="title.xhtml">Title page</a></li>'
        '<li><a epub:type="toc" href="nav.xhtml">Contents</a></li>'
        f'<li><a epub:type="bodymatter" href="{file_of(first)}">Start of the book</a></li>'
        "</ol></nav>"
    )
    return xhtml("Contents", body, "frontmatter")


def old_navigation(pages: list[static_pages.Page], about: edition.Edition) -> str:
    """The same for readers of EPUB 2: `toc.ncx`."""
    points = "".join(
        f'<navPoint id="n{order}" playOrder="{order}"><navLabel><text>{escape(page.title)}</text>'
        f'</navLabel><content src="{file_of(page.stem)}"/></navPoint>'
        for order, page in enumerate(pages, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">'
        f'<head><meta name="dtb:uid" content="{about.identifier}"/></head>'
        f"<docTitle><text>{escape(about.title)}</text></docTitle><navMap>{points}</navMap></ncx>\n"
    )


def package(
    pages: list[static_pages.Page], files: dict[str, str | bytes], about: edition.Edition
) -> str:
    """The package document: metadata, every file, and the reading order."""
    types = {
        ".xhtml": "application/xhtml+xml",
        ".ncx": "application/x-dtbncx+xml",
        ".css": "text/css",
        ".png": "image/png",
        ".woff2": "font/woff2",
    }
    extra = {"nav.xhtml": "nav", "pictures/cover.png": "cover-image"}
    ids = {name: f"f{number}" for number, name in enumerate(files, 1)}
    items = []
    for name, data in files.items():
        properties = [extra[name]] if name in extra else []
        if name.endswith(".xhtml"):
            properties += [
                what for what, tag in (("mathml", "<math"), ("svg", "<svg")) if tag in data
            ]
        told = f' properties="{" ".join(properties)}"' if properties else ""
        items.append(
            f'<item id="{ids[name]}" href="{name}" media-type="{types[Path(name).suffix]}"{told}/>'
        )
    authors = "".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in about.authors)
    access = "".join(
        f'<meta property="{name}">{value}</meta>'
        for name, values in ACCESSIBILITY.items()
        for value in values
    )
    order = ["title.xhtml", "nav.xhtml", *(file_of(page.stem) for page in pages)]
    spine = "".join(f'<itemref idref="{ids[name]}"/>' for name in order)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" '
        f'xml:lang="{edition.LANGUAGE}">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">{about.identifier}</dc:identifier>'
        f"<dc:title>{escape(about.title)}</dc:title>{authors}"
        f"<dc:language>{edition.LANGUAGE}</dc:language>"
        f"<dc:date>{about.moment:%Y-%m-%d}</dc:date>"
        f"<dc:source>{web_addresses.homepage()}</dc:source>"
        f'<meta property="dcterms:modified">{about.moment:%Y-%m-%dT%H:%M:%SZ}</meta>'
        f'<meta property="schema:version">{about.version}</meta>{access}'
        f'<meta name="cover" content="{ids["pictures/cover.png"]}"/>\n</metadata>\n'
        f"<manifest>\n{chr(10).join(items)}\n</manifest>\n"
        f'<spine toc="{ids["toc.ncx"]}">{spine}</spine>\n'
        "</package>\n"
    )


def highlighting(css: str) -> str:
    """The website's colours of code: its light ones, and its dark ones where a reader's
    device says that it is dark."""
    light, dark = (
        "\n".join(re.findall(rf'^html\[data-theme="{theme}"\] (\.highlight.*)$', css, re.MULTILINE))
        for theme in ("light", "dark")
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def contents(about: edition.Edition) -> dict[str, str | bytes]:
    """Every file of the book by its name below `EPUB/`.

    Raises:
        ValueError: when the site, its stills or a browser is missing.
    """
    pages = static_pages.pages()
    static = built_site.SITE / "_static"
    style = highlighting((static / "pygments.css").read_text("utf-8"))
    style += static_pages.FRONT_PAGE.read_text("utf-8") + STYLE.read_text("utf-8")
    files: dict[str, str | bytes] = {
        "title.xhtml": title_page(about),
        "nav.xhtml": navigation(pages),
        **{file_of(page.stem): of_the_book(page) for page in pages},
        "toc.ncx": old_navigation(pages, about),
        "book.css": style,
        "math.woff2": (built_site.SITE / FONT).read_bytes(),
        "pictures/cover.png": cover_png(),
    }
    for page in pages:
        files |= {f"pictures/{name}": data for name, data in page.pictures.items()}
    files["book.opf"] = package(pages, files, about)
    return files


def pack(files: dict[str, str | bytes], moment: datetime.datetime, target: BinaryIO) -> None:
    """Write the files of a book as an EPUB: same files and moment, same bytes."""
    named = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER}
    named |= {f"EPUB/{name}": data for name, data in files.items()}
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in named.items():
            info = zipfile.ZipInfo(name, moment.timetuple()[:6])
            info.create_system = 3  # the same on Windows
            stored = name == "mimetype" or name.endswith((".png", ".woff2"))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


def build(target: Path = EPUB) -> None:
    """Write the EPUB; raises `ValueError` as `contents` does."""
    about = edition.current()
    files = contents(about)
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    pack(files, about.moment, packed)
    write_whole(target, packed.getvalue())


def main() -> None:
    parser(__doc__).parse_args()
    with refusals_told():
        build()
    print(f"{EPUB}: {EPUB.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
