"""Scaled dot-product attention: who may look at whom, how much, and what is gathered."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def causal_mask(length: int, device: torch.device | None = None) -> Bool[Tensor, "T T"]:
    """Which key (column) each query (row) may look at: itself and what came before it.

    True means "may look", as in torch's own functions.
    """
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def attention_weights(
    q: Float[Tensor, "*batch T D"],
    k: Float[Tensor, "*batch S D"],
    mask: Bool[Tensor, "*#batch T S"] | None = None,
) -> Float[Tensor, "*batch T S"]:
    """How much of each key every query takes: softmax(q kᵀ / √D), so that a row sums to 1.

    Args:
        q: queries.
        k: keys.
        mask: True where a query may look at a key; none means everywhere.

    Raises:
        ValueError: a query may look at no key at all, so its row could not sum to 1; a mask that
            does not hold booleans.

    Derived in https://minigpt-book.github.io/minigpt/attention.html
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        _check_mask(mask)
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-1)


def scaled_dot_product_attention(
    q: Float[Tensor, "*batch T D"],
    k: Float[Tensor, "*batch S D"],
    v: Float[Tensor, "*batch S Dv"],
    mask: Bool[Tensor, "*#batch T S"] | None = None,
) -> Float[Tensor, "*batch T Dv"]:
    """Each query's weighted average of the values (Vaswani et al. 2017, equation 1).

    Written out, with all T × S weights in memory; `CausalSelfAttention` computes the same with
    torch's own kernel, which need not hold them all. Arguments and errors are those of
    `attention_weights`.

    Derived in https://minigpt-book.github.io/minigpt/attention.html
    """
    return attention_weights(q, k, mask) @ v


def _check_mask(mask: Tensor) -> None:
    """Every query may look at something."""
    check_dtype(mask, "mask")
    empty = ~mask.any(dim=-1)
    if not torch.compiler.is_compiling() and empty.any():
        place = tuple(int(i) for i in empty.nonzero()[0])
        raise ValueError(
            f"query {place[-1]} may look at none of the {mask.shape[-1]} keys (row {place} of the "
            "mask is all False), so its weights cannot sum to 1: let it see at least itself"
        )


def check_dtype(mask: Tensor, name: str) -> None:
    """`~` turns the bits of an integer, which is no "not"."""
    if mask.dtype != torch.bool:
        raise ValueError(f"{name} holds {mask.dtype}; it must hold True and False: {name}.bool()")
