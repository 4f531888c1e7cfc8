"""The detective finds planted differences of known size, and finds nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from equipoise.metrics.detective import detect

RNG = np.random.default_rng(0)


def test_equal_laws_cannot_be_told() -> None:
    found = detect(*RNG.normal(size=(2, 4000, 2)))
    assert found.accuracy == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)  # four standard errors
    assert found.n == 4000


def test_shifted_normal_laws_are_told_about_as_well_as_by_the_best_rule() -> None:
    x, y = RNG.normal(size=(4000, 2)), RNG.normal([1.0, 0.0], size=(4000, 2))
    assert detect(x, y).accuracy == pytest.approx(norm.cdf(0.5), abs=0.03)


def test_a_different_shape_with_the_same_moments_is_told() -> None:
    x, y = RNG.normal(size=(4000, 1)), RNG.uniform(-(3**0.5), 3**0.5, (4000, 1))
    assert detect(x, y).low > 0.52


def test_pictures_are_told_by_a_planted_corner_and_units_do_not_matter() -> None:
    x, y = RNG.normal(size=(2, 600, 1, 8, 8))
    y[:, :, :3, :3] += 1.0
    found = detect(255 * x + 40, 255 * y + 40)
    assert found.accuracy > 0.85
    assert detect(x, y).accuracy == pytest.approx(found.accuracy, abs=0.02)


def test_the_interval_is_clopper_and_pearsons_and_one_seed_gives_one_answer() -> None:
    x, y = RNG.normal(size=(2, 300, 2))
    found = detect(x, y, seed=3)
    assert found == detect(x, y, seed=3)
    expected = binomtest(round(found.accuracy * found.n), found.n).proportion_ci(0.95)
    assert (found.low, found.high) == (expected.low, expected.high)


def test_a_constant_column_does_no_harm() -> None:
    x, y = RNG.normal(size=(2, 400, 2))
    x[:, 1] = y[:, 1] = 7.0
    assert 0.3 < detect(x, y).accuracy < 0.7
