"""Code and outputs wrap line by line, and stay the text that they are."""

from __future__ import annotations

import io

import book_sources
import chapter_notebook
import code_lines
import notebook_cells
import pytest
from bs4 import BeautifulSoup
from for_everyone import wear
from PIL import Image

from editions.built import built_page

PHONE = {"width": 390, "height": 844}
TABLE = ["T           64    128", "written   0.12   0.38", "kernel    0.07   0.13"]
# What a reader copies by hand, where it is not the text of the block.
COPIED = """() => [...document.querySelectorAll(".mg-article pre")].flatMap((block) => {
  getSelection().selectAllChildren(block);
  const [copied, text] = [String(getSelection()), block.textContent].map((x) => x.trimEnd());
  return copied === text ? [] : [[text, copied]];
})"""
# Of each line that goes on in more rows: its indentation, the rows' left edges in letters, and the
# mark's height in rows.
ROWS = """() => [...document.querySelectorAll(".mg-code-line")].flatMap((line) => {
  const { display, lineHeight } = getComputedStyle(line);
  if (display === "inline") return [];
  const probe = document.createElement("span");
  probe.style.cssText = "position: absolute; width: 100ch";
  line.append(probe);
  const letter = probe.getBoundingClientRect().width / 100;
  probe.remove();
  const row = parseFloat(lineHeight), box = line.getBoundingClientRect();
  if (box.height < 1.5 * row) return [];
  const text = document.createRange();
  text.selectNodeContents(line);
  const lefts = {};
  for (const rect of text.getClientRects()) {
    if (rect.width < 1) continue;
    const n = Math.floor((rect.top + rect.height / 2 - box.top) / row);
    lefts[n] = Math.min(lefts[n] ?? Infinity, (rect.left - box.left) / letter);
  }
  const mark = parseFloat(getComputedStyle(line, "::before").height) / row;
  const indent = line.textContent.match(/^ */)[0].length;
  return [{ indent, lefts: Object.values(lefts), mark, text: line.textContent }];
})"""


def open_chapter(page, site_url) -> None:
    page.goto(f"{site_url}training.html")


