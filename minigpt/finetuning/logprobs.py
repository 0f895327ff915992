"""How probable a model finds an answer: a logarithm for each token that counts, and their sum."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.model.evaluation_mode import in_evaluation_mode
from minigpt.training import IGNORED


def token_logprobs(
    model: nn.Module,
    inputs: Int[Tensor, "B T"],
    targets: Int[Tensor, "B T"],
    temperature: float = 1.0,
) -> Float[Tensor, "B T"]:
    """The natural logarithm of each target's probability; 0 where a target does not count.

    Args:
        model: ids (B, T) to logits (B, T, V).
        inputs: prompt and answer, filled up on the right.
        targets: the same places one token later, `IGNORED` (-100) where one does not count.
        temperature: that the tokens were sampled at: the probability is that of the draw.

    Raises:
        ValueError: as many targets as inputs are needed; a temperature that is not above 0.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if inputs.shape != targets.shape:
        raise ValueError(
            f"inputs {tuple(inputs.shape)} and targets {tuple(targets.shape)}: give a target for "
            f"each input, {IGNORED} where it does not count"
        )
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0, as for the draw")
    logits = model(inputs)  # (B, T, V)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # 16 bits are too few
    surprise = F.cross_entropy(
        logits.flatten(0, 1) / temperature,
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="none",
    )
    return -surprise.view(targets.shape)


def sequence_logprobs(
    model: nn.Module, inputs: Int[Tensor, "B T"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, " B"]:
    """The natural logarithm of each whole answer's probability: a sum, and no mean.

    A longer answer is less probable, and that is part of what is compared.

    Args and errors are those of `token_logprobs`.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return token_logprobs(model, inputs, targets).sum(dim=1)


@torch.no_grad()
def reference_logprobs(
    model: nn.Module,
    inputs: Int[Tensor, "N T"],
    targets: Int[Tensor, "N T"],
    batch_size: int = 64,
) -> Float[Tensor, " N"]:
    """`sequence_logprobs` of a model that is not trained, for rows to be learned from later.

    The reference may be the model itself before its first step, a copy that is kept, or the model
    with its adapter off: it is asked once, and need not stay in memory.

    Args:
        model: read without dropout, and left in the mode it is in.
        inputs, targets: as of `token_logprobs`.
        batch_size: rows at a time.

    Returns:
        One number a row, on the device of `inputs`.

    Raises:
        ValueError: as `token_logprobs`; a `batch_size` below 1.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1 row")
    model, device = in_evaluation_mode(model), next(model.parameters()).device
    found = [
        sequence_logprobs(model, x.to(device), y.to(device))
        for x, y in zip(inputs.split(batch_size), targets.split(batch_size), strict=True)
    ]
    return torch.cat(found).to(inputs.device)
