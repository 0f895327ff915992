"""Signals as requests: the first is noted, the second acts, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from minigpt.training.interruption import (
    BY_KEY,
    NOBODY_READS,
    REQUESTS,
    WARNINGS,
    Interruption,
)

SIGNALS = [getattr(signal, name) for name in REQUESTS if hasattr(signal, name)]
HINTS = [getattr(signal, name) for name in WARNINGS if hasattr(signal, name)]
either = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


class Acted(Exception):
    """What the handlers of these tests raise."""


@pytest.fixture(autouse=True)
def handlers():
    """Handlers of this test's own, which must be back at its end."""

    def act(number, frame):
        raise Acted(number)

    before = {number: signal.signal(number, act) for number in SIGNALS}
    yield
    try:
        assert all(signal.getsignal(number) is act for number in SIGNALS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def send(number: int) -> None:
    """To this process; Python runs the handler before the next statement."""
    os.kill(os.getpid(), number)


@either
def test_the_first_signal_is_noted(number):
    with Interruption() as interruption:
        assert interruption.signal_number is None
        send(number)
        assert interruption.signal_number == number
    assert interruption.signal_number == number


@either
def test_a_second_ctrl_c_acts_at_once(number):
    with Interruption() as interruption:
        send(number)
        with pytest.raises(Acted):
            send(signal.SIGINT)
    assert interruption.signal_number == number


@pytest.mark.parametrize("number", [n for n in SIGNALS if n.name not in BY_KEY])
def test_a_closed_terminal_may_say_so_twice(number):
    """Its shell tells the programs, and so does the system."""
    with Interruption() as interruption:
        send(number)
        send(number)
        send(signal.SIGTERM)
    assert interruption.signal_number == number


@pytest.mark.parametrize("number", HINTS, ids=lambda number: number.name)
def test_what_a_batch_system_sends_is_noted_unless_the_program_uses_it(number):
    with Interruption() as interruption:
        send(number)
    assert interruption.signal_number == number
    assert signal.getsignal(number) == signal.SIG_DFL
    seen = []
    signal.signal(number, lambda *_: seen.append(number))
    try:
        with Interruption() as interruption:
            send(number)
        assert interruption.signal_number is None and seen == [number]
    finally:
        signal.signal(number, signal.SIG_DFL)


@either
def test_a_handler_that_python_cannot_restore_is_left_alone(monkeypatch, number):
    """Such as one that was there before Python was."""
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    with Interruption() as interruption, pytest.raises(Acted):
        send(number)
    monkeypatch.undo()
    assert interruption.signal_number is None


def test_a_request_without_a_signal_is_noted_and_the_first_counts():
    with Interruption() as interruption:
        interruption.ask(NOBODY_READS)
        send(signal.SIGTERM)
    assert interruption.signal_number == NOBODY_READS == 13


@either
def test_afterwards_signals_act_as_before(number):
    with Interruption():
        pass
    with pytest.raises(Acted):
        send(number)


def test_without_a_signal_nothing_is_noted():
    with Interruption() as interruption:
        pass
    assert interruption.signal_number is None


def test_an_error_goes_through_and_the_handlers_come_back():
    with pytest.raises(ZeroDivisionError), Interruption():
        raise ZeroDivisionError


def test_it_can_be_used_again():
    interruption = Interruption()
    for _ in range(2):
        with interruption:
            send(signal.SIGTERM)
        assert interruption.signal_number == signal.SIGTERM


def test_in_another_thread_nothing_changes():
    seen: list = []

    def work():
        with Interruption() as interruption:
            seen.append((interruption.signal_number, [signal.getsignal(n) for n in SIGNALS]))

    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(None, before)]


def test_a_signal_that_was_ignored_stays_so():
    for number in SIGNALS:  # Ctrl-C for what a script starts with "&", SIGHUP after nohup
        before = signal.signal(number, signal.SIG_IGN)
        try:
            with Interruption() as interruption:
                send(number)
                assert interruption.signal_number is None
            assert signal.getsignal(number) == signal.SIG_IGN
        finally:
            signal.signal(number, before)


def test_a_ctrl_c_is_answered_at_once_and_no_other_signal(capfd):
    """What is at hand may take seconds, and a second Ctrl-C would lose it."""
    for number, told in ((signal.SIGTERM, ""), (signal.SIGINT, "\nstopping soon\n")):
        with Interruption("stopping soon"):
            signal.raise_signal(number)
            assert capfd.readouterr().err == told
