"""What a position is: angles, of which sines and cosines are made, or by which pairs are turned."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


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
