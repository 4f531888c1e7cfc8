"""The nearest training samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from equipoise import GAN
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(300, 3)) * [1, 10, 100]


def test_neighbours_are_those_of_scikit_learn_in_standard_deviations(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan = GAN("classic", **tiny, evaluate="none").fit(POINTS, out=tmp_path / "run", progress=False)
    source = gan._trained().training_data()
    training = source.seen(300, 0).numpy()
    queries = gan.sample(4, seed=0)
    found = gan.nearest(queries, k=3)
    scaling = gan._trained().sampler.transform.links[1]
    units = scaling.get_buffer("scale").numpy()
    expected = NearestNeighbors(n_neighbors=3).fit(training / units).kneighbors(queries / units)
    assert np.allclose(found.distances, expected[0] / 3**0.5, rtol=1e-4)
    assert all(
        np.allclose(near, training[rows])
        for near, rows in zip(found.samples, expected[1], strict=True)
    )
    assert found.searched == found.training_samples == len(training)
    copy = gan.nearest(training[5], k=1)  # one sample alone
    assert copy.distances[0, 0] == pytest.approx(0, abs=1e-6)

    loaded = GAN.load(tmp_path / "run")
    with pytest.raises(RequestError, match="the training data is not there"):
        loaded.nearest(queries)
    assert np.allclose(loaded.nearest(queries, k=3, data=POINTS).distances, found.distances)


def test_a_distribution_has_no_training_samples(trained: Path) -> None:
    gan = GAN.load(trained)
    with pytest.raises(RequestError, match="drawn anew"):
        gan.nearest(gan.sample(1))
