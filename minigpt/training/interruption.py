"""Ctrl-C and SIGTERM as a request to stop at the next good moment."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interruption:
    """Inside a ``with``, the first Ctrl-C or SIGTERM is noted in `signal_number`, and no more.

    A second one acts at once, as it would have outside. In a thread that is not the main one,
    signals cannot be caught, and nothing changes.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._before: dict[int, signal.Handlers] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) != signal.SIG_IGN:  # as in the background of a script
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
