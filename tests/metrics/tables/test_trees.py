"""Boosted trees on mixed rows."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl

from equipoise.metrics.tables import trees
from equipoise.metrics.tables.raw_table import RawTable
from equipoise.metrics.tables.trees import (
    TreeColumns,
    commonest_codes,
    rounds_of,
    rows_within,
    trees_at_once,
)

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "TREES", 20)


def test_the_commonest_categories_keep_a_code_and_the_others_share_one() -> None:
    codes = np.array([5, 5, 5, 2, 2, 9, 0])
    found = commonest_codes(codes, 10, 3)
    assert found[5] == 0
    assert found[2] == 1
    assert set(found[[0, 1, 3, 4, 6, 7, 8, 9]]) == {2}
    np.testing.assert_array_equal(commonest_codes(codes, 10, 10), np.arange(10))


def test_a_thousand_categories_are_taken_and_it_is_said() -> None:
    columns = RawTable(("code", "x"), (1000, 0)).columns
    rows = np.stack([RNG.integers(0, 1000, 4000), RNG.normal(size=4000)], 1)
    taken = TreeColumns(columns, rows)
    assert taken(rows)[:, 0].max() == 254
    assert taken.note == "; the rarest categories of 1 column with more than 255 are one"
    model = taken.fit_classifier(rows, (rows[:, 1] > 0).astype(int), 0)
    unseen = np.stack([np.arange(1000.0), np.repeat([-1.0, 1.0], 500)], 1)
    assert (taken.probabilities(model, unseen)[:, 1] > 0.5).mean() == pytest.approx(0.5, abs=0.01)
    assert TreeColumns(columns[1:], rows[:, 1:]).note == ""


def test_categories_without_an_order_and_blank_numbers_are_told_apart() -> None:
    columns = RawTable(("code", "x", "x"), (20, 0, 2), (None, None, 1)).columns
    rows = np.stack([RNG.integers(0, 20, 2000), RNG.normal(size=2000)], 1)
    rows[::3, 1] = np.nan
    classes = (np.isin(rows[:, 0], [1, 4, 9, 16]) ^ np.isnan(rows[:, 1])).astype(int)
    taken = TreeColumns(columns, rows)
    model = taken.fit_classifier(rows[:1500], classes[:1500], 0)
    right = (taken.probabilities(model, rows[1500:])[:, 1] > 0.5) == classes[1500:]
    assert right.mean() > 0.97


def test_a_regression_finds_a_formula() -> None:
    columns = RawTable(("x", "plan"), (0, 2)).columns
    rows = np.stack([RNG.uniform(-2, 2, 2000), RNG.integers(0, 2, 2000)], 1)
    numbers = rows[:, 0] ** 2 + rows[:, 1]
    taken = TreeColumns(columns, rows)
    found = taken.numbers(taken.fit_regressor(rows[:1500], numbers[:1500], 0), rows[1500:])
    assert np.abs(found - numbers[1500:]).mean() < 0.2


def test_trees_take_one_thread_and_leave_the_process_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    def threads() -> list[int]:
        return [lib["num_threads"] for lib in threadpoolctl.threadpool_info()]

    seen, fit = [], HistGradientBoostingClassifier.fit
    monkeypatch.setattr(
        HistGradientBoostingClassifier,
        "fit",
        lambda self, *given: (seen.append(threads()), fit(self, *given))[1],
    )
    columns, before = RawTable(("x",), (0,)).columns, threads()
    rows = RNG.normal(size=(100, 1))
    TreeColumns(columns, rows).fit_classifier(rows, (rows[:, 0] > 0).astype(int), 0)
    assert set(seen[0]) == {1}
    assert threads() == before


def test_rows_are_limited_by_cells_and_by_the_trees_of_many_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "TREES", 200)
    assert rows_within(1000, 10) == 100
    assert rows_within(10, 1000) == 1
    assert [trees_at_once(classes) for classes in (2, 3, 20)] == [1, 3, 20]
    assert [rounds_of(at_once) for at_once in (1, 3, 4, 20)] == [200, 66, 50, 50]
    assert rows_within(1000, 10, 4) == 100
    assert rows_within(1000, 10, 20) == 20  # a thousand trees
