from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from scipy import stats

from equipoise.sweeps.comparison import Comparison, FreshRun


def runs(setting: str, test: Sequence[float], validation: float = 1.0) -> list[FreshRun]:
    return [
        FreshRun(setting, seed, value, validation, 0.1, None) for seed, value in enumerate(test)
    ]


def compared(best: Sequence[float], default: Sequence[float]) -> Comparison:
    found = Comparison.of([*runs("best", best, 0.8), *runs("default", default)])
    assert found is not None
    return found


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    best, default = [0.8, 0.9, 0.7, 0.85], [1.0, 1.2, 0.8, 1.1]
    interval = stats.ttest_rel(best, default).confidence_interval(0.95)
    found = compared(best, default)
    assert found.mean_difference - found.half_width == pytest.approx(interval.low)
    assert found.mean_difference + found.half_width == pytest.approx(interval.high)


@pytest.mark.parametrize(
    ("best", "default", "verdict"),
    [
        ([0.8, 0.81, 0.79], [1.0, 1.01, 1.02], "better"),
        ([1.0, 1.01, 1.02], [0.8, 0.81, 0.79], "worse"),
        ([0.8, 1.2, 0.9], [1.0, 1.01, 1.02], "no better"),
        ([math.inf, 0.81, 0.79], [1.0, 1.01, 1.02], "worse"),
        ([0.8, 0.81, 1.9], [math.inf, 1.01, 1.0], "no better"),
        ([0.8, 0.81], [math.inf, 1.01], "better"),
        ([math.inf, math.inf], [math.inf, math.inf], "no better"),
    ],
)
def test_the_verdict_needs_more_than_the_spread(
    best: list[float], default: list[float], verdict: str
) -> None:
    assert compared(best, default).verdict == verdict


def test_seeds_without_both_runs_are_left_out() -> None:
    found = compared([0.8, 0.9], [1.0, 1.1, 1.2])
    assert found.seeds == len(found.best) == 2


def test_the_default_alone_is_no_better_than_itself() -> None:
    found = Comparison.of(runs("default", [1.0, 1.1]))
    assert found is not None
    assert found.verdict == "no better"
    assert found.differences == []


def test_the_gain_is_a_fraction_of_the_defaults_metric() -> None:
    assert compared([1, 1], [1, 1]).gain_on_validation == pytest.approx(0.2)
