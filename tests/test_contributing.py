"""The small chapter that CONTRIBUTING.md gives to copy is a whole one, and works."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import book_sources
import chapter_notebook
import notebook_cells
import pytest
import yaml

import minigpt.lessons

GUIDE = (book_sources.ROOT / "CONTRIBUTING.md").read_text("utf-8")
FILE = re.compile(r"^<!-- file: (\S+) -->\n(`{3,})\w+\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The guide's files in a folder of their own, from which the package imports them."""
    for path, _, text in FILE.findall(GUIDE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    for package in (minigpt, minigpt.lessons):
        folder = tmp_path / package.__name__.replace(".", "/")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    importlib.invalidate_caches()
    yield tmp_path
    guides = {n: m for n, m in sys.modules.items() if str(tmp_path) in str(vars(m).get("__file__"))}
    for name in guides:
        del sys.modules[name]
        package, _, attribute = name.rpartition(".")
        vars(sys.modules.get(package, minigpt)).pop(attribute, None)


@pytest.fixture
def stem(files, monkeypatch):
    """The stem of the chapter, which the book's own functions read from that folder."""
    (path,) = (files / "book").glob("*.md")
    shutil.copy(book_sources.BOOK / "references.bib", files / "book")
    monkeypatch.setattr(book_sources, "BOOK", files / "book")
    # Those of this folder alone, which no later test may find kept.
    monkeypatch.setattr(book_sources, "labels", book_sources.labels.__wrapped__)
    return path.stem


def test_its_files_are_those_that_a_chapter_has(files, stem):
    code, lessons = f"minigpt/{stem}", f"minigpt/lessons/{stem}"
    wanted = {f"book/{stem}.md"}
    wanted |= {f"tests/{stem}/{name}.py" for name in (f"test_{stem}_norm", "test_exercises")}
    wanted |= {f"{code}/__init__.py", f"{code}/{stem}_norm.py"}
    wanted |= {f"{lessons}/{name}.py" for name in ("__init__", "plots", "exercises")}
    assert {path for path, *_ in FILE.findall(GUIDE)} == wanted


def test_its_code_is_in_the_books_style(files):
    for name in ("minigpt", "minigpt/lessons"):
        (files / name / "__init__.py").touch()  # so that ruff knows the package from others
    shutil.copy(book_sources.ROOT / "pyproject.toml", files)
    ruff = Path(sys.executable).parent / "ruff"
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run([ruff, *command, "."], cwd=files, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def run(path: Path) -> dict:
    """The names that a file defines."""
    names = {}
    exec(compile(path.read_text("utf-8"), path.name, "exec"), names)
    return names


def test_its_tests_pass(files, stem):
    names = run(files / "tests" / stem / f"test_{stem}_norm.py")
    tests = [thing for name, thing in names.items() if name.startswith("test_")]
    assert len(tests) >= 3
    for test in tests:
        test()


def test_its_cells_run_and_its_solution_is_correct(files, stem):
    names = {}
    for cell in notebook_cells.code_cells(chapter_notebook.from_source(stem)):
        if not notebook_cells.is_setup(cell) and "glue(" not in cell.source:  # a kernel's alone
            exec(compile(cell.source, stem, "exec"), names)
    for name, check in vars(names["check"]).items():
        if getattr(check, "__module__", "") == names["check"].__name__:
            assert check(names[name]).passed


def test_its_prose_becomes_a_notebook(files, stem):
    notebook = chapter_notebook.in_plain_words(stem, chapter_notebook.from_source(stem))
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "as in (1), a float" in text
    assert ":::" not in text


def test_its_submissions_are_judged_as_the_guide_says(files, stem):
    tests = run(files / "tests" / stem / "test_exercises.py")["TestSubmissions"]()
    tests.test_every_check_is_tested()
    for name, submission in tests.correct.items():
        tests.test_a_correct_submission_passes(name, submission)
        tests.test_an_empty_submission_is_told_what_is_wanted_and_no_hint(name)
    for mistake in tests.wrong:
        tests.test_a_classic_mistake_gets_its_own_hint(*mistake)


def test_its_cells_say_why_they_are_not_compared():
    (block,) = re.findall(r"(:tags: \[nbval-ignore-output\]\n.*?)```", GUIDE, re.DOTALL)
    options = yaml.safe_load(re.sub(r"^:", "", block, flags=re.MULTILINE))
    assert options["minigpt"]["not_compared"]


def test_every_path_and_target_of_the_guide_exists():
    prose = FILE.sub("", GUIDE)
    targets = re.findall(r"^([a-z]+):", (book_sources.ROOT / "Makefile").read_text("utf-8"), re.M)
    assert set(re.findall(r"`make ([a-z]+)", prose)) <= set(targets)
    for path in re.findall(r"`((?:book|minigpt|tests|experiments)/[\w/.-]+\.\w+)`", prose):
        assert (book_sources.ROOT / path).exists() or re.search(r"/(test_)?(x|rms)\.", path), path


def test_every_link_within_the_guide_leads_to_a_heading():
    headings = re.findall(r"^## (.+)$", FILE.sub("", GUIDE), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", FILE.sub("", GUIDE))) <= anchors
