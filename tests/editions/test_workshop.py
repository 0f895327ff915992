"""The workshop: hand-outs that give nothing away, keys that hold all, and a plan that adds up."""

from __future__ import annotations

import functools
import re

import book_sources
import chapter_notebook
import notebook_cells
import pytest
import web_addresses
from bs4 import BeautifulSoup

from editions.built import built_page
from editions.workshop import sheets

pytestmark = pytest.mark.slow  # reads what `make formats` made

STEMS = book_sources.stems()
PLAN = book_sources.source("teaching")
exercises_of = functools.cache(sheets.exercises)


def text(stem: str, what: str) -> str:
    """What a sheet says, as it was made."""
    path = sheets.WORKSHOP / f"{stem}-{what}.html"
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make workshop`")
    return BeautifulSoup(path.read_text("utf-8"), "html.parser").body.get_text()


def folded_cells(stem: str) -> list:
    """The cells among the exercises of a chapter's notebook that its page folds, however."""
    cells = chapter_notebook.committed(stem).cells
    begin = next(i for i, cell in enumerate(cells) if "\n## Exercises" in f"\n{cell.source}")
    folds = {"hide-cell", "hide-input", "hide-output"}
    among = [cell for cell in cells[begin:] if cell.cell_type == "code"]
    return [cell for cell in among if folds & set(cell.metadata.get("tags", []))]


def numbers(stem: str) -> list[int]:
    """The exercises of a chapter as its source numbers them."""
    part = book_sources.source(stem).split(f"(sec:{stem}-exercises)=")[1].split("\n(sec:")[0]
    return [int(number) for number in re.findall(r"^\*\*(\d+)\.", part, re.MULTILINE)]


@pytest.mark.parametrize("stem", STEMS)
def test_hand_outs_have_no_solution_and_keys_have_all(stem):
    handed, key = text(stem, "exercises"), text(stem, "answers")
    cells = notebook_cells.code_cells(chapter_notebook.committed(stem))
    starters = "\n".join(cell.source for cell in cells if "# your code" in cell.source)
    path = sheets.WORKSHOP / f"{stem}-exercises.html"
    sheet = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    written = "\n".join(pre.get_text() for pre in sheet.select("pre"))
    solutions = folded_cells(stem)
    assert len(solutions) >= len(numbers(stem)) > 0
    for cell in solutions:
        assert cell.source.strip() in key
        for line in map(str.strip, cell.source.splitlines()):
            assert line in starters or line not in written
        for output in cell.outputs:
            printed = output.get("text") or output["data"]["text/plain"]
            assert printed.strip() in key
            assert printed.strip() not in handed


@pytest.mark.parametrize("stem", STEMS)
def test_every_exercise_is_on_both_sheets(stem):
    for what in ("exercises", "answers"):
        found = re.findall(r"^(\d+)\. ?", text(stem, what), re.MULTILINE)
        assert list(map(int, found)) == numbers(stem)
    *_, exercises = exercises_of(stem)
    assert all("your code" in "".join(e.starters) for e in exercises)


@pytest.mark.parametrize("stem", STEMS)
def test_sheets_are_those_of_the_site_and_stand_alone(stem):
    for what in ("exercises", "answers"):
        page = sheets.sheet(stem, *exercises_of(stem), key=what == "answers")
        made = (sheets.WORKSHOP / f"{stem}-{what}.html").read_text("utf-8")
        assert page == made, "run `make workshop`"
        assert not re.search(r"<script|<link|<img|url\((?!\"?data:)", page)


@pytest.mark.parametrize("what", ["exercises", "answers"])
def test_sheets_fit_a4(what, browser):
    page = browser.new_page(viewport={"width": 658, "height": 900})  # A4 less its margins
    page.emulate_media(media="print")
    for stem in STEMS:
        page.goto((sheets.WORKSHOP / f"{stem}-{what}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 658, stem
    page.close()


@pytest.mark.parametrize("stem", STEMS)
def test_sheets_lead_to_the_section(stem):
    path = sheets.WORKSHOP / f"{stem}-exercises.html"
    link = BeautifulSoup(path.read_text("utf-8"), "html.parser").select_one("footer a")["href"]
    address, section = link.split("#")
    assert address == web_addresses.page(stem)
    assert built_page.article(stem).find(id=section).h2.get_text() == "Exercises"
    assert f"{address}#renamed" in sheets.sheet(stem, "T", "renamed", [], key=False)


def test_an_equation_that_an_exercise_names_stands_beside_it():
    for stem in STEMS:
        *_, exercises = exercises_of(stem)
        for exercise in exercises:
            for number in re.findall(r"(?:equation|,) (\(\d+\))", exercise.text):
                assert any(number in formula for formula in exercise.formulas), (stem, number)


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("", "has no exercises"),
        ('<div class="cell"></div>', "a cell stands before its first exercise"),
        ("<p><strong>1.</strong> f</p>", "exercise 1 has no code to begin with"),
        (
            '<p><strong>1.</strong> f</p><div class="cell"><div class="cell_input">'
            '<div class="highlight">x</div></div></div>',
            "exercise 1 has no cell 'Show a solution'",
        ),
        ("<details><summary>Aside</summary></details>", "'Aside' is folded"),
        ("<details><summary>A hint</summary></details>", "a hint stands before its first exercise"),
        ("<details><summary>Show a solution</summary></details>", "'Show a solution' is folded"),
        (
            '<p><strong>1.</strong> f</p><div class="cell"><details><summary><span '
            'class="collapsed">Show a solution in words</span><span class="expanded">Hide it'
            '</span></summary><div class="highlight">x</div></details></div>',
            "'Show a solution in words' is folded",
        ),
    ],
)
def test_exercises_that_lack_something_are_refused(inside, message, monkeypatch):
    page = f'<h1>T</h1><section><span id="sec-new-exercises"></span><h2>E</h2>{inside}</section>'
    soup = BeautifulSoup(f"<div>{page}</div>", "html.parser").div
    monkeypatch.setattr(built_page, "article", lambda stem: soup)
    with pytest.raises(ValueError, match=f"book/new.md.*{message}"):
        sheets.exercises("new")


def test_hints_stand_in_the_key_alone(monkeypatch):
    page = """<h1>T</h1><section id="s"><span id="sec-new-exercises"></span><h2>E</h2>
        <p><strong>1. Warm-up.</strong> f</p>
        <div class="cell"><div class="cell_input"><div class="highlight">start</div></div></div>
        <details class="sd-dropdown"><summary class="sd-summary-title">A hint</summary>
        <div class="sd-summary-content sd-card-body"><p>Think twice.</p></div></details>
        <div class="cell"><details><summary><span class="collapsed">Show a solution</span></summary>
        <div class="cell_input"><div class="highlight">end</div></div></details></div></section>"""
    soup = BeautifulSoup(f"<div>{page}</div>", "html.parser").div
    monkeypatch.setattr(built_page, "article", lambda stem: soup)
    for key in (False, True):
        sheet = sheets.sheet("new", *sheets.exercises("new"), key=key)
        assert ("<p>Think twice.</p>" in sheet) == ("A hint" in sheet) == key


def timetables() -> dict[str, list[list[str]]]:
    """The rows of each timetable of the plan, by its heading."""
    found = {}
    for heading, body in re.findall(r"^## ([^\n]+)\n(.*?)(?=^\(teaching|\Z)", PLAN, re.M | re.S):
        rows = [line.strip("| ").split("|") for line in body.splitlines() if line[:1] == "|"]
        if rows:
            found[f"{heading}: {body.strip().splitlines()[0]}"] = rows[2:]
    return found


def test_each_timetable_adds_up():
    tables = timetables()
    assert len(tables) == 3
    for heading, rows in tables.items():
        stated = int(re.search(r"(\d+) minutes", heading)[1])
        assert sum(int(row[0]) for row in rows) == stated, heading


def test_the_plan_names_exercises_that_there_are():
    for heading, rows in timetables().items():
        asked = [row for row in rows if "Exercises:" in row[1]]
        assert asked, heading
        for _, what, named, *_ in asked:
            (stem,) = re.findall(r"\{doc\}`[^<`]*<(\w+)>`", what)
            assert set(map(int, named.split(","))) <= set(numbers(stem)), (heading, stem)


def test_the_plan_names_sections_pages_and_commands_that_there_are():
    book = "\n".join(path.read_text("utf-8") for path in book_sources.BOOK.glob("*.md"))
    for label in re.findall(r"\(#([\w:-]+)\)", PLAN):
        assert f"({label})=\n" in book, label
    for stem in re.findall(r"\{doc\}`(?:[^<`]*<)?(\w+)>?`", PLAN):
        assert (book_sources.BOOK / f"{stem}.md").exists(), stem
    targets = (book_sources.ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)", PLAN):
        assert re.search(rf"^{target}:", targets, re.MULTILINE), target
    rows = [row for table in timetables().values() for row in table]
    taught = {stem for row in rows for stem in re.findall(r"<(\w+)>`", row[1])}
    assert taught == set(book_sources.stems())
