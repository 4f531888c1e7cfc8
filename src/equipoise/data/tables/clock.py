"""Dates as numbers that floats have exactly: whole units counted from the first one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import RequestError

DateUnit = Literal["M", "D", "h", "m", "s", "ms", "us", "ns"]
"""From months to nanoseconds, the coarsest first."""
SpanUnit = Literal["D", "h", "m", "s", "ms", "us", "ns"]
PRINTED = re.compile(r"-?\d{4,}-\d\d(-\d\d([T ]\d\d(:\d\d){0,2}(\.\d{1,9})?)?)?")
LOOKED_AT = 1_000  # rows that show at once that a unit is too coarse
NAMES: dict[str, str] = {
    "M": "months",
    "D": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}


@dataclass(frozen=True)
class Clock:
    """What dates count as numbers.

    float64 has all whole numbers up to 2**53: 285 years of microseconds. Nanoseconds
    since 1970 are beyond, and would be rounded to 256."""

    unit: DateUnit
    """The coarsest that has all dates of the column."""
    origin: int
    """The first of them, in units since 1970."""
    period: str = ""
    """What pandas calls the unit of a column of periods, whose ordinals are held as if
    they were seconds."""

    def numbers(self, dates: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """What dates are as numbers, (N,), NaN for NaT. Those between two units are
        fractions."""
        fine = np.datetime_data(dates.dtype)[0]
        units = dates.astype(f"M8[{self.unit}]")
        counts = (units.astype(np.int64) - self.origin).astype(np.float64)
        if self.unit not in (fine, "M"):
            rest = (dates - units.astype(dates.dtype)).astype(np.int64)
            counts = counts + rest / ratio(self.unit, fine)
        return np.where(np.isnat(dates), np.nan, counts)

    def dates(self, numbers: NDArray[np.float64]) -> NDArray[np.datetime64]:
        """The nearest dates, (N,), NaT for NaN."""
        limit = float(2**62)
        blank = np.isnan(numbers)
        counts = np.rint(np.where(blank, 0, numbers).clip(-limit, limit)).astype(np.int64)
        dates = (counts + self.origin).view(f"M8[{self.unit}]")
        return np.where(blank, np.datetime64("NaT", self.unit), dates)

    def shown(self, number: float) -> str:
        """A date as text: 2024-01-31."""
        if self.period:
            import pandas as pd

            return str(pd.Period(ordinal=round(number) + self.origin, freq=self.period))
        date = self.dates(np.array([number]))[0]
        return str(date.astype("M8[m]") if self.unit == "h" else date).replace("T", " ")

    def read(self, name: str, asked: str) -> float:
        """The number of a date that the user gives.

        Raises:
            RequestError: If it is no date.
        """
        import pandas as pd

        try:
            if self.period:
                return float(pd.Period(asked, freq=self.period).ordinal - self.origin)
            date = _date(asked)
        except ValueError:
            date = np.datetime64("NaT")
        if np.isnat(date):
            raise RequestError(f"{name} = {asked!r}: must be a date, such as '2024-01-31'")
        return float(self.numbers(np.array([date]))[0])

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file can be a clock."""
        return abs(self.origin) < 2**62


def clock_of(dates: NDArray[np.datetime64], period: str = "") -> Clock:
    """The clock of a column's dates, (n,), none of them NaT."""
    unit: DateUnit = "s"
    if not period:
        unit = coarsest(dates)
        if unit == "D" and _are_firsts(dates[:LOOKED_AT]) and _are_firsts(dates):
            unit = "M"
    return Clock(unit, int(dates.min().astype(f"M8[{unit}]").astype(np.int64)), period)


def coarsest(times: NDArray[np.datetime64] | NDArray[np.timedelta64]) -> SpanUnit:
    """The coarsest unit, from days on, that has all of these dates or spans of time."""
    fine = np.datetime_data(times.dtype)[0]
    counts = times.astype(np.int64)
    for unit in get_args(SpanUnit):
        many = round(ratio(unit, fine))
        if many <= 1 or not ((counts[:LOOKED_AT] % many).any() or (counts % many).any()):
            found: SpanUnit = unit
            return found
    return "ns"


def _date(text: str) -> np.datetime64:
    """A date as NumPy prints it, of any year; others as pandas reads them.

    Raises:
        ValueError: If it is none.
    """
    import pandas as pd

    if PRINTED.fullmatch(text):
        printed = np.datetime64(text)
        # A month, "2024-09", is its first day: days do not divide months.
        is_coarse = np.datetime_data(printed.dtype)[0] in ("Y", "M")
        return printed.astype("M8[D]") if is_coarse else printed
    return np.datetime64(pd.Timestamp(text).tz_localize(None).to_numpy())


def ratio(unit: str, other: str) -> float:
    """How many of another unit, from days to nanoseconds, one of a unit has."""
    return float(np.array(1, f"m8[{unit}]") / np.array(1, f"m8[{other}]"))


def _are_firsts(dates: NDArray[np.datetime64]) -> bool:
    """Whether all dates are the first day of a month."""
    return bool((dates.astype("M8[M]") == dates).all())
