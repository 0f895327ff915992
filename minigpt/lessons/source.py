"""Show the package's own code in a chapter, so that the book has one copy of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

REPOSITORY = "https://github.com/minigpt-book/minigpt/blob/main"


class Source:
    """Python source as a notebook output: highlighted in Jupyter, Colab and the book.

    Args:
        code: to show.
        file: where the whole is, below the repository's root, if this is less.
    """

    def __init__(self, code: str, file: str = "") -> None:
        self.code, self.file = code, file

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        code = f"```python\n{self.code}\n```"
        link = f"[{self.file}]({REPOSITORY}/{self.file})"
        return f"{code}\n\n*Without its checks of bad input: {link}*" if self.file else code


def show_source(thing: Callable | type, docstring: bool = False, checks: bool = False) -> Source:
    """The source of a function, method or class of the package.

    Args:
        thing: what to show.
        docstring: keep docstrings; chapters say in prose what they say.
        checks: keep what only refuses bad input; else a line links to it.
    """
    code = textwrap.dedent(inspect.getsource(thing)).rstrip()
    code = code if docstring else without_docstrings(code)
    less = code if checks else without_checks(code)
    if less == code:
        return Source(code)
    return Source(less, thing.__module__.replace(".", "/") + ".py")


def without_docstrings(code: str) -> str:
    """The same code less its docstrings, every other character kept."""
    gone = set()
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            text = node.body[0]
            gone |= {*range(text.lineno - 1, text.end_lineno)}
            if lines[text.end_lineno : text.end_lineno + 1] == [""]:
                gone.add(text.end_lineno)
    return _less(lines, gone)


def without_checks(code: str) -> str:
    """The same code less what only refuses bad input, with the comments above that."""
    gone = set()
    lines = code.splitlines()
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Module | ast.stmt)]
    for node in nodes:
        for block in (getattr(node, "body", []), getattr(node, "orelse", [])):
            checks = [n for n in block if _is_check(n) and not isinstance(n, ast.Raise)]
            if len(checks) == len(block):
                continue  # nothing would be left of it; where all of it is a check, it goes whole
            for check in checks:
                first = check.lineno - 1
                while lines[first - 1].lstrip().startswith("#"):
                    first -= 1
                gone |= {*range(first, check.end_lineno)}
    return _less(lines, gone)


def _is_check(node: ast.stmt) -> bool:
    """Whether a statement does nothing unless the input is bad: it raises, asks a function that
    checks, or does no more than that under a condition or in a method."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        name = getattr(called, "id", getattr(called, "attr", ""))
        return name.lstrip("_").startswith("check")
    if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], ast.Raise):
        return True  # whatever it does before, the code below goes on without it
    if isinstance(node, ast.If | ast.For) and not node.orelse:
        *before, last = node.body
        return _is_check(last) and all(isinstance(n, ast.Assign) or _is_check(n) for n in before)
    if isinstance(node, ast.FunctionDef):
        return all(_is_check(n) for n in node.body)
    return isinstance(node, ast.Raise)


def _less(lines: list[str], gone: set[int]) -> str:
    return "\n".join(line for number, line in enumerate(lines) if number not in gone)
