"""The check of a learning rate that rises and falls."""

from __future__ import annotations

import math
from collections.abc import Callable

from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.training.schedule import warmup_cosine


def learning_rate(function: Callable[[int, int, float, int, float], float]) -> Verdict:
    """Check `learning_rate(step, steps, highest, warmup, final)`: a line up, half a cosine down."""
    steps, highest, warmup, final = 12, 0.2, 4, 0.1
    rise = "during warm-up, highest * (step + 1) / warmup"
    fall = (
        "after warm-up, highest * (final + (1 - final) * (1 + cos(pi * way)) / 2), where way is "
        "the share done of the steps after warm-up"
    )
    still = "a rate of 0 is a step for nothing: step 0 is the first of warmup steps, 1 / warmup"
    one_more = "step + 1, so that step warmup - 1 is the first at the highest rate"
    scaled = "that is a share: multiply it by highest"
    cases = [
        Case(
            (0, steps, highest, warmup, final),
            0.05,
            rise,
            [
                (0.0, still),
                (0.25, scaled),
                (highest, "the rate starts low and rises for warmup steps"),
                (0.04, "divide by warmup: step warmup - 1 is at the highest rate"),
                (0.02, "warm-up starts near 0, not at final"),
            ],
        ),
        Case((1, steps, highest, warmup, final), 0.1, rise, [(0.05, one_more)]),
        Case(
            (3, steps, highest, warmup, final),
            0.2,
            "the last step of warm-up, warmup - 1, has the highest rate",
            [(0.15, one_more)],
        ),
        *(
            Case(
                (step, steps, highest, warmup, final),
                highest * warmup_cosine(step, steps, warmup, final),
                fall,
                _falls(step, steps, highest, warmup, final),
            )
            for step in (4, 7, 8, 11)
        ),
        Case(
            (0, steps, highest, 0, final),
            highest,
            "warmup may be 0: the rate then starts at the highest, and nothing is divided by 0",
        ),
        Case((9, 10, 0.5, 0, 0.0), 0.5 * warmup_cosine(9, 10, 0, 0.0), fall),
        Case((7, 10, 0.5, 2, 1.0), 0.5, "final may be 1: after warm-up the rate then stays"),
    ]
    return judge(function, cases)


def _falls(
    step: int, steps: int, highest: float, warmup: int, final: float
) -> list[tuple[float, str]]:
    """The mistakes of a step after warm-up."""

    def half(way: float) -> float:
        return (1 + math.cos(math.pi * way)) / 2

    def rate(way: float) -> float:
        return highest * (final + (1 - final) * half(way))

    after = "way counts from the end of warm-up: (step - warmup) / (steps - warmup)"
    to_final = "the cosine ends at final * highest, not at 0: final + (1 - final) * ..."
    way = (step - warmup) / (steps - warmup)
    return [
        (rate(step / steps), "the cosine starts when warm-up ends; yours runs over all steps"),
        (rate((step - warmup) / steps), after),
        (rate((step + 1 - warmup) / (steps - warmup)), "the first step after warm-up has way 0"),
        (
            rate((step - warmup) / (steps - 1 - warmup)),
            "divide by steps - warmup: the last step comes close to final, and step number steps, "
            "which is never taken, would be there",
        ),
        (highest * half(way), to_final),
        (highest * max(final, half(way)), to_final),
        (
            final + (highest - final) * half(way),
            "final is a share of the highest rate, not a rate: the end is final * highest",
        ),
        (rate(2 * way), "half a cosine, from 1 down to -1: cos(pi * way), not 2 pi"),
        (highest * (1 - (1 - final) * way), "a line goes down as far, but along a cosine"),
        (rate(1 - way), "upside down: the cosine starts at 1"),
        (highest * (final + half(way)), "the cosine falls from 1 - final to 0, on top of final"),
        (
            highest * (final + (1 - final) * 2 * half(way)),
            "1 + cos goes from 2 to 0: divide by 2",
        ),
        (
            highest * (final + (1 - final) * math.cos(math.pi * way)),
            "a cosine goes from 1 to -1: (1 + cos) / 2 goes from 1 to 0",
        ),
        (rate(way) / highest, "that is a share: multiply it by highest"),
    ]
