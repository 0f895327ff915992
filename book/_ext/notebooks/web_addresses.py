"""The project's addresses on the web, and those of the book's pages."""

from __future__ import annotations

import tomllib

import book_sources


def addresses() -> dict[str, str]:
    """The project's addresses, from pyproject.toml."""
    text = (book_sources.ROOT / "pyproject.toml").read_text("utf-8")
    return tomllib.loads(text)["project"]["urls"]


def repository() -> str:
    """The address of the project's repository."""
    return addresses()["Repository"]


def homepage() -> str:
    """The address of the published book, with a slash at the end."""
    return addresses()["Homepage"]


def page(stem: str, fragment: str = "") -> str:
    """The address on the website of a page or a place on it."""
    return f"{homepage()}{stem}.html" + (f"#{fragment}" if fragment else "")
