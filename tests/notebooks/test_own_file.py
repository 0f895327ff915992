"""The readers' own files are their chapters' cells, and each chapter's stage begins the next."""

from __future__ import annotations

import ast
import shutil

import book_sources
import own_file
import pytest
import run_inputs

STEMS = [stem for stem in book_sources.stems() if own_file.part(stem)]
CHAPTER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst, format_version: 0.13}
kernelspec: {name: python3, display_name: Python 3, language: python}
---

# %s

```{code-cell} ipython3
:tags: [mine]
%s
```

```{code-cell} ipython3
print("not kept")
```
"""


@pytest.mark.parametrize("name", own_file.whole())
def test_the_file_is_what_the_chapters_write(name):
    assert own_file.path(name).read_text("utf-8") == own_file.whole()[name], "run `make notebooks`"


@pytest.mark.parametrize("stem", STEMS)
def test_each_stage_is_python_and_begins_the_whole(stem):
    stage, whole = own_file.until(stem), own_file.whole()[own_file.file_name(stem)]
    ast.parse(stage)
    assert whole.startswith(stage) and own_file.part(stem) in stage


@pytest.mark.parametrize("stem", STEMS)
def test_what_is_kept_is_short_and_has_no_annotations(stem):
    """As a reader types it."""
    tree = ast.parse(own_file.part(stem))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AnnAssign)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not any(a.annotation for a in node.args.args)
        assert not isinstance(node, ast.Raise | ast.Assert)


def test_nothing_is_written_twice():
    for text in own_file.whole().values():
        names = [
            n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef | ast.ClassDef)
        ]
        assert len(names) == len(set(names))


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Two chapters of one line each."""
    (tmp_path / "book").mkdir()
    shutil.copy(book_sources.ROOT / "pyproject.toml", tmp_path)
    for stem, line in (("one", "a = 1"), ("two", "b = 2")):
        text = CHAPTER % (f"Chapter {stem}: its title", line)
        (tmp_path / "book" / f"{stem}.md").write_text(text, "utf-8")
    monkeypatch.setattr(book_sources, "BOOK", tmp_path / "book")
    monkeypatch.setattr(book_sources, "ROOT", tmp_path)
    monkeypatch.setattr(book_sources, "stems", lambda: ["one", "two"])
    return tmp_path


def test_chapters_append(book):
    own_file.write()
    written = (book / "my_gpt.py").read_text("utf-8")
    assert written.endswith(
        "\n\n\n# Chapter one: its title\n\na = 1\n\n\n# Chapter two: its title\n\nb = 2\n"
    )
    assert "not kept" not in written
    assert own_file.until("two", included=False) == own_file.until("one")
    assert own_file.until("one", included=False) == ""
    assert own_file.sentence("one") == "**Your file**, `my_gpt.py`, begins with 5 lines."
    assert own_file.sentence("two").endswith("now has 7 lines; this chapter wrote 2 of them.")
    assert "b = 2" in own_file.note("two") and "a = 1" not in own_file.note("two")


def test_a_chapter_knows_what_those_before_it_wrote(book):
    assert own_file.known("one") == "" and "a = 1" in own_file.known("two")


def test_outputs_are_older_than_a_change_of_what_the_chapter_knows(monkeypatch):
    before = run_inputs.inputs_digest("embedding")
    monkeypatch.setattr(own_file, "known", lambda stem: "other")
    assert run_inputs.inputs_digest("embedding") != before
