"""Keep the theme's scripts and styles off the pages: layout.html and book/assets/site replace them.

The theme loads 2 MB on every page (an icon font as a script, Bootstrap, a search index).
The book's pages are drawn by its own template and load the files of `book/assets/` alone.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ALWAYS = {"pygments.css"}  # the colours of code, which Sphinx writes
WHEN_USED = {"sphinx-design.min.css": "sd-", "design-tabs.js": "sd-tab-set"}
# What Sphinx and MyST-NB write and assistive technology stumbles over: outdated roles, and a
# name that hides the words which a reader sees.
UNHELPFUL = (' role="doc-biblioentry"', ' role="list"', ' aria-label="Toggle hidden content"')
# A paragraph may not stand in a summary.
SUMMARY = re.compile(r'<p class="(collapsed|expanded) admonition-title">(.*?)</p>')
LEFT_OVER = (
    "scripts",
    "styles",
    "vendor",
    "images",
    "locales",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
    "basic.css",
    "mystnb.*.css",
    "file.png",
    "plus.png",
    "minus.png",
)


def mended(body: str) -> str:
    """A page's HTML without what its writers got wrong."""
    for attribute in UNHELPFUL:
        body = body.replace(attribute, "")
    return SUMMARY.sub(r'<span class="\1">\2</span>', body)


def wanted(app, file, body: str) -> bool:
    """Whether a page loads a script or style sheet that Sphinx would put on it."""
    path = Path(str(file.filename))
    if path.name in WHEN_USED:
        return WHEN_USED[path.name] in body
    ours = Path(app.srcdir) / "assets" / path.relative_to("_static")
    return path.name in ALWAYS or ours.exists()


def keep_ours(app, pagename, templatename, context, doctree) -> None:
    body = mended(context.get("body", ""))
    if body:
        context["body"] = body
    for kind in ("css_files", "script_files"):
        context[kind] = [f for f in context[kind] if f.filename and wanted(app, f, body)]
    for script in context["script_files"]:
        if "type" not in script.attributes:  # modules wait for the page by themselves
            script.attributes["defer"] = "defer"
    repository = app.config.html_theme_options["repository_url"]
    context["repository_url"] = repository
    if doctree:
        context["source_url"] = f"{repository}/blob/main/book/{pagename}.md?plain=1"


def remove_left_overs(app, error) -> None:
    """Delete what the theme copied into the site and no page asks for."""
    if error or app.builder.format != "html":
        return
    for name in LEFT_OVER:
        for path in (Path(app.outdir) / "_static").glob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def setup(app) -> None:
    app.connect("html-page-context", keep_ours, priority=900)
    app.connect("build-finished", remove_left_overs, priority=900)
