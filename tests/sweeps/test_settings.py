from __future__ import annotations

import pytest

from equipoise.errors import RequestError
from equipoise.sweeps.settings import TRAINED_FRACTION, SweepSettings


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_trials_and_fresh_seeds_fit_into_the_minutes(workers: int) -> None:
    each = SweepSettings(trials=40, minutes=60, seeds=5).length(workers)["minutes"]
    rounds = -(-40 // workers) + -(-10 // workers)
    assert each * rounds == pytest.approx(60 * TRAINED_FRACTION, rel=0.01)


def test_a_length_that_is_given_is_kept_and_has_no_limit() -> None:
    settings = SweepSettings(trial_samples=100)
    assert settings.length(1) == {"samples": 100}
    assert settings.limit is None
    assert SweepSettings().limit == 60


def test_too_short_trials_are_refused_with_the_minutes_that_suffice() -> None:
    with pytest.raises(RequestError, match="give at least minutes = 3, or fewer trials"):
        SweepSettings(minutes=1).length(1)
    assert SweepSettings(minutes=3).length(1)["minutes"] * 60 >= 3
