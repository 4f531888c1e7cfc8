"""Suites: the right metrics for each kind of data, with their baselines."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.distributions import Gaussian, Grid, Swissroll
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource, Source
from equipoise.metrics.evaluate import baseline_draws, suite_for
from equipoise.metrics.reference import (
    ImageReference,
    TabularReference,
    UnivariateReference,
)
from equipoise.metrics.suites import MetricSuite

RNG = np.random.default_rng(0)


def metrics_of_real(source: Source) -> tuple[MetricSuite, dict[str, float]]:
    suite = suite_for(source, seed=0)
    return suite, suite(source.seen(suite.n, 0).double().numpy())


def test_samples_of_a_known_distribution_are_compared_with_the_exact_one() -> None:
    suite, metrics = metrics_of_real(DistributionSource(Gaussian()))
    assert suite.n == 100_000
    assert next(iter(metrics)) == "wasserstein_1"  # the primary one
    assert metrics.keys() >= {"kolmogorov_smirnov", "energy_distance", "mean"}
    assert metrics["coverage"] == pytest.approx(0.97, abs=0.03)
    assert metrics["wasserstein_1"] < 0.015
    assert metrics["kolmogorov_smirnov"] < 0.006


def test_numbers_of_the_user_are_compared_with_those_held_out() -> None:
    suite, metrics = metrics_of_real(open_source(RNG.exponential(size=5000)))
    assert suite.n == 500
    assert metrics["wasserstein_1"] < 0.15


def test_known_modes_are_counted() -> None:
    _, metrics = metrics_of_real(DistributionSource(Grid()))
    assert metrics["modes_covered/25"] == 25
    assert metrics["within_3_sigma"] == pytest.approx(0.989, abs=0.01)
    assert metrics["mode_spread"] == pytest.approx(1, abs=0.05)


def test_points_without_known_modes_have_the_sliced_distance() -> None:
    _, metrics = metrics_of_real(DistributionSource(Swissroll()))
    assert next(iter(metrics)) == "sliced_wasserstein"
    assert metrics["intrinsic_dimension"] == pytest.approx(2, abs=0.3)
    assert not any(name.startswith("modes_covered") for name in metrics)


@pytest.mark.parametrize("side", [8, 28, 40])
def test_images_that_are_not_mnist_are_compared_by_patches_and_thumbnails(side: int) -> None:
    _, metrics = metrics_of_real(
        open_source(RNG.integers(0, 255, (300, side, side), dtype=np.uint8))
    )
    assert next(iter(metrics)) == "patch_swd"
    assert {"precision", "coverage", "intrinsic_dimension"} <= metrics.keys()
    assert ("level_patch_swd/20" in metrics) == (side == 40)
    assert metrics["patch_swd"] < 0.2


def test_a_quick_suite_has_the_same_primary_metric_and_only_cheap_ones() -> None:
    for source in (
        DistributionSource(Gaussian()),
        DistributionSource(Grid()),
        open_source(RNG.integers(0, 255, (300, 12, 12), dtype=np.uint8)),
    ):
        suite, quick = suite_for(source, seed=0), suite_for(source, seed=0, quick=True)
        x = source.seen(quick.n, 0).double().numpy()
        assert next(iter(suite(x))) == next(iter(quick(x)))
        assert "coverage" not in quick(x)
        assert quick(x).keys() <= suite(x).keys()


@pytest.mark.usefixtures("mnist_home")
def test_real_digits_are_recognised_and_evenly_frequent() -> None:
    source = open_source("mnist")
    suite = suite_for(source, seed=0, quick=True)
    metrics = suite(source.seen(suite.n, 0).double().numpy())
    assert metrics["digit_frechet_distance"] < 0.2
    assert metrics["recognised_fraction"] > 0.97
    assert metrics["smallest_class_frequency"] > 0.07
    assert sum(
        value for name, value in metrics.items() if name.startswith("digit_frequency/")
    ) == pytest.approx(1)


def test_every_metric_comes_with_its_baseline_and_its_protocol() -> None:
    source = DistributionSource(Gaussian())
    suite = suite_for(source, seed=0, quick=True)
    shifted = source.seen(suite.n, 1).numpy() + 1
    metrics = suite.metrics(shifted, [source.seen(suite.n, seed).numpy() for seed in (2, 3)])
    assert metrics[0].value == pytest.approx(1, abs=0.1)
    assert metrics[0].baseline < 0.1
    assert metrics[0].low is not None
    assert metrics[0].low < 1 < metrics[0].low + 0.3
    assert (
        metrics[0].protocol
        == "2,000 samples against the exact distribution; baseline: 2,000 real samples, mean "
        "of 2 draws"
    )


def table_suite(real: np.ndarray) -> MetricSuite:
    return MetricSuite(TabularReference(real))


def metrics_of_table(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return table_suite(real)(fake)


def test_a_column_that_never_varies_hides_no_difference_of_the_others() -> None:
    y = RNG.normal(size=(100, 40))
    y[:, 2] = 0.1  # whose standard deviation is 1e-17 by rounding, not 0
    shifted = y.copy()
    shifted[:, :2] += 10
    metrics = metrics_of_table(y, shifted)
    assert metrics["mmd_squared"] > 0.5
    assert metrics["precision"] == 0
    near = metrics_of_table(y[:50], y[50:])
    assert near["precision"] > 0.5
    others = np.delete(y, 2, axis=1)
    assert near["intrinsic_dimension"] == pytest.approx(
        metrics_of_table(others[:50], others[50:])["intrinsic_dimension"]
    )


def test_distances_hold_far_from_zero_and_the_primary_metric_has_the_users_units() -> None:
    real, fake = RNG.normal(size=(2, 200, 40))
    fake[:, 0] += 1
    about, far = metrics_of_table(real, fake), metrics_of_table(real + 1e9, fake + 1e9)
    assert far == pytest.approx(about, rel=1e-3, abs=1e-4)
    scaled = metrics_of_table(1000 * real, 1000 * fake)
    assert next(iter(scaled.values())) == pytest.approx(1000 * next(iter(about.values())))


def test_whole_numbers_have_no_dimension_even_if_the_samples_have_one() -> None:
    whole, broken = np.round(RNG.normal(0, 3, (2, 1000, 2))), RNG.normal(0, 3, (1000, 2))
    suite = table_suite(whole[0])
    for x in (whole[1], broken):
        assert "intrinsic_dimension" not in [metric.key for metric in suite.metrics(x, [whole[1]])]
    assert "intrinsic_dimension" in [
        metric.key for metric in table_suite(broken).metrics(broken + 0.1, [broken])
    ]


def test_the_primary_metric_is_never_left_out_and_an_unknown_interval_is_not_given() -> None:
    class Unknown(MetricSuite):
        def measure(self, rows: np.ndarray) -> dict[str, float]:
            spread = 1.0 if len(rows) == 50 else np.nan
            return {"wasserstein_1": np.nan, "mean": np.nan, "standard_deviation": spread}

    suite = Unknown(UnivariateReference(np.zeros((50, 1)), 50, None))
    first, third = suite.metrics(np.zeros((50, 1)), [np.zeros((50, 1))])
    assert (first.key, third.key) == ("wasserstein_1", "standard_deviation")
    assert (third.low, third.high) == (None, None)


def test_one_held_out_image_of_one_pixel_has_a_primary_metric() -> None:
    suite = MetricSuite(ImageReference(np.full((1, 1, 1, 1), 100.0)))
    metrics = suite.metrics(np.full((1, 1, 1, 1), 101.0), [np.full((1, 1, 1, 1), 100.0)])
    assert metrics[0].key == "patch_swd"
    assert np.isfinite(metrics[0].value)
    assert metrics[0].baseline == 0


def test_a_sampler_10_percent_too_narrow_gets_the_value_of_narrowed_real_samples() -> None:
    source = open_source(np.random.default_rng(0).normal(4, 1.25, 20_000))
    suite = suite_for(source, seed=0)
    x = np.random.default_rng(1).normal(4, 1.25, (suite.n, 1))
    primary = suite.metrics(x, baseline_draws(source, suite.n, 0))[0]
    narrow = suite.metrics(4 + 0.9 * (x - 4), baseline_draws(source, suite.n, 0))[0]
    assert primary.narrowed == pytest.approx(0.1 * 1.25 * (2 / np.pi) ** 0.5, rel=0.2)
    assert primary.high is not None
    assert primary.high < primary.narrowed
    assert narrow.high is not None
    assert narrow.high > primary.narrowed


def test_neighbours_of_few_samples_are_left_out() -> None:
    x = RNG.normal(size=(30, 2))
    found = [metric.key for metric in table_suite(x).metrics(x + 1, [x - 1])]
    assert {"precision", "intrinsic_dimension"}.isdisjoint(found)
    assert "mean_pairwise_distance" in found
