"""Ctrl-C while a library is imported."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held_back() -> Iterator[None]:
    """Inside a ``with``, Ctrl-C waits for its end, and is a KeyboardInterrupt there.

    Libraries that are half imported swallow it, or end in errors of their own.
    """
    noted: list[int] = []

    def note(number: int, frame: Any) -> None:
        noted.append(number)

    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if noted:
        raise KeyboardInterrupt
