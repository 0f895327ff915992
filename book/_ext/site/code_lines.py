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
GAP = re.compile(r"(?<=[^ ,])(?: {2,}(?=\S)| (?=(\S)\1{3,}$))")  # before a column, a bar is one
SHORT = 20  # letters that stay together: a phone has room for them, deeply indented
UNSPACED = re.compile(r"(?:<[^>]*>|[^<\s])+")
OPENED = re.compile(r'<span class="p">[^<]*[(\[{]</span>(?=.)')  # a bracket with something in it
DOT, NAME = '<span class="o">.', r'<span class="\w+">\w+</span>'
DOTTED = re.compile(rf"{NAME}(?:{re.escape(DOT)}</span>{NAME})+")
MARKED = '<span class="hll">'  # Pygments' way to emphasise a line
OPTION = re.compile(r"(?<![^ >])--[a-z][a-z-]*")  # of a command, which browsers break after "--"
Lines = Iterator[tuple[int, str]]


def classes(lines: list[str]) -> list[str]:
    """What holds for printed lines: "mg-aligned", most have a column, and are smaller where they
    would not fit; "mg-whole-lines", most have three, and are not wrapped."""
    counts = [columns(line) for line in lines if line.strip()]
    named = {"mg-aligned": 2, "mg-whole-lines": 3}
    if len(counts) < 2:
        return []
    return [name for name, n in named.items() if 2 * sum(c >= n for c in counts) > len(counts)]


def columns(line: str) -> int:
    """How many a line has: one where it is a sentence with aligned numbers, or a tensor's row,
    which have commas."""
    gaps = list(GAP.finditer(line))
    return 1 + len(gaps) if gaps and ", " not in line[gaps[0].end() :] else 1


class LinesFormatter(HtmlFormatter):
    """Pygments' HTML, with an element a line; the option `printed` is for what a cell printed."""

    def wrap(self, source: Lines) -> Lines:
        pieces = list(source)
        texts = [letters(piece).rstrip() for _, piece in pieces]
        found = classes(texts) if self.options.get("printed") else []
        longest = max(map(len, texts), default=0)
        attributes = f' class="{" ".join(found)}" style="--mg-longest:{longest}"' if found else ""
        yield 0, f"<pre{attributes}><span></span>"  # which keeps an empty first line
        for (_, piece), text in zip(pieces, texts, strict=True):
            yield 1, in_element(piece, len(text) - len(text.lstrip())) if text else piece
        yield 0, "</pre>"


def letters(piece: str) -> str:
    """What HTML shows."""
    return html.unescape(TAG.sub("", piece))


def is_long(piece: str) -> bool:
    return len(letters(piece)) > SHORT


def breakable(line: str) -> str:
    """A line's HTML that breaks where Python's may rather than inside a word: what has no space
    for long may break after opening brackets, and its long dotted names before a dot."""

    def dotted(name: re.Match) -> str:
        return name[0].replace(DOT, f"<wbr>{DOT}") if is_long(name[0]) else name[0]

    def unspaced(run: re.Match) -> str:
        return DOTTED.sub(dotted, OPENED.sub(r"\g<0><wbr>", run[0])) if is_long(run[0]) else run[0]

    return OPTION.sub(r'<span class="mg-option">\g<0></span>', UNSPACED.sub(unspaced, line))


def in_element(piece: str, indent: int) -> str:
    """A line's HTML in an element that says how far it is indented and whether it is marked; the
    line break stays outside.

    Pygments closes what it opened before a line ends, but for the element of a marked line.
    """
    marked = " mg-marked-line" if piece.startswith(MARKED) else ""
    if marked:
        piece = piece.removeprefix(MARKED).removesuffix("</span>")
    line = piece.removesuffix("\n")
    end = piece[len(line) :]
    style = f' style="--mg-indent:{indent}"' if indent else ""
    return f'<span class="mg-code-line{marked}"{style}>{breakable(line)}</span>{end}'


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
