"""The mean distance of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from equipoise.metrics.diversity import mean_distance

RNG = np.random.default_rng(0)


def test_the_mean_distance_is_that_of_all_pairs_and_unknown_of_one_row() -> None:
    x = RNG.normal(size=(50, 3))
    assert mean_distance(x) == pytest.approx(pdist(x).mean())
    assert mean_distance(np.repeat(x[:1], 9, 0)) == 0
    assert np.isnan(mean_distance(x[:1]))
