"""Parquet and Feather: every type of Arrow that has one value a row comes back as
pandas has it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from equipoise.data import readers
from equipoise.data.readers.arrow import to_frame
from equipoise.errors import RequestError

FORMATS: dict[str, Callable[..., None]] = {
    ".parquet": pa.parquet.write_table,
    ".feather": pa.feather.write_feather,
}
DAY, MOMENT = datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 10, 30)


@pytest.fixture(params=FORMATS)
def read(request: Any, tmp_path: Path) -> Callable[[pa.Table], readers.FileContent]:
    """Writes a table in each format, and reads it."""

    def read(table: pa.Table) -> readers.FileContent:
        path = tmp_path / f"x{request.param}"
        FORMATS[request.param](table, path)
        return readers.read(path)

    return read


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        (pa.array([1, 2**60 + 1]), "int64"),
        (pa.array([1, None, 2**60 + 1]), "Int64"),
        (pa.array([1, None], pa.uint8()), "UInt8"),
        (pa.array([1, 2], pa.int16()), "int16"),
        (pa.array([1.5, None], pa.float32()), "float32"),
        (pa.array([True, False]), "bool"),
        (pa.array([True, None]), "boolean"),
        (pa.array([DAY, None]), "datetime64[ms]"),
        (pa.array([MOMENT, None], pa.timestamp("us")), "datetime64[us]"),
        (pa.array([MOMENT], pa.timestamp("us", "Europe/Rome")), "datetime64[us, Europe/Rome]"),
        (pa.array([datetime.timedelta(1), None], pa.duration("ms")), "timedelta64[ms]"),
        (pa.array([Decimal("1.50"), None]), "float64"),
        (pa.nulls(2), "float64"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "category"),
    ],
    ids=lambda given: str(getattr(given, "type", given)),
)
def test_numbers_dates_and_categories_survive(column: pa.Array, dtype: str, read: Any) -> None:
    frame = read(pa.table({"x": column})).values
    assert str(frame["x"].dtype) == dtype
    expected = [value for value in column.to_pylist() if value is not None]
    if pa.types.is_date(column.type):  # which is no moment to Python
        expected = [pd.Timestamp(value) for value in expected]
    assert frame["x"].dropna().tolist() == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "007"]),
        pa.array(["a", None, "007"], pa.large_string()),
        pa.array([b"a", None, b"007"]),
        pa.array(["a", None, "007"] * 99).slice(0, 3),
        pa.array(["a", None, "007"], pa.string_view()),
        pa.array([b"a", None, b"007"], pa.binary_view()),
    ],
)
def test_texts_are_texts_and_no_categories(column: pa.Array, read: Any) -> None:
    frame = read(pa.table({"x": column})).values
    assert pd.api.types.is_string_dtype(frame["x"].dropna())
    assert frame["x"].dropna().tolist() == ["a", "007"]
    assert frame["x"].isna().tolist() == [False, True, False]


def test_the_order_of_categories_survives(read: Any) -> None:
    codes, sizes = pa.array([1, 0, 1], pa.int8()), pa.array(["small", "large"])
    column = pa.DictionaryArray.from_arrays(codes, sizes, ordered=True)
    frame = read(pa.table({"size": column})).values
    assert frame["size"].cat.ordered
    assert frame["size"].cat.categories.tolist() == ["small", "large"]
    assert frame["size"].tolist() == ["large", "small", "large"]


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()])
def test_categories_of_polars_are_categories(text: pa.DataType) -> None:
    codes, sizes = pa.array([1, None, 1], pa.uint32()), pa.array(["small", "large"], text)
    column = pa.DictionaryArray.from_arrays(codes, sizes)
    frame = to_frame(Path("x.feather"), pa.table({"size": column}))
    assert frame["size"].cat.categories.tolist() == ["small", "large"]
    assert frame["size"].dropna().tolist() == ["large", "large"]


def test_times_of_day_are_texts(read: Any) -> None:
    frame = read(pa.table({"t": pa.array([datetime.time(10, 30), None])})).values
    assert frame["t"].dropna().tolist() == ["10:30:00.000000"]


def test_decimals_are_said_to_be_read_as_floats(read: Any) -> None:
    content = read(pa.table({"price": pa.array([Decimal("1.50")]), "b": pa.array([1])}))
    assert content.note == "decimals read as floats in 'price'"


def test_an_index_without_a_name_is_left_out_and_one_with_a_name_is_a_column(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=["x", "y"])
    frame.to_parquet(tmp_path / "x.parquet")
    content = readers.read(tmp_path / "x.parquet")
    assert isinstance(content.values, pd.DataFrame)
    assert content.values.columns.tolist() == ["a"]
    assert content.note == "the index, which has no name, is left out"
    frame.rename_axis("id").to_parquet(tmp_path / "x.parquet")
    content = readers.read(tmp_path / "x.parquet")
    assert isinstance(content.values, pd.DataFrame)
    assert content.values["id"].tolist() == ["x", "y"]
    assert content.note == ""


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1], [2]]), "column 'x' holds list<.*>, which is not one value a row"),
        (pa.array([{"a": 1}]), "column 'x' holds struct<.*>, which is not one value a row"),
        (pa.array([b"\xff"]), "column 'x' holds bytes that are no text"),
    ],
)
def test_other_types_are_refused(column: pa.Array, message: str, read: Any) -> None:
    with pytest.raises(RequestError, match=message):
        read(pa.table({"x": column}))


def test_texts_of_several_columns_together_have_to_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    column = pa.array(["z" * 1_000] * 10_000).dictionary_encode().cast(pa.string())
    pa.parquet.write_table(pa.table({"a": column}), path)
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**25)
    assert len(readers.read(path).values) == 10_000
    pa.parquet.write_table(pa.table({"a": column, "b": column}), path)
    with pytest.raises(RequestError, match=r"takes 0\.0 GiB of memory, and 0\.0 GiB are free"):
        readers.read(path)
