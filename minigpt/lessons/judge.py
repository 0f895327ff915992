"""The checks behind the book's exercises: one module a chapter, one function an exercise.

A check takes the reader's function, calls it on cases small enough to work out on paper
and returns a `Verdict` that says what was right or gives a hint. It never raises for a
wrong answer: the reader's own exception is part of the verdict.
"""

from __future__ import annotations

import copy
import math
import numbers
import textwrap
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

# Float32 is good to seven digits, of which a sum of a few products may lose two.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
LONGEST_SHOWN = 40  # numbers of a tensor
LONGEST_MODULE = 200  # characters of a module's own description
NOT_A_NUMBER = (
    "nan means not a number: it comes from inf - inf, inf / inf, 0 / 0 or 0 * inf, and spreads "
    "from there. Print each step to see where it first appears"
)


@dataclass(frozen=True)
class Verdict:
    """What a check found: `passed`, and a message for the reader."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return "\n".join(textwrap.fill(line, 74) for line in self.message.splitlines())


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the reader's function.

    Floats, and tensors of them, are compared up to rounding. Where a tensor is expected, nested
    lists of its numbers count too.

    Args:
        arguments: what the function is called with (each call gets a fresh copy).
        expected: what it must return.
        hint: what to think about when it returns anything else.
        mistakes: pairs of a well-known wrong answer and the hint that fits it; `math.nan` stands
            for any answer with a nan in it.
    """

    arguments: tuple
    expected: Any
    hint: str
    mistakes: Sequence[tuple[Any, str]] = field(default=())


def judge(function: Callable, cases: Sequence[Case]) -> Verdict:
    """Call the reader's function on each case; the first wrong answer decides."""
    for case in cases:
        arguments = copy.deepcopy(case.arguments)
        call = f"{name_of(function)}({', '.join(map(_given, case.arguments))})"
        try:
            answer = function(*arguments)
            answer = list(answer) if hasattr(answer, "__next__") else answer
            if isinstance(case.expected, Tensor):
                answer = _as_tensor(answer)
            right = _is_of_kind(answer, case.expected) and _equal(answer, case.expected)
            hint = "" if right else _hint(answer, case)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            return Verdict(False, f"Not yet. {call} raised {what}{_place(error, function)}")
        if not _unchanged(arguments, case.arguments):
            return Verdict(
                False,
                f"Not yet. {call} changed what it was given, which the caller still needs."
                f"\nHint: {_instead(arguments)}.",
            )
        if right:
            continue
        problem = f"{call} returned {_difference(answer, case.expected)}"
        told = "" if answer is None else f"\nHint: {hint}"  # before a try, hints are asked for
        return Verdict(False, f"Not yet. {problem}.{told}")
    return Verdict(True, f"Correct: {len(cases)} of {len(cases)} cases.")


def name_of(function: Callable) -> str:
    """What a verdict calls the reader's function; not everything that can be called has a name."""
    return getattr(function, "__name__", "your function")


