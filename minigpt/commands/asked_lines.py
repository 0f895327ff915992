"""Lines that are typed at a terminal, or come through a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click


def asked_lines(told: str) -> Iterator[str]:
    """One line after the other, until the input ends.

    At a terminal each is asked for, after a line that says what can be typed, and Ctrl-C clears
    the one at hand.

    Args:
        told: what can be typed.
    """
    asks = sys.stdin.isatty()
    if asks:
        with contextlib.suppress(ImportError):  # not on Windows: lines are edited without it
            import readline  # noqa: F401
        click.echo(told, err=True)
    while True:
        try:
            line = input("> " if asks else "")
        except EOFError:
            if asks:
                click.echo()
            return
        except KeyboardInterrupt:
            if not asks:
                raise
            click.echo()
            continue
        yield line
