"""What a run tells, to a terminal that may vanish before it ends."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from minigpt.training.interruption import NOBODY_READS, Interruption

STOPPING = (
    "stopping after this step and a look at the model; Ctrl-C once more stops at once, and loses "
    "the steps since the last state"
)


class Report:
    """Tells lines until nobody is there: a run is worth more than its report.

    After a BrokenPipeError, as before ``| head``, `interruption` is asked to stop. Any other
    OSError, as of a terminal that was closed, is a warning, and no line is told after it.

    Args:
        tell: is called with each line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell: Callable[[str], None] | None = tell
        self.interruption = Interruption(STOPPING)

    def __call__(self, line: str) -> None:
        if self.tell is None:
            return
        try:
            self.tell(line)
        except OSError as error:
            self.tell = None
            if isinstance(error, BrokenPipeError):
                self.interruption.ask(NOBODY_READS)
            else:
                text = f"the report of the run cannot be written ({error}); the run goes on"
                warnings.warn(text, stacklevel=2)


def in_words(seconds: float) -> str:
    """A time that somebody waits: in seconds, minutes or hours, as exact as it is good for."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.{1 if seconds < 10 * length else 0}f} {unit}"
    return f"{seconds:.0f} seconds"


def indent(text: str) -> str:
    """A text below a line of a report."""
    return "".join(f"\n    {line}" for line in text.strip().splitlines())
