"""The reference of mixed tables, and the suite that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from equipoise.metrics.suites import MetricSuite
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)
TABLE = RawTable(("x", "y", "y", "plan"), (0, 0, 2, 4), (None, None, 1, None))


def rows_of(n: int, bound: float = 1.0) -> np.ndarray:
    """x and the plan depend on each other, if they are bound."""
    x = RNG.normal(size=n)
    plan = np.digitize(bound * x + (1 - bound) * RNG.normal(size=n), [-1, 0, 1])
    y = RNG.exponential(size=n)
    return np.stack([x, y, RNG.random(n) < 0.25, plan], 1).astype(float)


def test_the_suite_of_a_mixed_table_finds_what_is_off_and_nothing_in_real_rows() -> None:
    suite = MetricSuite(MixedReference(rows_of(1000), TABLE))
    reals = [rows_of(1000) for _ in range(2)]
    good = {r.key: r for r in suite.metrics(rows_of(1000), reals)}
    assert next(iter(good)) == "table_frechet_distance"
    assert good.keys() == {
        "table_frechet_distance",
        "column_shapes",
        "worst_column_shape",
        "column_shape/x",
        "column_shape/y",
        "column_shape/plan",
        "pair_trends",
        "worst_pair_trend",
        "missing_value_similarity",
        "precision",
        "recall",
        "density",
        "coverage",
        "mean_pairwise_distance",
    }
    for result in good.values():
        assert result.value == pytest.approx(result.baseline, rel=0.5), result.key
        assert result.low is not None
        assert result.low <= result.value
    bad = {r.key: r for r in suite.metrics(rows_of(1000, bound=0.0), reals)}
    assert bad["table_frechet_distance"].low > 10 * bad["table_frechet_distance"].baseline
    assert bad["pair_trends"].value < 0.9
    assert bad["column_shapes"].value == pytest.approx(good["column_shapes"].value, abs=0.03)


def test_a_difference_that_matters_keeps_every_column_and_is_found() -> None:
    reference = MixedReference(rows_of(2000), TABLE)
    rows = reference.prepare(rows_of(2000))
    narrow = reference.narrow(rows)
    for before, after in zip(rows.T, narrow.T, strict=True):
        np.testing.assert_array_equal(np.sort(before), np.sort(after))
        assert 0 < ((before != after) & ~(np.isnan(before) & np.isnan(after))).mean() <= 0.05 + 1e-9
    suite = MetricSuite(reference, quick=True)
    (result,) = suite.metrics(rows_of(2000), [rows_of(2000)])
    assert result.narrowed is not None
    assert result.baseline < result.narrowed < 20 * result.baseline


def test_neighbours_are_described_and_limited() -> None:
    reference = MixedReference(rows_of(2500), TABLE)
    assert len(reference.features) == 2000
    assert reference.feature_description.startswith("2,000 held-out rows, numbers in units of")


def test_the_training_rows_are_in_the_users_columns() -> None:
    reference = MixedReference(rows_of(50), TABLE, rows_of(80))
    assert reference.training is not None
    assert reference.training.shape == (80, 3)
    assert reference.training_rows == 80
    assert MixedReference(rows_of(50), TABLE, rows_of(80), 1000).training_rows == 1000


@pytest.mark.parametrize("n", [1, 2, 30])
def test_tables_of_few_rows_and_odd_columns_have_a_primary_metric_and_no_fault(
    n: int, pairs: Mapping[str, Any]
) -> None:
    for pair in pairs.values():
        suite = MetricSuite(MixedReference(pair.real[:n], pair.table))
        primary, *_ = suite.metrics(pair.fake[:n], [pair.real[-n:]])
        assert primary.key == "table_frechet_distance"
        assert np.isfinite(primary.value)


def test_a_column_of_all_blanks_and_a_single_column_are_measured() -> None:
    table = RawTable(("empty", "empty"), (0, 2), (None, 1))
    blank = np.stack([np.zeros(60), np.ones(60)], 1)
    found = MetricSuite(MixedReference(blank, table))(blank)
    assert found["table_frechet_distance"] == pytest.approx(0, abs=1e-9)
    assert found["missing_value_similarity"] == 1
    assert not {"column_shapes", "pair_trends"} & found.keys()
