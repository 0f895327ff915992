"""The directive `data-sets`: a section for each data set of the package, from its own card."""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from minigpt.data.sets import SETS, DataSet
from minigpt.data.sets.facts import facts

TYPED = ("name", "SHA-256", "checked by")  # what is code, and not words


class DataSets(SphinxDirective):
    """Of each data set: what it is, what is to be known of it, and how its text begins."""

    def run(self) -> list[nodes.Node]:
        return [section(card) for card in SETS.values()]


def section(card: DataSet) -> nodes.section:
    """The card of one."""
    found = nodes.section(ids=[f"data-{card.name}"])
    found += nodes.title(card.title, card.title)
    found += nodes.paragraph(card.about, card.about)
    table = nodes.definition_list(classes=["mg-data-card"])
    for label, value in facts(card):
        meaning = nodes.definition("", nodes.paragraph("", "", shown(label, value)))
        table += nodes.definition_list_item("", nodes.term(label, label), meaning)
    found += table
    if card.begins:
        lines = [nodes.line(line, line) for line in card.begins.removesuffix("\n").split("\n")]
        # As they are: two hyphens stay two.
        found += nodes.line_block("", *lines, classes=["mg-begins"], support_smartquotes=False)
    return found


def shown(label: str, value: str) -> nodes.Node:
    """A value as code, as a link, or as the words that it is."""
    if label == "address":
        return nodes.reference(value, value, refuri=value)
    return (nodes.literal if label in TYPED else nodes.inline)(value, value)


def setup(app) -> None:
    app.add_directive("data-sets", DataSets)
