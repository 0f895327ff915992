"""Fold what answers a question: the reader answers first, and opens it then.

A question is a paragraph that begins with **Predict, then run.** What stands below it, as far as
the next text, answers it: a fold, and what the cells there print. `site/predict.js` asks for the
reader's own answer and opens both; without a script they are folds.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

QUESTION = "Predict, then run."
OPENING = '<details class="mg-foreseen"><summary>Show {}</summary>'


def questions(document: nodes.document) -> Iterator[nodes.paragraph]:
    """The paragraphs that ask one."""
    for paragraph in document.findall(nodes.paragraph):
        strong = next(iter(paragraph.findall(nodes.strong)), None)
        if strong is not None and strong.astext() == QUESTION:
            yield paragraph


def answering(question: nodes.paragraph) -> list[nodes.Element]:
    """The folds and cells right below a question."""
    siblings = question.parent.children
    below = []
    for node in siblings[siblings.index(question) + 1 :]:
        if not isinstance(node, nodes.container) or "sd-tab-set" in node["classes"]:
            break
        below.append(node)
    return below


def opening(output: nodes.Element) -> str:
    """The beginning of the fold, which says whether a drawing is in it."""
    drawn = next(iter(output.findall(nodes.figure)), None)
    return OPENING.format("the figure" if drawn else "what it prints")


class Predictions(SphinxPostTransform):
    """Before anything else is made of the page's cells."""

    default_priority = 1
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for question in questions(self.document):
            question["classes"].append("mg-predict")
            for node in answering(question):
                for output in node.findall(nodes.container):
                    if "cell_output" in output["classes"] and output.children:
                        output.insert(0, nodes.raw("", opening(output), format="html"))
                        output.append(nodes.raw("", "</details>", format="html"))


def setup(app) -> None:
    app.add_post_transform(Predictions)
