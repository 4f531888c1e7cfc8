"""Wasserstein distances against SciPy, POT and closed forms."""

from __future__ import annotations

import math

import numpy as np
import ot
import pytest
from scipy import stats

from equipoise.data.distributions import Gaussian
from equipoise.metrics import wasserstein
from equipoise.metrics.correlations import correlation_difference
from equipoise.metrics.kolmogorov_smirnov import kolmogorov_smirnov_to_distribution
from equipoise.metrics.reference import column_stds

RNG = np.random.default_rng(0)


def test_wasserstein_of_a_shift_is_the_shift() -> None:
    x = RNG.normal(size=500)
    assert wasserstein.wasserstein(x, x + 0.3) == pytest.approx(0.3)


def test_wasserstein_to_a_distribution_matches_scipy_on_a_fine_discretisation_of_it() -> None:
    distribution = Gaussian()
    x = RNG.normal(3.5, 1.0, 500)
    fine = distribution.quantile((np.arange(500_000) + 0.5) / 500_000)
    assert wasserstein.wasserstein_to_distribution(x, distribution.quantile) == pytest.approx(
        stats.wasserstein_distance(x, fine), rel=2e-3
    )


def test_wasserstein_between_normal_distributions_of_equal_std_is_the_distance_of_their_means() -> (
    None
):
    u = (np.arange(100_000) + 0.5) / 100_000
    assert wasserstein.wasserstein_to_distribution(
        Gaussian(mean=4.2).quantile(u), Gaussian().quantile
    ) == pytest.approx(0.2)


def test_the_right_moments_with_the_wrong_shape_are_far_apart() -> None:
    two_values = 4 + 1.25 * np.repeat([-1.0, 1.0], 5000)
    assert (two_values.mean(), two_values.std()) == pytest.approx((4, 1.25))
    assert wasserstein.wasserstein_to_distribution(two_values, Gaussian().quantile) > 0.5
    assert kolmogorov_smirnov_to_distribution(two_values, Gaussian().cdf) > 0.3


def test_sliced_wasserstein_of_a_shift_is_its_length_times_the_mean_projection() -> None:
    """E |<u, v>| for u uniform on the circle is 2 / pi |v|."""
    x = RNG.normal(size=(400, 2))
    assert wasserstein.sliced_wasserstein(
        x, x + np.array([3.0, 4.0]), directions=4000
    ) == pytest.approx(5 * 2 / math.pi, rel=0.03)


def test_sliced_wasserstein_on_the_line_is_wasserstein() -> None:
    x, y = RNG.normal(size=(300, 1)), RNG.exponential(size=(300, 1))
    assert wasserstein.sliced_wasserstein(x, y) == pytest.approx(
        stats.wasserstein_distance(x[:, 0], y[:, 0])
    )


def test_sliced_wasserstein_is_that_of_pot_for_the_same_directions() -> None:
    x, y = RNG.normal(size=(300, 4)), RNG.normal(0.3, 1.5, (300, 4))
    directions = np.random.default_rng(0).standard_normal((4, wasserstein.DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    expected = ot.sliced_wasserstein_distance(x, y, projections=directions, p=1)
    assert wasserstein.sliced_wasserstein(x, y) == pytest.approx(expected)


def test_distances_do_not_depend_on_the_order_of_samples() -> None:
    x, y = RNG.normal(size=(200, 2)), RNG.normal(1, size=(200, 2))
    assert wasserstein.sliced_wasserstein(x[::-1], y) == pytest.approx(
        wasserstein.sliced_wasserstein(x, y)
    )
    assert wasserstein.wasserstein(x[::-1, 0], y[:, 0]) == pytest.approx(
        wasserstein.wasserstein(x[:, 0], y[:, 0])
    )


def test_each_column_is_measured_in_its_own_stds() -> None:
    y = RNG.normal(size=(500, 3)) * [1.0, 1000.0, 0.0]
    assert np.allclose(
        wasserstein.column_wasserstein(y + np.array([1.0, 500.0, 0.25]), y),
        [1 / y[:, 0].std(), 500 / y[:, 1].std(), 0.25],
    )


def test_rounding_gives_a_column_that_never_varies_no_std_and_no_correlation() -> None:
    x = RNG.normal(size=(50, 3))
    y = x.copy()
    y[:, 1:] = 0.1
    assert y.std(0).min() > 0
    assert column_stds(y)[1:].tolist() == [1, 1]
    assert np.allclose(wasserstein.column_wasserstein(y + 0.25, y)[1:], 0.25)
    assert correlation_difference(y, np.column_stack([x[:, 0], np.full((50, 2), 0.2)])) < 1e-9
