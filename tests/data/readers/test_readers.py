"""The registry of file formats, and each format: what is read, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from benchmarks.fuzz import file_seed

from equipoise.data import readers
from equipoise.data.factory import open_source
from equipoise.data.frames import TableOptions, from_file
from equipoise.data.readers.base import Reader
from equipoise.errors import RequestError

ENDINGS = [ending for reader in readers.READERS for ending in reader.endings]
TABLES = [ending for reader in readers.READERS if reader.has_columns for ending in reader.endings]
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"height": RNG.normal(size=60), "count": RNG.integers(0, 9, 60), "kind": ["u", "v"] * 30}
)


def _needs(ending: str) -> None:
    """Skip the test where what reads the format is not installed."""
    if ending == ".xlsx":
        pytest.importorskip("openpyxl")


def write(frame: pd.DataFrame, path: Path) -> None:
    """The table as a file of the format that its name tells."""
    kind, *compression = path.name.split(".")[1:]
    _needs(f".{kind}")
    if kind in ("parquet", "feather"):
        getattr(frame, f"to_{kind}")(path)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("table.csv", frame.to_csv(index=False))
    else:
        content = (
            frame.to_json(orient="records", lines=True, double_precision=15)
            if kind in ("jsonl", "ndjson")
            else frame.to_csv(index=False, sep={"tsv": "\t", "txt": ";"}.get(kind, ","))
        ).encode()
        for ending in compression:
            content = pa.compress(content, {"gz": "gzip", "zst": "zstd"}[ending], asbytes=True)
        path.write_bytes(content)


def test_no_two_readers_have_an_ending_in_common() -> None:
    assert len(set(ENDINGS)) == len(ENDINGS)
    assert all(reader.summary and reader.endings for reader in readers.READERS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_is_listed_and_is_read_whatever_the_case_of_its_ending(
    ending: str, tmp_path: Path
) -> None:
    _needs(ending)
    plain = ending.removesuffix(".gz").removesuffix(".zst")
    assert plain in readers.listed()
    assert ending.removeprefix(plain) in readers.listed()
    path = tmp_path / f"numbers{ending.upper()}"
    path.write_bytes(file_seed(ending.removeprefix(".")))
    assert from_file(path, None, None).schema.size == 2
    assert open_source(path).name == "numbers"


@pytest.mark.parametrize("ending", TABLES)
def test_a_table_is_the_same_from_every_format(ending: str, tmp_path: Path) -> None:
    write(FRAME, tmp_path / "csv.csv")
    write(FRAME, tmp_path / f"table{ending}")
    expected = from_file(tmp_path / "csv.csv", None, TableOptions("kind"))
    rows = from_file(tmp_path / f"table{ending}", None, TableOptions("kind"))
    # JSON by pandas has 15 digits.
    np.testing.assert_allclose(rows.values, expected.values, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(rows.labels, expected.labels)
    assert rows.schema == expected.schema


@pytest.mark.parametrize("ending", TABLES)
def test_missing_values_of_a_table_are_blanks(ending: str, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=40)
    numbers[::4] = np.nan
    write(pd.DataFrame({"a": numbers, "b": range(0, 80, 2)}), tmp_path / f"x{ending}")
    rows = from_file(tmp_path / f"x{ending}", None)
    assert rows.schema.columns[:2] == ("a", "a (state)")
    np.testing.assert_array_equal(rows.values[:, 1], np.isnan(numbers))


def test_a_column_of_labels_is_refused_of_arrays_with_the_formats_that_have_columns(
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "x.npy", RNG.normal(size=(9, 2)))
    with pytest.raises(RequestError, match=r"x.npy has no columns; give a \.csv, .* file"):
        from_file(tmp_path / "x.npy", None, TableOptions("kind"))


@pytest.mark.parametrize(("ending", "package"), [(".csv", "pandas"), (".feather", "pyarrow")])
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    ending: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"x{ending}"
    write(FRAME, path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RequestError, match=rf"needs {package}: pip install 'equipoise\[tables\]'"):
        readers.read(path)


def test_categories_dates_and_nulls_of_a_feather_file_are_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [0.5, 1.5, 2.5], "kind": pd.Categorical(["u", "v", "u"])})
    frame.to_feather(tmp_path / "x.feather")
    rows = from_file(tmp_path / "x.feather", None, TableOptions("kind"))
    assert rows.schema.classes == ("u", "v")
    frame["day"] = pd.to_datetime(["2026-01-02"] * 3)
    frame["none"] = [None] * 3
    frame.to_feather(tmp_path / "x.feather")
    table = from_file(tmp_path / "x.feather", None, TableOptions("kind")).schema.table
    assert table is not None
    assert [column.label for column in table.columns] == ["number", "constant", "constant"]


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_feather_file_claims_what_its_buffers_have_unpacked(
    compression: Any, tmp_path: Path
) -> None:
    path = tmp_path / "x.feather"
    pd.DataFrame({"a": np.zeros(10_000), "b": np.arange(10_000)}).to_feather(
        path, compression=compression
    )
    reader = readers.find(path)
    assert reader is not None
    assert 2 * 2 * 80_000 <= reader.claimed_bytes(path) <= 2 * 2 * 80_000 + 1000


def test_a_new_format_is_a_registered_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Words(Reader):
        endings, summary, has_columns = (".words",), "numbers with blanks between", False

        def claimed_bytes(self, path: Path) -> int:
            return path.stat().st_size

        def read(self, path: Path) -> readers.FileContent:
            return readers.FileContent(np.array([float(word) for word in path.read_text().split()]))

    monkeypatch.setattr(readers, "READERS", [*readers.READERS, Words()])
    (tmp_path / "a.words").write_text("1 2 3 5")
    assert open_source(tmp_path / "a.words").training_rows == 3
    assert ".words" in readers.listed()
    (tmp_path / "a.words").write_text("1 2 three")
    with pytest.raises(RequestError, match=r"could not be read as \.words: could not convert"):
        open_source(tmp_path / "a.words")


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl.gz"])
def test_the_parts_of_a_table_in_a_folder_are_one_table(ending: str, tmp_path: Path) -> None:
    for i in range(3):
        write(
            FRAME.iloc[20 * i : 20 * i + 20].reset_index(drop=True), tmp_path / f"part-{i}{ending}"
        )
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.crc").write_bytes(b"\0")
    assert readers.tables_in(tmp_path) == [tmp_path / f"part-{i}{ending}" for i in range(3)]
    content = readers.read_parts(readers.tables_in(tmp_path))
    assert isinstance(content.values, pd.DataFrame)
    pd.testing.assert_frame_equal(content.values, FRAME)
    assert content.note == ""


def test_categories_of_parts_are_those_of_all(tmp_path: Path) -> None:
    for i, kinds in enumerate((["a", "b"], ["c", "b"])):
        pd.DataFrame({"kind": pd.Categorical(kinds)}).to_parquet(tmp_path / f"{i}.parquet")
    frame = readers.read_parts(readers.tables_in(tmp_path)).values
    assert isinstance(frame, pd.DataFrame)
    assert frame["kind"].tolist() == ["a", "b", "c", "b"]
    assert frame["kind"].cat.categories.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("others", "dtype"), [(["", ""], "Int64"), (["7", "8"], "Int64"), (["1.5", ""], "float64")]
)
def test_whole_numbers_beside_blanks_are_whole_if_they_are_in_all_parts(
    others: list[str], dtype: str, tmp_path: Path
) -> None:
    for name, cells in (("a", ["5", ""]), ("b", others)):
        rows = "".join(f"{cell},u\n" for cell in cells)
        (tmp_path / f"{name}.csv").write_text(f"n,kind\n{rows}")
    frame = readers.read_parts(readers.tables_in(tmp_path)).values
    assert isinstance(frame, pd.DataFrame)
    assert frame["n"].dtype == dtype
    assert frame["n"].isna().tolist() == [False, True, *(cell == "" for cell in others)]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".zip"])
def test_codes_with_leading_zeros_in_one_part_are_texts_in_all(ending: str, tmp_path: Path) -> None:
    parts = [["23456", "34567"], ["01234", "56789"], ["", "45678"], ["", ""], ["1.50", "7"]]
    for i, cells in enumerate(parts):
        part = pd.DataFrame({"n": [i, i], "zip": cells, "kind": ["u", "v"]})
        write(part, tmp_path / f"{i}{ending}")
    content = readers.read_parts(readers.tables_in(tmp_path))
    frame = content.values
    assert isinstance(frame, pd.DataFrame)
    assert frame["zip"].fillna("").tolist() == [cell for cells in parts for cell in cells]
    assert frame["n"].dtype == "int64"
    assert content.note == "read as: leading zeros kept in 'zip'"


def test_a_folder_of_anything_else_is_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert readers.tables_in(tmp_path) == []
    write(FRAME, tmp_path / "a.csv")
    (tmp_path / "folder").mkdir()
    assert readers.tables_in(tmp_path) == []
    (tmp_path / "folder").rmdir()
    (tmp_path / "b.png").touch()
    assert readers.tables_in(tmp_path) == []
    (tmp_path / "b.png").unlink()
    write(FRAME.rename(columns={"count": "n"}), tmp_path / "b.csv")
    with pytest.raises(RequestError, match=r"b.csv has the columns 'height', 'n', 'kind', a.csv"):
        readers.read_parts(readers.tables_in(tmp_path))
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 10_000)
    with pytest.raises(RequestError, match="of memory"):
        readers.read_parts(readers.tables_in(tmp_path))


def test_the_registry_imports_nothing_heavy() -> None:
    script = (
        "import sys, equipoise.data.readers\n"
        "print(*sorted({'numpy', 'pandas', 'pyarrow', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
