"""Blog posts: nothing of the chapter is lost, nothing of the book's own markup is left."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime
import functools
import html
import re
import subprocess
import sys
from html.parser import HTMLParser

import book_sources
import chapter_notebook
import download_links
import nbformat
import notebook_cells
import pytest
import run_inputs
import web_addresses
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from editions.built import stills
from editions.posts import blog, chapter_post, maths, pasteable
from editions.posts.blocks import Code, Fold, Picture, Post, flat
from editions.posts.chapter_reader import Reader
from editions.posts.dialects import DIALECTS
from editions.posts.markdown import fenced
from editions.posts.pieces import pieces
from editions.shared import edition

pytestmark = pytest.mark.slow  # reads what `make formats` made

STEMS = book_sources.stems()
EVERY = pytest.mark.parametrize("stem", STEMS)
TARGET = pytest.mark.parametrize("target", DIALECTS)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (200).to_bytes(4, "big") + b"\0\0\0\x10"


@functools.cache
def post(stem: str) -> Post:
    try:
        return chapter_post.read(stem)
    except ValueError as error:
        if "make " in str(error):
            pytest.fail(str(error))
        raise


@functools.cache
def document(stem: str, target: str) -> tuple[dict, str]:
    """The front matter and the body of a post."""
    _, front, body = DIALECTS[target]().document(post(stem)).split("---\n", 2)
    return yaml.safe_load(front), body


@functools.cache
def tokens(markdown: str) -> list:
    """What CommonMark with tables makes of a text, a row of tokens."""
    parsed = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [inner for token in parsed for inner in (token, *(token.children or []))]


def with_fences_for_folds(body: str, target: str) -> str:
    """A body whose folds are plain `<details>`, as the two dialects of HTML have them."""
    if target == "hugo":
        body = re.sub(r"\{\{< details summary=.* >\}\}", "<details>", body)
        return body.replace("{{< /details >}}", "</details>")
    if target == "devto":
        body = re.sub(r"\{% details .* %\}", "<details>", body)
        return body.replace("{% enddetails %}", "</details>")
    return body


@functools.cache
def notebook_formulas(stem: str) -> list[str]:
    """The formulas of a chapter, found by a parser that `pieces` does not use."""
    markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, allow_space=False)
    found = []
    for cell in chapter_notebook.committed(stem).cells:
        if cell.cell_type == "markdown" and not notebook_cells.is_setup(cell):
            for token in markdown.parse(cell.source):
                for inner in (token, *(token.children or [])):
                    if inner.type in ("math_inline", "math_block"):
                        found.append(maths.key(inner.content))
    return sorted(found)


def number_to_tag(latex: str) -> str:
    return re.sub(r" \\qquad \((\d+)\)$", r" \\tag{\1}", latex)


def formulas(body: str, target: str) -> list[str]:
    """The formulas of a post's body as the site that it is for would read them."""
    if target == "github":
        found = []
        for token in tokens(body):
            if token.type == "fence" and token.info == "math":
                found.append(number_to_tag(token.content.strip()))
        no_fences = re.sub(r"^```.*?^```$", "", body, flags=re.MULTILINE | re.DOTALL)
        found += re.findall(r"\$`(.+?)`\$", no_fences)
        found = [
            re.sub(r"\\mathop\{\\mathrm\{(.*?)\}\}\\nolimits", r"\\operatorname{\1}", latex)
            for latex in found
        ]
    else:
        body = re.sub(r"^```.*?^```$", "", body, flags=re.MULTILINE | re.DOTALL)
        if target == "devto":  # its Markdown comes first, and knows emphasis after a space
            found = re.findall(r"\{% katex(?: inline)? %\}(.*?)\{% endkatex %\}", body, re.S)
            assert not any(re.search(r"[\s>(][_*]", latex) for latex in found)
            found = [re.sub(r"\\([\\`*_{}\[\]()#+\-.!:|&<>^~=\"$])", r"\1", f) for f in found]
        elif target == "hugo":
            found = re.findall(r"\$\$(.*?)\$\$", body, re.S) + re.findall(r"\\\((.*?)\\\)", body)
        else:
            found = re.findall(r"\$\$(.*?)\$\$", body, re.S)
    return sorted(map(maths.key, found))


@TARGET
@EVERY
def test_every_formula_is_in_the_post(stem, target):
    assert formulas(document(stem, target)[1], target) == notebook_formulas(stem)


