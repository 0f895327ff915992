"""What commands that train in a folder have in common: its lock, what is told, how it stops."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import click
import torch
from tqdm.auto import tqdm

from minigpt.commands.machine import find_device, use_threads
from minigpt.training import Interrupted, Processes
from minigpt.training.run_folder import own_folder

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Workplace:
    """Where a run works: its folder, which it holds, and the machine.

    Args:
        bars: whether progress is shown.
    """

    folder: Path
    device: torch.device
    processes: Processes
    tell: Tell
    bars: bool


def run_in_folder(
    options: SimpleNamespace, work: Callable[[Workplace], None], advice: str, then: str
) -> int:
    """Do some work in the folder that ``options`` names; the exit status.

    Args:
        options: with folder, device, threads and quiet.
        work: is done while the folder is the run's own.
        advice: what to change where memory does not suffice.
        then: the command to give next, when all is done.
    """
    use_threads(options.threads)
    device = find_device(options.device)
    processes = Processes.join(str(device))
    folder = Path(options.folder)
    tell = _keep_quiet if options.quiet else _tell
    bars = processes.rank == 0 and not options.quiet
    try:
        with own_folder(folder, processes):
            work(Workplace(folder, device, processes, tell, bars))
    except RuntimeError as error:
        if (explained := _explained(error, options, advice)) is None:
            raise
        raise explained from error
    except Interrupted as stop:
        if processes.rank == 0:
            _tell_of_stop(str(stop), tell)
        return 128 + stop.signal_number
    finally:
        processes.leave()
    if processes.rank == 0:
        with suppress(OSError):
            tell(f"next: {then}")
    return 0


def _tell(line: str) -> None:
    """Print a line above the bars, at once; OSError if nobody is there."""
    tqdm.write(line)
    sys.stdout.flush()


def _tell_of_stop(line: str, tell: Tell) -> None:
    """Where standard output is gone, as after `| head`, standard error may still be read."""
    try:
        tell(line)
    except OSError:
        with suppress(OSError):
            click.echo(f"minigpt: {line}", err=True)


def _keep_quiet(line: str) -> None:
    """What --quiet tells."""


def _explained(error: RuntimeError, options: SimpleNamespace, advice: str) -> ValueError | None:
    """The error with what to do about it, where that is known."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
        return ValueError(
            f"there is not enough memory for this model and batch: {advice} ({reason})"
        )
    if getattr(options, "compile", False):
        return ValueError(f"--compile failed: leave it out ({reason})")
    return None