def _place(error: Exception, function: Callable) -> str:
    """Where in the reader's own function an exception came up."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    if code is None or not (own := [f for f in frames if f.filename == code.co_filename]):
        return "."
    line = f", line {own[-1].lineno - code.co_firstlineno + 1} of {name_of(function)}"
    return f"{line}:\n    {own[-1].line}" if own[-1].line else f"{line}."


def shown(value: Any, decimals: int | None = 3) -> str:
    """A value as a message shows it: tensors as lists, with few decimals, and nothing long."""
    if isinstance(value, Tensor):
        if value.numel() > LONGEST_SHOWN:
            return f"a tensor of shape {tuple(value.shape)}"
        return shown(value.tolist(), decimals)
    if isinstance(value, nn.Module):
        if hasattr(value, "config"):
            return f"{type(value).__name__}({value.config})"
        text = " ".join(repr(value).split())
        return text if len(text) <= LONGEST_MODULE else f"a {type(value).__name__}"
    if isinstance(value, list | tuple):
        items = ", ".join(shown(item, decimals) for item in value)
        return f"[{items}]" if isinstance(value, list) else f"({items}{',' * (len(value) == 1)})"
    if isinstance(value, float) and decimals is not None:
        return repr(round(float(value), decimals) + 0.0)  # + 0.0 turns -0.0 into 0.0
    return repr(value)


def _given(value: Any) -> str:
    short = isinstance(value, Tensor) and value.numel() <= LONGEST_SHOWN
    return f"tensor({shown(value)})" if short else shown(value)


def _as_tensor(answer: Any) -> Any:
    """Numbers in lists, tuples and arrays as a tensor; anything else as it is."""
    if isinstance(answer, list | tuple) and answer and all(map(torch.is_tensor, answer)):
        return torch.stack([*answer])
    if isinstance(answer, list | tuple | float) or hasattr(answer, "__array__"):
        return answer if isinstance(answer, Tensor) else torch.tensor(answer)
    return answer


def _is_of_kind(answer: Any, expected: Any) -> bool:
    if isinstance(expected, Tensor):
        return isinstance(answer, Tensor) and _kind(answer) == _kind(expected)
    if isinstance(expected, float):  # also an int, and a tensor that is one number
        return isinstance(answer, Tensor) or _is_number(answer)
    if isinstance(expected, int) and not isinstance(expected, bool):  # as np.prod makes them too
        if isinstance(answer, Tensor):
            return _kind(answer) == "whole numbers"
        return _is_number(answer) and isinstance(answer, numbers.Integral)
    return isinstance(answer, type(expected))


def _kind(tensor: Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "truth values"
    if tensor.is_complex():
        return "complex numbers"
    return "floats" if tensor.is_floating_point() else "whole numbers"


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _equal(answer: Any, wanted: Any) -> bool:
    """Whether these are the same numbers, up to rounding if floats are wanted; nan never is."""
    if isinstance(wanted, Tensor):
        if not isinstance(answer, Tensor) or answer.shape != wanted.shape:
            return False
        answer, wanted = answer.detach().to(torch.float64), wanted.to(torch.float64)
        return torch.allclose(answer, wanted, **TOLERANCE)
    if isinstance(answer, Tensor):
        return answer.numel() == 1 and answer.dim() == 0 and _equal(answer.item(), wanted)
    if isinstance(wanted, float) and _is_number(answer):
        rounding = {"rel_tol": TOLERANCE["rtol"], "abs_tol": TOLERANCE["atol"]}
        return math.isclose(answer, wanted, **rounding)
    return bool(answer == wanted)


def _hint(answer: Any, case: Case) -> str:
    missing = _has_nan(answer)
    for wrong, hint in case.mistakes:
        if (isinstance(wrong, float) and math.isnan(wrong) and missing) or _equal(answer, wrong):
            return hint
    as_list = answer.tolist() if isinstance(answer, Tensor) else None
    if isinstance(case.expected, list) and as_list == case.expected:
        return "right, but as a tensor: .tolist() makes a list of it"
    return NOT_A_NUMBER if missing else case.hint


def _has_nan(answer: Any) -> bool:
    if isinstance(answer, Tensor):
        return bool(answer.isnan().any())
    if isinstance(answer, list | tuple):
        return any(map(_has_nan, answer))
    return isinstance(answer, float) and math.isnan(answer)


def _unchanged(given: Any, original: Any) -> bool:
    if isinstance(original, Tensor):
        return torch.equal(given, original)
    if isinstance(original, nn.Module):
        states = [list(module.state_dict().items()) for module in (given, original)]
        return _structure(given) == _structure(original) and _unchanged(*states)
    if isinstance(original, list | tuple):
        pairs = zip(given, original, strict=False)
        return len(given) == len(original) and all(_unchanged(*pair) for pair in pairs)
    return given == original


def _structure(module: nn.Module) -> list[tuple]:
    """What a caller would miss of a module, apart from its numbers; hooks would run for them."""
    tensors = module.named_parameters()
    parts: list[tuple] = [(name, p.dtype, p.requires_grad) for name, p in tensors]
    for name, part in module.named_modules():
        hooks = len(part._forward_pre_hooks) + len(part._forward_hooks)
        parts.append((name, type(part), part.training, hooks))
    return parts


def _instead(arguments: Sequence[Any]) -> str:
    """What to do rather than change an argument."""
    if any(isinstance(a, nn.Module) for a in arguments):
        return (
            "leave the model as it was: its numbers, parts and mode. Take off every hook, and "
            "change a copy only (copy.deepcopy)"
        )
    new = "tensor" if any(isinstance(a, Tensor) for a in arguments) else "list"
    return f"build a new {new} and return that"


def _difference(answer: Any, expected: Any) -> str:
    """What was returned and what was expected, in as many decimals as tell them apart."""
    if isinstance(answer, Tensor) and isinstance(expected, Tensor):
        if answer.shape != expected.shape:
            own = "a tensor" if answer.numel() > LONGEST_SHOWN else f"{shown(answer)},"
            return f"{own} of shape {tuple(answer.shape)}; expected shape {tuple(expected.shape)}"
        if _kind(answer) != _kind(expected):
            return f"{_kind(answer)} ({answer.dtype}); expected {_kind(expected)}"
        if expected.numel() > LONGEST_SHOWN:
            close = torch.isclose(answer.to(torch.float64), expected.to(torch.float64), **TOLERANCE)
            place = (~close).nonzero()[0].tolist()
            pair = f"{answer[tuple(place)]:.6g}; expected {expected[tuple(place)]:.6g}"
            return f"{shown(answer)}. Its number at {place} is {pair}"
    elif isinstance(answer, Tensor) and answer.dim():
        return f"a tensor, {shown(answer)}; expected {shown(expected)}, a {type(expected).__name__}"
    texts = shown(answer), shown(expected)
    if texts[0] == texts[1]:
        texts = shown(answer, None), shown(expected, None)
    return f"{texts[0]}; expected {texts[1]}"
