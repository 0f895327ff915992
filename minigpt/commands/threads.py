"""The option `--threads`, which commands that compute have in common."""

from __future__ import annotations

import argparse
from typing import Any

import torch


def add_threads(parser: Any) -> None:
    """To a parser, or to a group of its options."""
    parser.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: all cores)")


def set_threads(arguments: argparse.Namespace) -> None:
    """Give torch as many as asked for.

    Raises:
        ValueError: fewer than 1, or more than 4,096.
    """
    if arguments.threads is None:
        return
    if not 1 <= arguments.threads <= 4096:
        raise ValueError(f"--threads is {arguments.threads}; it must be from 1 to 4096")
    torch.set_num_threads(arguments.threads)
