"""A linear layer that learns a small change of itself: two thin matrices beside the large one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import Linear
from minigpt.data.numbers import is_number, is_whole, make_plain


@dataclass(frozen=True)
class LoRAConfig:
    """The sizes of an adapter, and the layers that get one.

    Args:
        rank: r, numbers between the two matrices.
        alpha: what the change is multiplied with is `alpha` / `rank`.
        targets: names of linear layers, or their ends after a dot: "qkv" is that of every block,
            "blocks.0.attention.qkv" that of the first.
        dropout: the share of numbers that the adapter does not see while training; the layer
            itself sees all.

    Raises:
        ValueError: a rank that is no whole number above 0, an alpha that is no finite number
            above 0, no target or one that is no name, a dropout outside [0, 1).

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    rank: int = 8
    alpha: float | int = 16
    targets: tuple[str, ...] = ("qkv", "projection", "up", "down")
    dropout: float = 0.0

    def __post_init__(self) -> None:
        make_plain(self)
        if not is_whole(self.rank, 1):
            raise ValueError(f"rank is {self.rank!r}; it must be a whole number of at least 1")
        if not is_number(self.alpha) or not 0 < self.alpha < math.inf:
            raise ValueError(
                f"alpha is {self.alpha!r}; it must be a finite number above 0, such as twice the "
                "rank"
            )
        if isinstance(self.targets, list):
            object.__setattr__(self, "targets", tuple(self.targets))
        targets = self.targets
        named = isinstance(targets, tuple) and all(isinstance(t, str) and t for t in targets)
        if not named or not targets:
            raise ValueError(
                f"targets is {targets!r}; it must be names of linear layers, such as ('qkv', 'up')"
            )
        if not is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout!r}; it is a share, from 0 up to but not including 1"
            )

    @property
    def scale(self) -> float:
        """What B A is multiplied with: a change of the rank then asks for no other step size."""
        return self.alpha / self.rank


class Adapter(nn.Module):
    """The matrices A (r, n_in) and B (n_out, r) of one layer (Hu et al. 2021, section 4.1).

    A starts uniform between ±1 / √n_in, as He et al. (2015) start a layer's matrix and peft this
    one; B starts at 0, so that at first nothing changes.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(
        self, config: LoRAConfig, layer: nn.Linear, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.config = config
        weight = layer.weight
        device = weight.device if generator is None else generator.device
        start = torch.empty(config.rank, layer.in_features, dtype=weight.dtype, device=device)
        nn.init.kaiming_uniform_(start, a=math.sqrt(5), generator=generator)
        self.A = nn.Parameter(start.to(weight.device))
        self.B = nn.Parameter(weight.new_zeros(layer.out_features, config.rank))
        self.dropout = nn.Dropout(config.dropout)

    def add_to(
        self, y: Float[Tensor, "*batch n_out"], x: Float[Tensor, "*batch n_in"]
    ) -> Float[Tensor, "*batch n_out"]:
        """What the layer computed from `x`, and the change: y + (alpha / r) B A x.

        The second product adds up, scales and multiplies in one call, which spares a step two
        passes over tensors as large as `y`.
        """
        if self.dropout.p:
            x = self.dropout(x)
        few = F.linear(x, self.A).reshape(-1, self.config.rank)  # (N, r)
        flat = y.reshape(-1, y.shape[-1])  # (N, n_out)
        return torch.addmm(flat, few, self.B.T, alpha=self.config.scale).view(y.shape)

    def change(self) -> Float[Tensor, "n_out n_in"]:
        """(alpha / r) B A, what the layer's matrix changes by; at least in float32."""
        wide = torch.promote_types(self.A.dtype, torch.float32)
        return self.B.to(wide) @ self.A.to(wide) * self.config.scale


class LoRALinear(Linear):
    """A linear layer with adapters by name, of which one at a time is on, or none.

    Weight and bias are the very parameters of the layer that it is made from, by the same names.

    Args:
        layer: torch's, or one of `minigpt.attention.linear`.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear) -> None:
        nn.Module.__init__(self)  # no numbers are drawn
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.register_parameter("weight", layer.weight)
        self.register_parameter("bias", layer.bias)
        self.divides = isinstance(layer, Linear)  # the matrix, when one vector comes
        self.adapters = nn.ModuleDict()
        self.active: str | None = None
        self.before: Tensor | None = None  # the weight without the adapter, while that is merged
        self.train(layer.training)

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x) if self.divides else F.linear(x, self.weight, self.bias)
        if self.active is None or self.before is not None:
            return y
        return self.adapters[self.active].add_to(y, x)

    def effective_weight(self) -> Tensor:
        """The one matrix that computes the same as the layer and the adapter that is on."""
        if self.active is None or self.before is not None:
            return self.weight
        change = self.adapters[self.active].change()
        return (self.weight + change).to(self.weight.dtype)

    @torch.no_grad()
    def merge(self) -> None:
        """Make that matrix the layer's own, and keep the one before."""
        merged, self.before = self.effective_weight(), self.weight.detach().clone()
        self.weight.copy_(merged)

    @torch.no_grad()
    def unmerge(self) -> None:
        """Put the weight back, to the bit."""
        self.weight.copy_(self.before)
        self.before = None

    def plain(self) -> nn.Linear:
        """The layer without adapters, of the kind that it was, with the same parameters."""
        kind = Linear if self.divides else nn.Linear
        sizes = (self.in_features, self.out_features, self.bias is not None)
        layer = nn.utils.skip_init(kind, *sizes, device="meta")
        layer.weight, layer.bias = self.weight, self.bias
        return layer.train(self.training)
