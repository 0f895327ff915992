"""The check of how many tokens are read with and without a KV cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigpt.lessons.judge import Case, Verdict, judge, name_of


def tokens_read(function: Callable[[int, int], tuple[int, int]]) -> Verdict:
    """Check `tokens_read(n_prompt, n_new) -> (without, with)`: a KV cache."""

    def call(n_prompt: int, n_new: int) -> Any:
        answer = function(n_prompt, n_new)
        return tuple(answer) if isinstance(answer, list) else answer

    call.__name__ = name_of(function)
    hint = (
        "the first new token needs the prompt read. Without a cache, each further one needs "
        "everything read again, one token longer; with a cache, only the token before it"
    )
    cases = [
        Case(
            (n_prompt, n_new),
            (n_new * n_prompt + n_new * (n_new - 1) // 2, n_prompt + n_new - 1),
            hint,
            _read_wrongly(n_prompt, n_new),
        )
        for n_prompt, n_new in ((5, 3), (10, 1), (1, 6), (200, 50))
    ]
    return judge(call, cases)


def _read_wrongly(n: int, m: int) -> list[tuple[tuple[int | float, int], str]]:
    """The mistakes with a prompt of n tokens and m new ones: in both numbers, or in one."""
    without, cached, whole = m * n + m * (m - 1) // 2, n + m - 1, n + m
    last = "the last new token is written, but never read: nothing is asked after it"
    square = "the text grows by a token at a time: add up the lengths that were read"
    forgot = "the prompt is read too"
    scores = "count tokens, not the pairs of tokens that attention compares"
    mistakes = [
        (without + whole, whole, last),
        (m * (m - 1) // 2, m - 1, forgot),
        (m * (m + 1) // 2, m, forgot),
        (whole**2, cached, square),
        (whole**2 / 2, cached, square),
        (whole * m, cached, square),
        (n * m, cached, "the new tokens are read again too, not the prompt alone"),
        (whole * (whole - 1) // 2, cached, "the prompt is read at once, not token by token"),
        (whole * (whole + 1) // 2, cached, "the prompt is read at once, not token by token"),
        (sum((n + i) ** 2 for i in range(m)), n * n + sum(range(n + 1, whole)), scores),
        (without, without, "with a cache, no token is read twice"),
    ]
    pairs = [
        ((cached, without), "in the order without, with"),
        ((cached, cached), "without a cache, everything is read again for each new token"),
    ]
    for wrong, wrong_cached, hint in mistakes:
        alone = ((wrong, cached), (wrong, whole), (without, wrong_cached))
        pairs += [(pair, hint) for pair in ((wrong, wrong_cached), *alone)]
    return pairs
