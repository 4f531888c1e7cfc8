from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.kinds.date import DateColumn
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 300
OTHER = RNG.normal(size=N)
DAYS = pd.Series(pd.Timestamp("2021-03-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D"))


def date(cells: Any, **override: Any) -> DateColumn:
    """The column of dates that these cells are."""
    table, _ = recognise(pd.DataFrame({"x": cells, "other": OTHER}), {"x": override})
    column = table.columns[0]
    assert isinstance(column, DateColumn)
    return column


def test_the_raw_number_counts_days_from_the_first_one() -> None:
    column = date(DAYS)
    assert column.clock.unit == "D"
    expected = (DAYS - DAYS.min()).dt.days
    np.testing.assert_array_equal(column.encode(DAYS, RNG)[:, 0], expected)


def test_microseconds_of_two_centuries_are_exact() -> None:
    cells = pd.Series((RNG.integers(-(10**15), 5 * 10**15, N)).view("M8[us]"))
    column = date(cells)
    pd.testing.assert_series_equal(
        column.decode(column.encode(cells, RNG)), cells, check_names=False
    )


def test_dates_are_whole_and_within_their_bounds() -> None:
    made = date(DAYS).decode(np.array([[-1e300], [0.4], [0.6], [1e300]]))
    first, day = DAYS.min(), pd.Timedelta(1, "D")
    assert made.tolist() == [first, first, first + day, DAYS.max()]


def test_midnights_of_a_zone_stay_midnights() -> None:
    cells = DAYS.dt.tz_localize("Europe/Berlin")
    column = date(cells)
    assert column.wall
    made = column.decode(RNG.uniform(0, 900, (200, 1)))
    assert (made.dt.hour == 0).all()
    assert made.dtype == cells.dtype


def test_hours_that_clocks_show_twice_stay_apart() -> None:
    cells = pd.Series(pd.date_range("2021-10-30", periods=N, freq="h", tz="Europe/Berlin"))
    column = date(cells)
    assert not column.wall
    made = column.decode(column.encode(cells, RNG))
    pd.testing.assert_series_equal(made, cells, check_names=False, check_freq=False)


def test_first_days_of_months_stay_so() -> None:
    cells = pd.Series([pd.Timestamp(1990 + i // 12, i % 12 + 1, 1) for i in range(N)])
    column = date(cells)
    assert column.clock.unit == "M"
    assert (column.decode(RNG.uniform(0, N, (100, 1))).dt.day == 1).all()


def test_quarters_of_an_hour_stay_so() -> None:
    cells = DAYS + pd.to_timedelta(RNG.integers(0, 96, N) * 15, unit="min")
    column = date(cells)
    assert (column.clock.unit, column.spread.step) == ("m", 15)
    assert (column.decode(RNG.uniform(0, 10**6, (100, 1))).dt.minute % 15 == 0).all()


def test_a_date_that_stands_for_none_is_a_spike() -> None:
    cells = DAYS.mask(OTHER > 0, pd.Timestamp("1970-01-01"))
    column = date(cells)
    assert [column.shown(spike) for spike in column.spread.spikes] == ["1970-01-01"]
    made = column.decode(column.encode(cells, RNG))
    pd.testing.assert_series_equal(made, cells, check_names=False)


def test_markers_among_dates_come_back() -> None:
    cells = DAYS.dt.strftime("%d.%m.%Y").mask(OTHER > 1, "0000-00-00").mask(OTHER < -2, "open")
    column = date(cells)
    assert set(column.markers) == {"0000-00-00", "open"}
    pd.testing.assert_series_equal(
        column.decode(column.encode(cells, RNG)), cells, check_names=False
    )


def test_what_the_user_says_of_dates() -> None:
    column = date(DAYS, minimum="2020-01-01", maximum="2024-12-31")
    assert column.decode(np.array([[-1e9], [1e9]])).tolist() == [
        pd.Timestamp("2020-01-01"),
        pd.Timestamp("2024-12-31"),
    ]
    text = DAYS.dt.strftime("%d/%m/%y")
    assert date(text, format="%d/%m/%y").encode(text, RNG)[:, 0].max() < 900
    with pytest.raises(RequestError, match="minimum = 'soon': must be a date"):
        date(DAYS, minimum="soon")
    below = int((DAYS < "2021-06-01").sum())
    with pytest.raises(RequestError, match=f"minimum = 2021-06-01: {below} rows are below it"):
        date(DAYS, minimum="2021-06-01")
    with pytest.raises(RequestError, match="is not of dates: it holds"):
        date(OTHER, kind="date")


def test_a_column_is_summed_up_in_words() -> None:
    ends = f"{DAYS.min():%Y-%m-%d} to {DAYS.max():%Y-%m-%d}"
    assert date(DAYS).summary() == ends
    assert date(DAYS.dt.strftime("%d.%m.%Y")).summary() == f"{ends}, as '%d.%m.%Y'"
