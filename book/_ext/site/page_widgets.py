"""The directive `page-widget`: one of the page's own interactive elements.

```{page-widget} live-tokenizer
:attributes: mode=train prompt="two words"
:still: What its picture shows in a PDF or a blog post, for those who do not see it.
What readers without JavaScript, and notebooks, see instead.
```

The element's script is `book/assets/elements/<name>/<name>.js`; where there is a `<name>.css`
too, pages that use the element link it, and those of the elements that its script imports by name
alone. What elements fetch is written when the site is: the vocabularies, the runs that
<loss-curves> draws, the groups under <answer-group>, the scores under <next-token>, and the chats
under <mask-painter>.
"""

from __future__ import annotations

import html
import re
import shlex
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from masked_chats_file import masked_chats_payload
from next_token_file import next_token_payload
from sphinx.util.docutils import SphinxDirective
from tokenizer_files import tokenizer_payload

import minigpt
from minigpt.tokenizer import BPETokenizer

INNER = re.compile(r'^import "\.\./([\w-]+)/\1\.js";$', re.MULTILINE)


def file_of(name: str, suffix: str) -> str:
    """Where an element's script or style sheet is, in the assets and in the site's `_static`."""
    return f"elements/{name}/{name}.{suffix}"


class PageWidget(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012 (docutils' own form)
        "attributes": directives.unchanged,
        "still": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        script = file_of(name, "js")
        if not (Path(self.env.srcdir) / "assets" / script).exists():
            raise self.error(f"there is no page widget {name!r}: book/assets/{script} is missing")
        if not self.options.get("still"):
            raise self.error(f"page widget {name!r} has no :still:, the words for its picture")
        attributes = f' data-still="{html.escape(self.options["still"])}"'
        for pair in shlex.split(self.options.get("attributes", "")):
            key, _, value = pair.partition("=")
            attributes += f' {key}="{html.escape(value)}"'
        fallback = nodes.container(classes=["page-widget-fallback"])
        self.state.nested_parse(self.content, self.content_offset, fallback)
        return [
            nodes.raw("", f"<{name}{attributes}>", format="html", page_widget=name),
            fallback,
            nodes.raw("", f"</{name}>", format="html"),
        ]


def add_assets(app, pagename, templatename, context, doctree) -> None:
    if not doctree:
        return
    assets = Path(app.srcdir) / "assets"
    found = {raw.get("page_widget") for raw in doctree.findall(nodes.raw)} - {None}
    inner = set()
    for name in sorted(found):
        app.add_js_file(file_of(name, "js"), type="module")
        inner |= set(INNER.findall((assets / file_of(name, "js")).read_text("utf-8")))
    for name in sorted(found | inner):
        style = file_of(name, "css")
        if (assets / style).exists():
            app.add_css_file(style, priority=900)  # after the site's own, which it refines


def write_vocabularies(app, error) -> None:
    """Write the merges that the page's tokenizer reads, from the Python tokenizers."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "tokenizers"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizers = {"gpt2": BPETokenizer.gpt2(), "shakespeare": BPETokenizer.shakespeare()}
    for name, tokenizer in tokenizers.items():
        alphabet = [tokenizer.vocab[i][0] for i in range(256)]
        payload = tokenizer_payload(tokenizer.merges, alphabet)
        (folder / f"{name}.json").write_text(payload, "utf-8")


def copy_runs(app, error) -> None:
    """Copy what was measured: the curves for <loss-curves>, the groups for <answer-group>."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("curves.json", "answer_groups.json"):
        with as_file(files("minigpt") / "results" / name) as stored:
            shutil.copyfile(stored, folder / name)


def write_scores(app, error) -> None:
    """Write what the shipped model says comes next, for <next-token> and for <mask-painter>."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = minigpt.load("shakespeare")
    model = model.double()
    (folder / "next-token.json").write_text(next_token_payload(model, tokenizer), "utf-8")
    (folder / "masked-chats.json").write_text(masked_chats_payload(model, tokenizer), "utf-8")


def setup(app) -> None:
    app.add_directive("page-widget", PageWidget)
    app.connect("html-page-context", add_assets)
    app.connect("build-finished", write_vocabularies)
    app.connect("build-finished", copy_runs)
    app.connect("build-finished", write_scores)
