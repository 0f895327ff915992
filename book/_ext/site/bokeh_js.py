"""Serve one BokehJS, copied from the installed wheel, to the pages that have a figure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import bokeh
from docutils import nodes
from sphinx.util.fileutil import copy_asset_file

SCRIPTS = ("bokeh.min.js", "bokeh-widgets.min.js")
SELF_DRAWING = re.compile(r"<script data-figure-bootstrap>.*?</script>", re.DOTALL)
FIGURE = re.compile(
    r'(<div class="minigpt-figure")([^>]*>.*?</div>\s*<script[^>]*>)(.*?)</script>',
    re.DOTALL,
)
PLOT, CONTROL = 600, 50  # pixels: Bokeh's default height of a plot; a slider with its title


def copy_scripts(app) -> None:
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "bokeh"
    target.mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        copy_asset_file(str(Path(bokeh.__file__).parent / "server/static/js" / name), str(target))


def height(model: dict) -> int:
    """About how many pixels tall a Bokeh layout will be."""
    own = model.get("attributes", {})
    children = [c[0] if isinstance(c, list) else c for c in own.get("children", [])]
    heights = [height(child) for child in children if isinstance(child, dict)]
    if model.get("name") == "Row":
        return max(heights, default=0)
    if own.get("visible") is False:
        return 0
    if heights:
        return sum(heights)
    return own.get("height") or (PLOT if model.get("name") in {"Figure", "Plot"} else CONTROL)


def for_the_page(text: str) -> str:
    """A figure's HTML with its height kept free, but not the script with which it draws itself in
    Jupyter: the page has its own."""

    def keep_free(found: re.Match) -> str:
        start, words, data = found.groups()
        roots = json.loads(data)["doc"]["roots"]
        style = f' style="min-height: {sum(map(height, roots))}px"'
        return f"{start}{style}{words}{data}</script>"

    return FIGURE.sub(keep_free, SELF_DRAWING.sub("", text))


def use_page_script(app, doctree, docname) -> None:
    for raw in doctree.findall(nodes.raw):
        if "data-figure-bootstrap" in raw.astext():
            raw.rawsource = for_the_page(raw.astext())
            raw.children = [nodes.Text(raw.rawsource)]


def add_page_script(app, pagename, templatename, context, doctree) -> None:
    if doctree and any("minigpt-figure" in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file("site/figures.js", loading_method="defer")


def setup(app) -> None:
    app.connect("builder-inited", copy_scripts)
    app.connect("doctree-resolved", use_page_script)
    app.connect("html-page-context", add_page_script)
