"""What the dialects of Markdown share: a post's blocks, one by one, below its front matter."""

from __future__ import annotations

from typing import ClassVar

import yaml

from editions.posts.blocks import Block, Code, Fold, Output, Picture, Post, Prose
from editions.posts.markdown import fenced, inline_html, longer_run
from editions.posts.pieces import Piece, pieces


class Dialect:
    """CommonMark with `<details>`; what the others share."""

    name: ClassVar[str]
    canonical: ClassVar[str] = "canonical_url"
    pictures_beside: ClassVar[bool] = True  # whether a post can have a folder of pictures

    def __init__(self, images: str = "images/") -> None:
        self.images = images

    def front(self, post: Post) -> dict:
        """The front matter."""
        return {
            "title": post.title,
            "description": post.description,
            "date": post.date,
            "tags": post.tags,
            self.canonical: post.page,
        }

    def document(self, post: Post) -> str:
        """The whole file."""
        front = yaml.safe_dump(
            self.front(post), sort_keys=False, allow_unicode=True, width=float("inf")
        )
        return f"---\n{front}---\n\n{self.body(post)}\n"

    def body(self, post: Post) -> str:
        return self.blocks(post.blocks)

    def blocks(self, blocks: tuple) -> str:
        return "\n\n".join(map(self.block, blocks))

    def block(self, block: Block) -> str:
        match block:
            case Prose(text):
                return self.prose(text)
            case Code(language, text):
                return self.code_block(language, text)
            case Output(text):
                return f"*Output:*\n\n{self.code_block('text', text)}"
            case Picture():
                return self.picture(block)
            case Fold(summary, inside):
                return self.fold(summary, self.blocks(inside))

    def prose(self, text: str) -> str:
        """Markdown with its formulas and its code as this dialect writes them."""
        out = ""
        for piece in pieces(text):
            if piece.kind == "text":
                words = piece.inside
                if out.endswith("\n") and not words.startswith("\n>"):  # after a block
                    words = "\n" + words.lstrip("\n")
                out += self.words(words)
            elif piece.kind == "code":
                ticks = longer_run(piece.inside, at_least=1)
                out += self.code_span(f"{ticks}{piece.inside}{ticks}")
            elif piece.kind == "inline":
                out += self.inline(self.formula(" ".join(piece.inside.split())))
            else:
                out = self.beside(out, piece)
        return out.strip("\n")

    def beside(self, before: str, piece: Piece) -> str:
        """What stands before a fence or a displayed formula, with it, blank lines between."""
        if piece.kind == "fence":
            shown = self.code_block(piece.info, piece.inside)
        else:
            shown = self.display(self.formula(piece.inside), piece.info)
        lines = "\n".join(f"{piece.edge}{line}" for line in shown.split("\n"))
        gap = piece.edge.rstrip()
        before = before.rstrip("\n")
        if before and not before.endswith(f"\n{gap}"):
            before += f"\n{gap}"
        return f"{before}\n{lines}\n" if before else f"{lines}\n"

    def words(self, text: str) -> str:
        return text

    def code_span(self, code: str) -> str:
        return code

    def code_block(self, language: str, text: str) -> str:
        return fenced(language, text)

    def formula(self, latex: str) -> str:
        """What all formulas need here, inline or displayed."""
        return latex

    def inline(self, latex: str) -> str:
        raise NotImplementedError

    def display(self, latex: str, number: str) -> str:
        raise NotImplementedError

    def fold(self, summary: str, inside: str) -> str:
        # The blank lines let Markdown begin again within the element.
        return f"<details>\n<summary>{inline_html(summary)}</summary>\n\n{inside}\n\n</details>"

    def picture(self, picture: Picture) -> str:
        # No alternative text of these sites can hold brackets and escapes alike.
        alt = self.words(picture.alt.translate(str.maketrans("[]", "()", "`\\*<>$")))
        shown = f"[![{alt}]({self.images}{picture.name})]({picture.link})"
        if picture.caption:
            caption = self.prose(picture.caption)
            shown += f"\n\n{caption if '*' in caption else f'*{caption}*'}"
        if picture.text:
            shown += f"\n\n{self.fold('The same as text', self.code_block('text', picture.text))}"
        return shown
