"""Intervals hold what they should as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from equipoise.metrics.intervals import (
    equivalence_power,
    half_widths,
    median_interval,
    proportion_interval,
)


def test_the_interval_of_a_mean_is_as_wide_as_students_and_holds_it_nearly_always() -> None:
    rng = np.random.default_rng(0)
    widths, hits = [], 0
    for trial in range(200):
        x = rng.normal(size=400)
        width = half_widths(
            lambda rows, x=x: {"mean": float(x[rows].mean())}, len(x), lambda _: 400, seed=trial
        )["mean"]
        widths.append(width)
        hits += abs(x.mean()) <= width
    assert 0.9 <= hits / 200 <= 1
    assert (
        2.0 / 20 < np.mean(widths) < 2.6 / 20
    )  # 1.96 / sqrt(400), and more since the standard deviation is of eight subsamples


def test_a_metric_of_fewer_samples_has_the_interval_of_fewer_samples() -> None:
    rng = np.random.default_rng(0)
    for m in (40, 150, 300):
        widths = []
        for trial in range(150):
            x = rng.normal(size=400)
            widths.append(
                half_widths(
                    lambda rows, x=x, m=m: {"mean": float(x[rows][:m].mean())},
                    400,
                    lambda _, m=m: m,
                    seed=trial,
                )["mean"]
            )
        assert (
            0.9 < np.sqrt(np.mean(np.square(widths))) / (2.365 / np.sqrt(m)) < 1.1
        )  # Student's quantile of eight


def test_the_interval_of_a_proportion_is_clopper_and_pearsons() -> None:
    expected = binomtest(23, 60).proportion_ci(0.95)
    assert proportion_interval(23, 60) == (expected.low, expected.high)


def test_the_interval_of_a_median_is_that_of_tables_of_the_sign_test() -> None:
    assert median_interval(np.random.default_rng(0).permutation(100) + 1.0) == (40, 61)
    assert median_interval(np.arange(6.0)) == (0, 5)
    assert median_interval(np.arange(5.0)) == (-np.inf, np.inf)


def test_the_interval_of_a_median_holds_it_in_95_percent_of_all_cases_at_least() -> None:
    """Of 400 at least 363 do in 99.9% of all cases, if 95% should."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        low, high = median_interval(rng.exponential(size=50))
        inside += low < np.log(2) < high
    assert inside >= 363


@pytest.mark.parametrize(("n", "bound"), [(60, 0.6), (300, 0.55), (2000, 0.53)])
def test_the_power_of_the_test_of_equivalence_is_how_often_it_passes(n: int, bound: float) -> None:
    passing = sum(
        binom.pmf(k, n, 0.5) for k in range(n + 1) if proportion_interval(k, n)[1] < bound
    )
    assert equivalence_power(n, bound) == pytest.approx(passing)


@pytest.mark.parametrize("n", [30, 200, 2000])
def test_a_proportion_at_the_bound_passes_in_two_and_a_half_percent_at_most(n: int) -> None:
    passing = sum(
        binom.pmf(k, n, 0.55) for k in range(n + 1) if proportion_interval(k, n)[1] < 0.55
    )
    assert passing <= 0.025
