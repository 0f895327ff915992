"""Chapters as blog posts.

    python -m editions.posts.blog [stems…] [--target github|jekyll|hugo|devto] [--images ADDRESS]

writes `_build/blog/<stem>/` for each chapter (all of them when none is named): `index.md` with
its front matter, `images/*.png`, and `post.html`, to paste into an editor for rich text. What a
post holds and leaves out is said in `chapter_reader`, what each target needs in `dialects`, and
how `post.html` is made to survive a paste in `pasteable`. It reads the committed notebooks, the
built site and the stills, and opens the site in headless Chromium for pictures of formulas.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import book_sources
import download_links

from editions.browser import chromium
from editions.built import stills
from editions.posts import chapter_post, maths, pasteable
from editions.posts.blocks import Picture, Post, flat
from editions.posts.dialects import DIALECTS
from editions.shared import whole_folder
from editions.shared.command import parser, refusals_told

BLOG = book_sources.ROOT / "_build" / "blog"
BESIDE = "images/"
PUBLISHED = download_links.address("images/")  # by `editions/downloads.py`


def write(post: Post, target: str, images: str, formulas: Mapping, folder: Path) -> None:
    """One post, into an empty folder; a failure leaves what is half done to the caller."""
    (folder / "images").mkdir(parents=True)
    for block in flat(post.blocks):
        if isinstance(block, Picture):
            shutil.copyfile(stills.STILLS / block.file, folder / "images" / block.name)
    markdown = DIALECTS[target](images).document(post)
    page = pasteable.Page(post, stills.STILLS, formulas, stills.DENSITY).document()
    (folder / "index.md").write_text(markdown, "utf-8", newline="\n")
    (folder / "post.html").write_text(page, "utf-8", newline="\n")


def make(
    browser,
    stems: list[str],
    target: str = "github",
    images: str | None = None,
    blog: Path = BLOG,
) -> list[Path]:
    """Write the posts of some chapters; the folder of each is replaced as a whole, at the end.

    Args:
        browser: a Playwright browser, for pictures of formulas.
        stems: the chapters.
        target: one of ``DIALECTS``.
        images: what comes before the name of a picture in `index.md`: a folder or an address,
            with a slash at the end. None: ``BESIDE``, or ``PUBLISHED`` for a target that takes
            no folder of pictures beside a post.
        blog: the folder of all posts.

    Raises:
        ValueError: for an unknown target or chapter, when ``images`` lacks its slash, when there
            is no site or no still, or when something in a chapter has no form in a post.
    """
    if target not in DIALECTS:
        raise ValueError(f"there is no target {target!r}; there are: {', '.join(DIALECTS)}")
    if images is None:
        images = BESIDE if DIALECTS[target].pictures_beside else PUBLISHED
    if not images.endswith("/"):
        raise ValueError(
            f"the pictures' address is {images!r} and needs a slash at the end: give {images}/"
        )
    posts = [chapter_post.read(stem) for stem in stems]
    blog.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=blog.parent) as scratch,
        maths.photographer(browser) as formulas,
    ):
        for post in posts:
            write(post, target, images, formulas(post.stem), Path(scratch) / post.stem)
        for post in posts:
            whole_folder.replace(Path(scratch) / post.stem, blog / post.stem)
    return [blog / post.stem for post in posts]


def main() -> None:
    elsewhere = [name for name, dialect in DIALECTS.items() if not dialect.pictures_beside]
    taker = parser(__doc__)
    taker.add_argument("stems", nargs="*", help="chapters (default: all that have code)")
    taker.add_argument(
        "--target", default="github", help=f"one of {', '.join(DIALECTS)} (default: github)"
    )
    taker.add_argument(
        "--images",
        metavar="ADDRESS",
        help="where the pictures of index.md will be, with a slash at the end (default: "
        f"{BESIDE}; for {', '.join(elsewhere)}, which have no folder beside a post, {PUBLISHED}, "
        "where the site has them)",
    )
    arguments = taker.parse_args()
    with refusals_told():
        stems = arguments.stems or book_sources.stems()
        with chromium.launched() as browser:
            folders = make(browser, stems, arguments.target, arguments.images)
    for folder in folders:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
