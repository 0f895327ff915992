"""What tuning costs: numbers that learn, and bytes kept for them."""

from __future__ import annotations

from torch import nn


def trained_numbers(model: nn.Module) -> int:
    """How many numbers of a model learn: those of its parameters that are not frozen.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def tuning_bytes(model: nn.Module) -> dict[str, int]:
    """Bytes of the weights, of the gradients, and of AdamW's two moments.

    A number in float32 that learns costs 16 bytes, a frozen one 4. What a pass keeps for
    `backward()` is not in it (`minigpt.model.ledger.activation_bytes`); it hardly shrinks with
    what is frozen.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    trained = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    weights = sum(p.nbytes for p in model.parameters())
    return {"weights": weights, "gradients": trained, "moments": 2 * trained}
