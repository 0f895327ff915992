"""How the learning rate rises and falls over a run, as a share of its highest value."""

from __future__ import annotations

import math


def warmup_cosine(step: int, steps: int, warmup: int = 100, final: float = 0.1) -> float:
    """The share for a step: up in a line, then down along half a cosine, from 1 to `final`.

    Args:
        step: the steps already done, from 0.
        steps: of the whole run.
        warmup: steps until the share is 1.
        final: the share that the last steps come close to.

    Raises:
        ValueError: a step outside the run, a warm-up longer than the run, a `final` outside [0, 1].

    The shape is of Loshchilov and Hutter (2017), without restarts. Derived in
    https://minigpt-book.github.io/minigpt/training.html
    """
    _check(step, steps, warmup)
    if not 0 <= final <= 1:
        raise ValueError(f"final is {final}; it is a share of the learning rate, from 0 to 1")
    if step < warmup:
        return (step + 1) / warmup
    way = (step - warmup) / (steps - warmup)
    return final + (1 - final) * (1 + math.cos(math.pi * way)) / 2


def warmup_trapezoid(step: int, steps: int, warmup: int = 100, decay: float = 0.5) -> float:
    """The share for a step: up in a line, flat, then down in a line towards 0.

    Args:
        step: the steps already done, from 0.
        steps: of the whole run.
        warmup: steps until the share is 1.
        decay: the share of all steps over which it falls.

    Raises:
        ValueError: a step outside the run, a warm-up longer than the run, a `decay` outside (0, 1].

    The shape is that of Hägele et al. (2024), section 3. Derived in
    https://minigpt-book.github.io/minigpt/training.html
    """
    _check(step, steps, warmup)
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay}; it is a share of the steps, above 0 and at most 1")
    rising = (step + 1) / warmup if warmup else 1.0
    return min(1.0, rising, (steps - step) / (decay * steps))


def _check(step: int, steps: int, warmup: int) -> None:
    if not 0 <= step < steps:
        raise ValueError(f"step {step} is not one of the run's, 0 to {steps - 1}")
    if not 0 <= warmup <= steps:
        raise ValueError(f"warmup is {warmup} steps; it must be from 0 to the run's {steps}")
