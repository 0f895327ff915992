"""The whole book as one PDF, through Chromium's print engine.

    python -m editions.print.pdf

writes `_build/formats/minigpt.pdf` from the built site and its stills: tagged, with an outline,
page numbers, and links that work inside it. A fold's text stands at the end of its chapter, so
that readers can try first; code that only draws a figure is left to the notebook.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import book_sources
import pikepdf

from editions.browser import chromium
from editions.print import static_pages
from editions.print.pdf_document import CONTENTS, document
from editions.shared import edition
from editions.shared.command import parser, refusals_told
from minigpt.data.whole_file import write_whole

PDF = book_sources.ROOT / "_build" / "formats" / "minigpt.pdf"
ROUNDS = 5  # printings after which page numbers must have come to rest

# Writes the page of each target where it is asked for.
NUMBER = """(pages) => {
  for (const e of document.querySelectorAll("[data-page-of]")) {
    e.textContent = pages[e.dataset.pageOf];
  }
}"""


def targets(data: bytes) -> dict[str, int]:
    """The page, counted from 1, of every place in a PDF that something links to."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        numbers = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
        places = pdf.Root.get("/Dests", {})
        return {name.removeprefix("/"): numbers[place[0].objgen] for name, place in places.items()}


def printed(path: Path) -> bytes:
    """An HTML file as a PDF, printed until its page numbers come to rest.

    Raises:
        ValueError: when they do not.
    """
    with chromium.launched() as browser:
        page = browser.new_page(color_scheme="light")
        page.goto(path.as_uri())
        page.evaluate("document.fonts.ready")
        written: dict[str, int] = {}
        for _ in range(ROUNDS):
            data = page.pdf(
                prefer_css_page_size=True, print_background=True, tagged=True, outline=True
            )
            found = targets(data)
            if found == written:
                return data
            page.evaluate(NUMBER, found)
            written = found
    raise ValueError(f"page numbers still change after {ROUNDS} printings of {path}")


def mend_outline(marks: list[pikepdf.OutlineItem], titles: Iterator[str]) -> None:
    """Give the outline the headings as they are written: Chromium drops the space where a
    heading's line breaks."""
    for mark in marks:
        mark.title = next(titles)
        mend_outline(mark.children, titles)


def write_signed(data: bytes, titles: list[str], about: edition.Edition, target: Path) -> int:
    """Write a PDF, packed, with its headings' titles in the outline and the edition's metadata;
    returns the number of its pages. The same input gives the same bytes."""
    stamp = f"D:{about.moment:%Y%m%d%H%M%S}Z"
    with pikepdf.open(io.BytesIO(data)) as pdf:
        with pdf.open_outline() as outline:
            mend_outline(outline.root, iter(titles))
        pdf.docinfo["/Title"] = about.title
        pdf.docinfo["/Author"] = ", ".join(about.authors)
        pdf.docinfo["/Subject"] = f"Version {about.version}, {about.day}"
        pdf.docinfo["/Creator"] = "MiniGPT"  # not the browser's description of itself
        pdf.docinfo["/CreationDate"] = pdf.docinfo["/ModDate"] = stamp
        pdf.Root.Lang = edition.LANGUAGE
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        # Tags are thousands of small objects, which Chromium writes one by one, unpacked.
        packed = pikepdf.ObjectStreamMode.generate
        pdf.save(target, object_stream_mode=packed, deterministic_id=True)
        return len(pdf.pages)


def build(target: Path = PDF) -> int:
    """Write the PDF; returns the number of its pages.

    Raises:
        ValueError: when the site, its stills or a browser is missing.
    """
    about, pages = edition.current(), static_pages.pages()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for page in pages:
            for name, data in page.pictures.items():
                (Path(scratch) / name).parent.mkdir(exist_ok=True)
                (Path(scratch) / name).write_bytes(data)
        source = Path(scratch) / "book.html"
        source.write_text(document(pages, about), "utf-8")
        headings = [tag for page in pages for tag in page.article.select("h1, h2, h3, h4")]
        titles = [CONTENTS, *map(static_pages.text_of, headings)]
        part = Path(scratch) / "minigpt.pdf"
        count = write_signed(printed(source), titles, about, part)
        write_whole(target, part.read_bytes())
    return count


def main() -> None:
    parser(__doc__).parse_args()
    with refusals_told():
        count = build()
    print(f"{PDF}: {count} pages, {PDF.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
