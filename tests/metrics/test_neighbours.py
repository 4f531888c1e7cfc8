"""Precision, recall, density and coverage against their definitions, with
scikit-learn's neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from equipoise.metrics import neighbours
from equipoise.metrics.neighbours import (
    coverage,
    kth_neighbour,
    nearest,
)

RNG = np.random.default_rng(0)


def by_definition(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """Naeem et al.'s equations with scikit-learn's neighbours."""
    radii = [
        NearestNeighbors(n_neighbors=k + 1).fit(a).kneighbors(a)[0][:, -1] for a in (real, fake)
    ]
    distances = np.linalg.norm(real[:, None] - fake[None], axis=2)
    in_real = distances < radii[0][:, None]
    return (
        in_real.any(0).mean(),
        (distances < radii[1][None]).any(1).mean(),
        in_real.sum(0).mean() / k,
        in_real.any(1).mean(),
    )


def test_the_four_metrics_are_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = RNG.normal(size=(150, 4)), RNG.normal(0.3, 1.2, (120, 4))
    monkeypatch.setattr(neighbours, "TILE_ENTRIES", 32 * 32)
    found = coverage(real, fake)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(
        by_definition(real, fake, 5)
    )


def test_equal_distributions_have_density_one_and_far_ones_have_nothing() -> None:
    x, y = RNG.normal(size=(2, 1500, 3))
    same = coverage(x, y)
    assert same.density == pytest.approx(1, abs=0.05)
    assert same.coverage == pytest.approx(
        1 - 0.5**5, abs=0.03
    )  # the fraction of balls about k neighbours that another sample of n enters
    far = coverage(x, y + 100)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)


def test_a_collapsed_generator_is_precise_and_covers_nothing() -> None:
    real = RNG.normal(size=(1000, 2))
    found = coverage(real, real[:1] + RNG.normal(0, 0.01, (1000, 2)))
    assert found.precision == 1
    assert found.coverage < 0.05
    assert found.recall < 0.05


def test_units_do_not_matter() -> None:
    x, y = RNG.normal(size=(2, 200, 3))
    assert coverage(x, y) == coverage(1000 * x, 1000 * y)


def test_the_kth_neighbour_does_not_count_the_sample_itself() -> None:
    x = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert kth_neighbour(x, 1).tolist() == [1, 1, 2, 4]
    assert kth_neighbour(x, 9).tolist() == [7, 6, 4, 7]


def test_the_nearest_row_is_found_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TILE_ENTRIES", 32 * 16)
    x, among = RNG.normal(size=(100, 5)), RNG.normal(size=(300, 5))
    distances, rows = nearest(x, among)
    expected, places = NearestNeighbors(n_neighbors=1).fit(among).kneighbors(x)
    assert np.allclose(distances, expected[:, 0])
    assert np.array_equal(rows, places[:, 0])


def test_the_nearest_row_may_be_that_of_another_distance() -> None:
    x, among = np.array([[0.0, 0.0]]), np.array([[3.0, 0.0], [2.0, 2.0]])
    assert neighbours.nearest(x, among)[1] == [1]
    by_sums = neighbours.nearest(x, among, distances_between=lambda a, b: torch.cdist(a, b, p=1))
    assert (by_sums[0], by_sums[1]) == ([3], [0])


def test_the_four_metrics_are_those_of_the_authors_code() -> None:
    """Values of the package prdc 0.2, by the authors of Naeem et al. 2020, on these
    very samples."""
    rng = np.random.default_rng(42)
    real, fake = rng.normal(size=(200, 8)), 0.8 * rng.normal(size=(150, 8)) + 0.2
    found = coverage(real, fake)
    assert (found.precision, found.recall) == pytest.approx((0.9866666666666667, 0.765))
    assert (found.density, found.coverage) == pytest.approx((1.4586666666666668, 0.925))
