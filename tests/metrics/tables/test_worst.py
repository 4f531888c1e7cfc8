"""The worst columns and pairs are those that were spoilt."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.tables.raw_table import RawTable
from equipoise.metrics.tables.worst import worst_columns, worst_pairs

RNG = np.random.default_rng(0)
TABLE = RawTable(
    ("x", "y", "plan", "id", "gap", "gap"), (0, 0, 4, 500, 0, 2), (None, None, None, None, None, 1)
)


def rows_of(n: int) -> np.ndarray:
    """x, y and the plan depend on one another; an id has 500 categories."""
    x = RNG.normal(size=n)
    y, plan = x + RNG.normal(size=n), np.digitize(x, [-1, 0, 1])
    rest = RNG.integers(0, 500, n), RNG.normal(size=n), RNG.random(n) < 0.2
    return TABLE.values(np.stack([x, y, plan, *rest], 1).astype(float))


def test_a_column_that_was_shifted_is_the_worst_though_others_never_get_1() -> None:
    real, fake, other = (rows_of(1000) for _ in range(3))
    fake[:, 0] += 1
    fake[:100, 4] = np.nan
    first, *rest = worst_columns(TABLE.columns, real, fake, other, most=3)
    assert (first.name, first.measure) == ("x", "Kolmogorov-Smirnov")
    assert first.shape < 0.7
    assert first.baseline > 0.9
    assert len(rest) == 2
    by_name = {c.name: c for c in worst_columns(TABLE.columns, real, fake, other)}
    assert by_name["id"].measure == "total variation"
    assert by_name["id"].baseline < 0.8
    assert by_name["gap"].blank > by_name["gap"].real_blank + 0.04
    assert by_name["gap"].real_blank == pytest.approx(0.2, abs=0.05)


def test_pairs_that_no_longer_depend_on_each_other_are_the_worst() -> None:
    real, fake, other = (rows_of(1000) for _ in range(3))
    fake[:, 2] = RNG.permutation(fake[:, 2])
    found = worst_pairs(TABLE.columns, real, fake, other, most=2)
    assert {pair.names for pair in found} == {("x", "plan"), ("y", "plan")}
    first = found[0]
    assert first.names == ("x", "plan")
    assert first.measure == "correlation ratio"
    assert first.association < 0.15
    assert first.real_association > 0.85
    assert first.trend < first.baseline - 0.1


def test_columns_and_pairs_without_a_figure_are_left_out() -> None:
    table = RawTable(("empty", "empty", "one", "x"), (0, 2, 0, 0), (None, 1, None, None))
    rows = table.values(np.stack([np.zeros(50), np.ones(50), np.ones(50), RNG.normal(size=50)], 1))
    assert [c.name for c in worst_columns(table.columns, rows, rows, rows)] == ["one", "x"]
    assert worst_pairs(table.columns, rows, rows, rows) == []
