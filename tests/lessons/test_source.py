"""Chapters show the package's code as it stands."""

from __future__ import annotations

import ast
import inspect

from minigpt.embedding import TokenEmbedding, sinusoidal_positions
from minigpt.lessons import show_source
from minigpt.lessons.source import without_checks, without_docstrings
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


CHECKED = """\
class Example:
    def __post_init__(self):
        for name in ("a", "b"):
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f"{name} is {value}")
        self._check("a")

    def method(self, x):
        # A reason for the check,
        # in two lines.
        if not compiling():
            low = x.min()
            if low < 0:
                raise ValueError("low")
        check_ids(x)
        if x is None:
            self.tidy_up()
            raise ValueError("none")
        if x > 3:
            x = 3
        else:
            raise ValueError("x")
        for y in x:
            print(y)
        return x  # kept
"""
UNCHECKED = """\
class Example:

    def method(self, x):
        if x > 3:
            x = 3
        else:
            raise ValueError("x")
        for y in x:
            print(y)
        return x  # kept"""


def test_what_only_refuses_goes_with_the_comment_above_it():
    assert without_checks(CHECKED) == UNCHECKED
    ast.parse(UNCHECKED)


def test_a_listing_without_its_checks_says_where_they_are():
    shown = show_source(TokenEmbedding)
    whole = show_source(TokenEmbedding, checks=True)
    assert "raise" in whole.code and "raise" not in shown.code and "class" in shown.code
    file = "minigpt/embedding/tables.py"
    link = f"[{file}](https://github.com/minigpt-book/minigpt/blob/main/{file})"
    assert shown._repr_markdown_().endswith(f"```\n\n*Without its checks of bad input: {link}*")
    assert whole._repr_markdown_().endswith("```")
    nothing_to_leave_out = show_source(sinusoidal_positions)
    assert nothing_to_leave_out._repr_markdown_().endswith("```")
