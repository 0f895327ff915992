"""Muon, which moves matrices by steps that have no preferred direction; many matrices at once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def orthogonalise(
    matrices: Float[Tensor, "N R K"],
    steps: int = 5,
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    eps: float = 1e-7,
) -> Float[Tensor, "N R K"]:
    """Each matrix with its singular values brought close to 1, and its singular vectors kept.

    A polynomial of odd powers, applied `steps` times (Newton-Schulz), as in Jordan et al. (2024).
    Its coefficients are chosen for speed: values of at least 1/500 of the matrix's length (the root
    of the sum of its squares) end between 0.68 and 1.21, smaller ones grow more than 400-fold.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    a, b, c = coefficients
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices  # the shorter side first: less to multiply
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Muon):
    """torch's Muon (Jordan et al. 2024), which treats all matrices of one shape in one product.

    A group of parameters may say ``parts``: so many matrices, one above the other, make up each
    of its parameters, such as 3 for queries, keys and values; they are treated one by one.
    torch's products are in bfloat16. Ours too, where the hardware has them; else as the weights.

    Args, state and errors are those of `torch.optim.Muon`.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every matrix that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if params := [p for p in group["params"] if p.grad is not None]:
                self._step_group(group, params)
        return loss

    def _step_group(self, group: dict[str, Any], params: list[Tensor]) -> None:
        momentum, lr = group["momentum"], float(group["lr"])
        grads = [p.grad for p in params]
        for p in params:
            if "momentum_buffer" not in self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        buffers = [self.state[p]["momentum_buffer"] for p in params]
        torch._foreach_lerp_(buffers, grads, 1 - momentum)
        updates = torch._foreach_lerp(grads, buffers, momentum) if group["nesterov"] else buffers
        if group["weight_decay"]:
            torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        same_shape = defaultdict(list)
        for p, update in zip(params, updates, strict=True):
            same_shape[p.shape, p.device].append((p, update))
        parts = group.get("parts", 1)
        for (shape, _), pairs in same_shape.items():
            matrices = torch.cat([update.unflatten(0, (parts, -1)) for _, update in pairs])
            matrices = matrices.to(product_type(matrices))
            moves = orthogonalise(
                matrices, group["ns_steps"], group["ns_coefficients"], group["eps"]
            )
            scale = _scale(group["adjust_lr_fn"], shape[0] // parts, shape[1])
            moves = moves.to(pairs[0][0].dtype).reshape(len(pairs), *shape)
            torch._foreach_add_([p for p, _ in pairs], list(moves.unbind()), alpha=-lr * scale)


def product_type(matrices: Tensor) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster, which is enough here; else their own.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    on_cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    fast = on_cpu() if matrices.device.type == "cpu" else matrices.device.type == "cuda"
    return torch.bfloat16 if fast and matrices.dtype == torch.float32 else matrices.dtype


def _scale(rule: str | None, rows: int, columns: int) -> float:
    """How much further a matrix of such a shape moves, by torch's two rules."""
    if rule == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))
