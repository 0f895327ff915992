"""The Markdown of four places where blogs are written, and the front matter of each.

Their pitfalls, which every class below says how it avoids: formulas whose underscores or
backslashes Markdown eats, templates that run before Markdown and take `{{` in code for their own,
and raw HTML that is dropped.
"""

from __future__ import annotations

import re

from editions.posts.blocks import Post
from editions.posts.dialect import Dialect
from editions.posts.markdown import fenced, inline_html, parser, unwrapped
from editions.shared.html_words import plain

# A backslash and a sign that Redcarpet, dev.to's Markdown, takes it away from.
REDCARPET = r"\\([\\`*_{}\[\]()#+\-.!:|&<>^~=\"$])"


class GitHub(Dialect):
    r"""A file in a repository, a gist or a wiki.

    Inline formulas stand between $` and `$, GitHub's own form against Markdown's taste for
    underscores, backslashes and neighbouring letters, displayed ones in a `math` block. GitHub
    refuses `\operatorname`, and numbers set by `\tag` lie over the formula where the column is
    narrow: operators become `\mathop{\mathrm{…}}\nolimits`, and the number ends the line.
    """

    name = "github"

    def body(self, post: Post) -> str:
        return f"# {self.prose(post.title)}\n\n{super().body(post)}"  # the table above has no title

    def formula(self, latex: str) -> str:
        latex = re.sub(r"\\operatorname\*\{([^{}]*)\}", r"\\mathop{\\mathrm{\1}}", latex)
        return re.sub(r"\\operatorname\{([^{}]*)\}", r"\\mathop{\\mathrm{\1}}\\nolimits", latex)

    def words(self, text: str) -> str:
        return re.sub(r"\\?\$", "<span>$</span>", text)  # one that begins no formula

    def inline(self, latex: str) -> str:
        return f"$`{no_bars(latex)}`$"

    def display(self, latex: str, number: str) -> str:
        return fenced("math", latex + (rf" \qquad ({number})" if number else ""))


class Jekyll(Dialect):
    r"""Kramdown, as Jekyll and GitHub Pages use it, with MathJax or KaTeX in the page.

    `$$…$$` is a formula inline too; a bar is the edge of a table wherever it stands, so in
    formulas it is `\vert`; Liquid runs first, so code in which it would see its own braces stands
    between `raw` tags. A post's page is not where its file is: give the pictures an address.
    """

    name = "jekyll"
    pictures_beside = False
    in_table = False  # whether the words at hand stand in a table, where a bar is meant

    def front(self, post: Post) -> dict:
        return {"layout": "post", **super().front(post)}

    def prose(self, text: str) -> str:
        lines, out, place = text.split("\n"), [], 0
        tables = [token.map for token in parser().parse(text) if token.type == "table_open"]
        for start, end in [*tables, (len(lines), len(lines))]:
            for part, self.in_table in ((lines[place:start], False), (lines[start:end], True)):
                out.append(super().prose("\n".join(part)))
            place = end
        self.in_table = False
        return "\n\n".join(filter(None, out))

    def words(self, text: str) -> str:
        text = re.sub(r"\{(?=[{%])", "&#123;", text)
        return text if self.in_table else re.sub(r"(?<!\\)\|", r"\|", text)

    def code_span(self, code: str) -> str:
        if self.in_table:
            code = code.replace(r"\|", "|")  # no edge within code, and no escape either
        return f"{{% raw %}}{code}{{% endraw %}}" if re.search(r"\{[{%]", code) else code

    def code_block(self, language: str, text: str) -> str:
        block = fenced(language, text)
        return f"{{% raw %}}\n{block}\n{{% endraw %}}" if re.search(r"\{[{%]", text) else block

    def formula(self, latex: str) -> str:
        return re.sub(r"\{(?=[{%])", "{ ", latex)

    def inline(self, latex: str) -> str:
        return f"$${no_bars(latex)}$$"

    def display(self, latex: str, number: str) -> str:
        return f"$$\n{tagged(latex, number)}\n$$"

    def fold(self, summary: str, inside: str) -> str:
        return super().fold(summary, inside).replace("<details>", '<details markdown="1">', 1)


