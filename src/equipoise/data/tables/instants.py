"""Dates of pandas' many types as NumPy's datetime64, and back.

Periods are their ordinals, as if these were seconds.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.dtypes import ARROW, ObjectCells, UserDtype

if TYPE_CHECKING:
    import pandas as pd


def instants_of(series: pd.Series[Any], wall: bool) -> NDArray[np.datetime64]:
    """The dates of a column, (N,), NaT for blanks.

    Args:
        series: A column of a type of dates, of pandas or of Python.
        wall: Whether dates with a time zone are as its clocks show them; else in UTC.
    """
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return pd.PeriodIndex(series).asi8.view("M8[s]")
    if isinstance(dtype, pd.DatetimeTZDtype):
        series = (series if wall else series.dt.tz_convert("UTC")).dt.tz_localize(None)
    if dtype == np.dtype(object):
        cells = series.to_numpy(object, copy=True)
        unit = "D" if object_cells(series) == "date" else "us"
        if object_cells(series) == "timestamp":
            return pd.DatetimeIndex(series).to_numpy()
        cells[series.isna().to_numpy()] = None
        return cells.astype(f"M8[{unit}]")
    dates: NDArray[np.datetime64] = series.to_numpy()
    return dates


def from_instants(dates: NDArray[np.datetime64], dtype: UserDtype, wall: bool) -> Any:
    """Dates as an array of pandas of a type of dates: the inverse of `instants_of`.

    A time that clocks skip in spring is the next that they show.
    """
    import pandas as pd

    if dtype.name.startswith("period"):
        return pd.arrays.PeriodArray(dates.astype(np.int64), dtype=dtype.pandas())
    if dtype.name == "object":
        cells: Any = (
            pd.DatetimeIndex(dates) if dtype.cells == "timestamp" else _python(dates, dtype)
        )
        blank = np.isnat(dates).tolist()
        return dtype.array([None if no else cell for cell, no in zip(cells, blank, strict=True)])
    kind = dtype.pandas()
    arrow = dtype.name.startswith(ARROW)
    zone = (
        (kind.pyarrow_dtype.tz if "tz=" in dtype.name else None)
        if arrow
        else getattr(kind, "tz", None)
    )
    index = pd.DatetimeIndex(dates)
    if zone is not None and wall:
        first = np.ones(len(index), bool)  # of the two hours of one name in autumn
        index = index.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    elif zone is not None:
        index = index.tz_localize("UTC").tz_convert(zone)
    return pd.Series(index).astype(kind).array


def _python(dates: NDArray[np.datetime64], dtype: UserDtype) -> list[Any]:
    """As Python's own dates, or dates with times."""
    listed: list[Any] = dates.astype("M8[D]" if dtype.cells == "date" else "M8[us]").tolist()
    return listed


def object_cells(series: pd.Series[Any]) -> ObjectCells:
    """What the dates or spans of a column of objects are; empty for other columns."""
    import pandas as pd

    if series.dtype != np.dtype(object):
        return ""
    kinds: dict[type, ObjectCells] = {
        pd.Timestamp: "timestamp",
        pd.Timedelta: "timedelta",
        datetime.timedelta: "span",
        datetime.datetime: "datetime",
    }
    found = {type(cell) for cell in series[series.notna()].tolist()}
    return next((name for kind, name in kinds.items() if kind in found), "date")


def spans_of(series: pd.Series[Any]) -> NDArray[np.timedelta64]:
    """The spans of time of a column, (N,), NaT for blanks."""
    import pandas as pd

    if object_cells(series) == "span":
        cells = series.to_numpy(object, copy=True)
        cells[series.isna().to_numpy()] = None
        return cells.astype("m8[us]")
    return pd.TimedeltaIndex(series).to_numpy()


def from_spans(spans: NDArray[np.timedelta64], dtype: UserDtype) -> Any:
    """Spans of time as an array of pandas: the inverse of `spans_of`."""
    import pandas as pd

    if dtype.name == "object":
        is_pandas = dtype.cells == "timedelta"
        cells: Any = pd.TimedeltaIndex(spans) if is_pandas else spans.astype("m8[us]").tolist()
        blank = np.isnat(spans).tolist()
        return dtype.array([None if no else cell for cell, no in zip(cells, blank, strict=True)])
    return pd.Series(spans).astype(dtype.pandas()).array
