"""The energy distance against its definition and a formula."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.energy_distance import energy_distance

RNG = np.random.default_rng(0)


def test_it_is_twice_the_integral_of_the_squared_difference_of_the_cdfs() -> None:
    x, y = RNG.normal(size=300), RNG.normal(1, 2, size=200)
    grid = np.linspace(-12, 12, 400_001)
    difference = np.searchsorted(np.sort(x), grid) / len(x) - np.searchsorted(
        np.sort(y), grid
    ) / len(y)
    assert energy_distance(x, y) == pytest.approx(2 * np.trapezoid(difference**2, grid), rel=1e-3)
    between, in_x, in_y = (np.abs(a[:, None] - b).mean() for a, b in ((x, y), (x, x), (y, y)))
    assert energy_distance(x, y) == pytest.approx(2 * between - in_x - in_y)
