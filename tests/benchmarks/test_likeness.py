"""The figures that races are run for."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.likeness import LineQuality


def test_wasserstein_of_a_shifted_distribution_is_the_shift() -> None:
    metric = LineQuality(20_000)
    exact = metric.distribution.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert exact is not None
    assert metric(exact) == pytest.approx(0, abs=1e-12)
    assert metric(exact + 0.3) == pytest.approx(0.3)
    assert metric.baseline < 0.03
