"""Chapters show the package's code as it stands."""

from __future__ import annotations

import ast
import inspect

from minigpt.lessons import show_source
from minigpt.lessons.source import without_docstrings
from minigpt.tokenizer import merges as bpe


def test_source_is_the_packages_less_its_docstring():
    shown = show_source(bpe.apply_merges)
    assert '"""' not in repr(shown)
    assert shown._repr_markdown_().startswith("```python\ndef apply_merges(")
    bare = ast.parse(inspect.getsource(bpe.apply_merges))
    bare.body[0].body.pop(0)
    assert ast.dump(ast.parse(repr(shown))) == ast.dump(bare)


def test_docstrings_can_be_kept():
    assert (
        repr(show_source(bpe.apply_merges, docstring=True))
        == inspect.getsource(bpe.apply_merges).rstrip()
    )


def test_methods_are_dedented():
    class Example:
        def method(self):
            """Gone."""

            return 1  # kept

    assert repr(show_source(Example.method)) == "def method(self):\n    return 1  # kept"


def test_only_docstrings_go():
    code = 'x = """text"""\n\ndef f():\n    """Gone\n    too."""\n    # kept\n    return "kept"'
    assert without_docstrings(code) == ('x = """text"""\n\ndef f():\n    # kept\n    return "kept"')