@TARGET
@EVERY
def test_no_markup_of_the_book_is_left(stem, target):
    body = document(stem, target)[1]
    found = tokens(body)
    for token, after in zip(found, [*found[1:], None], strict=True):
        if token.type in ("html_inline", "html_block"):
            assert target in ("github", "jekyll"), token.content
            allowed = r"</?details( markdown=\"1\")?>|</?(summary|span|code|em|sub|i)>"
            assert "<" not in re.sub(allowed, "", token.content), token.content
        if token.type == "text":
            assert not re.search(r"^\([\w:-]+\)=$|:{3,}|\{[.#]\w", token.content), token.content
            role = re.search(r"\{[\w:+-]+\}$", token.content)
            assert not (role and after is not None and after.type == "code_inline"), role
            if target in ("github", "devto"):  # at most the edges of GitHub's $`…`$
                assert "$" not in token.content.strip("$"), token.content
        if token.type == "fence":
            assert not token.info.startswith("{"), token.info


@EVERY
def test_every_link_leads_somewhere(stem, site):
    anchors: dict[str, set[str]] = {}
    links = [t.attrs["href"] for t in tokens(document(stem, "github")[1]) if t.type == "link_open"]
    assert f"{web_addresses.homepage()}{stem}.html" in links
    for link in links:
        if not link.startswith(web_addresses.homepage()):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.removeprefix(web_addresses.homepage()).partition("#")
        path = path or "index.html"
        assert (site / path).is_file(), link
        if anchor:
            if path not in anchors:
                page = (site / path).read_text("utf-8")
                anchors[path] = set(re.findall(r'\bid="([^"]+)"', page))
            assert anchor in anchors[path], link


@EVERY
def test_every_figure_and_every_element_is_there_in_words_and_picture(stem):
    outputs = [
        output.data
        for cell in notebook_cells.code_cells(chapter_notebook.committed(stem))
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    widgets = len(
        re.findall(r"^(?:`{3,}|:{3,})\{page-widget\}", book_sources.source(stem), re.MULTILINE)
    )
    pictures = [b for b in flat(post(stem).blocks) if type(b) is Picture]
    assert len(pictures) == len(outputs) + widgets
    assert [p.file for p in pictures] == sorted(p.file for p in pictures)
    body = document(stem, "github")[1]
    shown = [token for token in tokens(body) if token.type == "image"]
    assert [s.attrs["src"] for s in shown] == [f"images/{p.name}" for p in pictures]
    assert all(token.content.strip() for token in shown)
    for data in outputs:  # what no alternative text can say stands below as text
        if not data["text/plain"].startswith("<Figure: "):
            assert data["text/plain"] in body
    for cell in notebook_cells.code_cells(chapter_notebook.committed(stem)):
        if caption := cell.metadata.get("mystnb", {}).get("figure", {}).get("caption"):
            assert caption.split(". ")[0].split("`")[0] in body


@EVERY
def test_code_and_what_it_printed_stand_in_the_post_as_they_are(stem):
    body = document(stem, "github")[1]
    fences = [token.content.rstrip("\n") for token in tokens(body) if token.type == "fence"]
    for cell in notebook_cells.code_cells(chapter_notebook.committed(stem)):
        data = [output.get("data", {}) for output in cell.outputs]
        tags = cell.metadata.get("tags", [])
        glued = data and all(any(k.startswith("application/papermill") for k in d) for d in data)
        plot = "hide-input" in tags and any("text/html" in d for d in data)
        left_out = notebook_cells.is_setup(cell) or plot or ("hide-cell" in tags and glued)
        assert (cell.source in fences) != left_out, cell.source
        for output in cell.outputs:
            if output.output_type == "stream":
                assert output.text.strip("\n") in "\n".join(fences)


@TARGET
@EVERY
def test_what_the_page_folds_the_post_folds(stem, target):
    body = with_fences_for_folds(document(stem, target)[1], target)
    depth, open_code = 0, []
    for token in tokens(body):
        if token.type == "html_block":
            depth += token.content.count("<details") - token.content.count("</details>")
        if token.type == "fence" and depth == 0:
            open_code.append(token.content.rstrip("\n"))
    assert depth == 0
    cells = notebook_cells.code_cells(chapter_notebook.committed(stem))
    hidden = [c.source for c in cells if "hide-cell" in c.metadata.get("tags", [])]
    seen = [c.source for c in cells if set(c.metadata.get("tags", [])) <= run_inputs.SLIDES]
    assert not set(hidden) & set(open_code) - set(seen)
    assert set(seen) <= set(open_code)


class Elements(HTMLParser):
    """The elements of a page and the alternative texts of its pictures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@functools.cache
def pasted(stem: str) -> str:
    """A chapter's `post.html`, every picture of a formula the same."""
    shown = {re.sub(r" ?\\tag\{\d+\}", "", latex): PNG for latex in notebook_formulas(stem)}
    return pasteable.Page(post(stem), stills.STILLS, shown, stills.DENSITY).document()


KEPT = "html head meta title body h1 h2 h3 p pre code em strong a img ul ol li blockquote figure"


@EVERY
def test_the_page_to_paste_has_only_what_editors_keep(stem):
    page = pasted(stem)
    elements = Elements(page).found
    assert {tag for tag, _ in elements} <= {*KEPT.split(), "figcaption", "i", "sub", "br", "hr"}
    assert not any({"style", "class", "id"} & set(attributes) for _, attributes in elements)
    images = [attributes for tag, attributes in elements if tag == "img"]
    displayed = [latex for latex in notebook_formulas(stem) if re.search(r"\\tag\{", latex)]
    blocks = flat(post(stem).blocks)
    assert len(images) >= len(displayed) + sum(type(b) is Picture for b in blocks)
    for image in images:
        assert image["alt"] and int(image["width"]) > 0
        data = image["src"].removeprefix("data:image/png;base64,")
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")
    assert "$" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)


