"""Show a Bokeh figure on the book's pages, in Jupyter and in Colab alike.

The figure is stored as JSON with ids that do not change from run to run. A page of
the book draws it with its own copy of BokehJS; in Jupyter and Colab it draws itself.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import os
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bokeh.model import Model

DIGITS = 5  # of a number in a figure; an eye, a label and a hover tell no more apart

_numbers = count(1)
_bokehjs_sent = False

# What stands in a figure until it is drawn, which is for ever where no script runs.
_WORDS = (
    "<p>{alt}</p><p><small>This figure is drawn by a script, which does not run here.</small></p>"
)

# Outside the book's pages nobody has loaded BokehJS: take the notebook's own, or fetch it.
_BOOTSTRAP = """
(() => {
  // Kernels number their figures alike: take the newest of this number, and give it one of its own.
  const figure = [...document.querySelectorAll('[id="%(id)s"]')].at(-1);
  const data = figure.nextElementSibling.textContent;
  figure.id += "-" + document.querySelectorAll(".minigpt-figure").length;
  const fail = (why) => {
    figure.querySelector("small").textContent = `This figure is drawn by a script, which ${why}.`;
  };
  const draw = () => {
    const words = [...figure.childNodes];
    figure.replaceChildren();
    Bokeh.embed.embed_item(JSON.parse(data), figure.id).catch((error) => {
      figure.replaceChildren(...words);
      fail(`failed: ${error.message}`);
    });
  };
  const load = ([url, ...rest]) => {
    if (!url) return draw();
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => load(rest);
    script.onerror = () => fail(`could not be fetched from ${url}: check the connection`);
    document.head.append(script);
  };
  if (window.Bokeh) draw(); else load(%(urls)s);
})();
"""


class Figure:
    """A Bokeh layout as a notebook output.

    Args:
        layout: any Bokeh model: a plot, or a column of sliders and plots. Its numbers are rounded
            (`rounded`), so that two processors make the same figure.
        alt: what the figure shows, in a sentence, for readers who cannot see it.

    Raises:
        ValueError: when `alt` is empty.
    """

    def __init__(self, layout: Model, alt: str) -> None:
        from bokeh.embed import json_item

        if not alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows")
        self.id, self.alt = f"figure-{next(_numbers)}", alt
        self.item = rounded(json_item(layout, self.id))

    def __repr__(self) -> str:
        return f"<Figure: {self.alt}>"

    def _repr_html_(self) -> str:
        from bokeh.resources import CDN

        data = json.dumps(self.item).replace("<", "\\u003c")
        urls = [u for u in CDN.js_files if "bokeh-widgets" in u or "/bokeh-3" in u]
        draw = _BOOTSTRAP % {"id": self.id, "urls": json.dumps(urls)}
        return (
            f'<div class="minigpt-figure" id="{self.id}" role="figure"'
            f' aria-label="{escape(self.alt)}">{_WORDS.format(alt=escape(self.alt))}</div>'
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


def rounded(item: Any) -> Any:
    """What `json_item` gives, with each number that is not whole rounded to `DIGITS` digits, and
    none coarser than to whole numbers.

    What rounding left of a difference of equal numbers (below 1e-12) becomes 0. Arrays become
    lists: their compressed bytes depend on the machine's zlib.
    """
    if isinstance(item, float):
        return _rounded(item)
    if isinstance(item, list | tuple):
        return [rounded(part) for part in item]
    if not isinstance(item, dict):
        return item
    if item.get("type") == "ndarray" and isinstance(item["array"], dict):
        data = gzip.decompress(base64.b64decode(item["array"]["data"]))
        order = "<" if item["order"] == "little" else ">"
        numbers = np.frombuffer(data, np.dtype(item["dtype"]).newbyteorder(order))
        return item | {"array": rounded(numbers.tolist())}
    return {key: rounded(part) for key, part in item.items()}


def _rounded(number: float) -> float | dict[str, str]:
    if not math.isfinite(number):  # as Bokeh writes them, for JSON has no words for them
        return {"type": "number", "value": f"{number:+}".replace("+nan", "nan")}
    if number.is_integer():
        return number
    if abs(number) < 1e-12:
        return 0.0
    return float(f"{number:.{DIGITS}g}" if abs(number) < 10 ** (DIGITS - 1) else round(number))
