"""The figures that races are run for."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.likeness import LineQuality


def test_wasserstein_of_a_shifted_law_is_the_shift() -> None:
    figure = LineQuality(20_000)
    exact = figure.law.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert exact is not None
    assert figure(exact) == pytest.approx(0, abs=1e-12)
    assert figure(exact + 0.3) == pytest.approx(0.3)
    assert figure.floor < 0.03
