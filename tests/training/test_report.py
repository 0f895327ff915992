"""A report that cannot be written costs no run its state."""

from __future__ import annotations

import errno
import signal

import pytest

from minigpt.training.report import Report


def telling(error: Exception):
    """A report whose second line fails, and the lines that it was told."""
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        if len(told) > 1:
            raise error

    return Report(tell), told


def test_a_closed_terminal_is_told_no_more_and_the_run_goes_on():
    report, told = telling(OSError(errno.EIO, "Input/output error"))
    report("one")
    with pytest.warns(UserWarning, match=r"report of the run cannot be written .*the run goes on"):
        report("two")
    report("three")
    assert told == ["one", "two"] and report.interruption.signal_number is None


def test_where_nobody_reads_the_run_is_asked_to_stop():
    report, told = telling(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    for line in ("one", "two", "three"):
        report(line)
    assert told == ["one", "two"] and report.interruption.signal_number == signal.SIGPIPE


def test_any_other_error_is_passed_on():
    report, _ = telling(ValueError("a bug"))
    report("one")
    with pytest.raises(ValueError, match="a bug"):
        report("two")