class Hugo(Dialect):
    r"""Goldmark, for Hugo 0.140 or later.

    Formulas stand between `\(` and `\)`, or `$$` lines, and need the passthrough extension:

        [markup.goldmark.extensions.passthrough]
        enable = true
        [markup.goldmark.extensions.passthrough.delimiters]
        block = [['\[', '\]'], ['$$', '$$']]
        inline = [['\(', '\)']]

    Folds are Hugo's own `details` shortcode: raw `<details>` would need `unsafe = true`, and
    without it every solution would stand open.
    """

    name = "hugo"
    canonical = "canonicalURL"

    def document(self, post: Post) -> str:
        for block in map(str, (post.title, post.description, *post.blocks)):
            if found := re.search(r".{0,20}\{\{[<%].{0,20}", block):
                raise ValueError(f"{found[0]!r} would be a shortcode in Hugo: write it otherwise")
        return super().document(post)

    def inline(self, latex: str) -> str:
        return rf"\({no_bars(latex)}\)"

    def display(self, latex: str, number: str) -> str:
        return f"$$\n{tagged(latex, number)}\n$$"

    def fold(self, summary: str, inside: str) -> str:
        words = summary.replace("\\", "\\\\").replace('"', '\\"')
        return f'{{{{< details summary="{words}" >}}}}\n\n{inside}\n\n{{{{< /details >}}}}'


class DevTo(Dialect):
    r"""dev.to's editor in its first version, where a post begins with its front matter.

    It turns every line's end into a break, so paragraphs are one line. It reads Markdown before
    Liquid tags, so the formulas between `katex` tags are escaped for Markdown; code it protects
    from Liquid by itself, and `raw` tags around code would close its own. Folds are `details`
    tags. There is no date: dev.to sets it when a draft is published and refuses one in the past.
    """

    name = "devto"
    pictures_beside = False

    def front(self, post: Post) -> dict:
        front = super().front(post)
        del front["date"]
        front["tags"] = ", ".join(post.tags)
        return {"title": front.pop("title"), "published": False, **front}

    def prose(self, text: str) -> str:
        return super().prose(unwrapped(text))

    def words(self, text: str) -> str:
        return re.sub(r"\{(?=[{%])", "&#123;", text)

    def formula(self, latex: str) -> str:
        latex = re.sub(r"\{(?=[{%])", "{ ", " ".join(latex.split()))
        latex = re.sub(REDCARPET, self.escaped, latex)
        return re.sub(r"(^|[\s>(])([_*])", r"\1\\\2", latex)

    @staticmethod
    def escaped(found: re.Match) -> str:
        """A backslash that stays when Markdown reads it before a sign, and the sign."""
        return r"\\" + (r"\\" if found[1] == "\\" else found[1])

    def inline(self, latex: str) -> str:
        return f"{{% katex inline %}} {no_bars(latex)} {{% endkatex %}}"

    def display(self, latex: str, number: str) -> str:
        return f"{{% katex %}}\n{tagged(latex, number)}\n{{% endkatex %}}"

    def fold(self, summary: str, inside: str) -> str:
        return f"{{% details {plain(inline_html(summary))} %}}\n\n{inside}\n\n{{% enddetails %}}"


def no_bars(latex: str) -> str:
    """The same inline formula without a bar, which in a table would begin a new cell."""
    return re.sub(r"\\\|", r"\\Vert ", latex).replace("|", r"\vert ")


def tagged(latex: str, number: str) -> str:
    return latex + (rf" \tag{{{number}}}" if number else "")


DIALECTS = {dialect.name: dialect for dialect in (GitHub, Jekyll, Hugo, DevTo)}
