"""A picture of everything on the built pages that is not text: figures, coloured tables and the
page's own elements, for the editions in which nothing moves.

    python -m editions.built.stills

writes `_build/stills/<page>/<n>.png` and, beside the folders, `stills.json`: every picture, page
by page in the order in which they stand there. It opens the built site in headless Chromium.
"""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
from pathlib import Path

import book_sources
import chapter_notebook
import notebook_cells
from PIL import Image, ImageChops

from editions.browser import chromium, photographed_page
from editions.browser.photographed_page import DENSITY
from editions.built import built_site
from editions.shared import whole_folder
from editions.shared.command import parser, refusals_told

STILLS = book_sources.ROOT / "_build" / "stills"
PATIENCE = 30  # seconds that an element has to draw
LOOKS = 40  # how often a picture is taken before it counts as never at rest


@dataclasses.dataclass(frozen=True)
class Still:
    """One picture.

    Attributes:
        page: the page's stem.
        kind: "output" for an HTML output of a code cell, "widget" for one of the page's elements.
            Outputs stand in the order of the HTML outputs in the chapter's notebook.
        name: the element, such as "logit-lens"; "output" otherwise.
        file: the path below the folder of stills.
        alt: what the picture shows, in words.
        text: what the notebook holds beside the HTML, for where text is better than a picture;
            "" for a widget.
        anchor: the fragment that leads to it on the page, "" for the page itself.
        width, height: CSS pixels; the file has ``DENSITY`` times as many.
    """

    page: str
    kind: str
    name: str
    file: str
    alt: str
    text: str
    anchor: str
    width: int
    height: int


# Every HTML output of a cell, and every element of the page's own that stands in no other one.
FIND = """() => {
  const wanted = (e) => e.matches(".cell_output .output.text_html") || e.localName.includes("-");
  const all = [...document.querySelectorAll(".mg-article *")].filter(wanted);
  return all.filter((e) => !all.some((other) => other !== e && other.contains(e)));
}"""

# Opens the folds that it stands in, lets it load and write, and says what it is.
PREPARE = """async (element) => {
  let fold = element;
  while ((fold = fold.parentElement.closest("details"))) fold.open = true;
  element.scrollIntoView({ block: "center" });
  const widget = element.localName.includes("-");
  if (widget) {
    await customElements.whenDefined(element.localName);
    await element.load?.();
    await element.pose?.();
  }
  await document.fonts.ready;
  const labelled = element.querySelector("[role=figure][aria-label], [role=group][aria-label]");
  return {
    kind: widget ? "widget" : "output",
    name: widget ? element.localName : "output",
    alt: (widget ? element.dataset.still : labelled?.getAttribute("aria-label")) ?? "",
    anchor: element.closest(".mg-article figure[id], .mg-article section[id]")?.id ?? "",
  };
}"""

DRAWN = """(element) => {
  const figures = [...element.querySelectorAll(".minigpt-figure")];
  if (!figures.length) return element.dataset.state !== "loading";
  const drawn = figures.every((f) => f.querySelector(":scope > :not(p)"));
  return drawn && Bokeh.documents.every((document) => document.is_idle);
}"""


# Room that is kept free for what comes later would stay empty.
NO_ROOM = ".mg-article * { min-height: 0 !important }"


def texts(stem: str) -> list[str]:
    """The plain text beside each HTML output of a chapter's notebook, in order."""
    if stem not in book_sources.stems():
        return []
    cells = notebook_cells.code_cells(chapter_notebook.committed(stem))
    found = [o["data"] for c in cells for o in c.outputs if "text/html" in o.get("data", {})]
    return [data["text/plain"] for data in found]


def wait_until_drawn(page, element, where: str) -> None:
    """Return when an element shows what it is for; raises `ValueError` after ``PATIENCE``."""
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_function(DRAWN, arg=element, timeout=PATIENCE * 1000)
    except TimeoutError as error:
        raise ValueError(
            f"{where} does not draw within {PATIENCE} s: open the page in a browser and look at "
            "its console"
        ) from error


