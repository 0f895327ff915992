"""The book's own rules: stems, one copy of the code, notebooks that match and are compared."""

from __future__ import annotations

import ast
import copy
import functools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import book_sources
import chapter_notebook
import chapter_run
import chapters
import nbformat
import notebook_cells
import notebook_checks
import own_file
import pytest
import run_inputs
import stale_pages
import web_addresses

ROOT = book_sources.ROOT
STEMS = book_sources.stems()
# Chapters whose code is the reader's own file alone, because torch does the same: no folder of
# the package, and so no listing of it.
NO_FOLDER = {"primer"}
# Chapters that show none of the package's code, as the reader's own says it all.
NO_LISTING = {"primer", "tokenizer"}
# Folders of the package without a chapter of their own.
NO_CHAPTER = {
    "commands",  # the command line
    "data",  # text, which every chapter reads
    "exchange",  # a model on disk and between programs, in the chapter on the model
    "lessons",  # plots, exercises and widgets of all chapters
    "pretrained",  # weights
    "results",  # what experiments/ measured
}


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapter_has_its_folders_and_notebook(stem):
    lessons = f"minigpt/lessons/{stem}"
    package = [] if stem in NO_FOLDER else [f"minigpt/{stem}"]
    for path in (*package, lessons, f"tests/{stem}", f"notebooks/{stem}.ipynb"):
        assert (ROOT / path).exists(), f"book/{stem}.md needs {path}"
    pictures = [ROOT / lessons / name for name in ("plots.py", "drawings.py", "drawings")]
    assert any(path.exists() for path in pictures), f"book/{stem}.md needs {lessons}/drawings.py"
    checks = ROOT / lessons / "exercises"  # a file, or a folder of them
    assert checks.with_suffix(".py").exists() or (checks / "__init__.py").exists(), (
        f"book/{stem}.md needs {lessons}/exercises.py"
    )


@pytest.mark.parametrize("stem", [stem for stem in STEMS if stem not in NO_LISTING])
def test_listings_of_the_package_hold_no_error_texts(stem):
    """A beginner reads what the code does; a line under it says where the checks are."""
    cells = chapter_notebook.committed(stem).cells
    shown = [
        o.data for c in cells for o in c.get("outputs", []) if "text/markdown" in o.get("data", {})
    ]
    assert shown
    for data in shown:
        assert not re.search(r"^\s+raise ", data["text/plain"], re.MULTILINE)


@pytest.mark.parametrize("stem", STEMS)
def test_no_fold_tells_by_its_title_what_the_reader_is_to_find(stem):
    """The cause of a bug stands in the fold, in bold at its beginning."""
    folds = re.findall(r"\{dropdown\} (The cause.*)\n(.*)", book_sources.source(stem))
    assert len(folds) >= 3
    for title, first_line in folds:
        assert title == "The cause" and re.match(r"\*\*[A-Z√`].+?\.\*\* ", first_line)


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapters_checks_are_held_to_submissions(stem):
    path = ROOT / f"tests/{stem}/test_exercises.py"
    text = path.read_text("utf-8") if path.exists() else ""
    held = re.search(r"^class Test\w+\(Submissions\):$", text, re.MULTILINE)
    assert held, f"tests/{stem}/test_exercises.py needs a class of Submissions"
    assert f"from minigpt.lessons.{stem} import exercises" in text


def folders(path: Path) -> set[str]:
    return {p.name for p in path.iterdir() if p.is_dir() and p.name != "__pycache__"}


def test_only_chapters_that_keep_a_file_have_no_folder():
    for stem in NO_FOLDER:
        assert not (ROOT / "minigpt" / stem).exists() and own_file.part(stem)


def test_every_folder_of_the_package_belongs_to_a_chapter_or_is_listed():
    for name in folders(ROOT / "minigpt"):
        assert name in {*STEMS, *NO_CHAPTER}, f"minigpt/{name} belongs to no chapter"
    assert folders(ROOT / "minigpt/lessons") == {*STEMS, "drawing"}
    assert folders(ROOT / "minigpt") >= NO_CHAPTER


