"""The Kolmogorov-Smirnov distance against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.data.distributions import Gaussian
from equipoise.metrics.kolmogorov_smirnov import (
    kolmogorov_smirnov,
    kolmogorov_smirnov_to_distribution,
)

RNG = np.random.default_rng(0)


def test_kolmogorov_smirnov_to_a_distribution_is_scipys() -> None:
    x = RNG.normal(3.5, 1.0, 500)
    assert kolmogorov_smirnov_to_distribution(x, Gaussian().cdf) == pytest.approx(
        stats.kstest(x, stats.norm(4, 1.25).cdf).statistic
    )


def test_two_sample_kolmogorov_smirnov_is_scipys() -> None:
    x, y = RNG.normal(size=300), RNG.normal(0.2, size=200)
    assert kolmogorov_smirnov(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (2, 1), (1, 100), (3, 3)])
def test_two_sample_kolmogorov_smirnov_of_a_few_whole_numbers_is_scipys_and_warns_of_nothing(
    n: int, m: int
) -> None:
    for seed in range(20):
        x, y = (
            np.random.default_rng([seed, size]).integers(0, 4, size).astype(float)
            for size in (n, m)
        )
        assert kolmogorov_smirnov(x, y) == pytest.approx(
            stats.ks_2samp(x, y, method="exact").statistic
        )
