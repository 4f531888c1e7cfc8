from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.identifier import IdColumn, is_called_id
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 300
OTHER = RNG.normal(size=N)


def ids(cells: Any, name: str = "x", **override: Any) -> IdColumn:
    """The column of ids that these cells are."""
    table, _ = recognise(pd.DataFrame({name: cells, "other": OTHER}), {name: override})
    column = table.columns[0]
    assert isinstance(column, IdColumn)
    return column


def made(column: IdColumn, n: int, seed: int = 0, start: int = 0) -> pd.Series[Any]:
    """New ids, none of them blank."""
    return column.decode(np.zeros((n, len(column.raw))), seed, start)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(range(N)), pd.Series(range(N), dtype="int32"), pd.Series(range(N), dtype="Int64"),
        pd.Series(range(N), dtype="int64[pyarrow]"), pd.Series([*range(N)], dtype=object),
        pd.Series([f"C-{i:05d}" for i in range(N)]),
        pd.Series([f"C-{i:05d}" for i in range(N)], dtype="string"),
        pd.Series([str(uuid.UUID(bytes=RNG.bytes(16), version=4)) for _ in range(N)], dtype=object),
        pd.Series([RNG.bytes(8).hex() for _ in range(N)]),
        pd.Series([f"p{i}@mail.org" for i in range(N)]),
    ],
)  # fmt: skip
def test_ids_are_made_anew_in_their_form_and_type(cells: pd.Series[Any]) -> None:
    column = ids(cells)
    assert column.raw == ()
    new = made(column, 2_000)
    assert new.dtype == cells.dtype
    assert new.is_unique
    assert not set(new) & set(cells)
    pd.testing.assert_series_equal(
        made(column, 50, start=700).reset_index(drop=True), new[700:750].reset_index(drop=True)
    )


def test_blank_ids_are_learned_as_blank() -> None:
    cells = pd.Series([f"C-{i:05d}" for i in range(N)]).mask(OTHER > 1)
    column = ids(cells)
    assert [raw.size for raw in column.raw] == [2]
    codes = column.encode(cells, RNG)
    np.testing.assert_array_equal(column.decode(codes).isna(), cells.isna())


def test_repeated_ids_are_made_anew_where_the_user_says_so() -> None:
    cells = pd.Series([f"C-{i:05d}" for i in RNG.integers(0, 60, N)])
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}))
    assert table.columns[0].kind == "category"
    column = ids(cells, kind="id")
    assert not set(made(column, 100)) & set(cells)
    with pytest.raises(RequestError, match="has no form of ids that are known"):
        ids(["alice", "bob"] * (N // 2), kind="id")


def test_a_type_without_room_for_new_ids_says_so() -> None:
    full = pd.Series(2**31 - N + np.arange(N), dtype="int32")
    with pytest.raises(RequestError, match="has type int32, in which no new ids are left"):
        ids(full)
    column = ids(full - 2 * N)
    assert made(column, 10).is_unique
    with pytest.raises(RequestError, match="'x' has type int32, in which no new ids are left"):
        made(column, 10, start=2 * N)


def test_another_table_may_have_any_ids() -> None:
    column = ids(range(N))
    assert column.read(pd.Series([10**9, "a"])).codes.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "userId", "order-key", "UUID", "idx"])
def test_names_of_ids(name: str) -> None:
    assert is_called_id(name)


@pytest.mark.parametrize(
    "name", ["", "paid", "width", "identity", "valid", "holiday", "acid", "mid"]
)
def test_names_of_other_columns(name: str) -> None:
    assert not is_called_id(name)
