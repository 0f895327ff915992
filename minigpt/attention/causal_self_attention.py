"""Attention: each token gathers, from the tokens before it, what it asks for."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.kv_cache import LayerCache
from minigpt.attention.linear import linear
from minigpt.attention.scaled_dot_product import attention_weights, causal_mask, check_dtype


class CausalSelfAttention(nn.Module):
    """Multi-head attention in which no token sees a later one (Vaswani et al. 2017, section 3.2).

    One matrix computes queries, keys and values of all heads. Weights start as draws from
    N(0, 0.02²), before GPT-2's scaling of what ends a residual branch, and biases at 0.

    On a CPU all T × T weights are held only while training with dropout.

    Args:
        n_embd: width C of what comes in and goes out.
        n_head: heads H; each is C / H wide.
        n_kv_head: heads of keys and values, each shared by H / n_kv_head heads of queries
            (Ainslie et al. 2023); none means H, as in GPT-2.
        dropout: the share of weights set to 0 while training.
        bias: add a learned vector after both matrices, as GPT-2 does.
        generator: where the starting numbers are drawn from.

    Raises:
        ValueError: heads that do not divide `n_embd`, key heads that do not divide the heads, a
            dropout outside [0, 1).

    Derived in https://minigpt-book.github.io/minigpt/attention.html
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        n_kv_head: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        n_kv_head = n_head if n_kv_head is None else n_kv_head
        check_heads(n_embd, n_head, n_kv_head, dropout)
        self.n_head, self.n_kv_head, self.dropout = n_head, n_kv_head, dropout
        self.head_dim = n_embd // n_head
        width = (n_head + 2 * n_kv_head) * self.head_dim
        self.qkv = linear(n_embd, width, bias, generator)
        self.projection = linear(n_embd, n_embd, bias, generator)

    def heads(self, x: Float[Tensor, "B T C"]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, D), keys and values (B, n_kv_head, T, D)."""
        _check_input(x, self.qkv.in_features)
        count = self.n_head + 2 * self.n_kv_head
        x = self.qkv(x).view(*x.shape[:2], count, self.head_dim).transpose(1, 2)  # (B, count, T, D)
        return x.split([self.n_head, self.n_kv_head, self.n_kv_head], dim=1)

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        keep: Bool[Tensor, "B T"] | None = None,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "B T C"]:
        """What every token gathered.

        Args:
            x: one vector a token.
            keep: False where a token is padding, which nobody looks at; what comes out there
                means nothing. None means that nothing is padding.
            cache: keys and values of the tokens before `x`, which are looked at too; those of `x`
                join them (`minigpt.attention.kv_cache`).

        Raises:
            ValueError: an `x` of another width; a sequence that is padding throughout; a `keep`
                of another shape, or that does not hold booleans; both `keep` and `cache`.
        """
        q, k, v = self.heads(x)
        if cache is not None:
            if keep is not None:
                raise ValueError("keep and cache cannot both be given: a cache knows no padding")
            k, v, mask = cache.add(k, v)
        else:
            mask = None if keep is None else _padding_mask(keep, x)
        y = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            # With a cache, one token may look at all that is there.
            is_causal=mask is None and (cache is None or q.shape[2] > 1),
            dropout_p=self.dropout if self.training else 0.0,
            enable_gqa=self.n_kv_head < self.n_head,
        )  # (B, H, T, D)
        return self.projection(y.transpose(1, 2).flatten(-2))  # (B, T, C)

    def weights(
        self, x: Float[Tensor, "B T C"], keep: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B H T T"]:
        """The weights that `forward` uses, which it need not hold all at once; for pictures."""
        q, k, _ = self.heads(x)
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        mask = causal_mask(x.shape[1], x.device) if keep is None else _padding_mask(keep, x)
        return attention_weights(q, k, mask)


def _check_input(x: Tensor, n_embd: int) -> None:
    if x.dim() != 3 or x.shape[-1] != n_embd:
        raise ValueError(
            f"x has the shape {tuple(x.shape)}; it must be (B, T, {n_embd}), one vector of n_embd "
            "numbers a token"
        )


def _padding_mask(keep: Bool[Tensor, "B T"], x: Float[Tensor, "B T C"]) -> Bool[Tensor, "B 1 T T"]:
    """The causal mask without the padding, which sees itself so that no row is empty."""
    check_dtype(keep, "keep")
    if keep.shape != x.shape[:2]:
        raise ValueError(
            f"keep has the shape {tuple(keep.shape)}; it must have one True or False a token, "
            f"{tuple(x.shape[:2])}"
        )
    if not torch.compiler.is_compiling() and not (full := keep.any(dim=1)).all():
        raise ValueError(
            f"sequence {int(full.int().argmin())} of the batch is padding throughout (all "
            f"{keep.shape[1]} tokens): leave it out"
        )
    causal = causal_mask(keep.shape[1], keep.device)
    itself = torch.eye(keep.shape[1], dtype=torch.bool, device=keep.device)
    return causal & (keep[:, None, None, :] | itself)


def check_heads(n_embd: int, n_head: int, n_kv_head: int, dropout: float) -> None:
    """Raise the ValueError that `CausalSelfAttention` documents for sizes that do not fit."""
    if n_head < 1 or n_embd < 1 or n_embd % n_head:
        raise ValueError(
            f"n_embd {n_embd} cannot be cut into n_head {n_head} heads of equal width: choose a "
            "number of heads that divides it"
        )
    if n_kv_head < 1 or n_head % n_kv_head:
        raise ValueError(
            f"n_head {n_head} cannot share n_kv_head {n_kv_head} heads of keys and values: choose "
            "a number that divides it"
        )
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise ValueError(f"dropout is {dropout!r}; it is a share, from 0 up to but not including 1")
