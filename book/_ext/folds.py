"""Admonitions of the class `dropdown` become `<details>`, which fold without a script."""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class Folds(SphinxPostTransform):
    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for box in list(self.document.findall(nodes.Admonition)):
            if "dropdown" not in box["classes"]:
                continue
            title = box.next_node(nodes.title)
            summary = title.astext() if title else "More"
            anchor = f' id="{box["ids"][0]}"' if box["ids"] else ""
            start = f'<details class="mg-fold"{anchor}><summary>{html.escape(summary)}</summary>'
            place = box.parent.index(box)
            box.parent[place : place + 1] = [
                nodes.raw("", start, format="html"),
                *(child for child in box.children if child is not title),
                nodes.raw("", "</details>", format="html"),
            ]


def setup(app) -> None:
    app.add_post_transform(Folds)
