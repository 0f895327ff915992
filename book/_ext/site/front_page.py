"""What the front page draws from the book itself: the road, the cost, and its title in tokens."""

from __future__ import annotations

import html
import re
from pathlib import Path

import chapter_notebook
import own_file
from chapter_status import minutes_to_read, status_rows
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from minigpt.lessons.ladder import ladder
from minigpt.tokenizer import BPETokenizer

# Each station's stem, its name, and what the reader has when leaving it.
STATIONS = (
    ("primer", "Numbers that learn", "What a gradient is, and forty lines that find it."),
    ("tokenizer", "Tokenization", "Text becomes integers, and integers text again, with no loss."),
    ("embedding", "Embeddings", "Each integer becomes a list of numbers that can be learned."),
    ("attention", "Attention", "Each token gathers what it needs from the tokens before it."),
    ("model", "The model", "Blocks of attention and arithmetic, stacked: a GPT, untrained."),
    ("training", "Training", "Shakespeare goes in, mistakes shrink, step by step."),
    ("generation", "Generation", "The model writes, one token after another."),
    ("finetuning", "Fine-tuning", "The model answers, and learns from a judge."),
)


class Road(SphinxDirective):
    """The stations of the book, each with a picture and how long it takes to read."""

    def run(self) -> list[nodes.Node]:
        items = []
        for stem, name, outcome in STATIONS:
            art = (Path(self.env.srcdir) / "assets" / "site" / "road" / f"{stem}.svg").read_text(
                "utf-8"
            )
            items.append(
                f'<li class="mg-station">{art.strip()}'
                f'<div><h3><a href="{stem}.html">{name}</a></h3><p>{outcome}</p>'
                f'<p class="mg-minutes">{minutes_to_read(stem)} minutes to read</p></div></li>'
            )
        road = f'<ol class="mg-road">{"".join(items)}</ol>'
        return [nodes.raw("", road, format="html")]


class Ladder(SphinxDirective):
    """The whole ladder of loss: what the model of each chapter makes of the same text."""

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", ladder()._repr_html_(), format="html")]


class BookCost(SphinxDirective):
    """Time and memory that the chapters' last runs took, as measured."""

    def run(self) -> list[nodes.Node]:
        rows = status_rows()
        seconds = sum(row[1] for row in rows)
        machine = chapter_notebook.committed(rows[0][0]).metadata["minigpt"]["machine"]
        hours = sum(minutes_to_read(row[0]) for row in rows) / 60
        needed = f"and {max(row[2] for row in rows)} MB of memory, all chapters, on {machine}"
        facts = (
            (
                "To read",
                f"{hours:.0f} hours",
                "code and all; figures and experiments run in the page",
            ),
            ("To run", f"{seconds / 60:.0f} minutes", f"{needed}, without a GPU"),
            ("To own", f"{own_file.length()} lines", f"of {own_file.GPT}, which you write"),
        )
        inner = "".join(
            f"<div><dt>{what}</dt><dd><strong>{value}</strong> {html.escape(note)}</dd></div>"
            for what, value, note in facts
        )
        return [nodes.raw("", f'<dl class="mg-cost">{inner}</dl>', format="html")]


def in_tokens(title: str) -> str:
    """A title's HTML with each of GPT-2's tokens on its own colour."""
    tokenizer = BPETokenizer.gpt2()
    pieces = [tokenizer.decode([token]) for token in tokenizer.encode(title)]
    return "".join(f'<span class="mg-title-token">{html.escape(piece)}</span>' for piece in pieces)


def colour_title(app, pagename, templatename, context, doctree) -> None:
    if pagename != app.config.root_doc:
        return
    title = app.env.titles[pagename].astext()
    context["body"] = re.sub(
        r"(<h1>).*?(</h1>)",
        lambda found: found[1] + in_tokens(title) + found[2],
        context["body"],
        count=1,
        flags=re.DOTALL,
    )


def setup(app) -> None:
    app.add_directive("road", Road)
    app.add_directive("ladder", Ladder)
    app.add_directive("book-cost", BookCost)
    app.connect("html-page-context", colour_title)
