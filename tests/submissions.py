"""Submissions that hold a chapter's checks: right ones, empty ones and the classic mistakes.

`tests/<stem>/test_exercises.py` has those of its chapter, and a class of the tests below.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType

import pytest
import torch

from minigpt.lessons.judge import Verdict


def checks_of(module: ModuleType) -> dict[str, Callable[[Callable], Verdict]]:
    """The checks of a chapter by name; what its module imports from elsewhere is none."""
    return {
        name: check
        for name, check in inspect.getmembers(module, inspect.isfunction)
        if check.__module__.startswith(module.__name__) and not name.startswith("_")
    }


def wrong(name: str, *mistakes: tuple[Callable, str]) -> list[tuple[str, Callable, str]]:
    """The mistakes of one check, so that its name need not stand before each."""
    return [(name, submission, hint) for submission, hint in mistakes]


class Submissions:
    """Every check separates a correct submission from an empty one and from its mistakes.

    Attributes:
        exercises: where the chapter's checks are.
        correct: one solution for each check, by its name.
        otherwise_correct: pairs of a check's name and another solution.
        wrong: a check's name, a submission, and a part of the hint that it must earn.
    """

    exercises: ModuleType
    correct: dict[str, Callable]
    otherwise_correct: Sequence[tuple[str, Callable]] = ()
    wrong: Sequence[tuple[str, Callable, str]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test a submission, or a check, for those below that ask for it."""
        if "hint" in metafunc.fixturenames:
            metafunc.parametrize(("name", "submission", "hint"), self.wrong)
        elif "submission" in metafunc.fixturenames:
            right = [*self.correct.items(), *self.otherwise_correct]
            metafunc.parametrize(("name", "submission"), right)
        elif "name" in metafunc.fixturenames:
            metafunc.parametrize("name", checks_of(self.exercises))

    def check(self, name: str, submission: Callable) -> Verdict:
        """What the check of this name says."""
        return checks_of(self.exercises)[name](submission)

    def test_every_check_is_tested(self):
        checks = checks_of(self.exercises)
        assert set(checks) == set(self.correct), f"not in both: {set(checks) ^ set(self.correct)}"
        for name in checks:
            assert sum(check == name for check, *_ in self.wrong) >= 2, name

    def test_a_correct_submission_passes(self, name, submission):
        verdict = self.check(name, submission)
        assert verdict.passed, verdict
        assert repr(verdict).startswith("Correct")

    def test_an_empty_submission_is_told_what_is_wanted_and_no_hint(self, name):
        def empty(*arguments): ...

        verdict = self.check(name, empty)
        assert not verdict.passed
        assert "returned None" in verdict.message
        assert "expected" in verdict.message and "Hint: " not in verdict.message

    def test_a_classic_mistake_gets_its_own_hint(self, name, submission, hint):
        verdict = self.check(name, submission)
        assert isinstance(verdict, Verdict)
        assert not verdict.passed
        assert hint in verdict.message, verdict.message

    def test_a_check_draws_nothing_from_the_readers_generator(self, name):
        before = torch.get_rng_state()
        self.check(name, self.correct[name])
        assert torch.equal(torch.get_rng_state(), before)
