"""One process of several that train one model together, as torchrun starts them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

# The first one may have a text of many gigabytes to tokenize. If it dies, the others know at once.
FIRST_LIMIT = timedelta(days=1)


@dataclass(frozen=True)
class Processes:
    """Which of the processes this is.

    Args:
        rank: its number, from 0; the first one writes the files.
        count: of all of them.
        patient: the group in which they wait for the first one; None for the usual one.
    """

    rank: int = 0
    count: int = 1
    patient: dist.ProcessGroup | None = field(default=None, compare=False)

    @classmethod
    def join(cls, device: str = "cpu") -> Processes:
        """Meet the other processes that torchrun started, or be the only one.

        Args:
            device: "cpu", where the processes talk through gloo, or "cuda", where they do so
                through NCCL about what is on their GPUs.

        Derived in https://minigpt-book.github.io/minigpt/training.html
        """
        if int(os.environ.get("WORLD_SIZE", 1)) == 1:
            return cls()
        if not dist.is_initialized():
            on_gpus = device.startswith("cuda")
            dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpus else "gloo")
        patient = dist.new_group(backend="gloo", timeout=FIRST_LIMIT)
        return cls(dist.get_rank(), dist.get_world_size(), patient)

    def mine(self, rows: Tensor) -> Tensor:
        """This process's share of a batch, (B / count, ...)."""
        return rows.chunk(self.count)[self.rank] if self.count > 1 else rows

    def share_gradients(self, model: nn.Module) -> nn.Module:
        """The model, made to average its gradients over the processes in `backward()`."""
        return nn.parallel.DistributedDataParallel(model) if self.count > 1 else model

    def hold_back(self, shared: nn.Module, until: bool) -> contextlib.AbstractContextManager:
        """Where gradients stay in this process until the last part of a batch."""
        if self.count == 1 or until:
            return contextlib.nullcontext()
        return shared.no_sync()

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean over the processes, in each of them."""
        return self.sum(numbers) / self.count

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over the processes, in each of them."""
        if self.count > 1:
            dist.all_reduce(numbers)
        return numbers

    def most(self, numbers: Tensor) -> Tensor:
        """The largest over the processes, in each of them."""
        if self.count > 1:
            dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return numbers

    def first(self, action: Callable[[], None]) -> None:
        """The first process does something, and the others wait for that, a day at most.

        Raises:
            Exception: what the action raised; in the other processes, a ValueError that says that
                it did.
        """
        failure = None
        if self.rank == 0:
            try:
                action()
            except Exception as error:
                failure = error
        failed = torch.tensor(int(failure is not None))
        if self.count > 1:
            dist.all_reduce(failed, dist.ReduceOp.MAX, self.patient)
        if failure is not None:
            raise failure
        if failed:
            raise ValueError("the first process cannot go on; its message says why")

    def leave(self) -> None:
        """Part from the others; the last thing a process does."""
        if self.count > 1:
            dist.destroy_process_group()
