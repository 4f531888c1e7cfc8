"""The classifier two-sample test finds planted differences of known size, and finds
nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from equipoise.metrics.c2st import MARGIN, TwoSampleTest, two_sample_test

RNG = np.random.default_rng(0)


def halved(x: NDArray[np.float64], y: NDArray[np.float64], seed: int = 0) -> TwoSampleTest:
    """Trained on one half of x and y, and tested on the other."""
    half = len(x) // 2
    return two_sample_test((x[:half], y[:half]), (x[half:], y[half:]), seed)


def test_equal_distributions_are_shown_to_be_equivalent() -> None:
    found = halved(*RNG.normal(size=(2, 4000, 2)))
    assert found.low < 0.5 < found.high < 0.5 + MARGIN
    assert found.n == 4000
    assert found.power > 0.95


def test_few_samples_show_no_equivalence() -> None:
    found = halved(*RNG.normal(size=(2, 100, 2)))
    assert found.high > 0.5 + MARGIN
    assert found.power < 0.15


def test_of_the_kind_that_there_are_more_of_as_many_are_taken() -> None:
    x, y = RNG.normal(size=(400, 2)), RNG.normal(size=(90, 2))
    assert two_sample_test((x, x), (x, y)).n == 180


def test_the_accuracy_on_shifted_normal_distributions_is_about_the_best_rules() -> None:
    x, y = RNG.normal(size=(4000, 2)), RNG.normal([1.0, 0.0], size=(4000, 2))
    assert halved(x, y).accuracy == pytest.approx(norm.cdf(0.5), abs=0.03)


def test_a_different_shape_with_the_same_moments_is_found() -> None:
    x, y = RNG.normal(size=(4000, 1)), RNG.uniform(-(3**0.5), 3**0.5, (4000, 1))
    assert halved(x, y).low > 0.52


def test_a_planted_corner_of_images_is_found_and_units_do_not_matter() -> None:
    x, y = RNG.normal(size=(2, 600, 1, 8, 8))
    y[:, :, :3, :3] += 1.0
    found = halved(255 * x + 40, 255 * y + 40)
    assert found.accuracy > 0.85
    assert halved(x, y).accuracy == pytest.approx(found.accuracy, abs=0.02)


def test_one_seed_gives_one_answer() -> None:
    x, y = RNG.normal(size=(2, 300, 2))
    assert halved(x, y, seed=3) == halved(x, y, seed=3)


def test_a_constant_column_does_no_harm() -> None:
    x, y = RNG.normal(size=(2, 400, 2))
    x[:, 1] = y[:, 1] = 7.0
    assert 0.3 < halved(x, y).accuracy < 0.7
