"""How numbers are written: decimal marks, separators of thousands, and what only looks
like a number."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.readers.numbers import (
    PLAIN,
    NumberFormat,
    decimal_mark,
    find_format,
    parse_numbers,
)

NUMBERS = st.lists(st.integers(-(10**8), 10**8), min_size=2, max_size=30)
COMMA = NumberFormat(",")


def grouped(number: float, decimal: str, thousands: str) -> str:
    """A number with two decimals as people write it: Python's own format, with other
    marks."""
    return f"{number:,.2f}".translate({ord(","): thousands, ord("."): decimal})


@given(cents=NUMBERS, marks=st.sampled_from([",.", ".,", ", ", ". ", ",'", ".'", ",\u202f"]))
def test_numbers_come_back_whatever_their_marks(cents: list[int], marks: str) -> None:
    texts = pd.Series([grouped(value / 100, *marks) for value in cents])
    found = parse_numbers(texts, "", ".")
    assert found is not None
    assert found[0].tolist() == pytest.approx([value / 100 for value in cents], abs=1e-9)


@given(values=NUMBERS, thousands=st.sampled_from([",", " ", "'", "\u00a0"]))
def test_whole_numbers_with_separators_come_back_as_whole_numbers(
    values: list[int], thousands: str
) -> None:
    values = [*values, 1_234_567, 5]  # two groups, and none
    texts = pd.Series([f"{value:,}".replace(",", thousands) for value in values])
    found = parse_numbers(texts, "", ".")
    assert found is not None
    assert found[0].dtype == "int64"
    assert found[0].tolist() == values


@pytest.mark.parametrize(
    ("texts", "lean", "otherwise", "expected"),
    [
        # Three digits after one comma in every cell: the table tells, or its separator.
        (["1,234", "5,678"], "", ".", NumberFormat(".", ",")),
        (["1,234", "5,678"], "", ",", COMMA),
        (["1,234", "5,678"], ",", ".", COMMA),
        (["1,234", "5,678"], ".", ",", NumberFormat(".", ",")),
        # Others of the column tell.
        (["1,234", "567"], "", ",", NumberFormat(".", ",")),
        (["1,234", "5678"], "", ".", COMMA),
        (["0,123", "5,678"], "", ".", COMMA),
        (["1,234", "5,67"], "", ".", COMMA),
        (["1,234,567", "1,234"], "", ",", NumberFormat(".", ",")),
        (["1,234.5", "1,234"], "", ",", NumberFormat(".", ",")),
        (["1.234,5", "1.234"], "", ".", NumberFormat(",", ".")),
        (["1.234.567", "1.234"], "", ".", NumberFormat(",", ".")),
        # A point is a decimal point, unless the table has commas for it.
        (["1.234", "5.678"], "", ",", PLAIN),
        (["1.234", "5.678"], ",", ".", NumberFormat(",", ".")),
        (["1.5", "5.678"], ",", ".", PLAIN),
        ([".5", "1.", "+2", "-3e-5"], "", ".", PLAIN),
        # No numbers, or codes.
        (["1,2,3", "4,5"], "", ".", None),
        (["192.168.100.200", "192.168.100.201"], "", ".", None),
        (["612 345 678", "612 345 679"], "", ".", None),
        (["01.02.2024", "03.02.2024"], ",", ".", None),
        (["1,5", "2.5"], "", ".", None),
    ],
)
def test_a_mark_with_two_meanings_is_decided_by_evidence(
    texts: list[str], lean: str, otherwise: str, expected: NumberFormat | None
) -> None:
    assert find_format(texts, lean, otherwise) == expected


@pytest.mark.parametrize(
    ("columns", "mark"),
    [
        ([["1,5", "2"], ["a", "b"], ["7", "8"]], ","),
        ([["1.5"], ["1,234"], ["5"]], "."),
        ([["1.234.567"], ["1.234"]], ","),
        ([["1,234"], ["01.02.2024"], ["5"], []], ""),
        ([["1,5"], ["2,5"], ["3.5"]], ","),
        ([["1 234"]], ""),
    ],
)
def test_the_decimal_mark_of_a_table_is_that_of_most_columns_that_allow_one(
    columns: list[list[str]], mark: str
) -> None:
    assert decimal_mark(columns) == mark


def test_what_stands_for_a_missing_value_stays_and_numbers_beside_it_are_pythons() -> None:
    texts = pd.Series(["?", "1.234,5", None, "2", "n/a"])
    found = parse_numbers(texts, "", ".")
    assert found is not None
    assert found[0].fillna("blank").tolist() == ["?", "1234.5", "blank", "2", "n/a"]


@pytest.mark.parametrize("texts", [["?", "1.5"], ["a", "1,5"], ["1,5", "x2"], ["-", "?"], ["1-3"]])
def test_other_texts_are_left_alone(texts: list[str]) -> None:
    assert parse_numbers(pd.Series(texts), "", ".") is None


def test_a_word_far_down_leaves_a_column_of_numbers_texts() -> None:
    assert parse_numbers(pd.Series(["1,5"] * 1000 + ["many"]), "", ".") is None
    found = parse_numbers(pd.Series(["1,5"] * 1000), "", ".")
    assert found is not None
    assert found[1] == COMMA
