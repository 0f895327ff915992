"""Slides of chapters: the marked parts, for a talk of about 45 minutes each.

    python -m editions.slides.deck [stem…]

writes `_build/slides/<stem>.html`, each one file that needs nothing else: open it, press S for
the speaker's view, and add `?print-pdf` to its address before printing. Which parts of a chapter
are marked, and how, stands in `marks.py`. How much fits onto a slide is measured in headless
Chromium; a section that needs more room goes on on the next slide.
"""

from __future__ import annotations

import html
import itertools
import json
import re
from importlib.util import find_spec
from pathlib import Path

import book_sources
import web_addresses

from editions.browser import chromium
from editions.built import stills
from editions.built.site_style import data_address, site_style
from editions.shared.command import chosen_chapters, refusals_told
from editions.shared.html_words import plain
from editions.slides import marks
from editions.slides.marks import Item, Part
from minigpt.data.whole_file import write_whole

SLIDES = book_sources.ROOT / "_build" / "slides"
WIDTH, HEIGHT = 1280, 720
ACROSS = WIDTH - 2 * 48  # of which a slide's sides take 48 pixels each
GAP = 18  # between two things, as in slides.css
SPARE = 12  # for another machine's fonts, which may be a little taller
LARGEST = 1.5  # times its size on the page is as large as a picture gets
LONG = 14  # lines of what a cell shows; more stand in two columns
SMALLEST = 0.7  # below that nobody can read it: its upper part is shown instead
REVEAL = {
    "width": WIDTH,
    "height": HEIGHT,
    "margin": 0.02,
    "center": False,
    "hash": True,
    "slideNumber": "c/t",
    "transition": "none",
    "controls": False,
    "pdfSeparateFragments": False,
    "pdfMaxPagesPerSlide": 1,
}
# The theme follows the reader's; paper is white.
THEME = """const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = new URLSearchParams(location.search).has("print-pdf");
const dress = () => {
  document.documentElement.dataset.theme = dark.matches && !paper ? "dark" : "light";
};
dark.addEventListener("change", dress);
dress();"""


def reveal(path: str) -> str:
    """A file of reveal.js, from the copy that sphinx-revealjs carries.

    Raises:
        ValueError: when that package is not installed.
    """
    found = find_spec("sphinx_revealjs")
    if not found:
        raise ValueError("reveal.js is missing: pip install 'sphinx-revealjs>=3.2'")
    folder = Path(found.origin).parent / "_static" / "revealjs"
    return (folder / path).read_text("utf-8")


def style() -> str:
    """reveal.js's rules, the site's colours, fonts and code, and the slides' own."""
    own = Path(__file__).with_name("slides.css").read_text("utf-8")
    return "\n".join([reveal("dist/reset.css"), reveal("dist/reveal.css"), site_style(), own])


def inline_script(code: str) -> str:
    """JavaScript as a page may hold it: what would end the script is spelled otherwise."""
    return code.replace("</script", r"<\/script").replace("<!--", r"\x3C!--")


def figure(still: stills.Still, room: float) -> str:
    """A picture as large as ``room`` pixels of height allow, with a link to the live one."""
    scale = min(LARGEST, ACROSS / still.width)
    fits = min(scale, room / still.height)
    cut = fits < SMALLEST
    scale = scale if cut else fits
    width, height = round(still.width * scale), round(still.height * scale)
    source = data_address((stills.STILLS / still.file).read_bytes(), "image/png")
    alt = html.escape(("The upper part of this: " if cut else "") + still.alt)
    image = f'<img src="{source}" alt="{alt}" width="{width}" height="{height}">'
    if cut:
        image = f'<div class="cut" style="height: {int(room)}px">{image}</div>'
    words = "Open it live" if still.kind == "widget" else "Open the page"
    live = web_addresses.page(still.page, still.anchor)
    return (
        f'<a class="figure" href="{html.escape(live)}" target="_blank" rel="noopener">{image}'
        f'<span class="live">{words}</span></a>'
    )


def least(still: stills.Still) -> float:
    """The least height that a picture is worth showing with."""
    return min(still.height, max(280.0, still.height * SMALLEST), 420.0)


def block(item: Item, room: float = 0, more: str = "") -> str:
    """The HTML of one item, with ``more`` classes; points are the inside of a list."""
    if item.still:
        made = figure(item.still, room)
        return made.replace('class="figure"', f'class="figure{more}"', 1)
    if item.kind == "point":
        return f'<li class="point{more}">{item.html}</li>'
    if item.kind == "output" and item.html.count("\n") > LONG:
        more = f" columns{more}"
    return f'<div class="{item.kind}{more}">{item.html}</div>'


def listed(blocks: list[tuple[str, str]]) -> str:
    """Blocks under each other: (kind, HTML), the points between two others in one list."""
    out = []
    for kind, group in itertools.groupby(blocks, key=lambda block: block[0]):
        made = "\n".join(text for _, text in group)
        out.append(f"<ul>{made}</ul>" if kind == "point" else made)
    return "\n".join(out)


def heading(title: str, first: bool, again: bool) -> str:
    """A slide's heading."""
    more = " <small>… continued</small>" if again else ""
    return f"<h1>{title}</h1>" if first else f"<h2>{title}{more}</h2>"


MEASURE = """() => [...document.querySelectorAll(".page")].map((page) => {
  const height = (e) => Math.ceil(e.getBoundingClientRect().height);
  const formula = page.querySelector(".formula math");
  const wide = formula && formula.getBoundingClientRect().width > page.clientWidth - 96;
  return [height(page.children[0]), height(page.children[1]), Boolean(wide)];
})"""


