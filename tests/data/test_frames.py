"""DataFrames and files as rows: columns, types, labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise.data.factory import open_source
from equipoise.data.frames import TableOptions, from_file, from_frame
from equipoise.errors import RequestError
from equipoise.transforms.dequantization import Dequantization

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(20, 2))
KIND = TableOptions("kind")


def test_columns_of_more_than_eight_bytes_are_refused() -> None:
    with pytest.raises(
        RequestError, match=r"column 'b', has type float128: give float64 or smaller"
    ):
        from_frame(
            pd.DataFrame({"a": [1.0, 2.0], "b": np.arange(2, dtype=np.longdouble)}), None, "x"
        )


def test_a_frame_keeps_its_columns_and_types_nullable_ones_as_numpys() -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array([1, 2, 5], dtype="Int64"),
            3: np.float32([0.5, 1, 2]),
            "c": [True, False, True],
        }
    )
    rows = from_frame(frame, None, "x")
    back = rows.schema.to_user(rows.values.astype(np.float64))
    pd.testing.assert_frame_equal(back, frame.astype({"a": "int64"}))


def test_a_frame_of_other_columns_than_plain_numbers_is_a_table_of_codes_and_numbers() -> None:
    y = np.where(np.arange(40) % 4 == 0, np.nan, np.random.default_rng(0).normal(size=40))
    frame = pd.DataFrame({"x": np.linspace(0, 1, 40), "plan": ["a", "b"] * 20, "y": y})
    rows = from_frame(frame, None, "x")
    assert rows.schema.columns == ("x", "plan", "y", "y (state)")
    assert rows.schema.table is not None
    assert rows.schema.table.sizes == (0, 2, 0, 2)
    pd.testing.assert_frame_equal(rows.schema.to_user(rows.values), frame)


def test_sparse_columns_are_read_and_flags_as_names_are_text() -> None:
    rows = from_frame(pd.get_dummies(pd.Series([True, False, True]), sparse=True), None, "x")
    assert rows.schema.columns == ("False", "True")
    assert rows.schema.column_dtypes == ("bool", "bool")
    np.testing.assert_array_equal(rows.values, [[0, 1], [1, 0], [0, 1]])


def test_numbers_stored_as_objects_are_a_column_of_numbers() -> None:
    numbers = np.random.default_rng(0).normal(size=40).tolist()
    rows = from_frame(pd.DataFrame({"a": numbers}, dtype=object), None, "x")
    np.testing.assert_array_equal(rows.values[:, 0], numbers)


@pytest.mark.parametrize(
    "cells",
    [
        np.where(np.arange(40) % 8 == 0, np.inf, np.linspace(0, 1, 40)),
        2**60 + np.arange(40) // 2 * 3,
    ],
    ids=["infinities", "beyond 2**53"],
)
def test_a_table_takes_the_same_numbers_with_and_without_other_columns(cells: Any) -> None:
    frame = pd.DataFrame({"x": cells, "y": np.linspace(5, 6, 40)})
    for table in (frame, frame.assign(plan=["a", "b"] * 20)):
        rows = from_frame(table, None, "x")
        pd.testing.assert_frame_equal(rows.schema.to_user(rows.values), table)


def test_labels_beside_a_label_column_are_refused() -> None:
    with pytest.raises(
        RequestError, match="labels were given, and label_column = 'b': give one of them"
    ):
        from_frame(pd.DataFrame({"a": [1.0, 2.0], "b": [0, 1]}), [0, 1], "x", TableOptions("b"))


def test_columns_whose_names_read_the_same_are_refused() -> None:
    with pytest.raises(RequestError, match="names are the same as text"):
        from_frame(pd.DataFrame([[1, 2], [3, 4]], columns=[1.0, "1.0"]), None, "x")


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(RequestError, match="several columns named 'a'"):
        from_frame(pd.DataFrame(POINTS, columns=["a", "a"]), None, "x")


def test_a_frame_gives_its_label_column() -> None:
    rows = from_frame(pd.DataFrame({"a": [1, 2, 3], "kind": ["u", "v", "u"]}), None, "x", KIND)
    assert (rows.schema.columns, rows.schema.classes) == (("a",), ("u", "v"))
    with pytest.raises(RequestError, match="label_column = 'kin' is not in x: did you mean 'kind'"):
        from_frame(
            pd.DataFrame({"a": [1, 2, 3], "kind": ["u", "v", "u"]}), None, "x", TableOptions("kin")
        )


def test_npy_npz_csv_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    np.savez(tmp_path / "a.npz", x=POINTS, y=np.arange(20) % 3)
    np.savez(tmp_path / "one.npz", anything=POINTS)
    pd.DataFrame(POINTS, columns=["u", "v"]).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame(POINTS, columns=["u", "v"]).to_parquet(tmp_path / "a.parquet")
    read = {
        name: from_file(tmp_path / name, None)
        for name in ("a.npy", "a.npz", "one.npz", "a.csv", "a.parquet")
    }
    for rows in read.values():
        np.testing.assert_allclose(rows.values, POINTS, rtol=1e-15)
    assert read["a.npz"].schema.classes == (0, 1, 2)
    assert read["a.csv"].schema.columns == read["a.parquet"].schema.columns == ("u", "v")


@pytest.mark.parametrize("first", ["1.5,1.5", "0,0", "1,-2e3"])
def test_a_csv_without_a_header_loses_no_row(tmp_path: Path, first: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\n3,4\n5,6\n")
    rows = from_file(path, None)
    assert rows.schema.columns == ("x0", "x1")
    np.testing.assert_array_equal(
        rows.values, [[float(cell) for cell in first.split(",")], [3, 4], [5, 6]]
    )


@pytest.mark.parametrize("index", [True, False])
def test_a_csv_with_the_names_that_pandas_gives_has_no_row_of_them(
    tmp_path: Path, index: bool
) -> None:
    pd.DataFrame([[0.5, 1.5], [2.0, 3.0]]).to_csv(tmp_path / "a.csv", index=index)
    rows = from_file(tmp_path / "a.csv", None)
    assert rows.schema.columns == ("0", "1")
    np.testing.assert_array_equal(rows.values, [[0.5, 1.5], [2.0, 3.0]])


@pytest.mark.parametrize(
    ("index", "left_out"), [([7, 3], True), ([7, 7], False), ([0.5, 1.5], False)]
)
def test_an_unnamed_column_of_row_numbers_is_dropped_with_a_note(
    tmp_path: Path, index: list[Any], left_out: bool
) -> None:
    pd.DataFrame({"a": [0.5, 1.5], "b": [2.0, 3.0]}, index=index).to_csv(tmp_path / "a.csv")
    rows = from_file(tmp_path / "a.csv", None)
    assert rows.schema.columns == (("a", "b") if left_out else ("Unnamed: 0", "a", "b"))
    assert ("numbers the rows: it is left out" in " ".join(rows.notes)) is left_out
    assert open_source(tmp_path / "a.csv").notes == [*rows.notes]


def test_a_csv_of_whole_numbers_whose_first_row_counts_up_loses_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("0,1\n1,0\n1,1\n")
    np.testing.assert_array_equal(
        from_file(tmp_path / "a.csv", None).values, [[0, 1], [1, 0], [1, 1]]
    )


def test_a_long_label_column_of_numbers_and_text_has_one_type(tmp_path: Path) -> None:
    rows = 300_000
    lines = (f"{i % 977}.5,{'A' if i > rows - 5 else i % 2}\n" for i in range(rows))
    (tmp_path / "a.csv").write_text("a,code\n" + "".join(lines))
    assert from_file(tmp_path / "a.csv", None, TableOptions("code")).schema.classes == (
        "0",
        "1",
        "A",
    )


def test_a_label_column_of_a_csv_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("u,kind,v\n1,cat,2\n3,dog,4\n")
    rows = from_file(path, None, KIND)
    assert rows.schema.columns == ("u", "v")
    assert rows.schema.classes == ("cat", "dog")


def test_numbers_of_a_frame_stay_within_what_the_column_can_have() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(17, 90, 500),
            "income": rng.lognormal(size=500),
            "z": rng.normal(size=500),
        }
    )
    rows = from_frame(frame, None, "x")
    income = frame["income"].min()
    assert rows.schema.bounds == ((17, 89), (income, None), (None, None))
    decoded = Dequantization(rows.schema).decode(torch.tensor([[-12.0, -3.0, -9.0], [200, 99, 9]]))
    assert decoded.tolist() == [[17, income, -9], [89, 99, 9]]
