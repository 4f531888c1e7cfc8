"""Tables of text, read as people have them: what comes back, what is said of it, and
the cause where one cannot be read."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import readers
from equipoise.errors import RequestError

TEXTS = ["a, b", "x;y", "tab\there", "p|q", 'say "hi"', "ärger", "line\nbreak", "O'Neil", "plain"]
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(TEXTS),
    "number": st.decimals(-9999, 9999, places=2).map(float),
    "count": st.integers(-(10**6), 10**6),
    "day": st.dates().map(str),
}
MARKS = [(",", "."), (";", ","), (";", "."), ("\t", "."), ("\t", ","), ("|", ".")]


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Reads what a file of this content holds."""

    def read(content: str | bytes, name: str = "x.csv") -> readers.FileContent:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return readers.read(path)

    return read


def columns(content: readers.FileContent) -> dict[str, list[Any]]:
    """The columns as lists, with None for what is missing."""
    frame = content.values
    assert isinstance(frame, pd.DataFrame)
    return {
        str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist()
        for name in frame
    }


@given(
    choose=st.data(),
    kinds=st.lists(st.sampled_from([*COLUMNS]), min_size=2, max_size=5),
    marks=st.sampled_from(MARKS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_pandas_writes_comes_back_whatever_its_marks(
    choose: st.DataObject,
    kinds: list[str],
    marks: tuple[str, str],
    encoding: str,
    end: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rows = choose.draw(st.integers(5, 20))
    frame = pd.DataFrame(
        {
            f"{kind} {i}": choose.draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows))
            for i, kind in enumerate(kinds)
        }
    )
    path = tmp_path_factory.getbasetemp() / "table.csv"
    separator, decimal = marks
    text = frame.to_csv(index=False, sep=separator, decimal=decimal, lineterminator=end)
    path.write_bytes(text.encode(encoding))
    got = readers.read(path).values
    assert isinstance(got, pd.DataFrame)
    pd.testing.assert_frame_equal(got, frame, check_dtype=False)


@pytest.mark.parametrize(
    ("text", "expected", "note"),
    [
        ("a,b\n1,2\n", {"a": [1], "b": [2]}, ""),
        (
            "# made by X\na;b;c\n1,5;x;2\n2,5;y;3\n",
            {"a": [1.5, 2.5], "b": ["x", "y"], "c": [2, 3]},
            "read as: separator ';', 1 comment line skipped, decimal comma",
        ),
        (
            "39, clerk,1\n50, cook ,2\n38, clerk,3\n",
            {"x0": [39, 50, 38], "x1": ["clerk", "cook", "clerk"], "x2": [1, 2, 3]},
            "read as: no line of names, blanks around cells left out",
        ),
        (
            "a\tb\n1,234\tx\n987\ty\n12,345,678\tz\n",
            {"a": [1234, 987, 12345678], "b": ["x", "y", "z"]},
            "read as: separator tab, thousands separator ',' in 'a'",
        ),
        (
            "a;b\n1.234,50;0,5\n2,00;1,5\n",
            {"a": [1234.5, 2.0], "b": [0.5, 1.5]},
            "read as: separator ';', decimal comma, thousands separator '.' in 'a'",
        ),
        (
            'a,b\n"1,5",x\n"2,25",y\n',
            {"a": [1.5, 2.25], "b": ["x", "y"]},
            "read as: decimal comma in 'a'",
        ),
        (
            "zip,n\n01234,5\n56789,6\n",
            {"zip": ["01234", "56789"], "n": [5, 6]},
            "read as: leading zeros kept in 'zip'",
        ),
        (
            "garage,n\nNA,1\nbrick,NA\nNone,3\n",
            {"garage": [None, "brick", None], "n": [1, None, 3]},
            "read as: 'NA', 'None' read as blank in 'garage'",
        ),
        (
            "a,b\n1,2\n3,4\n,\n,\n",
            {"a": [1, 3], "b": [2, 4]},
            "read as: 2 rows of blanks at the end left out",
        ),
        ("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}, ""),
        (
            ",a\n0,5\n1,6\n",
            {"a": [5, 6]},
            "the first column has no name and numbers the rows: it is left out",
        ),
        (
            "mpg cyl\nMazda 21.0 6\nFiat 22.5 4\n",
            {"Unnamed: 0": ["Mazda", "Fiat"], "mpg": [21.0, 22.5], "cyl": [6, 4]},
            "read as: separator blanks",
        ),
        ("a\n1\n\n2\n", {"a": [1, 2]}, ""),
        ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}, ""),
    ],
)
def test_a_table_is_read_as_it_is_meant_and_one_line_says_how(
    text: str, expected: dict[str, list[Any]], note: str, table: Any
) -> None:
    content = table(text)
    assert columns(content) == expected
    assert content.note == note


