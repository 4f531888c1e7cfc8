"""Kernel discrepancies against the definition, written out, and a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

from equipoise.metrics import mmd
from equipoise.metrics.mmd import gaussian_mmd, kernel_distance, median_distance

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 3)), RNG.normal(0.5, 1, (80, 3))


def by_definition(xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> float:
    return float(
        (xx.sum() - np.trace(xx)) / (60 * 59)
        + (yy.sum() - np.trace(yy)) / (80 * 79)
        - 2 * xy.mean()
    )


def test_mmd_is_the_unbiased_estimate_with_scikit_learns_kernel() -> None:
    gamma = 1 / (2 * 1.3**2)
    expected = by_definition(
        rbf_kernel(X, gamma=gamma), rbf_kernel(Y, gamma=gamma), rbf_kernel(X, Y, gamma=gamma)
    )
    assert gaussian_mmd(X, Y, 1.3) == pytest.approx(expected, rel=1e-9)


def test_the_kernel_distance_has_the_cubic_kernel_over_the_number_of_features() -> None:
    k = [
        polynomial_kernel(a, b, degree=3, gamma=1 / 3, coef0=1) for a, b in ((X, X), (Y, Y), (X, Y))
    ]
    assert kernel_distance(X, Y) == pytest.approx(by_definition(*k), rel=1e-9)


def test_mmd_of_shifted_normal_distributions_is_the_closed_form() -> None:
    x, y = RNG.normal(size=(4000, 1)), RNG.normal(1.0, 1, (4000, 1))
    # E k(X, Y) for X - Y ~ N(m, 2): (h^2 / (h^2 + 2))^(1/2) exp(-m^2 / (2 (h^2 + 2))),
    # here with h = 1
    expected = 2 * 3**-0.5 * (1 - np.exp(-1 / 6))
    assert gaussian_mmd(x, y, 1.0) == pytest.approx(expected, rel=0.1)


def test_estimates_of_equal_distributions_are_about_zero_and_not_biased() -> None:
    estimates = [
        gaussian_mmd(RNG.normal(size=(50, 2)), RNG.normal(size=(50, 2)), 1.0) for _ in range(200)
    ]
    assert abs(np.mean(estimates)) < 4 * np.std(estimates) / 200**0.5
    assert min(estimates) < 0


def test_a_single_row_has_no_discrepancy_to_tell() -> None:
    assert np.isnan(gaussian_mmd(X[:1], Y, 1.0))


def test_chunks_and_order_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gaussian_mmd(X, Y, 1.0), kernel_distance(X, Y)
    monkeypatch.setattr(mmd, "KERNEL_ROWS", 7)
    assert (
        gaussian_mmd(X[::-1].copy(), Y, 1.0),
        kernel_distance(X, Y[::-1].copy()),
    ) == pytest.approx(whole, rel=1e-9)


def test_the_median_distance_is_that_of_pairs() -> None:
    assert median_distance(X) == pytest.approx(np.median(pdist(X)), rel=0.01)
    assert median_distance(np.zeros((5, 2))) == 1.0
    assert cdist(X, X).max() > 0
