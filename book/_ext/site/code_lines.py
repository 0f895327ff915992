"""An element for each line of code and output, so that a style sheet can wrap it; and a class for
outputs whose columns are aligned, which wrapping would tear.

`book/assets/site/code.css` does the rest. Lines break between the elements, by the text's own line
breaks: what is copied is the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge

PRINTED = "myst-ansi"  # MyST-NB's language of what cells print
TAG = re.compile(r"<[^>]*>")
GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
OPENED = re.compile(r'<span class="p">[^<]*[(\[{]</span>(?=.)')  # a bracket with something in it
DOTTED = re.compile(r'(?:<span class="\w+">\w+</span><span class="o">\.</span>)+<span class="\w+">\w+')
SHORT = 20  # letters that a phone has room for, deeply indented
COMMA = re.compile(r",(?= )")  # numbers of aligned sentences and of tensors have them, tables not
Lines = Iterator[tuple[int, str]]


def classes(lines: list[str]) -> list[str]:
    """What holds for printed lines: "mg-aligned", most have a column, and are smaller where they
    would not fit; "mg-whole-lines", most have three, and are not wrapped."""
    lines = [line for line in lines if line.strip()]
    columns = [0 if COMMA.search(line) else 1 + len(GAP.findall(line)) for line in lines]
    named = {"mg-aligned": 2, "mg-whole-lines": 3}
    if len(lines) < 2:
        return []
    return [name for name, n in named.items() if 2 * sum(c >= n for c in columns) > len(lines)]


class LinesFormatter(HtmlFormatter):
    """Pygments' HTML, with an element a line; the option `printed` is for what a cell printed."""

    def wrap(self, source: Lines) -> Lines:
        pieces = list(source)
        texts = [html.unescape(TAG.sub("", piece)).rstrip() for _, piece in pieces]
        found = classes(texts) if self.options.get("printed") else []
        longest = max(map(len, texts), default=0)
        attributes = f' class="{" ".join(found)}" style="--mg-longest:{longest}"' if found else ""
        yield 0, f"<pre{attributes}><span></span>"  # which keeps an empty first line
        for (_, piece), text in zip(pieces, texts, strict=True):
            yield 1, in_element(piece, len(text) - len(text.lstrip())) if text else piece
        yield 0, "</pre>"


def breakable(line: str) -> str:
    """A line's HTML that may also break where Python's may: after an opening bracket, and in long
    dotted names before a dot. Other breaks would be inside a word."""

    def dotted(name: re.Match) -> str:
        if len(TAG.sub("", name[0])) <= SHORT:
            return name[0]
        return name[0].replace('<span class="o">.', '<wbr><span class="o">.')

    return DOTTED.sub(dotted, OPENED.sub(r"\g<0><wbr>", line))


def in_element(piece: str, indent: int) -> str:
    """A line's HTML in an element that says how far it is indented; the line break stays outside.

    Pygments closes what it opened before a line ends.
    """
    line = piece.removesuffix("\n")
    end = piece[len(line) :]
    style = f' style="--mg-indent:{indent}"' if indent else ""
    return f'<span class="mg-code-line"{style}>{breakable(line)}</span>{end}'


class LinesBridge(PygmentsBridge):
    """Sphinx's way to Pygments, which says what was printed."""

    html_formatter = LinesFormatter

    def highlight_block(self, source, lang, *args, **options) -> str:
        return super().highlight_block(source, lang, *args, printed=lang == PRINTED, **options)


def take_over(app) -> None:
    if app.builder.format == "html":
        app.builder.highlighter = LinesBridge("html")  # the theme chooses the colours


def setup(app) -> None:
    app.connect("builder-inited", take_over)
