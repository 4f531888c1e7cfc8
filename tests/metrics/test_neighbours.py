"""Precision, recall, density, coverage and memory, against their definitions on
hand-made points and scikit-learn's neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from sklearn.neighbors import NearestNeighbors

from equipoise.metrics import neighbours
from equipoise.metrics.neighbours import (
    coverage,
    intrinsic_dimension,
    kth_neighbour,
    mean_distance,
    memory,
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


def test_the_four_figures_are_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = RNG.normal(size=(150, 4)), RNG.normal(0.3, 1.2, (120, 4))
    monkeypatch.setattr(neighbours, "TILE", 32 * 32)
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
    )  # the share of balls about k neighbours that another sample of n enters
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
    monkeypatch.setattr(neighbours, "TILE", 32 * 16)
    x, among = RNG.normal(size=(100, 5)), RNG.normal(size=(300, 5))
    distances, rows = nearest(x, among)
    expected, places = NearestNeighbors(n_neighbors=1).fit(among).kneighbors(x)
    assert np.allclose(distances, expected[:, 0])
    assert np.array_equal(rows, places[:, 0])


def test_fresh_samples_are_not_copied_and_copies_are() -> None:
    training, fresh = RNG.normal(size=(2, 1000, 4))
    held_out = RNG.normal(size=(200, 4))
    honest = memory(fresh, held_out, training)
    assert honest.low < 0 < honest.high
    copied = memory(training + RNG.normal(0, 1e-3, training.shape), held_out, training)
    assert copied.copied > 0.99
    assert copied.low > 0.8


def test_samples_that_are_smoother_than_real_ones_are_not_taken_for_copies() -> None:
    training, fresh = RNG.normal(size=(2, 1000, 4))
    smooth = memory(
        0.5 * fresh, RNG.normal(size=(200, 4)), training
    )  # all are nearer to the training samples than real ones are
    assert smooth.low < 0


@pytest.mark.parametrize("columns", [2, 20])
def test_an_honest_sampler_is_taken_for_one_that_copies_in_two_and_a_half_percent_of_all_cases(
    columns: int,
) -> None:
    """Of 400 the number is binomial, mean 10, and at most 20 in 99.9% of all cases."""
    rng, wrong, inside = np.random.default_rng(0), 0, 0
    for _ in range(400):
        training, held_out, fresh = (rng.normal(size=(n, columns)) for n in (450, 50, 300))
        found = memory(fresh, held_out, training)
        wrong, inside = wrong + (found.low > 0), inside + (found.low <= 0 <= found.high)
    assert wrong <= 20
    assert inside >= 360


def test_the_interval_holds_the_fraction_of_copies_in_95_percent_of_all_cases() -> None:
    """Of 150 at least 136 do in 99% of all cases, if 95% should."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(150):
        training, fresh = rng.normal(size=(2, 500, 4))
        found = memory(
            np.concatenate([fresh[:350], training[:150]]), rng.normal(size=(100, 4)), training
        )
        inside += found.low < 0.3 < found.high
    assert inside >= 136


def test_too_few_held_out_samples_cannot_tell_copies() -> None:
    training, fresh = RNG.normal(size=(2, 300, 2))
    assert memory(np.repeat(fresh[:1], 300, 0), RNG.normal(size=(2, 2)), training).low == -np.inf


def test_the_mean_distance_is_that_of_all_pairs_and_unknown_of_one_row() -> None:
    x = RNG.normal(size=(50, 3))
    assert mean_distance(x) == pytest.approx(pdist(x).mean())
    assert mean_distance(np.repeat(x[:1], 9, 0)) == 0
    assert np.isnan(mean_distance(x[:1]))


def test_a_perfect_sampler_of_whole_numbers_copies_nothing_though_rows_repeat() -> None:
    found = []
    for _ in range(30):
        training, held_out, fresh = (
            RNG.poisson(3.0, (n, 3)).astype(float) for n in (1800, 200, 500)
        )
        found.append(memory(fresh, held_out, training).copied)
    assert np.mean(found) == pytest.approx(0, abs=0.05)


def test_copies_of_a_training_set_of_which_a_part_was_searched_count_in_full() -> None:
    training = RNG.normal(size=(2000, 3))
    found = memory(
        training[RNG.permutation(2000)[:1000]],
        RNG.normal(size=(300, 3)),
        training[:500],
        searched=0.25,
    )
    assert found.low - 0.1 < 1 < found.high + 0.1


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_of_a_flat_sheet_in_space_is_the_sheets(dimension: int) -> None:
    sheet = RNG.uniform(size=(2000, dimension)) @ RNG.normal(size=(dimension, 8))
    assert intrinsic_dimension(sheet) == pytest.approx(dimension, rel=0.12)
    assert intrinsic_dimension(100 * sheet) == pytest.approx(intrinsic_dimension(sheet), rel=1e-6)


def test_the_dimension_of_a_few_values_is_not_known_and_repeated_rows_do_no_harm() -> None:
    assert np.isnan(intrinsic_dimension(np.array([[0.0], [1.0], [0.0]])))
    assert np.isnan(intrinsic_dimension(RNG.normal(size=(39, 2))))
    x = RNG.normal(size=(500, 2))
    assert intrinsic_dimension(np.concatenate([x, x])) == pytest.approx(intrinsic_dimension(x))


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_the_dimension_of_whole_numbers_is_not_known_whatever_their_units(columns: int) -> None:
    rounded, dice = np.round(RNG.normal(0, 3, (2000, columns))), RNG.integers(1, 7, (2000, columns))
    for x in (rounded, dice / 0.7, (rounded - 0.123) / 3.1):
        assert np.isnan(intrinsic_dimension(x))


def test_a_column_of_whole_numbers_beside_others_does_no_harm_and_columns_in_full_are_not_too_many() -> (
    None
):
    x = RNG.normal(size=(2000, 3))
    x[:, 2] = RNG.integers(0, 2, 2000)
    assert intrinsic_dimension(x) == pytest.approx(2, rel=0.12)
    for n in (40, 100, 500):
        assert not any(np.isnan(intrinsic_dimension(RNG.normal(size=(n, 2)))) for _ in range(20))


def test_a_dimension_far_above_the_columns_is_not_told() -> None:
    x = np.arange(2000.0)[:, None] + RNG.uniform(
        0, 1e-3, (2000, 1)
    )  # steps that are nearly equal, and no two the same
    assert np.isnan(intrinsic_dimension(x))


def test_the_four_figures_are_those_of_the_authors_code() -> None:
    """Values of the package prdc 0.2, by the authors of Naeem et al. 2020, on these
    very samples."""
    rng = np.random.default_rng(42)
    real, fake = rng.normal(size=(200, 8)), 0.8 * rng.normal(size=(150, 8)) + 0.2
    found = coverage(real, fake)
    assert (found.precision, found.recall) == pytest.approx((0.9866666666666667, 0.765))
    assert (found.density, found.coverage) == pytest.approx((1.4586666666666668, 0.925))
