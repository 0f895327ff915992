"""The loss on all that a model is judged by."""

from __future__ import annotations

import torch
from torch import nn
from tqdm.auto import tqdm

from minigpt.model.evaluation_mode import in_evaluation_mode
from minigpt.training.batches import Batches, TextBatches
from minigpt.training.processes import Processes
from minigpt.training.windows import Ids, check_long_enough


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
    return measure(model, TextBatches(ids, length, seed=0), batch_size, processes, progress)


@torch.no_grad()
def measure(
    model: nn.Module,
    batches: Batches,
    batch_size: int = 64,
    processes: Processes | None = None,
    progress: bool = False,
) -> float:
    """The same for any source of batches: the mean over all that counts in its rows.

    Args:
        model, batch_size, processes, progress: as of `evaluate`.
        batches: the rows.

    Raises:
        ValueError: a `batch_size` below 1.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1 window")
    processes = processes or Processes()
    device = next(model.parameters()).device
    model = in_evaluation_mode(model)
    total, counted = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    hidden = None if progress else True
    rows = batches.all(batch_size, processes.rank, processes.count)
    for batch in tqdm(rows, "evaluating", leave=False, delay=1, disable=hidden):
        batch = tuple(part.to(device) for part in batch)
        weight = batches.weight(*batch)
        total += batches.loss(model, *batch).item() * weight
        counted += weight
    return (processes.sum(total) / processes.sum(counted)).item()
