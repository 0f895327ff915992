"""Six digits, and the same six in order."""

from __future__ import annotations

import torch

from minigpt.data.sets.data_set import Pair

DIGITS = 6
ROWS, SEED = 100_000, 1


def problems(rows: int, generator: torch.Generator, digits: int = DIGITS) -> list[Pair]:
    """``520931`` and ``012359``, each digit drawn on its own."""
    drawn = torch.randint(0, 10, (rows, digits), generator=generator).tolist()
    prompts = ["".join(map(str, row)) for row in drawn]
    return [Pair(prompt, solution(prompt)) for prompt in prompts]


def solution(prompt: str) -> str:
    """The digits in order.

    Raises:
        ValueError: something that is no digit.
    """
    if not (prompt.isascii() and prompt.isdigit()):
        raise ValueError(f"{prompt!r} is no problem: write digits alone, as 520931")
    return "".join(sorted(prompt))


def pairs() -> list[Pair]:
    """Those of the data set."""
    return problems(ROWS, torch.Generator().manual_seed(SEED))