def test_a_folder_hands_on_names_and_holds_nothing_else():
    for path in (ROOT / "minigpt").glob("*/**/__init__.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            handed = isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
            assert text or handed or isinstance(node, ast.ImportFrom), path


def test_no_notebook_without_a_chapter():
    assert {path.stem for path in book_sources.NOTEBOOKS.glob("*.ipynb")} == set(STEMS)


@functools.cache  # every cell of a chapter is held to them
def public_names() -> set[str]:
    """Every public function and class that a module of the package defines."""
    return {
        node.name
        for path in (ROOT / "minigpt").rglob("*.py")
        if "lessons" not in path.relative_to(ROOT).parts
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def redefined(code: str) -> set[str]:
    """Names of the package that a chapter's cell defines again."""
    code = re.sub(r"^\s*[%!].*$", "pass", code, flags=re.MULTILINE)
    defined = {
        node.name
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    return defined & public_names()


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_does_not_redefine_what_the_package_defines(stem):
    for cell in chapter_notebook.from_source(stem).cells:
        kept = own_file.MINE in cell.metadata.get("tags", [])  # the reader's, and plain
        if cell.cell_type == "code" and not notebook_cells.is_setup(cell) and not kept:
            assert redefined(cell.source) == set()


def test_the_redefinition_check_can_fail():
    assert redefined("class BPETokenizer:\n    pass") == {"BPETokenizer"}


@pytest.mark.parametrize("stem", STEMS)
def test_notebook_matches_its_chapter_and_was_run(stem):
    assert notebook_checks.problems(stem, chapter_notebook.committed(stem)) == []


@pytest.fixture
def notebook():
    return copy.deepcopy(chapter_notebook.committed("tokenizer"))


def test_a_chapter_that_differs_from_its_notebook_is_refused(notebook):
    notebook_cells.code_cells(notebook)[1].source += "\n# edited"
    assert any(
        "does not have the cells" in p for p in notebook_checks.problems("tokenizer", notebook)
    )


def test_prose_that_differs_is_refused(notebook):
    next(c for c in notebook.cells if c.cell_type == "markdown").source += " edited"
    assert any(
        "does not have the cells" in p for p in notebook_checks.problems("tokenizer", notebook)
    )


def test_outputs_of_older_code_are_refused(notebook):
    notebook.metadata.minigpt.inputs = "0" * 64
    assert any("older than the code" in p for p in notebook_checks.problems("tokenizer", notebook))


def test_a_notebook_without_outputs_is_refused(notebook):
    for cell in notebook_cells.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    found = notebook_checks.problems("tokenizer", notebook)
    assert any("never run" in p for p in found)
    assert any("holds no outputs" in p for p in found)


def test_hiding_from_nbval_is_refused(notebook):
    cells = notebook_cells.code_cells(notebook)
    cells[1].source = "# NBVAL_IGNORE_OUTPUT\n" + cells[1].source
    cells[2].metadata.tags = ["raises-exception"]
    for cell in cells[3:]:
        cell.metadata.tags = ["nbval-ignore-output"]
    found = "\n".join(notebook_checks.problems("tokenizer", notebook))
    assert "hides from nbval" in found
    assert "raises nothing" in found
    assert "at most 1 in 10" in found


def test_a_notebook_that_is_none_or_incomplete_is_run_again(notebook, monkeypatch, tmp_path):
    monkeypatch.setattr(book_sources, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(chapter_run, "execute", lambda stem: copy.deepcopy(notebook))
    path = book_sources.notebook_path("tokenizer")
    short = copy.deepcopy(notebook)
    short.cells.remove(notebook_cells.code_cells(short)[-1])
    for text in ("<<<<<<< HEAD", nbformat.writes(short)):
        path.write_text(text, "utf-8")
        assert notebook_checks.problems("tokenizer", chapter_notebook.committed("tokenizer"))
        assert chapters.update("tokenizer").startswith("ran in")
        assert notebook_checks.problems("tokenizer", chapter_notebook.committed("tokenizer")) == []
    assert chapters.update("tokenizer") == "up to date"


def test_a_stale_notebook_fails_the_check(monkeypatch, tmp_path):
    monkeypatch.setattr(book_sources, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["chapters.py", "--check"])
    with pytest.raises(SystemExit, match="missing or cannot be read"):
        chapters.main()
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["chapters.py", "--check"])
    with pytest.raises(SystemExit) as passed:
        chapters.main()
    assert passed.value.code == 0


def test_stderr_is_refused(notebook):
    notebook_cells.code_cells(notebook)[1].outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="!")
    ]
    assert any("stderr" in p for p in notebook_checks.problems("tokenizer", notebook))


def test_the_digest_follows_the_package(monkeypatch, tmp_path):
    before = run_inputs.inputs_digest("tokenizer")
    for name in ("requirements.txt", "requirements-data.txt", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "minigpt", tmp_path / "minigpt")
    monkeypatch.setattr(book_sources, "ROOT", tmp_path)
    assert run_inputs.inputs_digest("tokenizer") == before
    (tmp_path / "minigpt" / "data.py").write_text("edited = True\n")
    assert run_inputs.inputs_digest("tokenizer") != before


@pytest.mark.parametrize("kind", [".css", ".json", ".safetensors", ".txt"])
def test_the_digest_follows_every_kind_of_file(kind, monkeypatch, tmp_path):
    (tmp_path / "minigpt" / "__pycache__").mkdir(parents=True)
    for name in ("requirements.txt", "requirements-data.txt", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "minigpt" / f"file{kind}").write_bytes(b"one\n")
    monkeypatch.setattr(book_sources, "ROOT", tmp_path)
    before = run_inputs.inputs_digest("tokenizer")
    (tmp_path / "minigpt" / "__pycache__" / f"file{kind}").write_bytes(b"compiled")
    assert run_inputs.inputs_digest("tokenizer") == before
    (tmp_path / "minigpt" / f"file{kind}").write_bytes(b"two\n")
    assert run_inputs.inputs_digest("tokenizer") != before


def run_nbval(path: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(path.parent), "-c", os.devnull, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_nbval_sees_a_wrong_output(notebook, tmp_path):
    cells = notebook_cells.code_cells(notebook)
    cells = notebook.cells = cells[:2]  # enough to be quick: the set-up and one that prints
    true, lie = tmp_path / "true.ipynb", tmp_path / "lie.ipynb"
    nbformat.write(notebook, true)
    printed = cells[1].outputs[0]
    wrong = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), printed.text, count=1)
    assert wrong != printed.text
    printed.text = wrong
    nbformat.write(notebook, lie)
    assert run_nbval(true).returncode == 0
    found = run_nbval(lie)
    assert found.returncode == 1
    assert "Cell outputs differ" in found.stdout


