"""The checks behind the book's exercises: one module a chapter, one function an exercise.

A check takes the reader's function, calls it on cases small enough to work out on paper
and returns a `Verdict` that says what was right or gives a hint. It never raises for a
wrong answer: the reader's own exception is part of the verdict.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What a check found: `passed`, and a message for the reader."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return "\n".join(textwrap.fill(line, 74) for line in self.message.splitlines())


@dataclass(frozen=True)
class Case:
    """One call of the reader's function.

    Args:
        arguments: what the function is called with (each call gets a fresh copy).
        expected: what it must return.
        hint: what to think about when it returns anything else.
        mistakes: pairs of a well-known wrong answer and the hint that fits it.
    """

    arguments: tuple
    expected: Any
    hint: str
    mistakes: Sequence[tuple[Any, str]] = field(default=())


def judge(function: Callable, cases: Sequence[Case]) -> Verdict:
    """Call the reader's function on each case; the first wrong answer decides."""
    for case in cases:
        arguments = copy.deepcopy(case.arguments)
        name = getattr(function, "__name__", "your function")
        call = f"{name}({', '.join(map(repr, case.arguments))})"
        try:
            answer = function(*arguments)
            answer = list(answer) if hasattr(answer, "__next__") else answer
            right = isinstance(answer, type(case.expected)) and bool(answer == case.expected)
            hint = next((h for wrong, h in case.mistakes if bool(answer == wrong)), case.hint)
        except Exception as error:
            problem = f"{call} raised {type(error).__name__}: {error}."
            return Verdict(False, f"Not yet. {problem}\nHint: {case.hint}")
        if arguments != case.arguments:
            return Verdict(
                False,
                f"Not yet. {call} changed what it was given, which the caller still needs."
                "\nHint: build a new list and return that.",
            )
        if right:
            continue
        return Verdict(
            False,
            f"Not yet. {call} returned {answer!r}; expected {case.expected!r}.\nHint: {hint}",
        )
    return Verdict(True, f"Correct: {len(cases)} of {len(cases)} cases.")
