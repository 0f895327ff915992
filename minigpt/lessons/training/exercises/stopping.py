"""The check of a rule for when to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minigpt.lessons.judge import Case, Verdict, judge


def early_stop(function: Callable[[Sequence[float], int], int]) -> Verdict:
    """Check `early_stop(losses, patience)`: which measurement's model a patient run keeps."""
    hint = (
        "go through the losses in order; remember the lowest and its place, count the "
        "measurements since, and break when the count reaches `patience`"
    )
    unseen = "the run is over after `patience` measurements without a new lowest: what comes later "
    unseen += "is never seen"
    where = "return the place of the lowest loss, not the place where the run stopped"
    equal = "an equal loss is no lower one: the earlier model is kept"
    in_a_row = "a new lowest loss sets the count back to 0"
    lowest = "compare with the lowest loss seen, not with the one before"
    cases = [
        Case(
            ([3.0, 2.5, 2.2, 2.3, 2.4, 2.1], 2),
            2,
            hint,
            [(5, unseen), (4, where), (3, where), (2.2, "the place, not the loss")],
        ),
        Case(
            ([3.0, 2.5, 2.2, 2.3, 2.4, 2.1], 3),
            5,
            "two measurements without a new lowest are no reason to stop where patience is 3",
            [(2, "patience is 3: after two measurements the run still goes on")],
        ),
        Case(([3.0, 2.0, 2.5, 2.4, 2.3, 1.5], 2), 1, lowest, [(5, lowest)]),
        Case(([3.0, 3.1, 2.9, 3.0, 2.8, 2.9], 2), 4, in_a_row, [(2, in_a_row), (0, in_a_row)]),
        Case(
            ([3.0, 2.0, 2.0, 2.0, 2.0, 1.0], 3),
            1,
            equal,
            [(5, equal), (4, equal), (2, equal), (3, equal)],
        ),
        Case(([4.0, 3.0, 2.0], 1), 2, "a run that gets better to its end is not stopped"),
        Case(([2.0], 5), 0, "one measurement is the lowest"),
    ]
    return judge(function, cases)
