"""Excel workbooks: the table in the first sheet, and workbooks made to do harm."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.fuzz import workbook

from equipoise.data import readers
from equipoise.errors import RequestError

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., readers.FileContent]:
    """Reads a workbook with these rows in the first of its sheets."""

    def read(rows: list[list[Any]], *others: str) -> readers.FileContent:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for name in others:
            book.create_sheet(name)
        book.save(tmp_path / "x.xlsx")
        return readers.read(tmp_path / "x.xlsx")

    return read


def changed(tmp_path: Path, part: str, old: str, new: str, **how: Any) -> Path:
    """The fuzzer's workbook with other text in one part."""
    path = tmp_path / "x.xlsx"
    (tmp_path / "seed").write_bytes(workbook())
    with zipfile.ZipFile(tmp_path / "seed") as seed, zipfile.ZipFile(path, "w", **how) as made:
        for name in seed.namelist():
            content = seed.read(name).decode()
            assert name != part or old in content
            made.writestr(name, content.replace(old, new) if name == part else content)
    return path


def test_columns_have_the_types_of_their_cells(sheet: Any) -> None:
    moment, day = datetime.datetime(2024, 1, 2, 10, 30), datetime.datetime(2024, 2, 1)
    content = sheet(
        [
            ["id", "code", "when", "ok", "x", "n", "mixed", "time"],
            ["a", "007", moment, True, 1.5, 1, 5, datetime.time(10, 30)],
            ["b", "1,5", None, None, None, 2, "?", None],
            ["c", None, day, False, 2.0, 3, 1.5, datetime.time(7)],
        ]
    )
    frame = content.values
    dtypes = frame.dtypes.astype(str).to_dict()
    assert dtypes.pop("when").startswith("datetime64")
    numbers = {"ok": "boolean", "x": "float64", "n": "int64"}
    assert {name: dtypes[name] for name in numbers} == numbers
    assert frame["when"].dropna().tolist() == [pd.Timestamp(moment), pd.Timestamp(day)]
    assert frame["code"].dropna().tolist() == ["007", "1,5"]
    assert frame["mixed"].tolist() == ["5", "?", "1.5"]
    assert frame["time"].dropna().tolist() == ["10:30:00", "07:00:00"]
    assert content.note == ""


def test_whole_numbers_beside_blanks_are_whole(sheet: Any) -> None:
    frame = sheet([["age", "x"], [23, 1.5], [None, 2.5], [41, None]]).values
    assert frame.dtypes.astype(str).to_dict() == {"age": "Int64", "x": "float64"}
    assert frame["age"].dropna().tolist() == [23, 41]


def test_a_column_may_have_any_name(sheet: Any) -> None:
    frame = sheet([["self", "n"], [True, 1], [None, 2]]).values
    assert frame["self"].dtype == "boolean"


def test_the_first_sheet_is_read_and_the_others_are_named(sheet: Any) -> None:
    content = sheet([["a", "b"], [1, 2]], "Notes", "2023", "2022", "2021")
    assert content.values.to_dict("list") == {"a": [1], "b": [2]}
    assert content.note == (
        "read as: the first sheet, 'Sheet', without 'Notes', '2023', '2022' and 1 more"
    )


@pytest.mark.parametrize(
    ("rows", "expected", "note"),
    [
        ([["a", "b"], [1, 2], [], [3, 4], [], []], {"a": [1, 3], "b": [2, 4]}, ""),
        ([[1, 2], [3, 4]], {"x0": [1, 3], "x1": [2, 4]}, ""),
        ([[], [None, "a", "b"], [None, 1, 2]], {"a": [1], "b": [2]}, ""),
        ([[" a ", 2019, 2020], ["x", 1.5, 2]], {"a": ["x"], "2019": [1.5], "2020": [2]}, ""),
        (
            [["Sales"], [], ["a", "b", "c"], [1, 2, 3]],
            {"a": [1], "b": [2], "c": [3]},
            "the title above the table is left out",
        ),
        (
            [[None, "a"], [0, 5.5], [1, 6.5]],
            {"a": [5.5, 6.5]},
            "the first column has no name and numbers the rows: it is left out",
        ),
        (
            [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]],
            {"a": [1, 2], "b": [None, None]},
            "nothing is in 'b': formulas have values once Excel has saved them",
        ),
    ],
)
def test_a_table_is_found_wherever_it_stands_in_the_sheet(
    rows: list[list[Any]], expected: dict[str, Any], note: str, sheet: Any
) -> None:
    content = sheet(rows)
    frame = content.values
    assert frame.astype(object).where(frame.notna(), None).to_dict("list") == expected
    assert content.note == note


