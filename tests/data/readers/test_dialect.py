"""The dialect of tables of text: separators, quotation marks and escapes."""

from __future__ import annotations

import csv
import io
import string
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.readers.dialect import Dialect, find_dialect, lines_of, sample

TEXTS = ["a, b", "x;y", "tab\there", "p|q", 'say "hi"', "ärger", "two words", "O'Neil", "plain"]


def written(rows: list[list[str]], delimiter: str, **how: str) -> str:
    """The rows as Python's csv module writes them."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n", **how).writerows(rows)  # type: ignore[arg-type]
    return file.getvalue()


@given(
    delimiter=st.sampled_from(",;\t|"),
    rows=st.lists(
        st.tuples(st.sampled_from(TEXTS), st.integers(), st.sampled_from(TEXTS)), min_size=4
    ),
)
def test_the_separator_is_found_whatever_texts_hold(
    delimiter: str, rows: list[tuple[str, int, str]]
) -> None:
    table = [["name", "n", "what else"], *([a, str(n), b] for a, n, b in rows)]
    text = written(table, delimiter)
    dialect = find_dialect(text, is_whole=True)
    assert dialect.delimiter == delimiter
    assert [row for _, row in dialect.rows(lines_of(text))] == table


@pytest.mark.parametrize(("delimiter", "width"), [*product(",;\t|", (2, 3, 9))])
def test_decimal_commas_do_not_hide_the_separator(delimiter: str, width: int) -> None:
    quote = delimiter == ","
    rows = [[f"{i + j},{i % 7}" for j in range(width)] for i in range(20)]
    text = written([[*string.ascii_letters[:width]], *rows], delimiter)
    assert find_dialect(text, is_whole=True).delimiter == delimiter
    assert ('"' in text) is quote


@pytest.mark.parametrize(
    ("text", "dialect", "first"),
    [
        ("'a;b';'1'\n'c';'2'\n", Dialect(";", "'"), ["a;b", "1"]),
        ('"a\\"b, c",1\n"d",2\n', Dialect(",", '"', "\\"), ['a"b, c', "1"]),
        ('"a""b, c",1\n"d",2\n', Dialect(","), ['a"b, c', "1"]),
        ('"a\tb\tc\n1\t2\t3\n4\t5\t6\n', Dialect("\t", ""), ['"a', "b", "c"]),
        ("1.5  2   3\n10.5 20 300\n", Dialect(" "), ["1.5", "2", "3"]),
        ('"x" "y"\n"Mazda RX" 1 2\n"Datsun" 3 4\n', Dialect(" "), ["x", "y"]),
        ("name\nNew York\nSan Diego\n", Dialect(), ["name"]),
        ("2024-01-01 10:00\n2024-01-02 11:00\n", Dialect(), ["2024-01-01 10:00"]),
        ("1.5\n2.5\n", Dialect(), ["1.5"]),
        ("", Dialect(), None),
    ],
)
def test_quotation_marks_escapes_and_blanks_are_recognised(
    text: str, dialect: Dialect, first: list[str] | None
) -> None:
    found = find_dialect(text, is_whole=True)
    assert found == dialect
    assert next((row for _, row in found.rows(lines_of(text))), None) == first


def test_blanks_around_cells_are_no_part_of_them() -> None:
    rows = dict(Dialect().rows(['a , "b, c" ,d\r\n', "\r\n", " 1,2, 3\r\n"]))
    assert rows == {1: ["a", "b, c", "d"], 2: [], 3: ["1", "2", "3"]}


def test_a_row_that_the_sample_cuts_off_is_left_out() -> None:
    assert sample(Dialect(), "a,b\n1,2\n3", is_whole=False) == [(1, ["a", "b"]), (2, ["1", "2"])]
    assert sample(Dialect(), "a,b\n1,2\n3", is_whole=True)[-1] == (3, ["3"])
    assert sample(Dialect(), "a,b\n1," + "2" * 200_000, is_whole=True) == [(1, ["a", "b"])]
