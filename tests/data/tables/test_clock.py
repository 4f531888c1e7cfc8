from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.clock import Clock, clock_of, coarsest
from equipoise.errors import RequestError


@pytest.mark.parametrize(
    ("dates", "unit"),
    [(["2024-01-01", "2023-06-01"], "M"), (["2024-01-01", "2024-01-02"], "D"),
     (["2024-01-01T05"], "h"), (["2024-01-01T05:30"], "m"), (["2024-01-01T05:30:01"], "s"),
     (["2024-01-01T05:30:01.5"], "ms"), (["2024-01-01T05:30:01.000001"], "us"),
     (["2024-01-01T05:30:01.000000001"], "ns"), (["1969-12-31T23:00"], "h")],
)  # fmt: skip
def test_the_coarsest_unit_of_dates(dates: list[str], unit: str) -> None:
    assert clock_of(np.sort(np.array(dates, "M8[ns]"))).unit == unit


def test_the_coarsest_unit_of_spans() -> None:
    assert coarsest(np.array([0, 86_400], "m8[s]")) == "D"
    assert coarsest(np.array([0, 5400], "m8[s]")) == "m"
    assert coarsest(np.array([1], "m8[us]")) == "us"


@given(
    st.lists(st.integers(-62 * 10**9, 2**50), min_size=1, max_size=6, unique=True),
    st.sampled_from(["s", "ms", "us"]),
)
def test_dates_are_numbers_without_loss(counts: list[int], unit: str) -> None:
    dates = np.sort(np.array(counts).view(f"M8[{unit}]"))
    clock = clock_of(dates)
    numbers = clock.numbers(dates)
    assert numbers.min() == 0
    np.testing.assert_array_equal(clock.dates(numbers), dates)
    assert [clock.read("minimum", clock.shown(x)) for x in numbers] == numbers.tolist()


def test_blank_dates_are_nan() -> None:
    clock = Clock("D", 0)
    dates = np.array(["1970-01-02", "NaT"], "M8[s]")
    np.testing.assert_array_equal(clock.numbers(dates), [1, np.nan])
    np.testing.assert_array_equal(clock.dates(np.array([1, np.nan])), dates)


def test_a_date_between_two_units_is_a_fraction() -> None:
    clock = Clock("D", 19_000)
    half = (np.datetime64(19_001, "D") + np.timedelta64(12, "h"))[None]
    assert clock.numbers(half) == [1.5]


def test_dates_that_the_user_gives_are_read() -> None:
    clock = Clock("D", 0)
    assert clock.read("minimum", "1970-01-31") == 30
    assert clock.read("minimum", "1970-01-31T12:00+02:00") == 30.5
    assert Clock("s", 600, "M").read("maximum", "2020-03") == 2
    for wrong in ("yesterday", "", "2024-13-01"):
        with pytest.raises(RequestError, match=r"minimum = .*must be a date"):
            clock.read("minimum", wrong)


def test_a_month_that_the_user_gives_is_its_first_day() -> None:
    clock = clock_of(np.array(["2024-01-01", "2024-01-09"], "M8[D]"))
    assert clock.read("maximum", "2024-02") == 31.0
    assert np.isfinite(clock.read("maximum", "2024702-09"))