def test_leading_zeros_are_kept_wherever_the_first_is(table: Any) -> None:
    rows = "23456,50,54321\n" * 300
    content = table(f"zip,age,n\n{rows}01234,9,99\n,,1\n")
    assert content.note == "read as: leading zeros kept in 'zip'"
    last = {name: cells[-2:] for name, cells in columns(content).items()}
    assert last == {"zip": ["01234", None], "age": [9, None], "n": [99, 1]}


def test_strings_stay_strings_and_markers_of_missing_values_stay(table: Any) -> None:
    text = "a,b,c\n?,-999,x\n2,3,?\n1,4,y\n"
    assert columns(table(text)) == {"a": ["?", "2", "1"], "b": [-999, 3, 4], "c": ["x", "?", "y"]}
    text = "a;b\n?;1\n2,5;3\n1.234,5;4\n"
    assert columns(table(text)) == {"a": ["?", "2.5", "1234.5"], "b": [1, 3, 4]}


def test_truth_values_beside_blanks_are_pandas_own(table: Any) -> None:
    frame = table("a,b\nTrue,False\n,True\nFalse,True\n").values
    assert frame["a"].dtype == "boolean"
    assert frame["b"].dtype == bool
    assert columns(table("a,b\nTrue,1\n,2\n"))["a"] == [True, None]


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["23", "", "41"], "Int64"),
        (["-23", "", "41.0"], "float64"),
        (["23.0", "", "41.0"], "float64"),
        (["1e3", "", "5"], "float64"),
        (["23", "", "4.5"], "float64"),
        (["NA", "None", "41"], "Int64"),
        (['"1,234"', "", "567"], "Int64"),
        (["", "", ""], "float64"),
    ],
)
def test_whole_numbers_beside_blanks_are_whole_if_they_are_written_so(
    cells: list[str], dtype: str, table: Any
) -> None:
    frame = table("x,a\n" + "".join(f"{cell},u{i}\n" for i, cell in enumerate(cells))).values
    assert frame["x"].dtype == dtype


def test_whole_numbers_with_blanks_are_written_again_as_they_were(table: Any) -> None:
    text = "age,name\n23,a\n,b\n41,c\n"
    assert table(text).values.to_csv(index=False, lineterminator="\n") == text
    blank_end = table("a,b\n1,2.5\n3,4\n,\n").values
    assert blank_end.dtypes.astype(str).to_dict() == {"a": "int64", "b": "float64"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["True", ""], [True, None]),
        (['"1,5"', '"2,5"'], [1.5, 2.5]),
        (["12345678901234567", ""], [12345678901234567, None]),
    ],
)
def test_a_column_may_have_any_name(cells: list[str], expected: list[Any], table: Any) -> None:
    text = "self,n\n" + "".join(f"{cell},1\n" for cell in cells)
    assert columns(table(text))["self"] == expected


@pytest.mark.parametrize(
    ("cells", "dtype", "expected"),
    [
        (["12345678901234567", ""], "Int64", [12345678901234567, None]),
        (["12345678901234567", "5"], "int64", [12345678901234567, 5]),
        (["12345678901234567890123", "5"], None, ["12345678901234567890123", "5"]),
        (["12345678901234567890123", ""], None, ["12345678901234567890123", None]),
        (["1e300", ""], "float64", [1e300, None]),
    ],
)
def test_no_digit_of_a_long_number_is_lost(
    cells: list[str], dtype: str | None, expected: list[Any], table: Any
) -> None:
    content = table("id,n\n" + "".join(f"{cell},1\n" for cell in cells))
    assert columns(content)["id"] == expected
    assert dtype is None or content.values["id"].dtype == dtype


