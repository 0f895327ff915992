"""Ctrl-C, a closed terminal, a scheduler's warning: requests to stop at the next good moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType, TracebackType

# By name, as no system has them all: Ctrl-C, a polite kill, a terminal that closes, and Ctrl-Break
# or a window that closes on Windows. Ctrl-\ (SIGQUIT) stays the way to stop at once.
REQUESTS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
# What batch systems send before a limit. Only where they would end the process: a program that has
# put them to a use of its own keeps it.
WARNINGS = ("SIGUSR1", "SIGUSR2", "SIGXCPU")
BY_KEY = ("SIGINT", "SIGBREAK")
NOBODY_READS = getattr(signal, "SIGPIPE", 13)  # what ends a program before `| head`


class Interruption:
    """Inside a ``with``, the first signal that asks to stop is noted in `signal_number`, no more.

    A second Ctrl-C acts at once, as it would have outside. Any other signal may well come twice
    for one event (a terminal that closes tells its shell and its programs), and changes nothing.
    Signals that are ignored, as with nohup, stay so. In a thread that is not the main one, signals
    cannot be caught, and nothing changes.

    Args:
        notice: is written to standard error at a Ctrl-C, at once: what is at hand may take seconds.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(self, notice: str = "") -> None:
        self.notice = notice
        self.signal_number: int | None = None
        self._before: dict[int, signal.Handlers] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for name in (*REQUESTS, *WARNINGS):
                if (number := getattr(signal, name, None)) is None:
                    continue
                handler = signal.getsignal(number)
                left_alone = (signal.SIG_IGN, None)  # None: not by Python, which cannot restore it
                if handler == signal.SIG_DFL or (name in REQUESTS and handler not in left_alone):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore(list(self._before))

    def ask(self, number: int) -> None:
        """Note a request, as a signal of that number does; the first one counts."""
        self.signal_number = self.signal_number or number

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.ask(number)
        if self.notice and signal.Signals(number).name in BY_KEY and sys.stderr is not None:
            with suppress(OSError, ValueError):  # a terminal that is gone, or no real one
                os.write(sys.stderr.fileno(), f"\n{self.notice}\n".encode("ascii", "replace"))
        self._restore([n for n in self._before if signal.Signals(n).name in BY_KEY])

    def _restore(self, numbers: list[int]) -> None:
        for number in numbers:
            signal.signal(number, self._before.pop(number))
