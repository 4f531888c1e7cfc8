"""Associations against closed forms, SciPy and pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway
from scipy.stats.contingency import association as scipy_association
from scipy.stats.contingency import crosstab

from equipoise.metrics.tables.associations import (
    associations,
    correlation_ratio,
    correlations,
    cramers_v,
    measure_of,
)
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)


def test_correlations_are_those_of_pandas() -> None:
    x = RNG.normal(size=(200, 3)) @ RNG.normal(size=(3, 4))
    np.testing.assert_allclose(correlations(x), pd.DataFrame(x).corr(), atol=1e-12)


def test_a_column_that_never_varies_or_has_a_blank_has_no_correlation() -> None:
    x = RNG.normal(size=(20, 4))
    x[:, 1], x[3, 2] = 0.1, np.nan
    found = correlations(x)
    assert np.isnan(found[[1, 2]]).all()
    assert np.isfinite(found[np.ix_([0, 3], [0, 3])]).all()


def test_cramers_v_is_that_of_scipy() -> None:
    x, y = RNG.integers(0, 4, 500), RNG.integers(0, 6, 500)
    y = np.where(RNG.random(500) < 0.4, x, y)
    expected = scipy_association(crosstab(x, y).count, method="cramer")
    assert cramers_v(x, y) == pytest.approx(expected)


def test_cramers_v_is_1_where_one_column_gives_the_other_and_0_where_they_are_independent() -> None:
    x = np.arange(60) % 6
    assert cramers_v(x, x // 2) == pytest.approx(1)
    assert cramers_v(x, np.arange(60) // 6 % 5) == pytest.approx(0, abs=1e-7)
    assert math.isnan(cramers_v(x, np.zeros(60, int)))


def test_the_correlation_ratio_is_the_root_of_the_explained_variance() -> None:
    codes = RNG.integers(0, 3, 400)
    numbers = codes**2 + RNG.normal(size=400)
    groups = [numbers[codes == code] for code in range(3)]
    f = f_oneway(*groups).statistic  # eta^2 = F (k - 1) / (F (k - 1) + n - k)
    assert correlation_ratio(codes, numbers) == pytest.approx(math.sqrt(2 * f / (2 * f + 397)))


def test_the_correlation_ratio_is_1_where_each_category_has_one_number_and_0_for_equal_means() -> (
    None
):
    codes = np.arange(40) % 4
    assert correlation_ratio(codes, codes * 3e200) == pytest.approx(1)
    assert correlation_ratio(codes, np.arange(40) // 4 * 1.0) == pytest.approx(0, abs=1e-9)
    assert math.isnan(correlation_ratio(codes, np.full(40, 0.1)))


def test_a_table_has_the_association_of_each_pair_without_its_blanks() -> None:
    table = RawTable(("x", "x", "y", "plan", "kind"), (0, 2, 0, 3, 2), (None, 1, None, None, None))
    n = 300
    x, plan, kind = RNG.normal(size=n), RNG.integers(0, 3, n), RNG.integers(0, 2, n)
    y, gone = x + RNG.normal(size=n), RNG.random(n) < 0.3
    rows = table.values(np.stack([x, gone, y, plan, kind], 1).astype(float))
    found = associations(table.columns, rows)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 1)
    assert found[0, 1] == pytest.approx(np.corrcoef(x[~gone], y[~gone])[0, 1])
    assert found[0, 2] == pytest.approx(correlation_ratio(plan[~gone], x[~gone]))
    assert found[1, 3] == pytest.approx(correlation_ratio(kind, y))
    assert found[2, 3] == pytest.approx(cramers_v(plan, kind))
    columns = table.columns
    assert measure_of(columns[0], columns[1]) == "correlation"
    assert measure_of(columns[0], columns[2]) == "correlation ratio"
    assert measure_of(columns[2], columns[3]) == "Cramér's V"
