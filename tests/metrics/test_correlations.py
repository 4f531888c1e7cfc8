"""Correlations against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.correlations import correlation_difference

RNG = np.random.default_rng(0)


def test_the_difference_is_numpys_and_a_constant_column_correlates_with_nothing() -> None:
    x, y = RNG.normal(size=(400, 3)), RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 3))
    expected = np.abs(np.corrcoef(x, rowvar=False) - np.corrcoef(y, rowvar=False)).max()
    assert correlation_difference(x, y) == pytest.approx(expected)
    x[:, 2] = 7.0
    assert np.isfinite(correlation_difference(x, y))
