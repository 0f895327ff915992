"""A post to open in a browser, select as a whole and paste into an editor for rich text, such as
Substack's or Medium's.

Such editors keep headings, paragraphs, lists, quotations, links, emphasis, blocks of code and
pictures, and drop styles, scripts, tables and folds. So:

- pictures are data URIs: what a selection carries along is the address of a picture, and an
  editor's page may not read an address on your disk;
- formulas in a line are text, displayed ones pictures with their LaTeX as words (`maths`);
- tables are blocks of text in columns;
- what a post folds stands at its end, numbered, so that no solution lies open beside its exercise.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from pathlib import Path

from markdown_it.token import Token
from tabulate import tabulate

from editions.built.site_style import data_address
from editions.posts.blocks import Block, Code, Fold, Output, Picture, Post, Prose
from editions.posts.markdown import inline_html, parser
from editions.posts.maths import as_text, key
from editions.posts.pieces import TAG
from editions.shared.html_words import plain

LINE = 76  # characters of a table's line
END = "Folded parts"


def png_width(png: bytes) -> int:
    """Pixels from side to side, from the file's own header."""
    return int.from_bytes(png[16:20], "big")


def named(summary: str) -> str:
    """What a fold holds, of the words that unfold it: "Show a solution" holds "A solution"."""
    rest = summary.removeprefix("Show ")
    return rest[:1].upper() + rest[1:]


class Page:
    """Writes one post.

    Args:
        post: the post.
        stills: the folder of the stills.
        formulas: pictures of displayed formulas, by `maths.key`.
        density: their pixels to one of CSS.
    """

    def __init__(
        self, post: Post, stills: Path, formulas: Mapping[str, bytes], density: int
    ) -> None:
        self.post, self.stills, self.formulas, self.density = post, stills, formulas, density
        self.folded: list[tuple[str, str]] = []
        self.markdown = parser()
        for name in ("math_inline", "math_block", "fence"):
            rule = getattr(self, name)
            self.markdown.add_render_rule(
                name, lambda _, tokens, i, *rest, rule=rule: rule(tokens[i])
            )

    def math_inline(self, token: Token) -> str:
        return as_text(token.content)

    def math_block(self, token: Token) -> str:
        latex = key(TAG.sub("", token.content))
        number = f" ({found[1]})" if (found := TAG.search(token.content)) else ""
        if latex not in self.formulas:
            raise ValueError(
                f"{self.post.stem}: the built page lacks the formula {latex!r}: run `make book`"
            )
        png = self.formulas[latex]
        return f"<p>{self.image(png, latex, png_width(png) // self.density)}{number}</p>\n"

    def fence(self, token: Token) -> str:
        return self.block(Code(token.info, token.content.rstrip("\n")))

    def image(self, png: bytes, alt: str, width: int) -> str:
        source = data_address(png, "image/png")
        return f'<img src="{source}" alt="{html.escape(alt)}" width="{width}">'

    def prose(self, text: str) -> str:
        tokens, out, rows = self.markdown.parse(text), [], None
        for token in tokens:
            if token.type == "table_open":
                rows = []
            elif token.type == "table_close":
                out.append(self.table(rows))
                rows = None
            elif rows is None:
                out.append(token)
            elif token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(plain(inline_html(token.content)))
        shown, run = "", []
        for item in [*out, ""]:
            if isinstance(item, Token):
                run.append(item)
            else:
                shown += self.markdown.renderer.render(run, self.markdown.options, {}) + item
                run = []
        return shown.strip("\n")

    def table(self, rows: list[list[str]]) -> str:
        """Rows, the first of them the header, in columns as wide as fits ``LINE``."""
        widths = [max(map(len, (*column, " "))) for column in zip(*rows, strict=True)]
        room = LINE - 2 * (len(widths) - 1)
        while sum(widths) > room:  # the widest column gives way
            widths[widths.index(max(widths))] -= 1
        header = [textwrap.fill(cell, n) for cell, n in zip(rows[0], widths, strict=True)]
        text = tabulate(
            rows[1:],
            header,
            tablefmt="simple",
            maxcolwidths=widths,
            disable_numparse=True,
        )
        return f"<pre>{html.escape(text, quote=False)}</pre>\n"

    def block(self, block: Block) -> str:
        match block:
            case Prose(text):
                return self.prose(text)
            case Code(_, text):
                return f"<pre><code>{html.escape(text, quote=False)}</code></pre>"
            case Output(text):
                return f"<p><em>Output:</em></p>\n{self.block(Code('text', text))}"
            case Picture():
                return self.picture(block)
            case Fold(summary, inside):
                name = inline_html(named(summary))
                place = len(self.folded)
                self.folded.append((name, ""))  # so that folds within it come after it
                self.folded[place] = (name, self.blocks(inside))
                return f"<p><em>{name}: see no. {place + 1} at the end of this post.</em></p>"

    def blocks(self, blocks: tuple) -> str:
        return "\n".join(map(self.block, blocks))

    def picture(self, picture: Picture) -> str:
        png = (self.stills / picture.file).read_bytes()
        image = self.image(png, picture.alt, picture.size[0])
        caption = picture.caption and f"<figcaption>{inline_html(picture.caption)}</figcaption>"
        link = html.escape(picture.link)
        return f'<figure><a href="{link}">{image}</a>{caption}</figure>'

    def document(self) -> str:
        """The whole file; raises `ValueError` for a formula that no page shows."""
        title, body = inline_html(self.post.title), self.blocks(self.post.blocks)
        end = f"<h2>{END}</h2>\n" if self.folded else ""
        for number, (summary, inside) in enumerate(self.folded, 1):
            end += f"<h3>{number}. {summary}</h3>\n{inside}\n"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f"<title>{html.escape(plain(title), quote=False)}</title>\n</head>\n<body>\n"
            f"<h1>{title}</h1>\n{body}\n{end}</body>\n</html>\n"
        )
