"""The reader's check of a chapter: nbval's verdicts, told in words, and the exit status."""

from __future__ import annotations

import copy
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import book_sources
import chapter_notebook
import chapter_status
import compared_run
import nbformat
import notebook_cells
import notebook_checks
import pytest
import run_inputs
import this_machine
import verify
import verify_report
from bs4 import BeautifulSoup

SCRIPT = Path(verify.__file__)
HERE = {
    "versions": this_machine.versions(["nbval"]),
    "machine": this_machine.machine(),
    "seconds": 1.5,
}
HERE["processor"] = this_machine.processor()


def planted(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook that prints 1 and 2 and has a value, as a run would leave it."""
    notebook = nbformat.v4.new_notebook(metadata={"minigpt": copy.deepcopy(HERE)})
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    heading = nbformat.v4.new_markdown_cell("# Book\n\n## Counting\n\n```\n# no heading\n```")
    notebook.cells = [
        heading,
        code("x = 41"),
        code("print(x)\nprint(x + 1)", nbformat.v4.new_output("stream", text="41\n42\n")),
        *cells,
    ]
    for number, cell in enumerate(notebook_cells.code_cells(notebook), 1):
        cell.execution_count = number
    return notebook


def code(source: str, *outputs, **metadata) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def value(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("execute_result", {"text/plain": text}, execution_count=3)


def of(notebook: nbformat.NotebookNode, tmp_path: Path, limit: float = 60) -> verify_report.Report:
    path = tmp_path / "planted.ipynb"
    nbformat.write(notebook, path)
    # As a reader has it: another process, which pytest is free to set up.
    lines = ["import compared_run, pickle, sys, pathlib", "path, limit = sys.argv[1:]"]
    lines += ["report = compared_run.run(pathlib.Path(path), float(limit))"]
    lines += ["pathlib.Path(path + '.report').write_bytes(pickle.dumps(report))"]
    command = [sys.executable, "-c", "\n".join(lines), str(path), str(limit)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), *sys.path])}
    subprocess.run(command, check=True, timeout=100, cwd=tmp_path, env=environment)
    return pickle.loads((tmp_path / "planted.ipynb.report").read_bytes())


def test_equal_outputs_pass_and_ignored_cells_say_why(tmp_path):
    about = {"tags": ["nbval-ignore-output"], "minigpt": {"not_compared": "it is the time"}}
    timed = code("import time\ntime.time_ns()", value("0"), **about)
    report = of(planted(code("x", value("41")), timed), tmp_path)
    assert report.passed
    told = verify_report.told(report)
    assert "planted: 4 of 4 cells ran in " in told
    assert "(recorded: 1.5 s)" in told
    assert "equal, letter by letter: 3 cells, with 2 outputs" in told
    assert "not compared: 1 cell\n    cell [4], in “Counting”: it is the time" in told
    assert f"versions as recorded: nbval {HERE['versions']['nbval']}, python" in told
    assert f"processor as recorded: {this_machine.processor()}" in told
    assert "other" not in told


def test_outputs_that_differ_are_shown_line_by_line(tmp_path):
    notebook = planted(
        code("x", value("42")), code("7", nbformat.v4.new_output("stream", text="7\n"))
    )
    notebook_cells.code_cells(notebook)[1].outputs[0].text = "41\n43\n"
    notebook.metadata.minigpt.versions |= {"nbval": "0.0.1"}
    notebook.metadata.minigpt.machine = "an abacus"
    notebook.metadata.minigpt.processor = "ten beads"
    report = of(notebook, tmp_path)
    assert not report.passed
    told = verify_report.told(report)
    assert "equal, letter by letter: 1 cell, with 0 outputs" in told
    assert (
        "  differ: 3 cells\n"
        "    cell [2], in “Counting”: its output (stdout) differs first in line 2:\n"
        "      recorded: 43\n"
        "      yours:    42\n"
        "    cell [3], in “Counting”: its output (text/plain) differs first in line 1:\n"
        "      recorded: 42\n"
        "      yours:    41\n"
        "    cell [4], in “Counting”: it has other kinds of output:\n"
        "      recorded: stdout\n"
        "      yours:    text/plain\n"
    ) in told
    assert f"other version: nbval: recorded 0.0.1, yours {HERE['versions']['nbval']}" in told
    assert f"other machine: recorded an abacus, yours {this_machine.machine()}" in told
    assert f"processor: recorded ten beads, yours {this_machine.processor()}" in told


@pytest.mark.parametrize(
    ("source", "limit", "words"),
    [
        ("{}['key']", 60, "raised KeyError: 'key'"),
        ("import time\ntime.sleep(50)", 1, "took longer than 1 seconds (--limit allows more)"),
        ("import os\nos._exit(1)", 60, "the kernel died"),
    ],
)
def test_a_run_that_breaks_off_says_where_and_why(source, limit, words, tmp_path):
    report = of(planted(code(source), code("x", value("41"))), tmp_path, limit)
    assert not report.passed
    told = verify_report.told(report)
    assert "planted: 3 of 4 cells ran" in told
    assert f"stopped at: 1 cell\n    cell [3], in “Counting”: {words}" in told
    assert "not run, because of what stopped: 1 of the cells" in told


def test_another_torch_is_named_as_a_reason():
    record = {"versions": this_machine.versions(["torch"]) | {"torch": "1.0"}}
    assert any("may round" in line for line in verify_report.told_versions(record, passed=False))
    assert not any("may round" in line for line in verify_report.told_versions(record, passed=True))
    same = {"versions": this_machine.versions(["torch"])}
    assert not any("may round" in line for line in verify_report.told_versions(same, passed=False))


def test_of_a_long_line_the_part_that_differs_is_shown():
    number, recorded, yours = compared_run.first_difference(
        "same\n" + "a" * 900 + "b", "same\n" + "a" * 901
    )
    assert number == "2"
    assert recorded.startswith("recorded: …aaa") and recorded.endswith("aaab")
    assert len(yours) < 100
    assert compared_run.first_difference("1\n2", "1")[1:] == (
        "recorded: 2",
        "yours:    (ended before this line)",
    )


def command(*arguments: str, folder: Path, script: Path = SCRIPT) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(book_sources.ROOT)}
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@pytest.fixture
def book(tmp_path):
    """A copy of what the command reads, with two planted chapters in the place of the book's."""
    copied = tmp_path / "book"
    shutil.copytree(SCRIPT.parent, copied / "_ext" / "notebooks")
    for name in ("pyproject.toml", "requirements-data.txt"):
        shutil.copy(book_sources.ROOT / name, tmp_path)
    files = "".join(f"      - file: {stem}\n" for stem in ("good", "lie", "page"))
    (tmp_path / "_toc.yml").write_text(f"parts:\n  - chapters:\n{files}")
    (copied / "page.md").write_text("no chapter")
    (tmp_path / "notebooks").mkdir()
    notebook = planted()
    for stem in ("good", "lie"):
        (copied / f"{stem}.md").write_text("---\nkernelspec:\n---\n")
        nbformat.write(notebook, tmp_path / "notebooks" / f"{stem}.ipynb")
        notebook_cells.code_cells(notebook)[1].outputs[0].text = "41\n43\n"
    return copied / "_ext" / "notebooks" / "verify.py"


@pytest.mark.slow
def test_the_exit_status_tells_whether_all_is_equal(book, tmp_path):
    good = command("good", folder=tmp_path, script=book)
    assert good.returncode == 0, good.stderr
    assert good.stdout.endswith("Every output that is compared is equal to the book's.\n")
    both = command(folder=Path(tmp_path.root), script=book)
    assert both.returncode == 1, both.stderr
    assert re.findall(r"^(\w+): 2 of 2 cells", both.stdout, re.M) == ["good", "lie"]
    assert "differs first in line 2" in both.stdout
    assert both.stdout.endswith("Not all is equal: look at lie.\n")


def test_an_unknown_chapter_is_answered_with_the_list(tmp_path):
    answer = command("attentoin", folder=tmp_path)
    assert answer.returncode == 2
    known = ", ".join(book_sources.stems())
    assert f"there is no chapter 'attentoin'; there are: {known}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_notebook_that_is_gone_is_named(book, tmp_path):
    (tmp_path / "notebooks" / "good.ipynb").write_text("<<<<<<< HEAD")
    answer = command("good", folder=tmp_path, script=book)
    assert answer.returncode == 2
    assert "`git checkout notebooks/good.ipynb`" in answer.stderr


def test_missing_packages_are_named_with_the_command(monkeypatch, capsys):
    real = verify.distribution

    def without(name):
        if name in ("nbval", "tiktoken"):
            raise verify.PackageNotFoundError(name)
        return real(name)

    assert verify.missing_packages() == []
    monkeypatch.setattr(verify, "distribution", without)
    monkeypatch.setattr(sys, "argv", ["verify.py", "tokenizer"])
    with pytest.raises(SystemExit) as left:
        verify.main()
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "tiktoken, nbval are not installed" in said
    assert ".[book,test]" in said


def test_the_extras_that_it_names_hold_what_it_imports():
    """A reader has no tools of the site: only the standard library and what was looked for."""
    code = (
        "import sys, verify, compared_run, book_sources; print(book_sources.stems(), *sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"jupytext", "pybtex", "sphinx", "jupyter_book", "nbclient"}


@pytest.mark.parametrize("stem", book_sources.stems())
def test_every_cell_that_is_not_compared_says_why(stem):
    cells = notebook_cells.code_cells(chapter_notebook.from_source(stem))
    for cell in filter(notebook_cells.is_ignored, cells):
        assert 10 < len(notebook_cells.reason(cell)) < 100, cell.source
    assert not [
        c.source for c in cells if notebook_cells.reason(c) and not notebook_cells.is_ignored(c)
    ]


@pytest.fixture(scope="module")
def with_ignored():
    """The first chapter with a cell that is not compared."""
    stems = book_sources.stems()
    return next(
        s
        for s in stems
        if notebook_cells.ignored(notebook_cells.code_cells(chapter_notebook.from_source(s)))
    )


@pytest.mark.parametrize("about", [None, {}, {"not_compared": " "}, "x"])
def test_a_cell_that_hides_without_a_reason_is_refused(with_ignored, about):
    notebook = chapter_notebook.committed(with_ignored)
    cell = next(filter(notebook_cells.is_ignored, notebook_cells.code_cells(notebook)))
    cell.metadata["minigpt"] = about
    assert any("does not say why" in p for p in notebook_checks.problems(with_ignored, notebook))


def test_a_reason_without_its_tag_is_refused(with_ignored):
    notebook = chapter_notebook.committed(with_ignored)
    cell = next(c for c in notebook_cells.code_cells(notebook) if not notebook_cells.is_ignored(c))
    cell.metadata["minigpt"] = {"not_compared": "a reason"}
    assert any("and is compared" in p for p in notebook_checks.problems(with_ignored, notebook))


def test_reasons_and_slides_make_no_run_stale(with_ignored, monkeypatch):
    before = run_inputs.inputs_digest(with_ignored)
    text = book_sources.source(with_ignored)
    reason = re.search(r'not_compared: "([^"]+)"', text)[1]
    changed = text.replace(reason, "another reason", 1)
    untagged = r"\n```\{code-cell\} ipython3\n(?![:-])"
    changed = re.sub(untagged, "\n```{code-cell} ipython3\n:tags: [slide]\n", changed, count=1)
    assert changed.count("[slide]") == text.count("[slide]") + 1
    others = book_sources.source
    monkeypatch.setattr(
        book_sources, "source", lambda stem: changed if stem == with_ignored else others(stem)
    )
    assert run_inputs.inputs_digest(with_ignored) == before
    changed = re.sub(untagged, "\n```{code-cell} ipython3\n:tags: [mine]\n", changed, count=1)
    assert run_inputs.inputs_digest(with_ignored) != before


def test_the_status_page_says_what_is_not_compared_and_why(site):
    page = BeautifulSoup((site / "status.html").read_text("utf-8"), "html.parser")
    told = {(link["href"], link.parent.get_text()) for link in page.select("main li a[href]")}
    for stem in book_sources.stems():
        assert f"make verify CHAPTER={stem}" in [c.get_text() for c in page.select("main li code")]
        source = chapter_notebook.from_source(stem)
        places = zip(
            notebook_cells.code_cells(source), notebook_cells.sections(source), strict=True
        )
        for cell, (label, heading) in places:
            if notebook_cells.is_ignored(cell):
                link = f"{stem}.html#{label.replace(':', '-')}"
                assert (link, f"{heading}: {notebook_cells.reason(cell)}") in told


def test_the_status_page_counts_every_cell(site):
    page = BeautifulSoup((site / "status.html").read_text("utf-8"), "html.parser")
    rows = [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]
    for stem, row in zip(book_sources.stems(), rows, strict=True):
        notebook = chapter_notebook.committed(stem)
        code, cost = notebook_cells.code_cells(notebook), notebook.metadata.minigpt
        compared = sum(not notebook_cells.is_ignored(cell) for cell in code)
        assert row[1:] == [str(cost.seconds), str(cost.peak_mb), f"{compared} of {len(code)}"]


def test_the_table_fits_a_phone(browser, site_url):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{site_url}status.html")
    hidden = "table => table.parentElement.scrollWidth - table.parentElement.clientWidth"
    assert page.locator("main table").evaluate(hidden) == 0
    page.close()


def test_chapters_that_ran_alike_share_a_line(monkeypatch):
    """Versions and machine are told once for all chapters that have the same."""
    stems = book_sources.stems()
    records = {
        stem: {"machine": "an abacus", "processor": "beads", "versions": {"python": "3"}}
        for stem in stems
    }
    records[stems[1]] = {"machine": "a desk", "processor": "ink", "versions": {"python": "3"}}
    monkeypatch.setattr(
        chapter_notebook,
        "committed",
        lambda stem: SimpleNamespace(metadata={"minigpt": records[stem]}),
    )
    shared, other = chapter_status.version_lines()
    assert other == f"- {chapter_status.link(stems[1])}: a desk (ink); python 3"
    assert f"{chapter_status.link(stems[0])}, {chapter_status.link(stems[2])}" in shared
    records[stems[1]] = records[stems[0]]
    assert chapter_status.version_lines() == ["All chapters: an abacus (beads); python 3"]
