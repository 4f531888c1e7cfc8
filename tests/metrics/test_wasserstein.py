"""Distances and coverage against SciPy, closed forms and hand-worked cases."""

from __future__ import annotations

import math

import numpy as np
import ot
import pytest
from scipy import stats

from equipoise.data.distributions.univariate import Gaussian, Ring
from equipoise.data.loading import seeded
from equipoise.metrics import wasserstein

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


def test_kolmogorov_smirnov_to_a_distribution_is_scipys() -> None:
    x = RNG.normal(3.5, 1.0, 500)
    assert wasserstein.kolmogorov_smirnov_to_distribution(x, Gaussian().cdf) == pytest.approx(
        stats.kstest(x, stats.norm(4, 1.25).cdf).statistic
    )


def test_two_sample_kolmogorov_smirnov_is_scipys() -> None:
    x, y = RNG.normal(size=300), RNG.normal(0.2, size=200)
    assert wasserstein.kolmogorov_smirnov(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic)


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
        assert wasserstein.kolmogorov_smirnov(x, y) == pytest.approx(
            stats.ks_2samp(x, y, method="exact").statistic
        )


def test_the_right_moments_with_the_wrong_shape_are_told_apart() -> None:
    two_values = 4 + 1.25 * np.repeat([-1.0, 1.0], 5000)
    assert (two_values.mean(), two_values.std()) == pytest.approx((4, 1.25))
    assert wasserstein.wasserstein_to_distribution(two_values, Gaussian().quantile) > 0.5
    assert wasserstein.kolmogorov_smirnov_to_distribution(two_values, Gaussian().cdf) > 0.3


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


def test_sliced_wasserstein_is_that_of_the_python_optimal_transport_library_for_the_same_directions() -> (
    None
):
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


def test_real_samples_of_the_ring_cover_every_mode_with_the_right_spread() -> None:
    distribution = Ring()
    coverage = wasserstein.mode_coverage(
        distribution.sample(100_000, seeded(0)).numpy(), *distribution.modes()
    )
    assert coverage.covered == 8
    assert coverage.within == pytest.approx(1 - math.exp(-4.5), abs=1e-3)
    assert coverage.reverse_kl < 1e-3
    assert coverage.spread == pytest.approx(1, abs=0.01)


def test_a_collapsed_sampler_has_one_mode_and_the_divergence_of_it() -> None:
    distribution = Ring()
    centres, std = distribution.modes()
    coverage = wasserstein.mode_coverage(np.repeat(centres[:1], 100, 0), centres, std)
    assert (coverage.covered, coverage.within, coverage.spread) == (1, 1.0, 0.0)
    assert coverage.reverse_kl == pytest.approx(math.log(8))


def test_modes_that_are_too_narrow_show_in_the_spread() -> None:
    distribution = Ring()
    centres, std = distribution.modes()
    narrow = Ring(std=std / 2).sample(50_000, seeded(1)).numpy()
    assert wasserstein.mode_coverage(narrow, centres, std).spread == pytest.approx(0.5, abs=0.02)


def test_samples_between_the_modes_are_off_them() -> None:
    centres, std = Ring().modes()
    assert wasserstein.mode_coverage(np.zeros((10, 2)), centres, std).within == 0


def test_the_energy_distance_is_twice_the_integral_of_the_squared_difference_of_the_distribution_functions() -> (
    None
):
    x, y = RNG.normal(size=300), RNG.normal(1, 2, size=200)
    grid = np.linspace(-12, 12, 400_001)
    difference = np.searchsorted(np.sort(x), grid) / len(x) - np.searchsorted(
        np.sort(y), grid
    ) / len(y)
    assert wasserstein.energy_distance(x, y) == pytest.approx(
        2 * np.trapezoid(difference**2, grid), rel=1e-3
    )
    between, in_x, in_y = (np.abs(a[:, None] - b).mean() for a, b in ((x, y), (x, x), (y, y)))
    assert wasserstein.energy_distance(x, y) == pytest.approx(2 * between - in_x - in_y)


def test_each_column_is_measured_in_its_own_stds() -> None:
    y = RNG.normal(size=(500, 3)) * [1.0, 1000.0, 0.0]
    assert np.allclose(
        wasserstein.column_wasserstein(y + np.array([1.0, 500.0, 0.25]), y),
        [1 / y[:, 0].std(), 500 / y[:, 1].std(), 0.25],
    )


def test_the_difference_of_correlations_is_numpys_and_a_constant_column_correlates_with_nothing() -> (
    None
):
    x, y = RNG.normal(size=(400, 3)), RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 3))
    expected = np.abs(np.corrcoef(x, rowvar=False) - np.corrcoef(y, rowvar=False)).max()
    assert wasserstein.correlation_difference(x, y) == pytest.approx(expected)
    x[:, 2] = 7.0
    assert np.isfinite(wasserstein.correlation_difference(x, y))


def test_a_column_that_never_varies_has_no_std_and_correlates_with_nothing_though_rounding_leaves_it_a_little() -> (
    None
):
    x = RNG.normal(size=(50, 3))
    y = x.copy()
    y[:, 1:] = 0.1
    assert y.std(0).min() > 0
    assert wasserstein.stds(y)[1:].tolist() == [1, 1]
    assert np.allclose(wasserstein.column_wasserstein(y + 0.25, y)[1:], 0.25)
    assert (
        wasserstein.correlation_difference(y, np.column_stack([x[:, 0], np.full((50, 2), 0.2)]))
        < 1e-9
    )
