from __future__ import annotations

import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.data import writers
from equipoise.data.writers.text import without_formula
from equipoise.errors import RequestError

N = 40


@pytest.fixture
def frame() -> pd.DataFrame:
    """Columns of many types, with blanks."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-31") + pd.to_timedelta(rng.integers(0, 900, N), "D")
    made = pd.DataFrame(
        {
            "name": rng.choice(["a,b", '"q"', "=1+1", "ü"], N),
            "count": pd.array(rng.integers(0, 9, N), dtype="Int64"),
            "x": rng.normal(size=N),
            "yes": rng.random(N) < 0.5,
            "day": days,
            "at": (days + pd.to_timedelta(rng.integers(0, 10**9, N), "us")).tz_localize("UTC"),
            "size": pd.Categorical(rng.choice(["S", "M"], N), ["S", "M", "L"], ordered=True),
        }
    )
    made.loc[::7, ["name", "count", "day", "size"]] = None
    return made


def written(frame: pd.DataFrame, path: Path, parts: int = 3) -> Path:
    ending = writers.ending_of(path)
    assert ending is not None
    cuts = np.linspace(0, len(frame), parts + 1).astype(int)
    pieces = [frame.iloc[a:b] for a, b in pairwise(cuts)]
    assert writers.find(ending).write(path, iter(pieces)) == len(frame)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
def test_columnar_files_keep_every_type(frame: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    path = written(frame, tmp_path / f"a{ending}")
    read = pd.read_parquet(path) if ending == ".parquet" else pd.read_feather(path)
    pd.testing.assert_frame_equal(read, frame)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".tsv.gz"])
def test_text_read_by_pandas_is_the_table(frame: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    path = written(frame, tmp_path / f"a{ending}")
    read = pd.read_csv(
        path,
        sep="\t" if "tsv" in ending else ",",
        parse_dates=["day", "at"],
        dtype={"count": "Int64", "size": frame["size"].dtype},
    )
    pd.testing.assert_frame_equal(read, frame, check_dtype=False, rtol=1e-15)


def test_zstandard_holds_the_same_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    import pyarrow as pa

    plain = written(frame, tmp_path / "a.jsonl").read_bytes()
    with pa.input_stream(str(written(frame, tmp_path / "a.jsonl.zst")), compression="zstd") as file:
        assert file.read() == plain
    assert gzip.decompress(written(frame, tmp_path / "a.jsonl.gz").read_bytes()) == plain


def test_json_lines_hold_every_cell(frame: pd.DataFrame, tmp_path: Path) -> None:
    text = written(frame, tmp_path / "a.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["x"] for record in records] == frame["x"].tolist()
    assert [record["yes"] for record in records] == frame["yes"].tolist()
    assert records[0]["count"] is None
    assert records[0]["day"] is None
    assert records[0]["name"] is None
    assert [r["count"] for r in records[1:7]] == frame["count"].tolist()[1:7]
    assert pd.Timestamp(records[1]["at"]) == frame["at"].iloc[1]
    assert pd.Timestamp(records[1]["day"]) == frame["day"].iloc[1]


def test_json_lines_are_json_without_infinities_and_nan(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    mixed = pd.Series([-np.inf, "a", np.float32("nan")], dtype=object)
    frame = pd.DataFrame({"x": [np.inf, np.nan, 1.5], "mixed": mixed})
    lines = written(frame, tmp_path / "a.jsonl", 1).read_text().splitlines()
    assert [json.loads(line, parse_constant=refuse) for line in lines] == [
        {"x": None, "mixed": None},
        {"x": None, "mixed": "a"},
        {"x": 1.5, "mixed": None},
    ]


def test_decimals_are_numbers_in_json_lines_and_workbooks(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    cells = [Decimal("1.50"), Decimal("12345678901234567890"), None, Decimal("Infinity")]
    frame = pd.DataFrame({"price": pd.Series(cells, dtype=object)})
    lines = written(frame, tmp_path / "a.jsonl", 1).read_text().splitlines()
    assert [json.loads(line)["price"] for line in lines] == [1.5, 12345678901234567890, None, None]
    sheet = openpyxl.load_workbook(written(frame[:1], tmp_path / "a.xlsx", 1)).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == (1.5, "n")


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".csv.gz", ".parquet"])
def test_a_table_in_parts_is_the_same_file_as_at_once(
    frame: pd.DataFrame, tmp_path: Path, ending: str
) -> None:
    one = written(frame, tmp_path / f"a{ending}", 1)
    several = written(frame, tmp_path / f"b{ending}", 5)
    if ending == ".parquet":  # row groups differ
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(several))
    elif ending == ".csv.gz":
        assert gzip.decompress(one.read_bytes()) == gzip.decompress(several.read_bytes())
    else:
        assert one.read_bytes() == several.read_bytes()


def test_dates_are_written_in_one_form_from_part_to_part(tmp_path: Path) -> None:
    times = pd.to_datetime(["2024-01-01 10:00", "2024-01-02 11:30", "2024-01-03 00:00"])
    frame = pd.DataFrame({"t": times})
    path = written(frame, tmp_path / "a.csv", 3)
    assert path.read_text().splitlines()[-1] == "2024-01-03 00:00:00"
    pd.testing.assert_frame_equal(pd.read_csv(path, parse_dates=["t"]), frame, check_dtype=False)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".feather"])
def test_an_empty_table_has_its_columns(frame: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    path = written(frame.iloc[:0], tmp_path / f"a{ending}", 1)
    if ending == ".csv":
        assert pd.read_csv(path).columns.tolist() == frame.columns.tolist()
    if ending == ".parquet":
        assert pd.read_parquet(path).columns.tolist() == frame.columns.tolist()


def test_names_that_begin_formulas_are_quoted_and_cells_stay(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=cmd()": ["=1+1", "-5"], "ok": ["@a", "+49"]})
    path = written(frame, tmp_path / "a.csv", 1)
    assert path.read_text() == "'=cmd(),ok\n=1+1,@a\n-5,+49\n"
    assert without_formula(-1) == -1


def test_a_workbook_holds_text_and_no_formulas(frame: pd.DataFrame, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = written(frame, tmp_path / "a.xlsx")
    cells = [cell for row in openpyxl.load_workbook(path).active.iter_rows() for cell in row]
    assert "=1+1" in {cell.value for cell in cells}
    assert not any(cell.data_type == "f" for cell in cells)
    read = pd.read_excel(path)
    assert read["count"].tolist()[1:7] == frame["count"].tolist()[1:7]
    assert (read["day"].dropna().to_numpy() == frame["day"].dropna().to_numpy()).all()


def test_a_package_that_is_missing_is_named_in_one_line(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(RequestError, match=r"a\.xlsx needs openpyxl: pip install openpyxl$"):
        written(frame, tmp_path / "a.xlsx")
    assert not list(tmp_path.iterdir())


def test_cells_of_several_types_are_refused_by_columnar_files_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"a": pd.Series([1, "x", None], dtype=object)})
    with pytest.raises(RequestError, match=r"a\.parquet cannot hold this table: .*write a \.csv"):
        written(frame, tmp_path / "a.parquet", 1)
    assert not list(tmp_path.iterdir())
    path = written(frame, tmp_path / "a.jsonl", 1)
    assert path.read_text() == '{"a": 1}\n{"a": "x"}\n{"a": null}\n'


def test_the_longest_ending_is_found() -> None:
    assert writers.ending_of("x.csv.GZ") == ".csv.gz"
    assert writers.ending_of("x.gz") is None
