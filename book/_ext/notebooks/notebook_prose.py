"""A chapter's prose as plain Markdown, for readers of its notebook.

Colab, GitHub and Jupyter know no MyST: there a fold would be text and a reference a code
word. What has no counterpart (a page's own widget) becomes a link to the page.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from docutils.nodes import make_id
from pybtex.database import parse_file

FENCE = re.compile(
    r"^(?P<fence>```|:::)\{(?P<name>[\w-]+)\} ?(?P<title>.*)\n"
    r"(?P<options>(?::[\w-]+:.*\n)*)\n?(?P<body>(?:.*\n)*?)(?P=fence)$",
    re.MULTILINE,
)
ROLE = re.compile(r"(?<!\w)\{(?P<name>[\w:]+)\}`(?P<text>[^`]+)`")
LABEL = re.compile(r"^\([\w:-]+\)=\n", re.MULTILINE)
KEY = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\{\.key\}")  # a sentence for a slide
SECTION = re.compile(r"^\((?P<label>[\w:-]+)\)=\n#+ (?P<heading>.+)$", re.MULTILINE)
SECTION_LINK = re.compile(r"\[(?P<words>[^\]]*)\]\(#(?P<label>[\w:-]+)\)")


@functools.cache
def authors_and_years(path: Path) -> dict[str, tuple[str, str]]:
    """Who wrote each entry of a BibTeX file, as a text names them, and when."""
    found = {}
    for key, entry in parse_file(str(path)).entries.items():
        names = [" ".join(p.prelast_names + p.last_names) for p in entry.persons["author"]]
        who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        found[key] = (who, entry.fields["year"])
    return found


class Prose:
    """Turns the cells of one chapter into plain Markdown.

    Args:
        page: the address of the chapter's page.
        references: the BibTeX file.
        values: what the chapter's cells glue into its prose, by key.
        text: the whole chapter, for the numbers of its equations.
        labels: the stem of the page on which each label of the book stands.
        own_file: what the chapter's reader keeps, in Markdown.
    """

    def __init__(
        self,
        page: str,
        references: Path,
        values: Mapping[str, str],
        text: str,
        labels: Mapping[str, str],
        own_file: str = "",
    ) -> None:
        self.page, self.values, self.labels, self.own_file = page, values, labels, own_file
        self.cited = authors_and_years(references)
        equations = re.findall(r"^:label: (\S+)$", text, re.MULTILINE)
        self.equations = {label: number for number, label in enumerate(equations, 1)}
        self.sections = {found["label"]: found["heading"] for found in SECTION.finditer(text)}

    def convert(self, text: str) -> str:
        """One cell's MyST as Markdown; raises `ValueError` for what it does not know."""
        text = FENCE.sub(self.fence, LABEL.sub("", text))
        text = SECTION_LINK.sub(self.section_link, KEY.sub(r"\1", text))
        return ROLE.sub(self.role, text).strip("\n")

    def section_link(self, match: re.Match) -> str:
        label = match["label"]
        words = match["words"] or self.sections.get(label)
        if label not in self.labels:
            raise ValueError(f"no page has the label {label!r}")
        if words is None:
            raise ValueError(f"{match[0]} leads to another page: give it words")
        page = f"{self.page.rsplit('/', 1)[0]}/{self.labels[label]}.html"
        return f"[{words}]({page}#{make_id(label)})"

    def fence(self, match: re.Match) -> str:
        name, title = match["name"], match["title"]
        body = FENCE.sub(self.fence, match["body"]).strip("\n")  # a fence may hold another one
        if name == "dropdown":
            return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        if name == "admonition":
            return "\n".join(
                f"> {line}".rstrip() for line in [f"**{title}**", "", *body.split("\n")]
            )
        if name == "math":
            label = re.search(r":label: (\S+)", match["options"])
            tag = f" \\tag{{{self.equations[label[1]]}}}" if label else ""
            return f"$$\n{body}{tag}\n$$"
        if name == "list-table":
            return f"*{title}*\n\n{table(body)}"
        if name == "page-widget":
            return f"> {body} [Open the page]({self.page})."
        if name == "own-file":
            return self.own_file
        if name == "chapter-cost":
            return ""
        raise ValueError(f"notebooks cannot show the directive {name!r}: teach {__name__} to")

    def role(self, match: re.Match) -> str:
        name, text = match["name"], match["text"]
        shown = re.sub(r" ?<[^<>]+>$", "", text)
        if name == "term":
            return shown
        if name == "glue:text":
            return self.values.get(text, match[0])
        if name == "doc":
            target = found[1] if (found := re.search(r"<([^<>]+)>$", text)) else text
            return f"[{shown}]({self.page.rsplit('/', 1)[0]}/{target}.html)"
        if name == "eq":
            return f"({self.equations[text]})"
        if name in ("cite:p", "cite:t"):
            works = [self.cited[key.strip()] for key in text.split(",")]
            if name == "cite:p":
                return f"({'; '.join(f'{who}, {year}' for who, year in works)})"
            return ", ".join(f"{who} ({year})" for who, year in works)
        raise ValueError(f"notebooks cannot show the role {name!r}: teach {__name__} to")


def table(body: str) -> str:
    """The rows of a list-table, the first of them the header, as a Markdown table."""
    rows = [
        [cell.replace("|", r"\|") for cell in re.findall(r"^(?:\*| ) - (.*)$", row, re.MULTILINE)]
        for row in re.split(r"^(?=\* - )", body, flags=re.MULTILINE)
        if row.strip()
    ]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
