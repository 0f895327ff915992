"""A card in words, for the command line and for the book's page."""

from __future__ import annotations

from minigpt.data.sets.data_set import FETCHED, GENERATED, PACKAGE, PYTHON, DataSet

HOW = {
    PACKAGE: "a package, installed with the book's other texts",
    GENERATED: "generated, the same on every machine",
    FETCHED: "fetched when first used, and kept",
    PYTHON: "a part of Python",
}


def facts(card: DataSet) -> list[tuple[str, str]]:
    """What is to be known of a data set: labels and values, in an order for readers."""
    known = [
        ("name", card.name),
        ("source", card.source),
        ("address", card.url),
        ("licence", card.licence),
        ("comes as", HOW[card.comes_as]),
        ("characters", "" if card.characters is None else f"{card.characters:,}"),
        ("size", "" if card.size is None else f"{card.size:,} bytes of UTF-8"),
        ("SHA-256", card.sha256),
        ("varies", card.varies),
        ("pairs", card.row),
        ("least loss", "" if card.floor is None else f"{card.floor} nats a character"),
        ("checked by", card.checker),
    ]
    return [(label, value) for label, value in known if value]


def in_words(size: int | None) -> str:
    """Bytes as people say them."""
    if size is None:
        return "varies"
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