@EVERY
def test_the_page_to_paste_keeps_solutions_to_its_end(stem):
    before, _, after = pasted(stem).partition(f"<h2>{pasteable.END}</h2>")
    for cell in notebook_cells.code_cells(chapter_notebook.committed(stem)):
        if "solution" in cell.metadata.get("mystnb", {}).get("code_prompt_show", ""):
            source = html.escape(cell.source, quote=False)
            assert source in after
            assert source not in before
    assert before.count("see no. ") + after.count("see no. ") == len(re.findall("<h3>\\d", after))


@EVERY
@TARGET
def test_front_matter_says_what_the_page_says(stem, target, site):
    front, _ = document(stem, target)
    page = (site / f"{stem}.html").read_text("utf-8")
    described = re.search(r'<meta content="([^"]*)" name="description"', page)[1]
    canonical = re.search(r'<link rel="canonical" href="([^"]*)"', page)[1]
    assert front["description"] == html.unescape(described)
    assert front[DIALECTS[target].canonical] == canonical
    heading = re.search(r"<h1>(.*?)<a class=\"headerlink\"", page, re.DOTALL)[1]
    assert front["title"] == html.unescape(re.sub("<[^>]*>", "", heading)).strip()
    if target == "devto":
        assert front["published"] is False and "date" not in front
        assert re.fullmatch(r"[a-z0-9]+(, [a-z0-9]+){0,3}", front["tags"])
    else:
        assert front["date"] == chapter_post.last_change(stem)
        assert stem.replace("_", "").replace("-", "") in front["tags"]


