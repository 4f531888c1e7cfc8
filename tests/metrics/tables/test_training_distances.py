"""Copies of training rows and distances to them, against planted ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.metrics.budget import Budget
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import RawTable
from equipoise.metrics.tables.training_distances import (
    MixedDistance,
    are_copies,
    training_distance_metrics,
)

RNG = np.random.default_rng(0)
TABLE = RawTable(("x", "x", "y", "plan"), (0, 2, 0, 4), (None, 1, None, None))
NAN = float("nan")


def rows_of(n: int) -> np.ndarray:
    x = RNG.normal(size=n)
    y, plan = x + RNG.normal(size=n), np.digitize(x, [-1, 0, 1])
    return np.stack([x, RNG.random(n) < 0.2, y, plan], 1).astype(float)


def metrics(
    fake: np.ndarray, training: np.ndarray, budget: Budget | None = None
) -> dict[str, MetricResult]:
    reference = MixedReference(rows_of(400), TABLE, training)
    found = training_distance_metrics(reference, reference.prepare(fake), 0, budget or Budget())
    return {result.key: result for result in found}


def test_rows_as_new_as_held_out_ones_are_as_far_from_the_training_rows() -> None:
    found = metrics(rows_of(1000), rows_of(2000))
    assert found.keys() == {
        "exact_copies",
        "nearest_training_row",
        "nearer_than_held_out",
        "copied_fraction",
    }
    assert found["exact_copies"].value == found["exact_copies"].baseline == 0
    near, nearer = found["nearest_training_row"], found["nearer_than_held_out"]
    assert near.low < near.value < near.high
    assert near.value == pytest.approx(near.baseline, rel=0.3)
    assert nearer.low < 0.5 < nearer.high
    assert found["copied_fraction"].low == 0


def test_copies_are_found_exact_ones_by_their_number_and_near_ones_by_their_distance() -> None:
    training = rows_of(2000)
    copied = metrics(np.concatenate([training[:300], rows_of(700)]), training)
    assert copied["exact_copies"].value == pytest.approx(0.3)
    assert copied["exact_copies"].low < 0.3 < copied["exact_copies"].high
    off = training[:1000] + np.array([1e-6, 0, 1e-6, 0])
    near = metrics(off, training)
    assert near["exact_copies"].value == 0
    assert near["nearest_training_row"].high < 1e-3 < near["nearest_training_row"].baseline
    assert near["nearer_than_held_out"].low > 0.95
    assert near["copied_fraction"].low > 0.8


def test_rows_unlike_the_data_are_farther_than_held_out_ones() -> None:
    fake = rows_of(1000)
    fake[:, 0] = RNG.permutation(3 * fake[:, 0])
    found = metrics(fake, rows_of(2000))
    assert found["nearer_than_held_out"].high < 0.4
    assert found["nearest_training_row"].low > found["nearest_training_row"].baseline


def test_the_distance_is_the_mean_over_columns() -> None:
    columns = TABLE.columns
    a = torch.tensor([[0.0, 1.0, 2.0], [NAN, 1.0, 2.0]], dtype=torch.float64)
    b = torch.tensor([[0.5, 1.0, 2.0], [NAN, 3.0, 0.0]], dtype=torch.float64)
    expected = [[0.5, 1 + 2 + 1], [1, 2 + 1]]
    np.testing.assert_allclose(MixedDistance(columns)(a, b), np.array(expected) / 3)


@given(st.integers(0, 10**6))
def test_the_distance_is_a_metric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.normal(size=6), rng.normal(size=6), rng.integers(0, 4, 6)], 1)
    rows[rng.random(6) < 0.4, 0] = np.nan
    x = torch.from_numpy(rows)
    d = MixedDistance(TABLE.columns)(x, x).numpy()
    np.testing.assert_array_equal(np.diag(d), 0)
    np.testing.assert_array_equal(d, d.T)


def test_equal_rows_are_copies_blanks_and_zeros_of_either_sign_too() -> None:
    training = np.array([[0.0, 1.0], [NAN, 2.0], [3.0, 3.0]])
    rows = np.array([[-0.0, 1.0], [NAN, 2.0], [2.0, NAN], [3.0, 3.0 + 1e-12], [3.0, 3.0]])
    assert are_copies(rows, training).tolist() == [True, True, False, False, True]


def test_many_columns_make_fewer_rows_compared_and_it_is_said() -> None:
    few = metrics(rows_of(600), rows_of(2000), Budget(distance_cells=3 * 300 * 600))
    found = few["nearest_training_row"]
    assert 40 <= found.n_samples < 400
    assert f"{found.n_samples:,} rows against" in found.protocol
    assert few["exact_copies"].n_samples == 600  # which costs no distances


def test_a_part_of_the_training_rows_counts_for_all_of_them() -> None:
    training = rows_of(2000)
    reference = MixedReference(rows_of(400), TABLE, training[:500], 2000)
    fake = reference.prepare(training[RNG.permutation(2000)[:1000]])
    found = {r.key: r for r in training_distance_metrics(reference, fake, 0, Budget())}
    assert found["copied_fraction"].high == 1
    assert found["copied_fraction"].value > 0.8


def test_without_training_rows_or_with_few_held_out_ones_there_is_no_metric() -> None:
    fake = TABLE.values(rows_of(100))
    without = MixedReference(rows_of(400), TABLE)
    few = MixedReference(rows_of(30), TABLE, rows_of(400))
    for reference in (without, few):
        assert training_distance_metrics(reference, fake, 0, Budget()) == []
