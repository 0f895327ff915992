"""Puts what the editions made where the site offers it.

    python -m editions.downloads

fills `_build/html/downloads` with the PDF and the EPUB, the slides, the workshop's sheets and the
pictures of the blog posts. The page `formats` links to them, through
`book/_ext/site/download_links.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import book_sources

from editions.built import built_site
from editions.shared import whole_folder
from editions.shared.command import parser, refusals_told

BUILD = book_sources.ROOT / "_build"
# Which files go where, from `_build` into `_build/html/downloads`.
OFFERED = {
    "formats/minigpt.pdf": ".",
    "formats/minigpt.epub": ".",
    "slides/*.html": "slides",
    "workshop/*.html": "workshop",
    "blog/*/images/*.png": "images",
}


def gather(build: Path = BUILD) -> list[Path]:
    """Copy everything that is offered; the folder is replaced as a whole. Returns the copies.

    Raises:
        ValueError: when the site or one of the editions has not been made, or when two files
            would have one name.
    """
    built_site.require(build / "html")
    downloads = build / "html" / "downloads"
    with tempfile.TemporaryDirectory(dir=build) as scratch:
        new = Path(scratch) / "downloads"
        for pattern, folder in OFFERED.items():
            found = sorted(build.glob(pattern))
            if not found:
                raise ValueError(f"{build / pattern} is missing: make it with `make formats`")
            (new / folder).mkdir(parents=True, exist_ok=True)
            for path in found:
                if (new / folder / path.name).exists():
                    raise ValueError(f"two of {build / pattern} are called {path.name}")
                shutil.copyfile(path, new / folder / path.name)
        whole_folder.replace(new, downloads)
    return sorted(path for path in downloads.rglob("*") if path.is_file())


def main() -> None:
    parser(__doc__).parse_args()
    with refusals_told():
        files = gather()
    print(f"{len(files)} files: {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