def test_the_date_is_the_last_commits_or_else_the_files(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    stem = STEMS[0]
    asked = ["git", "log", "-1", "--date=format-local:%Y-%m-%d", "--format=%cd", "--"]
    paths = [f"book/{stem}.md", f"notebooks/{stem}.ipynb"]
    said = subprocess.run(
        [*asked, *paths], cwd=book_sources.ROOT, capture_output=True, text=True, env={"TZ": "UTC"}
    )
    if said.returncode == 0 and said.stdout:
        assert chapter_post.last_change(stem).isoformat() == said.stdout.strip()

    def no_git(*args, **kwargs):
        raise FileNotFoundError("git")

    monkeypatch.setattr(edition.subprocess, "run", no_git)
    written = max((book_sources.ROOT / path).stat().st_mtime for path in paths)
    day = datetime.datetime.fromtimestamp(written, datetime.UTC).date()
    assert chapter_post.last_change(stem) == day
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert chapter_post.last_change(stem) == datetime.date(2001, 9, 9)


@EVERY
def test_dev_to_gets_paragraphs_without_breaks(stem):
    body = document(stem, "devto")[1]
    inline = [t for t in MarkdownIt("commonmark").enable("table").parse(body) if t.type == "inline"]
    broken = [t.content for t in inline if "\n" in t.content and "{% " not in t.content]
    assert broken == []


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("see {doc}`model`", "{doc}`model`"),
        ("{term}`token` first", "{term}`token`"),
        (":::{note}\nMind.\n:::", ":::{note}"),
        ("(sec:here)=\n## Here", "(sec:here)="),
        ("a word{.class} more", "{.class}"),
        ("<!-- hidden -->", "<!-- hidden -->"),
        ("```{math}\na\n```", "```{math}"),
        ("a <kbd>key</kbd>", "<kbd>"),
        ("[there](#sec:no-such-section)", "#sec:no-such-section"),
        ("<details><summary>Open</summary>\n\nnever closed", "Open"),
    ],
)
def test_what_only_myst_understands_is_refused_by_its_text(planted, told):
    cells = [nbformat.v4.new_markdown_cell(f"# Title\n\n{planted}\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(ValueError, match=re.escape(told)):
        Reader(STEMS[0], notebook).read()


def test_in_code_nothing_is_markup():
    text = "`{doc}` and `` {term}`x` `` and `<b>`\n\n```md\n:::{note}\n$x$ {doc}`y`\n```"
    kinds = [piece.kind for piece in pieces(text)]
    assert kinds == ["code", "text", "code", "text", "code", "text", "fence"]


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        ("x_1^2", "x₁²"),
        ("e^x", "e^x"),
        (r"W_{\mathrm{down}}", "W<sub>down</sub>"),
        (r"e^{-\infty} = 0", "e^(−∞) = 0"),
        (r"1/\sqrt{2L}", "1/√(2L)"),
        (r"-\ln p", "−ln p"),
        (r"Q K^\top", "QKᵀ"),
        (r"\frac{x}{2}(1 + y)", "(x/2)(1 + y)"),
        (r"-\sum_i w_i \ln w_i", "−∑ᵢ wᵢ ln wᵢ"),
        (r"x_1, \dots, x_T", "x₁, …, x<sub>T</sub>"),
        ("a < b", "a &lt; b"),
        (r"\hat{x}", "x\u0302"),
    ],
)
def test_a_formula_as_text(latex, shown):
    told = maths.as_text(latex).replace("<i>", "").replace("</i>", "")
    assert told.replace(maths.THIN, " ") == shown


def test_a_formula_that_no_line_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"underbrace.*display it"):
        maths.as_text(r"\underbrace{x}_{y} \begin{matrix} a & b \end{matrix}")


def made_up(*blocks) -> Post:
    day = datetime.date(2026, 1, 2)
    return Post("made-up", 'A "b": c', "d: #e", day, "https://example.org/p", blocks)


@pytest.mark.parametrize(
    ("target", "markdown", "written"),
    [
        ("github", "costs \\$5 ($x_1$, $y$)", "costs <span>$</span>5 ($`x_1`$, $`y`$)"),
        ("github", r"$\operatorname{a}_1|b$", r"$`\mathop{\mathrm{a}}\nolimits_1\vert b`$"),
        (
            "jekyll",
            "$|x|$ or `{{ x }}` | {% y %}",
            r"$$\vert x\vert $$ or {% raw %}`{{ x }}`{% endraw %} \| &#123;% y %}",
        ),
        (
            "jekyll",
            "| a | b |\n| - | - |\n| `c\\|d` | $e$ |",
            "| a | b |\n| - | - |\n| `c|d` | $$e$$ |",
        ),
        ("hugo", "$a_1$.", r"\(a_1\)."),
        (
            "devto",
            "one\ntwo $\\{a\\}\\,b$",
            r"one two {% katex inline %} \\{a\\}\,b {% endkatex %}",
        ),
        (
            "devto",
            "$$\na \\\\\nb \\tag{3}\n$$",
            "{% katex %}\na \\\\\\\\ b \\tag{3}\n{% endkatex %}",
        ),
        ("github", "> $$\n> a \\tag{3}\n> $$", "> ```math\n> a \\qquad (3)\n> ```"),
        ("hugo", "before\n$$\na\n$$\nafter", "before\n\n$$\na\n$$\n\nafter"),
    ],
)
def test_each_site_gets_what_it_can_read(target, markdown, written):
    assert DIALECTS[target]().prose(markdown) == written


def test_templates_do_not_run_in_code():
    code = Code("python", 'f"{{% x %}}"')
    braces = Code("python", 'f"{{x}}"')
    shortcode = Fold("s", (Code("python", 'print("{{< x >}}")'),))
    assert DIALECTS["jekyll"]().block(code).startswith("{% raw %}\n```python")
    assert DIALECTS["jekyll"]().block(braces).endswith("```\n{% endraw %}")
    assert DIALECTS["devto"]().block(code) == '```python\nf"{{% x %}}"\n```'  # it does so itself
    with pytest.raises(ValueError, match=r"\{\{< x >\}\}.*shortcode"):
        DIALECTS["hugo"]().document(made_up(shortcode))


