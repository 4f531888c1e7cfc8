"""The worst column's Kolmogorov-Smirnov distance against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.metrics.reference import TabularReference
from equipoise.metrics.suites import MetricSuite

RNG = np.random.default_rng(0)


def test_it_is_scipys_largest_of_the_columns() -> None:
    real, fake = RNG.normal(size=(200, 3)), RNG.normal(size=(300, 3))
    fake[:, 1] = RNG.choice([-1.0, 1.0], 300)  # the right moments in the wrong shape
    suite = MetricSuite(TabularReference(real))
    expected = [stats.ks_2samp(fake[:, i], real[:, i]).statistic for i in range(3)]
    assert suite(fake)["worst_column_ks"] == pytest.approx(max(expected))
    assert max(expected) == expected[1]
