"""Exponents of power distributions."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.growth import exponent


def test_the_exponent_of_a_known_power_distribution() -> None:
    sizes = [10, 100, 1000, 20_000]
    assert exponent(sizes, [3 * size**1.7 for size in sizes]) == pytest.approx(1.7)
    assert exponent(sizes, [5.0] * 4) == pytest.approx(0)
    assert exponent([1000, 4000], [2.0, 8.0]) == pytest.approx(1)


def test_the_exponent_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random(20), rng.random(20)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    assert exponent(list(np.exp(x)), list(np.exp(y))) == pytest.approx(slope)
