from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.category import CategoryColumn
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 200
OTHER = RNG.normal(size=N)


def category(cells: Any, **override: Any) -> CategoryColumn:
    """The column of categories that these cells are."""
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}), {"x": override})
    column = table.columns[0]
    assert isinstance(column, CategoryColumn)
    return column


def one_of(*values: Any) -> pd.Series[Any]:
    return pd.Series([values[i] for i in RNG.integers(0, len(values), N)])


def test_codes_are_positions_among_the_sorted_categories() -> None:
    cells = one_of("b", "c", "a")
    column = category(cells)
    assert column.categories == ("a", "b", "c")
    codes = column.encode(cells, RNG)[:, 0]
    assert [column.categories[int(code)] for code in codes] == cells.tolist()


def test_codes_that_are_not_whole_become_the_nearest_category() -> None:
    column = category(one_of("b", "c", "a"))
    values = np.array([[-1e300], [-0.4], [0.6], [1.4], [2.4], [1e300]])
    assert column.decode(values).tolist() == ["a", "a", "b", "b", "c", "c"]


def test_categories_of_pandas_keep_their_order_and_their_full_list() -> None:
    known = ["low", "middle", "high", "unused"]
    cells = pd.Series(pd.Categorical(one_of("high", "low", "middle"), known, ordered=True))
    column = category(cells)
    assert column.categories == ("low", "middle", "high")
    assert column.ordered
    made = column.decode(np.array([[0.0], [2.0]]))
    assert made.dtype == cells.dtype
    assert made.tolist() == ["low", "high"]


def test_blanks_and_markers_are_codes_of_their_own() -> None:
    cells = one_of("a", "b", "?", None)
    plain, marked = category(cells), category(cells, missing=["?"])
    assert plain.categories == ("?", "a", "b")
    assert (marked.categories, marked.markers, marked.blank) == (("a", "b"), ("?",), True)
    for column in (plain, marked):
        assert [raw.size for raw in column.raw] == [4]
        made = column.decode(column.encode(cells, RNG))
        pd.testing.assert_series_equal(made, cells, check_names=False)


def test_numbers_of_few_values_are_in_order() -> None:
    cells = one_of(3, 1, 2)
    column = category(cells)
    assert (column.categories, column.ordered) == ((1, 2, 3), True)
    with_blanks = pd.Series([1.0, 3.0, 2.0])
    assert column.encode(with_blanks, RNG)[:, 0].tolist() == [0, 2, 1]


def test_true_is_not_one() -> None:
    cells = pd.Series([1, True, "1", 1.5] * 50, dtype=object)
    column = category(cells)
    made = column.decode(column.encode(cells, RNG)).tolist()
    assert [(type(a), a) for a in made] == [(type(c), c) for c in cells]


def test_what_the_user_says_of_categories() -> None:
    cells = one_of("S", "M", "L")
    sizes = ["S", "M", "L", "XL"]
    column = category(cells, categories=sizes, ordered=True)
    assert (column.categories, column.ordered) == (tuple(sizes), True)
    assert column.decode(np.array([[3.0]])).tolist() == ["XL"]
    rows = int((cells == "L").sum())
    message = f"categories lacks 'L' in {rows} rows; list all of them"
    with pytest.raises(RequestError, match=message):
        category(cells, categories=["S", "M"])
    codes = category(RNG.integers(0, 40, N), kind="category")
    assert codes.states == len(codes.categories) > 30
    with pytest.raises(RequestError, match="cannot be categories"):
        category([[1]] * N, kind="category")


def test_free_text_and_dates_are_categories_where_the_user_says_so() -> None:
    text = category([f"text {i} of {N}" for i in range(N)], kind="category")
    assert text.states == N
    dates = pd.Series(pd.date_range("2021-03-01", periods=N, tz="Europe/Berlin"))
    column = category(dates, kind="category")
    made = column.decode(column.encode(dates, RNG))
    pd.testing.assert_series_equal(made, dates, check_names=False)


def test_an_unknown_category_is_named() -> None:
    column = category(one_of("a", "b"))
    cells = pd.Series(["a", "z", None])
    assert column.read(cells).codes.tolist() == [0, -1, -1]
    with pytest.raises(RequestError, match="column 'x' holds 'z' in row 1, and 2 rows in all"):
        column.encode(cells, RNG)
