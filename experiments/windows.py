"""Windows of a text as two experiments draw them, whose results are stored."""

from __future__ import annotations

import torch
from torch import Tensor


def random_windows(
    ids: Tensor, length: int, batch_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Windows at random places, and the same windows one token later."""
    starts = torch.randint(len(ids) - length, (batch_size,), generator=generator)
    rows = torch.stack([ids[start : start + length + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]
