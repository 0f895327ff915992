"""What an edition of the book says of itself: title, authors, language, version, date."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import os
import subprocess
import tomllib
import uuid
from pathlib import Path

import book_sources
import web_addresses
import yaml

LANGUAGE = "en-GB"


@dataclasses.dataclass(frozen=True)
class Edition:
    """One edition.

    Attributes:
        title, authors: as `_config.yml` and pyproject.toml have them.
        version: the package's.
        moment: when its sources were last changed, in UTC and whole seconds.
        identifier: a URN that stays the same from edition to edition.
    """

    title: str
    authors: tuple[str, ...]
    version: str
    moment: datetime.datetime
    identifier: str

    @property
    def day(self) -> str:
        """The date in words, such as "4 May 2026"."""
        return f"{self.moment.day} {self.moment:%B %Y}"


def moment(*paths: Path) -> datetime.datetime:
    """When some sources, by default all, were last changed: `SOURCE_DATE_EPOCH`, else their last
    commit, else the newest of the files, where all are the chapters and their notebooks. The same
    sources give the same bytes.

    Raises:
        ValueError: when `SOURCE_DATE_EPOCH` is set and not a whole number of seconds.
    """
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is not None:
        if not told.isdecimal():
            raise ValueError(f"SOURCE_DATE_EPOCH is {told!r}: give whole seconds since 1970")
        seconds = int(told)
    else:
        try:
            command = [
                "git",
                "-C",
                str(book_sources.ROOT),
                "log",
                "-1",
                "--format=%ct",
                "--",
                *paths,
            ]
            seconds = int(subprocess.run(command, capture_output=True, check=True).stdout)
        except (OSError, subprocess.CalledProcessError, ValueError):  # no git, or no commit
            every = (*book_sources.BOOK.glob("*.md"), *book_sources.NOTEBOOKS.glob("*.ipynb"))
            seconds = int(max(path.stat().st_mtime for path in paths or every))
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


@functools.cache
def configuration() -> dict:
    """Sphinx's own settings, from `_config.yml`."""
    text = (book_sources.ROOT / "_config.yml").read_text("utf-8")
    return yaml.safe_load(text)["sphinx"]["config"]


def current() -> Edition:
    """The edition that the working tree makes."""
    root = book_sources.ROOT
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return Edition(
        title=configuration()["ogp_site_name"],
        authors=tuple(author["name"] for author in project["authors"]),
        version=project["version"],
        moment=moment(),
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, web_addresses.homepage()).urn,
    )