def test_what_cannot_be_a_table_is_refused(sheet: Any, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="its first sheet is empty"):
        sheet([])
    with pytest.raises(RequestError, match="several columns named 'a'"):
        sheet([["a", "a"], [1, 2]])
    (tmp_path / "x.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(999))
    with pytest.raises(RequestError, match="protected by a password, or has the format of old"):
        readers.read(tmp_path / "x.xlsx")
    (tmp_path / "x.xlsx").write_text("a,b\n1,2\n")
    with pytest.raises(RequestError, match=r"could not be read as \.xlsx: it is no Excel workbook"):
        readers.read(tmp_path / "x.xlsx")


def test_the_smallest_workbook_is_read(tmp_path: Path) -> None:
    frame = readers.read(changed(tmp_path, "xl/s.xml", "", "")).values
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"a": [2.5, 3.5], "b": [2, 3]}


BOMB = "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10 if i else "lol"}">' for i in range(10))


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        ("xl/s.xml", "<worksheet", f"<!DOCTYPE a [{BOMB}]><worksheet", "declares XML entities"),
        (
            "[Content_Types].xml",
            "<Types",
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><Types',
            "declares XML entities",
        ),
        ("xl/s.xml", '"A3"', '"XFD3"', "has 16,384 columns: give at most 10,000"),
        ("xl/s.xml", 'row r="3"', 'row r="99999999999"', "a row number of 99,999,999,999"),
        ("xl/s.xml", 'row r="3"', 'row r="x"', r"could not be read as \.xlsx"),
        ("xl/s.xml", "</row>", "", r"could not be read as \.xlsx: mismatched tag"),
        ("xl/workbook.xml", "<sheets>", "<sheets><sheets>" * 9, r"could not be read as \.xlsx"),
        ("xl/_rels/workbook.xml.rels", "s.xml", "../../../etc/passwd", r"could not be read"),
    ],
)
def test_a_workbook_that_was_made_to_do_harm_gets_one_line(
    part: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=message) as error:
        readers.read(changed(tmp_path, part, old, new))
    assert str(error.value).isprintable()


def test_one_cell_far_away_claims_all_the_places_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**30)
    new = 'row r="1048575"><c r="ALL1048575"><v>1</v></c></row><row'
    path = changed(tmp_path, "xl/s.xml", 'row r="3"', new)
    assert path.stat().st_size < 4_000
    with pytest.raises(RequestError, match=r"takes 23\.4 GiB of memory, and 1\.0 GiB are free"):
        readers.read(path)


def test_a_workbook_claims_what_its_parts_have_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**25)
    padding = f"<!-- {' ' * 2**24} -->"
    path = changed(
        tmp_path,
        "xl/s.xml",
        "<sheetData>",
        f"{padding}<sheetData>",
        compression=zipfile.ZIP_DEFLATED,
    )
    assert path.stat().st_size < 2**16
    with pytest.raises(RequestError, match=r"of memory, and 0\.0 GiB are free"):
        readers.read(path)
    styles = "<xf/>" * 2**16  # each a Python object
    path = changed(tmp_path, "xl/workbook.xml", "<sheets>", f"<cellXfs>{styles}</cellXfs><sheets>")
    with pytest.raises(RequestError, match=r"takes 0\.1 GiB of memory"):
        readers.read(path)


def test_a_compression_that_may_take_any_memory_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, "xl/s.xml", "", "", compression=zipfile.ZIP_LZMA)
    with pytest.raises(RequestError, match="compressed by method 14 of ZIP"):
        readers.read(path)
