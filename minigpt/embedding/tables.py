"""Vectors for tokens and for positions: what a GPT adds up before its first block.

Tokens get rows of a table that is learned. Positions get rows of a second learned table (GPT-2),
sines and cosines (the first transformer), or no vector at all: rotary positions turn the queries
and keys of attention instead.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


class TokenEmbedding(nn.Module):
    """A learned table with one row of `n_embd` numbers a token.

    Rows start as draws from a normal distribution of standard deviation 0.02, as in the first GPT
    (Radford et al. 2018, section 4.1).

    Args:
        vocab_size: rows, one a token id.
        n_embd: numbers in a row.
        generator: where the starting numbers are drawn from.

    Raises:
        ValueError: a size below 1; when called, an id that has no row, or ids that are no integers.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """

    def __init__(
        self, vocab_size: int, n_embd: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.weight = _table(vocab_size, n_embd, generator, "vocab_size")

    def forward(self, ids: Int[Tensor, "*batch T"]) -> Float[Tensor, "*batch T C"]:
        """The row of each id."""
        if ids.is_floating_point():
            raise ValueError(
                f"ids hold {ids.dtype}; they must be integers: torch.tensor(ids, dtype=torch.long) "
                "(an empty list makes floats)"
            )
        if not torch.compiler.is_compiling() and ids.numel() and not ids.is_meta:
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= len(self.weight):
                raise ValueError(
                    f"token id {low if low < 0 else high} has no row: the table has "
                    f"{len(self.weight)} (ids 0 to {len(self.weight) - 1}): encode with the "
                    "tokenizer that the model was trained with"
                )
        return F.embedding(ids, self.weight)


class PositionEmbedding(nn.Module):
    """A learned table with one row of `n_embd` numbers a position (Radford et al. 2018).

    Args:
        context_length: rows, so the most tokens of a sequence.
        n_embd: numbers in a row.
        generator: where the starting numbers, N(0, 0.02²), are drawn from.

    Raises:
        ValueError: a size below 1; when called, a position that has no row.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """

    def __init__(
        self, context_length: int, n_embd: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.weight = _table(context_length, n_embd, generator, "context_length")

    def forward(self, length: int, start: int = 0) -> Float[Tensor, "T C"]:
        """The rows of `length` positions from `start` on."""
        if length < 0 or start < 0:
            raise ValueError(f"length {length} and start {start} must not be negative")
        if start + length > len(self.weight):
            raise ValueError(
                f"{length} tokens from position {start} on need {start + length} positions, but "
                f"context_length is {len(self.weight)}: shorten the sequence, or build the model "
                "with a longer context"
            )
        return self.weight[start : start + length]


def check_ids(ids: Tensor) -> None:
    """Raise ValueError for ids that are not (B, T)."""
    if not isinstance(ids, Tensor):
        raise ValueError(f"ids are a {type(ids).__name__}; give a tensor: torch.as_tensor(ids)")
    if ids.dim() != 2:
        raise ValueError(
            f"ids have the shape {tuple(ids.shape)}; they must be (B, T), one sequence a row: "
            "ids[None] makes one sequence a batch"
        )


def _table(rows: int, n_embd: int, generator: torch.Generator | None, what: str) -> nn.Parameter:
    if rows < 1 or n_embd < 1:
        raise ValueError(f"{what} is {rows} and n_embd is {n_embd}; both must be at least 1")
    return nn.Parameter(torch.empty(rows, n_embd).normal_(std=0.02, generator=generator))
