"""Training in a thread: begun, stopped and begun anew while the notebook stays free."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minigpt.training import Trainer

RECENT = 50  # steps that the speed is measured over


class BackgroundRun:
    """Takes a trainer's steps in a thread that ends with the kernel.

    Args:
        make_trainer: a fresh trainer, for the start and for every `reset`.
        after_step: called after every step, in the thread, when the weights are at rest.
        at_rest: called, in the thread, once it has stopped, finished or failed.
        clock: seconds, for the speed.

    Attributes:
        trainer: at work now.
        first_step: how many steps the trainer had taken when it was made.
        losses: of every step since.
        error: what ended the run, in words; None if nothing did.
        running: whether steps are being taken.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(
        self,
        make_trainer: Callable[[], Trainer],
        after_step: Callable[[], None] = lambda: None,
        at_rest: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._make_trainer, self._after_step, self._at_rest = make_trainer, after_step, at_rest
        self._clock = clock
        self._asked_to_stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.trainer = self._make_trainer()
        self.first_step = self.trainer.steps_taken
        self.losses: list[float] = []
        self.error: str | None = None
        self.running = False
        self._ends: deque[float] = deque(maxlen=RECENT + 1)

    @property
    def finished(self) -> bool:
        """Whether the recipe's steps are all taken."""
        return self.trainer.steps_taken >= self.trainer.recipe.steps

    @property
    def steps_per_second(self) -> float | None:
        """Over the recent steps; None until there is one since `start`."""
        ends = list(self._ends)
        if len(ends) < 2 or ends[-1] <= ends[0]:
            return None
        return (len(ends) - 1) / (ends[-1] - ends[0])

    def start(self) -> None:
        """Begin, or go on; nothing, where it runs, is finished, or has failed."""
        if self._asked_to_stop.is_set():
            self.join()  # a moment: its step at hand
        if self.running or self.finished or self.error is not None:
            return
        self._asked_to_stop.clear()
        self._ends.clear()
        self._ends.append(self._clock())
        self.running = True
        self._thread = threading.Thread(target=self._take_steps, name="training", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand; returns at once."""
        self._asked_to_stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def reset(self) -> None:
        """End after the step at hand, and take a fresh trainer."""
        self.stop()
        self.join()
        self._begin_anew()

    def _take_steps(self) -> None:
        try:
            while not self.finished and not self._asked_to_stop.is_set():
                self.losses.append(self.trainer.step())
                self._ends.append(self._clock())
                self._after_step()
        except Exception as error:  # nobody else would hear of it
            name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            self.error = f"{name}{error}"
        self.running = False
        self._at_rest()
