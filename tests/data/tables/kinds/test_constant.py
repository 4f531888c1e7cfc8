from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.constant import ConstantColumn
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

N = 30
OTHER = np.random.default_rng(0).normal(size=N)


def constant(cells: Any, **override: Any) -> ConstantColumn:
    """The constant column that these cells are."""
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}), {"x": override})
    column = table.columns[0]
    assert isinstance(column, ConstantColumn)
    return column


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([7] * N), pd.Series([np.inf] * N), pd.Series(["a"] * N), pd.Series([True] * N),
        pd.Series([None] * N, dtype=object), pd.Series([np.nan] * N), pd.Series([pd.NaT] * N),
        pd.Series([pd.NA] * N, dtype="Int64"), pd.Series([None] * N, dtype="string"),
        pd.Series([pd.Timestamp("2024", tz="Europe/Berlin")] * N),
        pd.Series([pd.Period("2024-01", "M")] * N), pd.Series([pd.Timedelta(5, "s")] * N),
        pd.Series([Decimal("1.20")] * N, dtype=object), pd.Series([2**80] * N, dtype=object),
        pd.Series(pd.Categorical(["a"] * N, ["b", "a"])), pd.Series([2**63] * N, dtype="uint64"),
        pd.Series(pd.cut([1.0] * N, [0, 2, 3])), pd.Series([1] * N, dtype="int8[pyarrow]"),
        pd.Series([None] * N, dtype="category"),
    ],
    ids=lambda cells: f"{cells.dtype} {cells[0]}",
)  # fmt: skip
def test_it_has_no_raw_column_and_comes_back(cells: pd.Series[Any]) -> None:
    column = constant(cells)
    assert column.raw == ()
    assert column.encode(cells, np.random.default_rng(0)).shape == (N, 0)
    made = column.decode(np.empty((N, 0)))
    pd.testing.assert_series_equal(made, cells, check_names=False)


def test_another_value_is_unknown() -> None:
    column = constant(["a"] * N)
    assert column.read(pd.Series(["a", "b", None])).codes.tolist() == [0, -1, -1]
    assert column.read(pd.Series([[1], [2]])).codes.tolist() == [-1, -1]
    blank = constant([None] * N)
    assert blank.read(pd.Series(["a", None])).codes.tolist() == [-1, 0]


def test_a_value_and_blanks_are_learned() -> None:
    frame = pd.DataFrame({"x": ["a", None] * (N // 2), "n": [3.5, np.nan] * (N // 2)})
    table, _ = recognise(frame)
    assert [(raw.kind, raw.size) for raw in table.raw_columns] == [("code", 2)] * 2


def test_a_column_that_varies_is_not_constant() -> None:
    with pytest.raises(RequestError, match="is not constant: it has 2 values"):
        constant(["a", "b"] * (N // 2), kind="constant")
