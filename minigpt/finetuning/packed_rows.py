"""Several examples in one row, none of which sees another."""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor, arange

from minigpt.attention import KVCache, LayerCache


class PackedRows(KVCache):
    """What a model is given beside packed rows, in the place of a cache; it keeps nothing.

    A cache tells a model the positions of its tokens and which keys each may look at: here the
    positions begin anew with each example, and a token looks only at those of its own.

    Args:
        numbers: which example of its row each token belongs to.
        n_layer: blocks of the model.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(self, numbers: Int[Tensor, "B T"], n_layer: int) -> None:
        self.numbers, self.n_layer = numbers, n_layer

    def next(self, batch: int, count: int) -> tuple[Int[Tensor, "B T"], list[LayerCache]]:
        """Each token's position in its example, and each block's mask."""
        numbers = self.numbers
        same = numbers[:, :, None] == numbers[:, None, :]  # (B, T, T)
        places = arange(count, device=numbers.device)
        looked_at = same & (places <= places[:, None])
        positions = looked_at.sum(dim=-1) - 1  # tokens of its own before it
        return positions, [_PackedLayer(looked_at[:, None])] * self.n_layer


class _PackedLayer(LayerCache):
    def __init__(self, mask: Bool[Tensor, "B 1 T T"]) -> None:
        self.mask = mask

    def add(
        self, k: Float[Tensor, "B H T D"], v: Float[Tensor, "B H T D"]
    ) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B H T D"], Bool[Tensor, "B 1 T T"]]:
        """Nothing is kept, so nothing is added."""
        return k, v, self.mask