@TARGET
def test_front_matter_survives_what_yaml_minds(target):
    _, front, _ = DIALECTS[target]().document(made_up()).split("---\n", 2)
    assert yaml.safe_load(front)["title"] == 'A "b": c'
    assert yaml.safe_load(front)["description"] == "d: #e"


def test_a_fence_is_longer_than_those_within():
    assert fenced("md", "````\nx\n````").startswith("`````md\n")


def test_two_runs_write_the_same_bytes(browser, site, tmp_path):
    """With the real pictures of the real formulas, of the chapter that has the fewest stills."""
    stem = min(STEMS, key=lambda stem: len(stills.taken(stem)))
    (folder,) = blog.make(browser, [stem], blog=tmp_path / "one")
    (tmp_path / "two" / stem / "images").mkdir(parents=True)
    (tmp_path / "two" / stem / "images" / "old.png").write_bytes(b"")
    (again,) = blog.make(browser, [stem], blog=tmp_path / "two")
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*.*")}
    assert files == {str(f.relative_to(again)): f.read_bytes() for f in again.rglob("*.*")}
    images = {name for name in files if name.startswith("images")}
    shown = [t for t in tokens(files["index.md"].decode()) if t.type == "image"]
    assert {token.attrs["src"] for token in shown} == images
    page = Elements(files["post.html"].decode()).found
    alts = [attributes["alt"] for tag, attributes in page if tag == "img"]
    for latex in notebook_formulas(stem):
        if r"\tag" in latex:
            assert re.sub(r" ?\\tag\{\d+\}", "", latex) in alts
    assert not list((tmp_path / "one").glob("tmp*"))


@TARGET
def test_pictures_are_beside_the_post_or_where_the_site_has_them(target, tmp_path, monkeypatch):
    monkeypatch.setattr(chapter_post, "read", lambda stem: made_up())
    monkeypatch.setattr(
        blog.maths, "photographer", lambda _: contextlib.nullcontext(lambda stem: {})
    )
    asked = []

    def write(post, target, images, formulas, folder):
        folder.mkdir()
        asked.append(images)

    monkeypatch.setattr(blog, "write", write)
    blog.make(None, ["made-up"], target, blog=tmp_path / "blog")
    blog.make(None, ["made-up"], target, "https://example.org/i/", blog=tmp_path / "blog")
    beside = {"github": "images/", "hugo": "images/"}
    published = download_links.address("images/")
    assert asked == [beside.get(target, published), "https://example.org/i/"]


def test_a_title_with_signs_of_html_is_whole_in_the_page_to_paste():
    post = dataclasses.replace(made_up(), title="`a<b>` & more")
    page = pasteable.Page(post, stills.STILLS, {}, stills.DENSITY).document()
    assert "<title>a&lt;b&gt; &amp; more</title>" in page


def test_a_formula_that_the_page_lacks_is_refused():
    stem = next(stem for stem in STEMS if any(r"\tag" in f for f in notebook_formulas(stem)))
    with pytest.raises(ValueError, match=r"built page lacks the formula.*make book"):
        pasteable.Page(post(stem), stills.STILLS, {}, stills.DENSITY).document()


def test_other_stills_than_the_notebooks_are_refused(monkeypatch):
    stem = STEMS[0]
    taken = stills.taken(stem)
    for others in (taken[:-1], [*taken, taken[-1]]):
        monkeypatch.setattr(stills, "taken", lambda stem, others=others: others)
        with pytest.raises(ValueError, match=rf"{stem}.*make stills"):
            chapter_post.read(stem)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "wordpress"], "there is no target 'wordpress'; there are: github, jekyll"),
        (["--images", "https://a.b/i"], "the pictures' address is 'https://a.b/i' and needs"),
        (["no-chapter"], f"there is no chapter 'no-chapter' with code; there are: {STEMS[0]}"),
    ],
)
def test_unknown_targets_and_chapters_are_told_in_one_line(arguments, told, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["blog.py", *arguments])
    monkeypatch.setattr(blog.chromium, "launched", contextlib.nullcontext)
    with pytest.raises(SystemExit) as stopped:
        blog.main()
    assert str(stopped.value).startswith(told)
    assert "\n" not in str(stopped.value)