@pytest.mark.parametrize(
    ("last", "expected"), [("A", "0"), ("18446744073709551615", 0), ("0.5", 0.0)]
)
def test_a_column_has_one_type_however_long_the_table(last: str, expected: Any, table: Any) -> None:
    text = "a,code\n" + "".join(f"{i % 977}.5,0\n" for i in range(300_000)) + f"1,{last}\n"
    codes = table(text).values["code"]
    assert set(codes[:-1]) == {expected}
    assert codes.iloc[-1] == (type(expected)(last))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a,b,c\n1,2,3\n4,5\n6,7,8\n",
            "line 3 has 2 cells, expected 3: give it the cells that are missing, or leave it out "
            r"\(sed 3d FILE > NEW\)",
        ),
        (
            'a,b,c\n1,"x\ny",3\n\n4,5,6,7\n6,7,8\n',
            "line 5 has 4 cells, expected 3: put quotation marks around cells that hold the "
            r"separator, ',', or leave it out \(sed 5d",
        ),
        (
            "a;b;c\n1;2;3\n4;5;6\n7;8",
            "line 4 has 2 cells, expected 3: the file ends there, in the middle of a line",
        ),
        ("# x\na,b\n1,2,3\n4,5,6\n7,8,9\n", r"line 2 has 2 cells, expected 3"),
        ("a,b,c\n1,2,3\n# note\n4,5,6\n", r"line 3 has 1 cell, expected 3: leave comments out"),
        (
            'a,b\n1,2\n3,"x\n4,y\n' + "5,z\n" * 9 + "6,7,8\n",
            "line 14 has 3 cells, expected 2",
        ),
        ("a,b,a\n1,2,3\n", "several columns named 'a'"),
        ("just\nsome, words,\nhere\nand\nthere\n", "this is no table"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_line_and_what_to_type(
    text: str, message: str, table: Any
) -> None:
    with pytest.raises(RequestError, match=message):
        table(text)


def test_an_odd_line_far_behind_the_first_ones_is_found(table: Any) -> None:
    rows = "".join(f"{i},x,2.5\n" for i in range(50_000))
    with pytest.raises(RequestError, match="line 50,002 has 2 cells, expected 3"):
        table(f"a,b,c\n{rows}1,2\n3,4,5\n")
    with pytest.raises(RequestError, match="line 50,002 has 4 cells, expected 3"):
        table(f"a,b,c\n{rows}1,2,3,4\n3,4,5\n")
    assert len(table(f"a,b,c\n{rows}1,2,\n3,4,5\n").values) == 50_002


def test_a_quotation_mark_that_is_never_closed_is_named_or_read_as_a_character(
    table: Any,
) -> None:
    rows = "".join(f'{i},"x, y",5\n' for i in range(20_000))
    with pytest.raises(RequestError, match=r"a quotation mark in line 20,002 is never closed"):
        table(f'a,b,c\n{rows}1,"2,3\n4,5,6\n')
    rows = "".join(f"{i},x,5\n" for i in range(20_000))
    content = table(f'a,b,c\n{rows}1,"2,3\n4,5,6\n')
    assert content.values["b"].tolist()[-2:] == ['"2', "5"]
    assert content.note == "read as: quotation marks kept as characters"


def test_blanks_before_a_quotation_mark_far_behind_the_first_lines_are_passed_over(
    table: Any,
) -> None:
    rows = "".join(f"{i},x,5\n" for i in range(20_000))
    frame = table(f'a,b,c\n{rows}1, "2, 3",4\n').values
    assert frame["b"].tolist()[-1] == "2, 3"


def test_a_cell_of_blanks_far_behind_the_first_lines_is_a_blank(table: Any) -> None:
    rows = "".join(f"{i},x,5.5\n" for i in range(20_000))
    frame = table(f"a,b,c\n{rows}  ,x, 6\n7,y,   \n").values
    assert frame["a"].isna().sum() == frame["c"].isna().sum() == 1
    assert frame["c"].dtype == "float64"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (gzip.compress(b"a,b\n1,2\n"), "compressed by gzip, .*: give it the ending .gz too"),
        (b"PK\x03\x04" + bytes(99), "a ZIP archive or an Excel file, .*: name it .zip or .xlsx"),
        (b"PAR1" + bytes(99), "a Parquet file, .*: name it .parquet"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "an old Excel file, .*: save it as .xlsx"),
        (b"\n<!DOCTYPE html><html>no such file", "a web page, .*: download the file itself"),
    ],
    ids=["gzip", "zip", "parquet", "old Excel", "web page"],  # gzip's bytes have the time
)
def test_a_file_of_another_format_is_named_as_such(content: bytes, cause: str, table: Any) -> None:
    with pytest.raises(RequestError, match=rf"x\.csv is {cause}"):
        table(content)


def test_a_hostile_name_of_a_column_is_quoted_and_clipped_in_the_note(table: Any) -> None:
    name = "\x1b[31mred" + "z" * 500
    note = table(f"{name},n\n01,5\n22,6\n").note
    assert "\x1b" not in note
    assert len(note) < 200
    assert "'\\x1b[31mredzzz" in note


def test_a_table_of_many_columns_is_read_in_time_for_its_size(table: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 9, (30, 4_000)), columns=[f"c{i}" for i in range(4_000)])
    pd.testing.assert_frame_equal(table(frame.to_csv(index=False)).values, frame)


def test_memory_is_counted_by_cells_only_where_the_size_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "10000000,2\n" * 1000)
    reader = readers.find(path)
    assert reader is not None
    assert reader.claimed_bytes(path) == 17 * path.stat().st_size  # a cell in every byte
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**18)
    assert reader.claimed_bytes(path) == path.stat().st_size + 16 * 2 * 1001
    content = path.read_bytes()
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(content))
    assert reader.claimed_bytes(tmp_path / "x.csv.gz") == len(content) + 16 * 2 * 1001


@pytest.mark.skipif("EQUIPOISE_DATA" not in os.environ, reason="needs $EQUIPOISE_DATA/adult.csv")
def test_adult_is_read_as_it_is() -> None:
    path = Path(os.environ["EQUIPOISE_DATA"]) / "adult.csv"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    content = readers.read(path)
    expected = pd.read_csv(path, skipinitialspace=True)
    assert isinstance(content.values, pd.DataFrame)
    pd.testing.assert_frame_equal(content.values, expected)
    assert content.note == "read as: blanks around cells left out"
    assert content.values.shape == (32_561, 15)