def measured(browser, head: str, found: list[Part]) -> list[list[tuple[int, int, bool]]]:
    """For every item: the height of its slide's heading, its own, and whether it is too wide."""
    sheet = [
        f'<div class="page">{heading(part.title, number == 0, number > 0)}'
        f"{listed([(i.kind, block(i, 100))])}</div>"
        for number, part in enumerate(found)
        for i in part.items
    ]
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.set_content(f'{head}<div class="reveal"><div class="slides">{"".join(sheet)}</div></div>')
    page.evaluate("document.fonts.ready")
    sizes = iter(page.evaluate(MEASURE))
    page.close()
    return [[tuple(next(sizes)) for _ in part.items] for part in found]


def share_out(part: Part, sizes: list[tuple[int, int, bool]]) -> list[list[tuple[Item, float]]]:
    """A part's items slide by slide, each with the height that it gets: on as few slides as can
    be, what belongs together on one, and the slides about equally full.

    Raises:
        ValueError: when one item alone is too tall for a slide.
    """
    room = HEIGHT - 34 - 52 - sizes[0][0] - GAP - SPARE
    needs = [
        least(item.still) if item.still else float(tall)
        for item, (_, tall, _) in zip(part.items, sizes, strict=True)
    ]
    for item, need in zip(part.items, needs, strict=True):
        if need > room:
            raise ValueError(
                f"{part.address}: a marked {item.kind} needs {need:.0f} pixels of height, and a "
                f"slide has {room:.0f}: shorten it, or take its mark away"
            )
    # The best way to share out the first `end` items, from the best ways for fewer.
    best: list[tuple[tuple[int, int, float], list[int]]] = [((0, 0, 0.0), [])]
    for end in range(1, len(needs) + 1):
        ways = []
        for begin in range(end):
            left = room - sum(needs[begin:end]) - GAP * (end - begin - 1)
            if left >= 0:
                (slides, torn, empty), breaks = best[begin]
                tears = begin > 0 and parted(part.items[begin - 1], part.items[begin])
                ways.append(((slides + 1, torn + tears, empty + left**2), [*breaks, begin]))
        best.append(min(ways))
    breaks = [*best[-1][1], len(needs)]
    items = list(zip(part.items, needs, strict=True))
    return [grown(items[i:j], room) for i, j in itertools.pairwise(breaks)]


def parted(before: Item, after: Item) -> bool:
    """Whether a new slide between two items would part what belongs together."""
    return after.joined or bool(re.search(r":(?:</\w+>)*$", before.html))


def grown(page: list[tuple[Item, float]], room: float) -> list[tuple[Item, float]]:
    """The items of a slide, its pictures as tall as what is left allows."""
    left = room - sum(height for _, height in page) - GAP * (len(page) - 1)
    drawn = sum(item.still is not None for item, _ in page)
    return [(item, height + left / drawn if item.still else height) for item, height in page]


def section(part: Part, page: list[tuple[Item, float]], first: bool, again: bool, long) -> str:
    """One slide."""
    blocks = []
    for number, (item, height) in enumerate(page):
        more = " long" * (item in long) + " fragment" * (item.waits and number > 0)
        blocks.append((item.kind, block(item, height, more)))
    return (
        f'<section><div class="page">{heading(part.title, first, again)}\n{listed(blocks)}</div>\n'
        f'<aside class="notes"><p><a href="{part.address}">{part.address}</a></p>\n{part.said}'
        "</aside></section>"
    )


def deck(stem: str, browser) -> str:
    """The slides of a chapter as one HTML page.

    Raises:
        ValueError: as `marks.parts` and `share_out`, and when the site, its stills or
            reveal.js are missing.
    """
    found = marks.parts(stem)
    title = html.escape(plain(found[0].title), quote=False)
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>'
        f'\n<meta name="viewport" content="width=device-width">\n<style>{style()}</style>\n'
        f"<script>{THEME}</script>\n</head>\n"
    )
    sheets = []
    for number, (part, sizes) in enumerate(zip(found, measured(browser, head, found), strict=True)):
        long = [item for item, size in zip(part.items, sizes, strict=True) if size[2]]
        for again, page in enumerate(share_out(part, sizes)):
            sheets.append(section(part, page, number == again == 0, again > 0, long))
    scripts = [reveal("dist/reveal.js"), reveal("plugin/notes/notes.js")]
    start = f"Reveal.initialize({{...{json.dumps(REVEAL)}, plugins: [RevealNotes]}});"
    code = "\n".join(f"<script>{inline_script(s)}</script>" for s in [*scripts, start])
    body = "\n".join(sheets)
    return (
        f'{head}<body>\n<div class="reveal"><div class="slides">\n{body}\n</div></div>\n{code}\n'
        "</body>\n</html>\n"
    )


def write(stems: list[str], folder: Path = SLIDES) -> list[Path]:
    """Write the slides of some chapters; each file replaces the old one when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with chromium.launched() as browser:
        for stem in stems:
            path = folder / f"{stem}.html"
            write_whole(path, deck(stem, browser).encode())
            paths.append(path)
    return paths


def main() -> None:
    stems = chosen_chapters(__doc__)
    with refusals_told():
        for path in write(stems):
            count = path.read_text("utf-8").count('<section><div class="page">')
            print(f"{path}: {count} slides, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
