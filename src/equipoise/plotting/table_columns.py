"""The columns of a table as panels show them: numbers on an axis in the user's units,
and cells that are no numbers (categories, markers, blanks) by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column
from equipoise.data.tables.clock import NAMES, ratio
from equipoise.data.tables.kinds.date import DateColumn
from equipoise.data.tables.kinds.duration import DurationColumn
from equipoise.data.tables.kinds.number import NumberColumn
from equipoise.data.tables.table import Table

Array = NDArray[np.float64]
BLANK = "blank"
# Units in which spans of time are shown: the first in which they differ by so much.
SPAN_UNITS, MIN_SPAN = ("D", "h", "m", "s", "ms", "us", "ns"), 3.0
LAST_YEAR = 9999  # that Python's dates, and the ticks of an axis, have


@dataclass(frozen=True)
class DrawnColumn:
    """One of the user's columns, with its place in a raw matrix."""

    column: Column
    block: slice

    @property
    def name(self) -> str:
        """As the user calls it."""
        return str(self.column.name)

    @cached_property
    def states(self) -> list[str]:
        """What cells that are no numbers are called, by their codes: categories,
        markers and the blank. The code 0 of a column of numbers is not among them."""
        first, count = int(self.column.has_number), self.column.states
        if count == 1:
            return []
        raw = np.zeros((count - first, self.block.stop - self.block.start))
        raw[:, -1] = np.arange(first, count)
        names = [_written(cell) for cell in self.column.decode(raw)]
        if self.column.blank_code is not None:
            names[-1] = BLANK
        return names

    def codes(self, raw: Array) -> NDArray[np.int64]:
        """The place of each cell in `states`, (N,); -1 for a number."""
        if self.column.states == 1:
            return np.full(len(raw), -1)
        codes = raw[:, self.block][:, -1].astype(np.int64)
        return codes - int(self.column.has_number)

    def numbers(self, raw: Array) -> Array:
        """The cells that are numbers, (M,): in the column's units, and dates in days
        since 1970, as Matplotlib counts them."""
        values: Array = raw[self.codes(raw) < 0, self.block.start]
        column = self.column
        if isinstance(column, DateColumn) and self.dates is not None:
            values = values * self.dates[1] + self.dates[0]
        elif isinstance(column, DurationColumn):
            values = values * ratio(column.unit_of_time, self.span_unit)
        elif isinstance(column, NumberColumn):
            values = values + column.origin
        return values

    @cached_property
    def dates(self) -> tuple[float, float] | None:
        """Of a column of dates the first one and the length of a unit, in days; None
        for other columns, and for dates that an axis cannot show."""
        column = self.column
        if not isinstance(column, DateColumn):
            return None
        ends = (column.spread.least, column.spread.greatest)
        days = [_days(column, end) for end in ends]
        if not all(_days_of_year(1) <= day <= _days_of_year(LAST_YEAR) for day in days):
            return None
        if ends[1] <= ends[0]:
            return days[0], 1.0
        length = (days[1] - days[0]) / (ends[1] - ends[0])  # of months a mean one
        return days[0] - ends[0] * length, length

    @cached_property
    def span_unit(self) -> str:
        """The unit in which spans of time are shown."""
        column = self.column
        assert isinstance(column, DurationColumn)
        width = max(abs(column.spread.least), abs(column.spread.greatest))
        fits = (unit for unit in SPAN_UNITS if width * ratio(column.unit_of_time, unit) >= MIN_SPAN)
        return next(fits, column.unit_of_time)

    @property
    def unit(self) -> str:
        """The name of the axis's unit; empty where it needs none."""
        if isinstance(self.column, DurationColumn):
            return NAMES[self.span_unit]
        without_dates = isinstance(self.column, DateColumn) and self.dates is None
        return "units of time since the first" if without_dates else ""

    @property
    def step(self) -> float | None:
        """What numbers on the axis are multiples of, where they are so."""
        column = self.column
        if isinstance(column, NumberColumn):
            digits = None if column.decimals is None else 10.0**-column.decimals
            return column.spread.step or digits
        if isinstance(column, DateColumn) and self.dates is not None:
            return self.dates[1]
        return None


def drawn_columns(table: Table) -> list[DrawnColumn]:
    """The columns that have something to show: not those that are constant, left out
    or made anew."""
    return [
        DrawnColumn(column, block) for column, block in table.blocks if block.stop > block.start
    ]


def in_order(columns: Sequence[DrawnColumn], first: Sequence[str]) -> list[DrawnColumn]:
    """The columns, those of these names first."""
    places = {name: place for place, name in enumerate(first)}
    return sorted(columns, key=lambda column: places.get(column.name, len(places)))


def _written(cell: Any) -> str:
    """A cell as text: 1 for 1.0, as whole numbers are floats in a column with
    blanks."""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()


def _days(column: DateColumn, number: float) -> float:
    """A date of a column in days since 1970."""
    if column.clock.period:
        import pandas as pd

        ordinal = round(number) + column.clock.origin
        dates = pd.Period(ordinal=ordinal, freq=column.clock.period).to_timestamp().to_numpy()
        return float(dates.astype("M8[s]").astype(np.int64)) / 86_400
    (date,) = column.clock.dates(np.array([number]))
    return float(date.astype("M8[us]").astype(np.int64)) / 86_400e6


def _days_of_year(year: int) -> int:
    return int(np.datetime64(f"{year:04}-01-01", "D").astype(np.int64))
