"""Programs that tests need: found, started, and ended with the test whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

LIMIT = 30  # seconds, for a start and for an answer
ENDING = 5  # seconds to end by itself, once asked to


def required(names: tuple[str, ...], package: str) -> str:
    """The path of a program of one of these names; its test is skipped where there is none, and
    fails in CI, which has it on Linux."""
    places = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    for name in names:
        if path := shutil.which(name, path=places):
            return path
    message = f"no {names[0]}: install it (on Debian: apt-get install {package})"
    if os.environ.get("CI") == "true" and sys.platform == "linux":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Program:
    """A running program; what it prints is in its log."""

    def __init__(self, command: list[str], home: Path, **environment: str) -> None:
        self.log = home / f"{Path(command[0]).name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=home,
                env=os.environ | {"HOME": str(home)} | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group, which the programs that it starts join
            )

    def said(self, pattern: str) -> str:
        """What the group of a pattern matches in the log, as soon as it does.

        Raises:
            TimeoutError: it has not in ``LIMIT`` seconds, or the program has ended.
        """
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._process.poll() is None:
            if match := re.search(pattern, self.log.read_text("utf-8", "replace")):
                return match[1]
            time.sleep(0.02)
        raise TimeoutError(f"{self.log.stem} said nothing like {pattern}: {self.log.read_text()}")

    def end(self) -> None:
        """End it, and all that it has started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING)


@contextmanager
def running(command: list[str], home: Path, **environment: str) -> Iterator[Program]:
    """A program while the block runs, with a home of its own."""
    program = Program(command, home, **environment)
    try:
        yield program
    finally:
        program.end()
