"""Speakers' names in the plays: where they stand, and where one is about to come."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

NAME = re.compile(r"\n\n([^\n:]+):\n")  # on a line of its own, after an empty one


def speakers(
    decode: Callable[[list[int]], str], passages: Sequence[Sequence[int]]
) -> tuple[Bool[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """Which tokens are of a speaker's name, and after which a name comes.

    The second is true at the last token before a name, where an earlier name of the passage can
    be looked up.

    Args:
        decode: the tokenizer's.
        passages: ids, equally many each.

    Used in https://minigpt-book.github.io/minigpt/attention.html
    """
    is_name = torch.zeros(len(passages), len(passages[0]), dtype=torch.bool)
    is_due = torch.zeros_like(is_name)
    for row, ids in enumerate(passages):
        ends, text = [0], ""
        for i in ids:
            text += decode([i])
            ends.append(len(text))
        for found in NAME.finditer(text):
            begin, end = found.span(1)
            inside = [t for t in range(len(ids)) if begin <= ends[t] and ends[t + 1] <= end]
            if not inside:
                continue
            if is_name[row].any():
                is_due[row, inside[0] - 1] = True
            is_name[row, inside] = True
    return is_name, is_due
