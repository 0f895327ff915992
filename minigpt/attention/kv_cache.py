"""The KV cache: keys and values of tokens that were read, so that no token is read twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class KVCache:
    """Keys and values of the tokens that a model has read, of all blocks.

    Room for a whole context is taken at once, so that a new token moves nothing. The rows of a
    batch may hold different numbers of tokens.

    Args:
        config: of the model.
        batch: rows B.
        dtype: of the model's weights; PyTorch's default where it is left out.
        device: of the model's weights.

    Raises:
        ValueError: a batch below 1; when the model is called: more tokens than there is room for,
            another number of rows, or gradients that are not switched off.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """

    def __init__(
        self,
        config: Any,  # a GPTConfig, whose module imports this one
        batch: int = 1,
        dtype: torch.dtype | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch < 1:
            raise ValueError(f"batch is {batch}; it must be at least 1 row")
        head_dim = config.n_embd // config.n_head
        shape = (config.n_layer, batch, config.n_head, config.context_length, head_dim)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)  # (L, B, H, S, D)
        self.values = torch.zeros_like(self.keys)
        self.lengths = [0] * batch  # tokens that each row holds

    @property
    def room(self) -> int:
        """The most tokens of a row, S."""
        return self.keys.shape[3]

    def next(self, batch: int, count: int) -> tuple[Int[Tensor, "*batch T"], list[LayerCache]]:
        """Make ready for `count` more tokens in every row.

        Returns:
            Their positions, (T,) or, where rows differ in length, (B, T); and each block's part.
        """
        if batch != len(self.lengths):
            raise ValueError(
                f"ids has {batch} rows and the cache {len(self.lengths)}: each row of a batch "
                "needs its own, KVCache(config, batch)"
            )
        if torch.is_grad_enabled():
            raise ValueError(
                "a cache holds numbers and not where they came from, so nothing can be learned "
                "through it: call the model within `with torch.no_grad():`"
            )
        longest = max(self.lengths)
        if longest + count > self.room:
            raise ValueError(
                f"the cache holds {longest} tokens and has no room for {count} more: "
                f"context_length is {self.room}. Read a part of the text anew, with a fresh cache"
            )
        device = self.keys.device
        if min(self.lengths) == longest:
            positions = torch.arange(longest, longest + count, device=device)  # (T,)
            # One new token, and what comes first, need no mask beside the causal one.
            needed = count > 1 and longest > 0
        else:
            starts = torch.tensor(self.lengths, device=device)
            positions = starts[:, None] + torch.arange(count, device=device)  # (B, T)
            needed = True
        mask = None
        if needed:
            slots = torch.arange(longest + count, device=device)
            mask = slots <= positions[..., None]  # (T, S) or (B, T, S)
            mask = mask[:, None] if mask.dim() == 3 else mask
        self.lengths = [length + count for length in self.lengths]
        layers = zip(self.keys, self.values, strict=True)
        return positions, [LayerCache(k, v, positions, longest + count, mask) for k, v in layers]

    def cut(self, lengths: Sequence[int]) -> None:
        """Forget what comes after the first tokens of every row, as many as given.

        Raises:
            ValueError: a row that does not hold so many.
        """
        for row, (new, old) in enumerate(zip(lengths, self.lengths, strict=True)):
            if not 0 <= new <= old:
                raise ValueError(f"row {row} of the cache holds {old} tokens: not cut to {new}")
        self.lengths = list(lengths)

    def select(self, rows: Sequence[int]) -> KVCache:
        """A copy with these rows, in this order; one may come several times."""
        chosen = object.__new__(KVCache)
        index = torch.tensor(rows, device=self.keys.device)
        chosen.keys, chosen.values = self.keys[:, index], self.values[:, index]
        chosen.lengths = [self.lengths[row] for row in rows]
        return chosen

    def replace(self, rows: Sequence[int], other: KVCache) -> None:
        """Put the rows of another cache in the place of these."""
        index = torch.tensor(rows, device=self.keys.device)
        self.keys[:, index], self.values[:, index] = other.keys, other.values
        for row, length in zip(rows, other.lengths, strict=True):
            self.lengths[row] = length


class LayerCache:
    """One block's part of a `KVCache`, ready for the tokens at `positions`."""

    def __init__(
        self,
        keys: Float[Tensor, "B H room D"],
        values: Float[Tensor, "B H room D"],
        positions: Int[Tensor, "*batch T"],
        end: int,
        mask: Bool[Tensor, "*rows T S"] | None,
    ) -> None:
        self.keys, self.values = keys, values
        self.positions, self.end, self.mask = positions, end, mask

    def add(
        self, k: Float[Tensor, "B H T D"], v: Float[Tensor, "B H T D"]
    ) -> tuple[
        Float[Tensor, "B H S D"], Float[Tensor, "B H S D"], Bool[Tensor, "*rows T S"] | None
    ]:
        """Keep the keys and values of the new tokens.

        Returns:
            The keys and the values of all tokens so far, and the mask: which of them each new
            token may look at. None: each at those up to itself.
        """
        if self.positions.dim() == 1:
            new = slice(self.end - k.shape[2], self.end)
            self.keys[:, :, new], self.values[:, :, new] = k, v
        else:
            rows = torch.arange(len(k), device=k.device)[:, None]  # (B, 1), beside (B, T)
            self.keys[rows, :, self.positions] = k.transpose(1, 2)
            self.values[rows, :, self.positions] = v.transpose(1, 2)
        return self.keys[:, :, : self.end], self.values[:, :, : self.end], self.mask