@pytest.fixture
def phone(page):
    page.set_viewport_size(PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    return page


def html_of(text: str, lang: str = "python") -> str:
    return code_lines.LinesBridge("html").highlight_block(text, lang)


@pytest.mark.parametrize("lang", ["python", "none"])
def test_a_block_has_an_element_a_line_and_the_same_text(lang):
    text = '\ndef f(a):\n    """One,\n\n    two."""\n    return g(a.b.c.d[0](1 < 2), "&")\n'
    shown = BeautifulSoup(html_of(text, lang), "html.parser").pre
    assert shown.get_text() == text
    lines = shown.select(".mg-code-line")
    assert [line.get_text() for line in lines] == [line for line in text.split("\n") if line]
    indents = [line.get("style") for line in lines]
    assert indents == [None, *["--mg-indent:4"] * 3]


def test_a_line_may_break_in_long_calls_and_names_and_not_in_short_ones():
    def broken(line):
        shown = BeautifulSoup(html_of(line), "html.parser").pre
        for mark in shown.select("wbr"):
            mark.replace_with("|")
        return shown.get_text().strip()

    assert broken("f(a.b, c[0])") == "f(a.b, c[0])"
    assert broken("unseen(first.encode(text)[:3])") == "unseen(|first.encode(|text)[:3])"
    assert broken("torch.autograd.graph.hooks") == "torch|.autograd|.graph|.hooks"
    assert broken("everything.everywhere()") == "everything|.everywhere()"


def test_a_commands_option_stays_in_one_row():
    shown = html_of("minigpt train --context-length 64 a--b", "bash")
    assert shown.count("mg-option") == 1
    assert '<span class="mg-option">--context-length</span>' in shown


@pytest.mark.parametrize(
    ("lines", "classes"),
    [
        (TABLE, ["mg-aligned", "mg-whole-lines"]),
        (["a, and b   12  3.5", "c, and d    8  2.5"], ["mg-aligned", "mg-whole-lines"]),
        (["be   0.40 ########", "to   0.20 ####"], ["mg-aligned", "mg-whole-lines"]),
        (["two tables   270", "two layers    32", "all"], ["mg-aligned"]),
        (TABLE[:1], []),
        (["one", *TABLE[:1], "two"], []),
        (["D =  4: score  1.9, largest  0.2"] * 3, []),
        (["tensor([[13.0, 14.0],", "        [ 6.5,  7.0],", "        [ 6.5,  7.0]])"], []),
        (["    deep", "    deeper"], []),
        ([], []),
    ],
)
def test_tables_are_told_from_sentences_and_tensors(lines, classes):
    assert code_lines.classes(lines) == classes


def test_only_what_is_printed_may_be_a_table():
    text = "\n".join(TABLE)
    assert '<pre class="mg-aligned mg-whole-lines" style="--mg-longest:21">' in html_of(
        text, code_lines.PRINTED
    )
    assert "<pre><span></span>" in html_of(text, "none")


@pytest.mark.parametrize("stem", book_sources.stems())
def test_a_chapters_code_is_that_of_its_notebook(stem, site):
    article = BeautifulSoup((site / f"{stem}.html").read_text("utf-8"), "html.parser")
    shown = [block.get_text().rstrip() for block in article.select(".cell_input pre")]
    cells = notebook_cells.code_cells(chapter_notebook.committed(stem))
    written = [cell.source.rstrip() for cell in cells if not notebook_cells.is_setup(cell)]
    assert [text for text in shown if text not in written] == []
    assert len(shown) > 40


OWN = {"class_": "mg-own-file"}  # the reader's, which other formats leave to its chapters


def test_other_formats_read_the_page_without_what_wraps_it(site):
    page = BeautifulSoup((site / "embedding.html").read_text("utf-8"), "html.parser")
    article = built_page.article("embedding", site)
    helpers = ".mg-code-line, .mg-option, .mg-formula, pre wbr, pre[class], pre[style]"
    assert len(page.select(helpers)) > 500
    assert article.select(helpers) == []
    for selector in ("pre", ".mg-math math"):
        shown = [t for t in page.select(f".mg-article {selector}") if not t.find_parent(**OWN)]
        texts = [tag.get_text() for tag in shown]
        assert [tag.get_text() for tag in article.select(selector)] == texts


def test_copying_gives_the_text_alone(phone):
    assert phone.evaluate(COPIED) == []
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = phone.locator(".cell_input pre", has=phone.locator("wbr")).first
    read = "navigator.clipboard.readText()"
    text = block.text_content().rstrip()
    block.evaluate("block => getSelection().selectAllChildren(block)")
    phone.keyboard.press("Control+c")
    assert phone.evaluate(read).rstrip() == text
    phone.evaluate("navigator.clipboard.writeText('')")
    block.locator("xpath=ancestor::*[button][1]").locator(".mg-copy").dispatch_event("click")
    phone.wait_for_function(f"{read}.then(text => text)")
    assert phone.evaluate(read) == text


def test_a_long_line_goes_on_two_letters_deeper_beside_a_mark(phone):
    lines = phone.evaluate(ROWS)
    deep = [line for line in lines if line["indent"] > 24]  # a phone has no room there
    assert len(lines) > 200 > 5 > len(deep)
    for line in lines:
        for left in line["lefts"][1:] if line not in deep else []:
            assert left == pytest.approx(line["indent"] + 2, abs=0.1), line
        assert line["mark"] == pytest.approx(len(line["lefts"]) - 1, abs=0.1), line


def test_a_printed_table_is_smaller_where_it_fits_then(phone):
    def sizes():
        return phone.locator("pre.mg-aligned").evaluate_all(
            """all => all.map((e) => [
                parseFloat(getComputedStyle(e).fontSize), e.scrollWidth > e.clientWidth])"""
        )

    on_a_phone = sizes()
    assert {size for size, scrolls in on_a_phone if scrolls} <= {11}
    assert all(11 <= size <= 13 for size, _ in on_a_phone)
    phone.set_viewport_size({"width": 300, "height": 844})
    assert any(11 < size < 13 and not scrolls for size, scrolls in sizes())
    phone.set_viewport_size({"width": 1280, "height": 900})
    assert {*map(tuple, sizes())} == {(14, False)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_shade_is_where_the_block_goes_on(phone, theme):
    wear(phone, theme)
    block = phone.locator("pre.mg-whole-lines").last
    block.evaluate("e => e.append('x'.repeat(80))")  # longer than any that a chapter prints
    most = block.evaluate("e => e.scrollWidth - e.clientWidth")
    assert most > 50

    def shaded(scrolled: float) -> list[bool]:
        """At the left and at the right, above the first line."""
        block.evaluate("(e, left) => { e.scrollLeft = left }", scrolled)
        picture = Image.open(io.BytesIO(block.screenshot())).convert("RGB")
        ground = picture.getpixel((picture.width // 2, 3))
        edges = [picture.getpixel((x, 3)) for x in (5, picture.width - 2)]
        return [max(abs(a - b) for a, b in zip(e, ground, strict=True)) > 30 for e in edges]

    assert [shaded(0), shaded(most / 2), shaded(most)] == [
        [False, True],
        [True, True],
        [True, False],
    ]
