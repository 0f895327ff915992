"""A Bokeh layout in a plain page, drawn by the BokehJS of the installed wheel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bokeh
from bokeh.embed import json_item
from bokeh.model import Model

SCRIPTS = Path(bokeh.__file__).parent / "server" / "static" / "js"


@contextmanager
def drawn(browser, layout: Model, width: int = 800) -> Iterator[Callable]:
    """Draw a layout; gives a function that runs JavaScript with its models by id at hand.

    The script is the body of an async function of `arg`; `model` finds a model by its id, and
    `await settled()` lets the callbacks of a change run. An error in the page fails the test.
    """
    context = browser.new_context(viewport={"width": width, "height": 1000})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    try:
        page.set_content('<!doctype html><title>A figure</title><div id="figure"></div>')
        for name in ("bokeh.min.js", "bokeh-widgets.min.js"):
            page.add_script_tag(path=SCRIPTS / name)
        page.evaluate(
            """async (item) => {
                 const views = await Bokeh.embed.embed_item(item, "figure");
                 const [root] = views.roots, models = [...root.model.references()];
                 window.settled = () => new Promise((done) => setTimeout(done));
                 window.model = (id) => models.find((m) => m.id === id);
               }""",
            json_item(layout, "figure"),
        )

        def run(script: str, arg=None):
            return page.evaluate(f"async (arg) => {{ {script} }}", arg)

        run.page = page
        yield run
        assert wrong == []
    finally:
        context.close()
