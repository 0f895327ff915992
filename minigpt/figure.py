"""Show a Bokeh figure on the book's pages, in Jupyter and in Colab alike.

The figure is stored as JSON with ids that do not change from run to run. A page of
the book draws it with its own copy of BokehJS; in Jupyter and Colab it draws itself.
"""

from __future__ import annotations

import json
import os
from html import escape
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.model import Model

_numbers = count(1)
_bokehjs_sent = False

# Outside the book's pages nobody has loaded BokehJS: take the notebook's own, or fetch it.
_BOOTSTRAP = """
(() => {
  // Kernels number their figures alike: take the newest of this number that is not drawn yet.
  const figure = [...document.querySelectorAll('[id="%(id)s"]:empty')].at(-1);
  const data = figure.nextElementSibling.textContent;
  figure.id += "-" + document.querySelectorAll(".minigpt-figure").length;
  const draw = () => Bokeh.embed.embed_item(JSON.parse(data), figure.id);
  const load = ([url, ...rest]) => {
    if (!url) return draw();
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => load(rest);
    document.head.append(script);
  };
  if (window.Bokeh) draw(); else load(%(urls)s);
})();
"""


class Figure:
    """A Bokeh layout as a notebook output.

    Args:
        layout: any Bokeh model: a plot, or a column of sliders and plots.
        alt: what the figure shows, in a sentence, for readers who cannot see it.

    Raises:
        ValueError: when `alt` is empty.
    """

    def __init__(self, layout: Model, alt: str) -> None:
        from bokeh.embed import json_item

        if not alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows")
        self.id, self.alt = f"figure-{next(_numbers)}", alt
        self.item = json_item(layout, self.id)

    def __repr__(self) -> str:
        return f"<Figure: {self.alt}>"

    def _repr_html_(self) -> str:
        from bokeh.resources import CDN

        data = json.dumps(self.item).replace("<", "\\u003c")
        urls = [u for u in CDN.js_files if "bokeh-widgets" in u or "/bokeh-3" in u]
        draw = _BOOTSTRAP % {"id": self.id, "urls": json.dumps(urls)}
        return (
            f'<div class="minigpt-figure" id="{self.id}" role="figure"'
            f' aria-label="{escape(self.alt)}"></div>'
            f'<script type="application/json" id="{self.id}-data">{data}</script>'
            f"<script data-figure-bootstrap>{draw}</script>"
        )


def show(layout: Model, alt: str) -> Figure:
    """The layout as the value of a cell; `alt` says in a sentence what it shows.

    While a reader works in Jupyter, BokehJS comes once from the installed package, so
    that figures draw without a network. When the book is made, its pages bring their own.
    """
    global _bokehjs_sent
    if not os.environ.get("MINIGPT_BOOK") and not _bokehjs_sent:
        from bokeh.io import output_notebook
        from bokeh.resources import INLINE

        output_notebook(INLINE, hide_banner=True)
        _bokehjs_sent = True
    return Figure(layout, alt)