def at_rest(element, where: str) -> Image.Image:
    """A picture that is the same three times in a row.

    Raises:
        ValueError: when no three in a row are.
    """
    before, same = b"", 0
    for _ in range(LOOKS):
        picture = element.screenshot(animations="disabled", caret="hide")
        same = same + 1 if picture == before else 0
        if same == 2:
            return Image.open(io.BytesIO(picture)).convert("RGB")
        before = picture
        element.evaluate("() => new Promise((done) => setTimeout(done, 150))")
    raise ValueError(f"{where} does not come to rest: it still changes after {LOOKS} pictures")


def trimmed(picture: Image.Image) -> Image.Image:
    """Without the ground on the right and below, except for a margin of 8 CSS pixels.

    Raises:
        ValueError: when there is nothing else on it.
    """
    ground = Image.new("RGB", picture.size, picture.getpixel((picture.width - 1, 0)))
    drawn = ImageChops.difference(picture, ground).getbbox()
    if not drawn:
        raise ValueError("the picture is empty")
    margin = 8 * DENSITY
    right, below = min(drawn[2] + margin, picture.width), min(drawn[3] + margin, picture.height)
    return picture.crop((0, 0, right, below))


def take(browser, address: str, stem: str, folder: Path) -> list[Still]:
    """Photograph what is not text on one page, into ``folder``/``stem``.

    Raises:
        ValueError: when something has no words to go with it, does not draw or does not come to
            rest, or when the page and the notebook disagree about how many outputs there are.
    """
    with photographed_page.opened(browser, f"{address}{stem}.html") as page:
        page.add_style_tag(content=NO_ROOM)
        beside = texts(stem)
        stills: list[Still] = []
        for handle in page.evaluate_handle(FIND).get_properties().values():
            element = handle.as_element()
            told = element.evaluate(PREPARE)
            where = f"{stem}.html: picture {len(stills) + 1} ({told['name']})"
            wait_until_drawn(page, element, where)
            text = ""
            if told["kind"] == "output":
                if not beside:
                    raise ValueError(f"{where} is not in the notebook: rebuild the site")
                text = beside.pop(0)
                told["alt"] = told["alt"] or " ".join(text.split())
            if not told["alt"]:
                raise ValueError(f"{where} has no words: give its page-widget the option :still:")
            name = f"{stem}/{len(stills) + 1:02}.png"
            (folder / stem).mkdir(exist_ok=True)
            picture = trimmed(at_rest(element, where))
            picture.save(folder / name, optimize=True)
            width, height = (side // DENSITY for side in picture.size)
            still = Still(page=stem, file=name, text=text, width=width, height=height, **told)
            stills.append(still)
    if beside:
        raise ValueError(f"{stem}.html shows {len(beside)} outputs too few: rebuild the site")
    return stills


def take_all(folder: Path = STILLS) -> list[Still]:
    """Photograph every page of the built site; ``folder`` is replaced as a whole.

    Raises:
        ValueError: as `take`, and when there is no site or no browser.
    """
    stems = sorted(path.stem for path in built_site.require().glob("*.html"))
    folder.parent.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=folder.parent) as scratch,
        built_site.served() as address,
        chromium.launched() as browser,
    ):
        new = Path(scratch) / "stills"
        new.mkdir()
        stills = [still for stem in stems for still in take(browser, address, stem, new)]
        listed = json.dumps([dataclasses.asdict(s) for s in stills], indent=1, ensure_ascii=False)
        (new / "stills.json").write_text(listed + "\n", "utf-8")
        whole_folder.replace(new, folder)
    return stills


def taken(page: str | None = None, folder: Path = STILLS) -> list[Still]:
    """The stills of a page, or of all; raises `ValueError` when none were taken."""
    if not (folder / "stills.json").exists():
        raise ValueError(f"{folder} has no stills: take them first with `make stills`")
    stills = [Still(**one) for one in json.loads((folder / "stills.json").read_text("utf-8"))]
    return [still for still in stills if page in (None, still.page)]


def main() -> None:
    parser(__doc__).parse_args()
    with refusals_told():
        stills = take_all()
    size = sum((STILLS / still.file).stat().st_size for still in stills)
    print(f"{len(stills)} pictures of {len({s.page for s in stills})} pages: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
