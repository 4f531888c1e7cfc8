"""Judges: the right figures for each kind of data, beside their floors."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data.distributions.univariate import Gaussian, Grid, Swissroll
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource, Source
from equipoise.metrics.evaluate import floor_draws, suite_for
from equipoise.metrics.image_suites import ImageSuite
from equipoise.metrics.result import COVERAGE, DIMENSION, DIVERSITY, PATCHES, PRECISION
from equipoise.metrics.suites import MMD, MetricSuite, SpaceSuite

RNG = np.random.default_rng(0)


def figures_of_real(source: Source) -> tuple[MetricSuite, dict[str, float]]:
    suite = suite_for(source, seed=0)
    return suite, suite(source.seen(suite.n, 0).double().numpy())


def test_a_distribution_on_the_line_is_judged_against_its_exact_distribution() -> None:
    suite, metrics = figures_of_real(DistributionSource(Gaussian()))
    assert suite.n == 100_000
    assert list(metrics)[:5] == [
        "Wasserstein-1",
        "Kolmogorov-Smirnov",
        "energy distance",
        "mean",
        "standard deviation",
    ]
    assert metrics[COVERAGE] == pytest.approx(0.97, abs=0.03)
    assert metrics["Wasserstein-1"] < 0.015
    assert metrics["Kolmogorov-Smirnov"] < 0.006


def test_numbers_of_the_user_are_judged_against_those_held_out() -> None:
    suite, metrics = figures_of_real(open_source(RNG.exponential(size=5000)))
    assert suite.n == 500
    assert metrics["Wasserstein-1"] < 0.15


def test_known_modes_are_counted() -> None:
    _, metrics = figures_of_real(DistributionSource(Grid()))
    assert metrics["modes covered, of 25"] == 25
    assert metrics["share within 3 sigma"] == pytest.approx(0.989, abs=0.01)
    assert metrics["spread inside modes"] == pytest.approx(1, abs=0.05)


def test_points_without_known_modes_have_the_sliced_distance() -> None:
    _, metrics = figures_of_real(DistributionSource(Swissroll()))
    assert next(iter(metrics)) == "sliced Wasserstein"
    assert metrics[DIMENSION] == pytest.approx(2, abs=0.3)
    assert not any(name.startswith("modes") for name in metrics)


@pytest.mark.parametrize("side", [8, 28, 40])
def test_images_that_are_not_mnist_are_judged_by_patches_and_thumbnails(side: int) -> None:
    _, metrics = figures_of_real(
        open_source(RNG.integers(0, 255, (300, side, side), dtype=np.uint8))
    )
    assert next(iter(metrics)) == PATCHES
    assert {PRECISION, COVERAGE, DIMENSION} <= metrics.keys()
    assert (f"{PATCHES} at 20 pixels" in metrics) == (side == 40)
    assert metrics[PATCHES] < 0.2


def test_a_quick_judge_has_the_same_headline_and_no_more_than_costs_little() -> None:
    for source in (
        DistributionSource(Gaussian()),
        DistributionSource(Grid()),
        open_source(RNG.integers(0, 255, (300, 12, 12), dtype=np.uint8)),
    ):
        suite, quick = suite_for(source, seed=0), suite_for(source, seed=0, quick=True)
        x = source.seen(quick.n, 0).double().numpy()
        assert next(iter(suite(x))) == next(iter(quick(x)))
        assert COVERAGE not in quick(x)
        assert quick(x).keys() == quick.better.keys()
        assert suite(x).keys() == suite.better.keys()


@pytest.mark.usefixtures("mnist_home")
def test_real_digits_are_recognised_and_evenly_shared() -> None:
    source = open_source("mnist")
    suite = suite_for(source, seed=0, quick=True)
    metrics = suite(source.seen(suite.n, 0).double().numpy())
    assert metrics["Fréchet (digit features)"] < 0.2
    assert metrics["recognised at 90%"] > 0.97
    assert metrics["smallest class share"] > 0.07
    assert sum(
        value for name, value in metrics.items() if name.startswith("share of ")
    ) == pytest.approx(1)


def test_every_figure_comes_with_its_floor_and_its_protocol() -> None:
    source = DistributionSource(Gaussian())
    suite = suite_for(source, seed=0, quick=True)
    shifted = source.seen(suite.n, 1).numpy() + 1
    metrics = suite.metrics(shifted, [source.seen(suite.n, seed).numpy() for seed in (2, 3)])
    assert metrics[0].value == pytest.approx(1, abs=0.1)
    assert metrics[0].floor < 0.1
    assert metrics[0].low is not None
    assert metrics[0].low < 1 < metrics[0].low + 0.3
    assert (
        metrics[0].protocol
        == "2,000 samples against the exact distribution; floor: 2,000 real samples, mean "
        "of 2 draws"
    )


def figures_of_space(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return SpaceSuite(real, None, [], quick=False)(fake)


def test_a_column_that_never_varies_hides_no_difference_of_the_others() -> None:
    y = RNG.normal(size=(100, 40))
    y[:, 2] = 0.1  # whose standard deviation is 1e-17 by rounding, not 0
    shifted = y.copy()
    shifted[:, :2] += 10
    metrics = figures_of_space(y, shifted)
    assert metrics[MMD] > 0.5
    assert metrics[PRECISION] == 0
    near = figures_of_space(y[:50], y[50:])
    assert near[PRECISION] > 0.5
    others = np.delete(y, 2, axis=1)
    assert near[DIMENSION] == pytest.approx(figures_of_space(others[:50], others[50:])[DIMENSION])


def test_far_from_zero_distances_are_what_they_are_about_it_and_the_headline_stays_in_the_users_units() -> (
    None
):
    real, fake = RNG.normal(size=(2, 200, 40))
    fake[:, 0] += 1
    about, far = figures_of_space(real, fake), figures_of_space(real + 1e9, fake + 1e9)
    assert far == pytest.approx(about, rel=1e-3, abs=1e-4)
    scaled = figures_of_space(1000 * real, 1000 * fake)
    assert next(iter(scaled.values())) == pytest.approx(1000 * next(iter(about.values())))


def test_of_whole_numbers_no_dimension_is_told_even_if_the_samples_have_one() -> None:
    whole, broken = np.round(RNG.normal(0, 3, (2, 1000, 2))), RNG.normal(0, 3, (1000, 2))
    suite = SpaceSuite(whole[0], None, [], quick=False)
    for x in (whole[1], broken):
        assert DIMENSION not in [metric.name for metric in suite.metrics(x, [whole[1]])]
    assert DIMENSION in [
        metric.name
        for metric in SpaceSuite(broken, None, [], quick=False).metrics(broken + 0.1, [broken])
    ]


def test_a_headline_never_vanishes_and_an_interval_that_is_not_known_is_not_given() -> None:
    class Unknown(MetricSuite):
        n, against, better = 50, "nothing", dict.fromkeys(("first", "second", "third"), "lower")

        def measure(self, rows: np.ndarray) -> dict[str, float]:
            return {"first": np.nan, "second": np.nan, "third": 1.0 if len(rows) == 50 else np.nan}

    first, third = Unknown().metrics(np.zeros((50, 1)), [np.zeros((50, 1))])
    assert (first.name, third.name) == ("first", "third")
    assert (third.low, third.high) == (None, None)


def test_images_of_one_pixel_of_which_one_is_held_out_have_a_headline() -> None:
    suite = ImageSuite(np.full((1, 1, 1, 1), 100.0), quick=False)
    metrics = suite.metrics(np.full((1, 1, 1, 1), 101.0), [np.full((1, 1, 1, 1), 100.0)])
    assert metrics[0].name == PATCHES
    assert np.isfinite(metrics[0].value)
    assert metrics[0].floor == 0


def test_a_sampler_10_percent_too_narrow_gets_what_the_headline_of_narrowed_real_samples_says() -> (
    None
):
    source = open_source(np.random.default_rng(0).normal(4, 1.25, 20_000))
    suite = suite_for(source, seed=0)
    x = np.random.default_rng(1).normal(4, 1.25, (suite.n, 1))
    headline = suite.metrics(x, floor_draws(source, suite.n, 0))[0]
    narrow = suite.metrics(4 + 0.9 * (x - 4), floor_draws(source, suite.n, 0))[0]
    assert headline.narrowed == pytest.approx(0.1 * 1.25 * (2 / np.pi) ** 0.5, rel=0.2)
    assert headline.high is not None
    assert headline.high < headline.narrowed
    assert narrow.high is not None
    assert narrow.high > headline.narrowed


def test_neighbours_of_few_samples_are_left_out() -> None:
    x = RNG.normal(size=(30, 2))
    found = [metric.name for metric in SpaceSuite(x, None, [], quick=False).metrics(x + 1, [x - 1])]
    assert {PRECISION, DIMENSION}.isdisjoint(found)
    assert DIVERSITY in found
