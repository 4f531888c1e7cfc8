from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.number_text import MARKS, NumberText, find_number_text


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "-2", "30"], [1, -2, 30]),
        (["1.50", "2.25"], [1.5, 2.25]),
        (["1e5", "2E-3", "-.5"], [1e5, 2e-3, -0.5]),
        (["1,234", "12", "1,234,567.5"], [1234, 12, 1234567.5]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.234,5", "2,25", "12.000.000,1"], [1234.5, 2.25, 12000000.1]),
        (["1 234,5", "7,0"], [1234.5, 7]),
        (["1\u202f234", "2\u202f000"], [1234, 2000]),
        (["1'234.5", "0.5"], [1234.5, 0.5]),
        (["$1,200.50", "-$3.00", "$-4"], [1200.5, -3, -4]),
        (["45%", "7%"], [45, 7]),
        (["12 kg", "3.5 kg"], [12, 3.5]),
        (["€ 5", "€ 12"], [5, 12]),
        ([" 5 ", "6"], [5, 6]),
    ],
)
def test_numbers_are_read_as_people_write_them(texts: list[str], numbers: list[float]) -> None:
    way = find_number_text(texts)
    assert way is not None
    np.testing.assert_array_equal(way.parse(texts), numbers)


@pytest.mark.parametrize(
    "texts",
    [["00123", "00456"], ["+49151234567"], ["abc"], ["1-2"], ["10:30"], ["2024-01-31"], [],
     ["A1", "A2"], ["1.2.3"], ["1234567890123456"], ["1e999"], ["12 kilograms of it"], [""]],
)  # fmt: skip
def test_codes_dates_and_words_are_no_numbers(texts: list[str]) -> None:
    way = find_number_text(texts)
    assert way is None or np.isnan(way.parse(texts)).all()


def test_one_number_shows_how_the_others_are_read() -> None:
    thousands = find_number_text(["1,234", "5,678"])
    decimals = find_number_text(["1,234", "5,67"])
    assert thousands is not None
    assert thousands.parse(["1,234"]) == [1234]
    assert decimals is not None
    assert decimals.parse(["1,234"]) == [1.234]


def test_zeros_at_the_end_stay_where_all_numbers_have_as_many_decimals() -> None:
    fixed, free = find_number_text(["1.50", "2.25"]), find_number_text(["1.5", "2.25"])
    assert fixed is not None
    assert free is not None
    assert fixed.write(np.array([3.1, 2.0]), 2) == ["3.10", "2.00"]
    assert free.write(np.array([3.1, 2.0]), 2) == ["3.1", "2"]


@given(
    marks=st.sampled_from(MARKS),
    affixes=st.sampled_from([("", ""), ("$", ""), ("", " %"), ("€ ", ""), ("", "kg")]),
    fixed=st.booleans(),
    decimals=st.integers(0, 4),
    whole=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5),
)
def test_what_is_written_is_read_again(
    marks: tuple[str, str],
    affixes: tuple[str, str],
    fixed: bool,
    decimals: int,
    whole: list[int],
) -> None:
    way = NumberText(*marks, *affixes, fixed)
    assert way.is_valid
    numbers = np.array(whole) / 10**decimals
    np.testing.assert_array_equal(way.parse(way.write(numbers, decimals)), numbers)


@given(st.lists(st.floats(-1e14, 1e14), min_size=1, max_size=5))
def test_real_numbers_are_written_with_all_their_digits(numbers: list[float]) -> None:
    texts = NumberText().write(np.array(numbers), None)
    assert [float(text) for text in texts] == numbers
