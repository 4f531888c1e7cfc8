from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.series import cell_kind, distinct, numbers_of, plain

ZONE = datetime.UTC


@pytest.mark.parametrize(
    ("cells", "dtype", "kind"),
    [
        ([1, 2], "int64", "number"), ([1, None], "Int64", "number"), ([True], "bool", "bool"),
        ([True, None], "boolean", "bool"), (["a"], None, "text"), (["a"], "string", "text"),
        (["a"], object, "text"), ([1.5, None], object, "number"), ([1, 2.5], object, "number"),
        ([Decimal(1)], object, "number"), ([True, None], object, "bool"),
        ([2**80], object, "number"),
        ([None, np.nan], object, "empty"), (["a", 1], object, "mixed"),
        ([True, 1], object, "mixed"),
        (["a"], "category", "category"), (["2024"], "datetime64[s]", "date"),
        ([pd.Period("2024", "M")], None, "date"), ([datetime.date(2024, 1, 1)], object, "date"),
        ([datetime.datetime(2024, 1, 1, tzinfo=ZONE)], object, "other"),
        ([datetime.timedelta(1)], object, "span"), ([1], "timedelta64[s]", "span"),
        ([[1]], object, "other"), ([{}], object, "other"), ([1j], None, "other"),
        ([(1, 2)], object, "other"), ([b"a", "a"], object, "mixed"),
        (["a"], pd.ArrowDtype(pa.string()), "text"), ([1], pd.ArrowDtype(pa.int8()), "number"),
        ([Decimal(1)], pd.ArrowDtype(pa.decimal128(5, 2)), "number"),
        ([[1]], pd.ArrowDtype(pa.list_(pa.int64())), "other"),
    ],
)  # fmt: skip
def test_the_kind_of_cells(cells: list[Any], dtype: Any, kind: str) -> None:
    assert cell_kind(plain(pd.Series(cells, dtype=dtype))) == kind


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=2), st.integers(0, 2), st.booleans()), min_size=1
    )
)
def test_distinct_cells_and_their_places_are_the_column(cells: list[Any]) -> None:
    series = pd.Series(cells, dtype=object)
    found = distinct(series)
    again = [None if place < 0 else found.cells[place] for place in found.index]
    assert [(type(a), a) for a in again] == [(type(c), c) for c in cells]
    known = [(type(cell), cell) for cell in found.cells]
    assert len(set(known)) == len(known)
    assert found.counts.sum() == sum(cell is not None for cell in cells)


def test_distinct_categories_are_those_that_occur() -> None:
    series = pd.Series(pd.Categorical(["b", None, "a", "b"], categories=["c", "b", "a"]))
    found = distinct(series)
    assert found.cells.tolist() == ["b", "a"]
    assert found.index.tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "Int64", "Float64", object])
def test_numbers_of_every_type(dtype: Any) -> None:
    series = pd.Series([1, 100], dtype=dtype)
    assert numbers_of(series, np.zeros(2, bool)).tolist() == [1, 100]


def test_whole_numbers_beyond_floats_stay_exact() -> None:
    series = pd.Series([2**63 + 1, 0], dtype="uint64")
    assert numbers_of(series, np.zeros(2, bool)).tolist() == [2**63 + 1, 0]
    blanks = pd.Series([2**60 + 1, None], dtype="Int64")
    assert numbers_of(blanks, np.array([False, True])).tolist() == [2**60 + 1, 0]


def test_numbers_of_hundreds_of_digits_are_infinite() -> None:
    series = pd.Series([10**400, -(10**400), None], dtype=object)
    found = numbers_of(series, np.array([False, False, True]))
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.nan])
