"""The Fréchet distance against closed forms and scipy.linalg.sqrtm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from equipoise.metrics.frechet import frechet_distance

RNG = np.random.default_rng(0)


def test_it_is_zero_between_a_sample_and_itself() -> None:
    x = RNG.normal(size=(200, 6))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_it_is_the_textbook_formula_with_a_general_matrix_root() -> None:
    x, y = RNG.normal(size=(300, 5)) @ RNG.normal(size=(5, 5)), RNG.normal(1, 2, size=(250, 5))
    c_x, c_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(
        c_x + c_y - 2 * np.real(sqrtm(c_x @ c_y))
    )
    assert frechet_distance(x, y) == pytest.approx(expected)


def test_a_shift_gives_its_squared_length() -> None:
    x = RNG.normal(size=(100, 3))
    assert frechet_distance(x, x + np.array([1.0, 2.0, 2.0])) == pytest.approx(9.0)


def test_a_scaling_gives_the_squared_difference_of_the_stds() -> None:
    x = RNG.normal(size=(100, 4))
    x -= x.mean(0)
    assert frechet_distance(x, 3 * x) == pytest.approx(4 * np.trace(np.cov(x, rowvar=False)))


def test_features_of_rank_one_do_no_harm() -> None:
    x = np.outer(RNG.normal(size=100), [1.0, 1.0, 0.0])
    assert frechet_distance(x, x + np.array([0.0, 0.0, 2.0])) == pytest.approx(4.0)
