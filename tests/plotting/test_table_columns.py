"""Columns of tables as panels show them: in the user's units and names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.base import column_from_dict
from equipoise.data.tables.recognition import recognise
from equipoise.data.tables.table import Table
from equipoise.plotting.table_columns import DrawnColumn, drawn_columns, in_order

RNG = np.random.default_rng(0)
N = 400


def days_of(dates: Any) -> np.ndarray:
    """As Matplotlib counts them."""
    from matplotlib import dates as matplotlib_dates

    days: np.ndarray = matplotlib_dates.date2num(dates)  # type: ignore[no-untyped-call]
    return days


def drawn(values: object, **override: object) -> tuple[DrawnColumn, np.ndarray]:
    """The one column of a table, and its raw matrix."""
    frame = pd.DataFrame({"x": values})
    table, _ = recognise(frame, {"x": override} if override else None)
    (column,) = drawn_columns(table)
    return column, table.encode(frame, 0)


def test_dates_are_days_as_matplotlib_counts_them() -> None:
    dates = pd.Timestamp("2021-03-01") + pd.to_timedelta(RNG.integers(0, 3000, N), "D")
    for cells in (dates, dates + pd.to_timedelta(RNG.integers(0, 86_400, N), "s")):
        column, raw = drawn(cells)
        np.testing.assert_allclose(column.numbers(raw), days_of(cells), atol=1e-6)
        assert column.unit == ""


def test_months_are_within_three_days_of_their_first() -> None:
    dates = pd.to_datetime(RNG.choice(pd.date_range("2001-01-01", periods=200, freq="MS"), N))
    column, raw = drawn(dates)
    np.testing.assert_allclose(column.numbers(raw), days_of(dates), atol=3.0)


def test_periods_are_dates() -> None:
    periods = pd.PeriodIndex(RNG.choice(pd.period_range("2007Q1", periods=250, freq="Q"), N))
    column, raw = drawn(periods)
    np.testing.assert_allclose(column.numbers(raw), days_of(periods.to_timestamp()), atol=3.0)


def test_dates_that_no_axis_has_are_numbers_with_a_unit() -> None:
    dates = np.datetime64("11000-01-01", "s") + RNG.integers(0, 1000, N).astype("m8[D]")
    column, raw = drawn(dates)
    assert column.dates is None
    assert np.isfinite(column.numbers(raw)).all()
    assert column.unit


def test_spans_of_time_are_in_the_greatest_unit_that_fits() -> None:
    seconds = RNG.integers(0, 40_000, N)
    column, raw = drawn(pd.to_timedelta(seconds, "s"))
    assert column.unit == "hours"
    np.testing.assert_allclose(column.numbers(raw), seconds / 3600)


def test_large_whole_numbers_are_themselves() -> None:
    numbers = np.repeat(RNG.integers(2**60, 2**60 + 10**6, N // 2), 2)  # else they are ids
    column, raw = drawn(numbers)
    np.testing.assert_allclose(column.numbers(raw), numbers.astype(float), rtol=1e-12)


def test_blank_and_marked_cells_are_no_numbers_and_have_names() -> None:
    cells: list[str | None] = [str(x) for x in RNG.normal(size=N).round(3)]
    cells[:50], cells[50:60] = ["n/a"] * 50, [None] * 10
    column, raw = drawn(cells)
    assert sorted(column.states) == ["blank", "n/a"]
    codes = column.codes(raw)
    counts = {name: int((codes == place).sum()) for place, name in enumerate(column.states)}
    assert counts == {"n/a": 50, "blank": 10}
    assert len(column.numbers(raw)) == N - 60


def test_categories_have_their_names() -> None:
    cells = RNG.choice(np.array([" a", "b ", None], object), N)
    column, raw = drawn(cells)
    assert column.states == ["a", "b", "blank"]
    assert (np.array(column.states)[column.codes(raw)] == "blank").sum() == sum(
        cell is None for cell in cells
    )
    whole, _ = drawn(RNG.choice([1.0, 2.0, np.nan], N))
    assert whole.states == ["1", "2", "blank"]


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (RNG.integers(0, 100, N), 1.0),
        (RNG.normal(0, 50, N).round(1), 0.1),
        (RNG.normal(size=N), None),
    ],
)
def test_the_step_is_that_of_the_numbers(values: np.ndarray, step: float | None) -> None:
    assert drawn(values)[0].step == pytest.approx(step)


def test_columns_with_nothing_to_show_are_left_out_and_the_others_keep_their_place() -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=N), "same": 1, "b": RNG.choice(["x", "y"], N)})
    table, _ = recognise(frame)
    columns = drawn_columns(table)
    assert [column.name for column in columns] == ["a", "b"]
    raw = table.encode(frame, 0)
    np.testing.assert_array_equal(columns[1].codes(raw), frame["b"] == "y")
    again = Table(tuple(column_from_dict(column.to_dict()) for column in table.columns))
    assert [column.states for column in drawn_columns(again)] == [c.states for c in columns]


def test_the_worst_columns_come_first_and_the_others_stay_in_order() -> None:
    frame = pd.DataFrame(RNG.normal(size=(N, 4)), columns=list("abcd"))
    columns = drawn_columns(recognise(frame)[0])
    assert [c.name for c in in_order(columns, ["c", "zzz", "a"])] == ["c", "a", "b", "d"]
