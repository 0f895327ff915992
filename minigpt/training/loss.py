"""The loss: how surprised a model is at what came next, for one batch and for a whole text."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from minigpt.model.evaluation_mode import in_evaluation_mode
from minigpt.training.processes import Processes
from minigpt.training.windows import Ids, check_long_enough


def next_token_loss(
    logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]
) -> Float[Tensor, ""]:
    """The mean surprise at what came next, -ln of its probability, in nats per token.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # 16 bits are too few
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def evaluate(
    model: nn.Module,
    ids: Ids,
    length: int,
    batch_size: int = 64,
    processes: Processes | None = None,
    progress: bool = False,
) -> float:
    """The loss on a text, cut into whole windows one after the other, in nats per token.

    What is left at the end, less than a window, is not read. The model reads without dropout, and
    stays in the mode that it is in.

    Args:
        model: ids (B, T) to logits (B, T, V).
        ids: the text's tokens.
        length: T, tokens a window.
        batch_size: windows at a time.
        processes: that share the windows out; each gets the same result.
        progress: show a bar, where there is a terminal and it takes more than a second.

    Raises:
        ValueError: a text that is shorter than one window and a token, a `batch_size` below 1.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    ids = torch.as_tensor(ids)
    check_long_enough(ids, length, "the text to evaluate on")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1 window")
    processes = processes or Processes()
    device = next(model.parameters()).device
    count = (len(ids) - 1) // length
    rows = range(processes.rank, count, processes.count)
    total = torch.zeros((), dtype=torch.float64)
    model = in_evaluation_mode(model)
    batches = range(0, len(rows), batch_size)
    hidden = None if progress else True
    for first in tqdm(batches, "evaluating", leave=False, delay=1, disable=hidden):
        numbers = rows[first : first + batch_size]
        windows = torch.stack([ids[i * length : (i + 1) * length + 1].long() for i in numbers])
        inputs, targets = windows[:, :-1].to(device), windows[:, 1:].to(device)
        total += next_token_loss(model(inputs), targets).item() * targets.numel()
    return processes.sum(total).item() / (count * length)
