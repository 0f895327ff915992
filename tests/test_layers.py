"""Who may import whom: pyproject.toml's contracts hold, and see what breaks them."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import book_sources
import pytest
from page_scripts import ASSETS, fetched_by

ROOT = book_sources.ROOT
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
PYTHON = shutil.ignore_patterns("__pycache__", "*.safetensors")


@pytest.fixture
def tree(tmp_path):
    """A copy of the packages and the contracts."""
    for package in ("minigpt", "editions"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=PYTHON)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def linted(tree: Path) -> subprocess.CompletedProcess:
    command = [*LINT, "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60)


def plant(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def test_the_contracts_hold(tree):
    done = linted(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        (
            "editions/slides/deck.py",
            "from editions.posts import markdown",
            "editions.slides is not allowed to import editions.posts",
        ),
        (
            "editions/browser/chromium.py",
            "import editions.built.stills",
            "editions.browser is not allowed to import editions.built",
        ),
        (
            "editions/posts/blocks.py",
            "from editions.posts.dialects import DIALECTS",
            "No two folders, and no two files, import each other BROKEN",
        ),
        (
            "minigpt/attention/linear.py",
            "from minigpt.model import GPT",
            "minigpt.attention is not allowed to import minigpt.model",
        ),
        (
            "minigpt/generation/reader.py",
            "def later():\n    from minigpt.training import Recipe",
            "minigpt.generation is not allowed to import minigpt.training",
        ),
        (
            "minigpt/training/loss.py",
            "from minigpt.training.run import train",
            "No two folders, and no two files, import each other BROKEN",
        ),
        (
            "minigpt/lessons/training/plots.py",
            "from minigpt.lessons.model.plots import rms_by_layer",
            "minigpt.lessons.training is not allowed to import minigpt.lessons.model",
        ),
        (
            "minigpt/data/corpus.py",
            "import bokeh",
            "minigpt.data is not allowed to import bokeh",
        ),
        (
            "minigpt/rms/__init__.py",
            "",
            "The package reads from the ground up, as the book from the front BROKEN",
        ),
    ],
)
def test_a_wrong_import_is_seen(tree, file, line, told):
    plant(tree / file, line)
    done = linted(tree)
    assert done.returncode == 1
    assert told in done.stdout


def test_the_core_is_all_but_the_lessons():
    """So that a new folder is not left out where Bokeh and web frameworks are."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (core,) = (found for found in contracts["contracts"] if found["id"] == "core")
    folders = {path.parent.name for path in (ROOT / "minigpt").glob("*/__init__.py")}
    assert set(core["source_modules"]) == {f"minigpt.{name}" for name in folders - {"lessons"}}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, by the first part of their names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


EXTENSION = ROOT / "book" / "_ext"  # in no package, so that no contract can hold its files


def test_the_notebooks_tools_know_nothing_of_the_site():
    above = {path.stem for path in (EXTENSION / "site").glob("*.py")} | {"editions"}
    found = {path.name: imported(path) & above for path in (EXTENSION / "notebooks").glob("*.py")}
    assert found and not any(found.values()), found


def test_the_books_tools_import_each_other_in_one_direction():
    files = {path.stem: path for path in EXTENSION.glob("*/*.py")}
    graph = {stem: imported(path) & set(files) for stem, path in files.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises where there is a circle
    assert order.index("book_sources") < order.index("chapters") < len(files)


MADE_OF = {  # elements that show others
    "looking-glass": {"attention-explorer", "logit-lens"},
    "attention-explorer": {"attention-steps"},
}


def test_the_pages_scripts_import_each_other_in_one_direction():
    graph = {path: fetched_by(path) for path in ASSETS.rglob("*.js")}
    assert sum(map(len, graph.values())) > 100
    assert {path for found in graph.values() for path in found} <= set(graph), "all are there"
    assert ASSETS / "engine" / "gpt-worker.js" in graph[ASSETS / "engine" / "model-in-worker.js"]
    list(TopologicalSorter(graph).static_order())  # raises where there is a circle
    levels = ["engine", "parts", "elements"]
    for path, found in graph.items():
        place = path.relative_to(ASSETS).parts
        for other in found:
            there = other.relative_to(ASSETS).parts
            if place[0] == there[0] == "elements":
                assert there[1] in {place[1], *MADE_OF.get(place[1], ())}, (path, other)
            else:
                assert levels.index(there[0]) <= levels.index(place[0]), (path, other)
