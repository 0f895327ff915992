"""How often a run evaluates and keeps its state, where no one says."""

from __future__ import annotations

import pytest

from minigpt.training import Intervals


@pytest.mark.parametrize(
    ("steps", "tokens_per_step", "validation", "evaluate", "checkpoint"),
    [
        (1, 1024, 5000, 19, 1),  # at its last step alone
        (400, 1024, 5000, 20, 20),  # a small text: a twentieth
        (400, 4096, 10**6, 64, 20),  # a long one: 64 steps train on 4 times what is read
        (3000, 4096, 10**6, 150, 150),
        (10**6, 4096, 10**6, 250, 250),
        (10**6, 64, 10**6, 250, 250),
    ],
)
def test_a_share_of_the_run(steps, tokens_per_step, validation, evaluate, checkpoint):
    found = Intervals().of_run(steps, tokens_per_step, validation)
    assert (found.evaluate, found.checkpoint) == (evaluate, checkpoint)


def test_a_number_stays_as_it_is():
    given = Intervals(log=3, evaluate=7, checkpoint=1000, evaluation_tokens=5)
    assert given.of_run(10, 10, 10) == given
