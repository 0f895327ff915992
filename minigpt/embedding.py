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
                    f"{len(self.weight)} (ids 0 to {len(self.weight) - 1}). Was the text encoded "
                    "with another tokenizer than the model's?"
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


def position_angles(
    length: int, width: int, base: float = 10_000.0, start: int = 0
) -> Float[Tensor, "T half"]:
    """The angle of every position in every pair of dimensions, in radians, as float64.

    Pair i turns by ``base ** (-2 * i / width)`` per position: the first pair by one radian, the
    last by ``base ** (2 / width - 1)`` (Vaswani et al. 2017, section 3.5; Su et al. 2021,
    section 3.2).

    Args:
        length: positions T.
        width: dimensions; there are width / 2 angles a position.
        base: how far apart the slowest and the fastest pair are.
        start: the first position.

    Raises:
        ValueError: `width` is odd or below 2, `length` or `start` negative, `base` not above 1.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """
    if width < 2 or width % 2:
        raise ValueError(
            f"width is {width}; sines and cosines come in pairs, so it must be even and at least "
            f"2, such as {max(2, width + 1)}"
        )
    if length < 0 or start < 0:
        raise ValueError(f"length {length} and start {start} must not be negative")
    if not base > 1:
        raise ValueError(f"base is {base}; it must be above 1, such as 10000")
    positions = torch.arange(start, start + length, dtype=torch.float64)
    pairs = torch.arange(0, width, 2, dtype=torch.float64)
    return torch.outer(positions, base ** (-pairs / width))


def sinusoidal_positions(length: int, n_embd: int, base: float = 10_000.0) -> Float[Tensor, "T C"]:
    """Fixed vectors for positions (Vaswani et al. 2017, section 3.5), in PyTorch's default dtype.

    Dimensions 2i and 2i + 1 are the sine and the cosine of pair i's angle.

    Raises:
        ValueError: as `position_angles`.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """
    angles = position_angles(length, n_embd, base)
    pairs = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return pairs.flatten(-2).to(torch.get_default_dtype())


def rotate(
    x: Float[Tensor, "*batch T D"], angles: Float[Tensor, "positions half"]
) -> Float[Tensor, "*batch T D"]:
    """Rotary positions: turn each pair of numbers of a query or key by its position's angle.

    Pair i is (x[i], x[i + D / 2]), the layout of Llama and of transformers; the paper pairs
    neighbours instead (Su et al. 2021, section 3.4.2), which is the same up to the order of the
    dimensions. Turned by their positions, a query and a key have a dot product that depends on
    how far apart they are, and not on where.

    Args:
        x: queries or keys of T positions.
        angles: from `position_angles(T, D)`.

    Raises:
        ValueError: the angles are not for T positions and D dimensions.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """
    length, width = x.shape[-2:]
    if angles.shape != (length, width // 2) or width % 2:
        raise ValueError(
            f"x has {length} positions of {width} dimensions, the angles have the shape "
            f"{tuple(angles.shape)}, not ({length}, {width // 2}): use "
            f"position_angles({length}, {width}) with an even head_dim"
        )
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def check_ids(ids: Tensor) -> None:
    """Raise ValueError for ids that are not (B, T)."""
    if ids.dim() != 2:
        raise ValueError(
            f"ids have the shape {tuple(ids.shape)}; they must be (B, T), one sequence a row: "
            "ids[None] makes one sequence a batch"
        )


def _table(rows: int, n_embd: int, generator: torch.Generator | None, what: str) -> nn.Parameter:
    if rows < 1 or n_embd < 1:
        raise ValueError(f"{what} is {rows} and n_embd is {n_embd}; both must be at least 1")
    return nn.Parameter(torch.empty(rows, n_embd).normal_(std=0.02, generator=generator))
