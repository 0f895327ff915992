"""PyTorch that rounds as another processor might: a few last bits of results change.

A processor may add up a product's or a sum's terms in another order, and compute exp, tanh or a
normally distributed number by another formula; each moves the last bits. So after `install()`,
results of such operations are moved by up to `STEPS` units in the last place, by an amount that
follows from the bits themselves: equal computations stay equal, and what is exact on every
processor stays exact, that is copies, single sums, differences, products and quotients, and small
whole numbers and fractions, whose last bits are all 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

STEPS = 3
FEW_BITS = {torch.float32: 12, torch.float64: 28}  # at the end; all 0 in what is exact
BITS = {torch.float32: torch.int32, torch.float64: torch.int64}
# What every processor rounds alike, number by number, and what only moves numbers.
# fmt: off
EXACT = {
    "_foreach_add_", "_foreach_div_", "_foreach_mul_", "_foreach_neg", "_foreach_sub_",
    "_local_scalar_dense", "_to_copy", "_unsafe_view", "abs", "abs_", "add", "add_", "amax",
    "amin", "arange", "argsort", "as_strided", "bernoulli_", "cat", "ceil", "clamp", "clamp_",
    "clamp_min", "clone", "constant_pad_nd", "copy_", "cummax", "div", "div_", "embedding",
    "embedding_renorm_", "empty", "empty_like", "empty_strided", "eye", "fill_", "flip", "floor",
    "full", "full_like", "gather", "index", "index_put_", "index_select", "kthvalue",
    "lift_fresh", "masked_fill", "masked_fill_", "masked_select", "max", "maximum", "median",
    "min", "minimum", "mul", "mul_", "native_dropout", "neg", "neg_", "new_empty",
    "new_empty_strided", "new_full", "new_ones", "new_zeros", "nonzero", "ones", "ones_like",
    "rand", "random_", "reciprocal", "relu", "relu_", "repeat", "reshape", "resize_", "roll",
    "round", "rsub", "scalar_tensor", "scatter", "scatter_", "select_backward", "set_", "sign",
    "slice_backward", "sort", "sqrt", "sqrt_", "stack", "sub", "sub_", "threshold_backward",
    "topk", "tril", "triu", "trunc", "uniform_", "where", "zero_", "zeros", "zeros_like",
}
# fmt: on


class RoundsOtherwise(TorchDispatchMode):
    """While it is on, results come as from another processor, of a kind that `seed` chooses."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view and func._schema.name.split("::")[1] not in EXACT:
            with torch.no_grad():
                self._nudge(out)
        return out

    def _nudge(self, out: Any) -> None:
        if isinstance(out, list | tuple):
            for part in out:
                self._nudge(part)
        elif isinstance(out, Tensor) and out.dtype in BITS and out.numel() and not out.is_meta:
            bits = out.view(BITS[out.dtype])
            chance = ((bits + self.seed) * 0x9E3779B1 >> 9) & 0xFFFF
            step = chance % (2 * STEPS + 1) - STEPS
            bits += step * (bits & (1 << FEW_BITS[out.dtype]) - 1 != 0)


def install(seed: int = 0) -> None:
    """Let the main thread of this process round otherwise from now on."""
    RoundsOtherwise(seed).__enter__()