@pytest.mark.parametrize("stem", STEMS)
def test_a_notebook_is_plain_markdown(stem):
    for cell in chapter_notebook.committed(stem).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"(?<!\w)\{[\w:-]+\}`|^:::|^\(.*\)=$|^```\{", cell.source, re.M)


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_keeps_its_budget(stem):
    cost = chapter_notebook.committed(stem).metadata.minigpt
    assert cost.seconds <= chapters.BUDGET_SECONDS
    assert cost.peak_mb <= chapters.BUDGET_MB


def test_the_status_page_names_all_that_no_chapter_computes():
    folders = [f"pretrained/{path.name}" for path in (ROOT / "minigpt/pretrained").iterdir()]
    files = [f"results/{path.name}" for path in (ROOT / "minigpt/results").iterdir()]
    rows = re.findall(
        r"^- `([^`]+/[^`]+)`: `(?:python )?([^`]+)`", book_sources.source("status"), re.MULTILINE
    )
    assert sorted(stored for stored, _ in rows) == sorted(folders + files)
    assert all(by == "minigpt train" or (ROOT / by).exists() for _, by in rows)


def test_an_installed_package_carries_every_file():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    files = {p for p in (ROOT / "minigpt").rglob("*") if p.is_file() and p.suffix != ".pyc"}
    code = {p for p in files if p.suffix == ".py"}
    assert setuptools["packages"]["find"] == {"include": ["minigpt*"]}
    assert {f"{name}.py" for name in setuptools["py-modules"]} == own_file.whole().keys()
    patterns = setuptools["package-data"]["minigpt"]
    carried = {p for pattern in patterns for p in (ROOT / "minigpt").glob(pattern)}
    assert files - code == carried


def test_one_repository_address_everywhere():
    address = web_addresses.repository()
    assert f"url: {address}\n" in (ROOT / "_config.yml").read_text("utf-8")
    assert address.removeprefix("https://github.com/") in (ROOT / "README.md").read_text("utf-8")


def test_pages_that_left_the_book_leave_the_site(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_static").mkdir()
    pages = ("index.html", "404.html", "gone.html", "notebooks/gone.ipynb", "_static/kept.html")
    for page in pages:
        (tmp_path / page).write_text("")
    environment = SimpleNamespace(found_docs={"index"})
    builder = SimpleNamespace(format="html")
    stale_pages.remove_stale(
        SimpleNamespace(outdir=tmp_path, env=environment, builder=builder), None
    )
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"index.html", "404.html", "_static/kept.html"}
