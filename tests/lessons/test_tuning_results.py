"""The stored runs of tuning are found by what they have."""

from __future__ import annotations

import pytest

from minigpt.lessons.tuning_results import tuning_runs


def test_runs_are_found_by_their_settings():
    full = tuning_runs("bible", method="full", learning_rate=5e-4, seed=1)
    assert {run.get("share") for run in full} >= {None, 0.25}
    (alone,) = tuning_runs("bible", method="full", learning_rate=5e-4, seed=1, share=None)
    assert alone in full and "share" not in alone
    assert len(tuning_runs("bible")) > len(full)
    assert {run["experiment"] for run in tuning_runs("sorting")} == {"sorting"}


def test_what_is_not_stored_is_told():
    with pytest.raises(ValueError, match=r"no stored run has .*'rank': 7.*bible, plays, ranks"):
        tuning_runs("bible", method="lora", rank=7)
    with pytest.raises(ValueError, match="'bibel'"):
        tuning_runs("bibel")
