"""Signals as requests: the first is noted, the second acts, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from minigpt.training.interruption import Interruption

SIGNALS = (signal.SIGINT, signal.SIGTERM)
either = pytest.mark.parametrize("number", SIGNALS, ids=["SIGINT", "SIGTERM"])


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
@pytest.mark.parametrize("first", SIGNALS, ids=["after SIGINT", "after SIGTERM"])
def test_the_second_acts_at_once(first, number):
    with Interruption() as interruption:
        send(first)
        with pytest.raises(Acted):
            send(number)
    assert interruption.signal_number == first


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
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as for what a script starts with "&"
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGINT)
            assert interruption.signal_number is None
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
