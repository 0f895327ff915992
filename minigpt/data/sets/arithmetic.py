"""Sums and differences, drawn by chance: what comes after the equals sign is never by chance."""

from __future__ import annotations

import re

import torch

from minigpt.data.sets.data_set import Pair

LARGEST = 999
ROWS, SEED = 100_000, 1
PROBLEM = re.compile(r"(\d+)([+-])(\d+)")


def problems(rows: int, generator: torch.Generator) -> list[Pair]:
    """``345+678`` and ``1023``: two numbers from 0 to 999, added or subtracted."""
    shape = (rows, 2)
    numbers = torch.randint(0, LARGEST + 1, shape, generator=generator).tolist()
    minus = torch.randint(0, 2, (rows,), generator=generator).tolist()
    signs = ["+-"[sign] for sign in minus]
    prompts = [f"{a}{sign}{b}" for (a, b), sign in zip(numbers, signs, strict=True)]
    return [Pair(prompt, solution(prompt)) for prompt in prompts]


def solution(prompt: str) -> str:
    """What ``345+678`` is.

    Raises:
        ValueError: something else than two numbers with ``+`` or ``-`` between them.
    """
    if (found := PROBLEM.fullmatch(prompt)) is None:
        raise ValueError(f"{prompt!r} is no problem: write it as 345+678 or 12-345")
    first, sign, second = found.groups()
    return str(int(first) + int(second) if sign == "+" else int(first) - int(second))


def pairs() -> list[Pair]:
    """Those of the data set."""
    return problems(ROWS, torch.Generator().manual_seed(SEED))
