"""Show the package's own code in a chapter, so that the book has one copy of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable


class Source:
    """Python source as a notebook output: highlighted in Jupyter, Colab and the book."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.code}\n```"


def show_source(thing: Callable | type, docstring: bool = False) -> Source:
    """The source of a function, method or class of the package.

    Args:
        thing: what to show.
        docstring: keep docstrings; chapters say in prose what they say.
    """
    code = textwrap.dedent(inspect.getsource(thing)).rstrip()
    return Source(code if docstring else without_docstrings(code))


def without_docstrings(code: str) -> str:
    """The same code less its docstrings, every other character kept."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            text = node.body[0]
            for number in range(text.lineno - 1, text.end_lineno):
                lines[number] = None
            if lines[text.end_lineno : text.end_lineno + 1] == [""]:
                lines[text.end_lineno] = None
    return "\n".join(line for line in lines if line is not None)
