"""What a command computes with."""

from __future__ import annotations

import os

import torch


def use_threads(count: int | None) -> None:
    """Give torch as many threads as ``--threads`` asks for, if it does."""
    if count is not None:
        torch.set_num_threads(count)


def find_device(name: str | None) -> torch.device:
    """The device that ``--device`` names, or the best that is there.

    Raises:
        ValueError: it is not to be had.
    """
    device = name or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda":  # each process of several has its own GPU
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(
            f"--device is {device!r}, which is not to be had here: leave the option out, or give "
            "cpu"
        ) from None
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    return torch.device(device)
