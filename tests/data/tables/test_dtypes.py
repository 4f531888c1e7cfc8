from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from equipoise.data.tables.dtypes import UserDtype, dtype_of
from equipoise.errors import RequestError

ARROW = [
    pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(),
    pa.date32(), pa.date64(), pa.timestamp("ms"), pa.timestamp("us", "Europe/Berlin"),
    pa.timestamp("ns", "+02:00"), pa.duration("s"), pa.decimal128(10, 2), pa.null(),
    pa.dictionary(pa.int8(), pa.string()),
]  # fmt: skip
DTYPES: list[Any] = [
    "bool", "int8", "uint64", "float16", "float64", "Int8", "UInt64", "Float32", "boolean",
    "string[python]", "string[pyarrow]", "object", "datetime64[s]", "datetime64[ns, UTC]",
    "datetime64[us, America/New_York]", "timedelta64[ms]", "period[M]", "period[W-SUN]",
    pd.SparseDtype("float64", 0.0), pd.SparseDtype("float64", np.nan), pd.SparseDtype("int64", 1),
    pd.SparseDtype("bool", False), pd.CategoricalDtype(["b", "a"], ordered=True),
    pd.CategoricalDtype([2, 1]), pd.CategoricalDtype(pd.to_datetime(["2024-01-31"])),
    pd.CategoricalDtype(pd.interval_range(0, 3)), *map(pd.ArrowDtype, ARROW),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_type_of_pandas_is_found_again_by_its_name(dtype: Any) -> None:
    known = pd.api.types.pandas_dtype(dtype)
    described = dtype_of(pd.Series([], dtype=known))
    described.check()
    assert described.pandas() == known


def test_text_of_pandas_has_its_own_type() -> None:
    fed = pd.Series(["a", None])
    described = dtype_of(fed)
    pd.testing.assert_series_equal(pd.Series(described.array(["a", None])), fed)


@pytest.mark.parametrize(
    "name",
    ["complex128", "V8", "dateutil//etc/passwd", "datetime64[ns, dateutil//etc/passwd]", "",
     "datetime64[ns, ../../etc/passwd]", "period[" + "9" * 50 + "M]", "arrow:list<item: int64>",
     "datetime64[ns, tzlocal()]", "int64; import os", "<M8[ns]", "float64\n"],
)  # fmt: skip
def test_names_that_pandas_must_not_see_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="no type of a column"):
        UserDtype(name).check()
    with pytest.raises(RequestError, match="no type of a column"):
        UserDtype("category", of=name).check()


@pytest.mark.parametrize("dtype", [complex, "interval[int64, right]", pd.ArrowDtype(pa.binary())])
def test_a_type_that_no_table_holds_is_refused(dtype: Any) -> None:
    with pytest.raises(RequestError, match="is not one of a table"):
        dtype_of(pd.Series([], dtype=dtype))


@pytest.mark.parametrize(
    ("dtype", "expected"), [("int8", 127), ("UInt8", 255), ("int64[pyarrow]", 2**63 - 1)]
)
def test_the_greatest_whole_number_of_a_type(dtype: str, expected: int) -> None:
    assert dtype_of(pd.Series([], dtype=dtype)).greatest == expected


@pytest.mark.parametrize("dtype", ["float64", "Float32", "Int64", "int64[pyarrow]", "object"])
def test_numbers_and_blanks_make_a_column_of_their_type(dtype: str) -> None:
    fed = pd.Series([1, None, 3], dtype=dtype)
    numbers = dtype_of(fed, "int" if dtype == "object" else "").numbers(
        np.array([1, 0, 3]), np.array([False, True, False])
    )
    pd.testing.assert_series_equal(pd.Series(numbers, dtype=dtype), fed)


def test_an_infinite_number_among_objects_stays_one() -> None:
    fed = pd.Series([1, 2.5, np.inf], dtype="object")
    made = dtype_of(fed).numbers(fed.to_numpy(float), np.zeros(3, bool))
    assert list(made) == [1, 2.5, np.inf]


def test_numbers_beyond_a_type_become_its_ends() -> None:
    none = np.zeros(3, bool)
    made = UserDtype("int8").numbers(np.array([-(2**60), 5, 2**60]), none)
    assert made.tolist() == [-128, 5, 127]
    small = UserDtype("float16").numbers(np.array([-1e9, 5, np.inf]), none)
    assert small.tolist() == [-65504, 5, np.inf]


@pytest.mark.parametrize(
    ("dtype", "holds"),
    [("int64", False), ("bool", False), ("Int64", True), ("float64", True), ("boolean", True),
     ("object", True), ("datetime64[ns]", True), ("int64[pyarrow]", True), ("category", True)],
)  # fmt: skip
def test_types_that_hold_blanks(dtype: str, holds: bool) -> None:
    assert dtype_of(pd.Series([], dtype=dtype)).holds_blanks is holds
