"""The check of a learning rate that rises, stays and falls."""

from __future__ import annotations

from collections.abc import Callable

from minigpt.lessons.judge import Case, Verdict, judge


def trapezoid(function: Callable[[int, int, int, int], float]) -> Verdict:
    """Check `trapezoid(step, steps, warmup, fall)`: a line up, flat, a line down to a tenth."""
    steps, warmup, fall = 20, 4, 6
    rise = "for the first `warmup` steps as in share_of_rate: (step + 1) / warmup"
    flat = "between the rise and the fall the share is 1"
    down = (
        "the last `fall` steps go down in a line: count how many of them are done, this one "
        "included, and take 0.9 / fall off 1 for each"
    )
    last = "the last step, steps - 1, has a share of exactly a tenth"
    late = "the first of the last `fall` steps is already below 1: step steps - fall"
    to_zero = "it ends at a tenth, not at 0"
    cases = [
        Case((0, steps, warmup, fall), 0.25, rise, [(0.0, "a share of 0 is a step for nothing")]),
        Case((3, steps, warmup, fall), 1.0, rise, [(0.75, "step + 1: step 3 is the fourth")]),
        Case((4, steps, warmup, fall), 1.0, flat),
        Case((13, steps, warmup, fall), 1.0, flat + ". It falls in the last `fall` steps alone"),
        Case(
            (14, steps, warmup, fall),
            0.85,
            down,
            [(1.0, late), (1 - 1 / 6, to_zero), (0.9, "`fall` is a number of steps, 6 here")],
        ),
        Case(
            (19, steps, warmup, fall),
            0.1,
            last,
            [(0.0, to_zero), (1 / 6, to_zero), (0.25, late), (0.1 + 0.9 / 6, late)],
        ),
        Case((16, steps, warmup, fall), 0.55, down),
        Case((8, 10, 2, 8), 0.1 + 0.9 / 8, "rise and fall may touch, with no flat part between"),
    ]
    return judge(function, cases)
