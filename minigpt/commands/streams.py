"""Standard output and standard error: letters that they lack, and readers who are gone."""

from __future__ import annotations

import os
import sys
import warnings


def prepare_streams() -> None:
    """See that nothing printed ends the program.

    A letter that standard output's encoding lacks is printed as "?"; standard error does so by
    itself. What a closed stream was to print is dropped. A warning is one line, without the code
    that raised it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for good)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    warnings.formatwarning = lambda message, *rest: f"minigpt: {message}\n"


def let_go_of_dead_streams() -> None:
    """Leave what cannot be written unwritten; the last thing that a command does.

    Python tries once more when it ends, and if that fails, too, the exit status is 120, whatever
    it was to be.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
