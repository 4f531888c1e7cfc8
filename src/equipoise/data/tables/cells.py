"""Cells of a table as JSON, with their types: text, numbers, dates, intervals, ..."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any

import numpy as np

from equipoise.errors import RequestError, clipped

Cell = Hashable
"""A value of a cell: text, a number, a date and others, see `is_storable`."""


def cell_to_json(cell: Cell) -> Any:
    """A cell as JSON. Text, numbers and booleans stand for themselves; others are
    objects with their type as the key.

    Raises:
        RequestError: For a cell of a type that is not stored.
    """
    if isinstance(cell, np.bool_ | np.number | np.str_):
        cell = cell.item()
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else {"float": str(cell)}
    for tag, (kind, write, _) in _types().items():
        if type(cell) is kind:
            return {tag: write(cell)}
    raise RequestError(f"a cell of type {type(cell).__name__} cannot be stored")


def is_storable(cell: Any) -> bool:
    """Whether a cell has a type that can be written as JSON and read again."""
    try:
        cell_to_json(cell)
    except RequestError:
        return False
    return True


def cell_from_json(stored: Any) -> Cell:
    """The cell that `cell_to_json` wrote.

    Raises:
        RequestError: If it wrote something else.
    """
    if stored is None or isinstance(stored, str | bool | int | float):
        plain: Cell = stored
        return plain
    try:
        ((tag, value),) = stored.items()
        cell: Cell = _types()[tag][2](value)
    except Exception:  # pandas raises errors of many types for values of the wrong form
        raise RequestError(f"{clipped(repr(stored))} is no cell of a table") from None
    return cell


def _types() -> dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]]:
    """By tag: the type, and what writes and reads it."""
    import pandas as pd

    return {
        "float": (float, str, float),
        "decimal": (Decimal, str, Decimal),
        "bytes": (bytes, bytes.hex, bytes.fromhex),
        "date": (datetime.date, str, datetime.date.fromisoformat),
        "datetime": (datetime.datetime, str, datetime.datetime.fromisoformat),
        "time": (datetime.time, str, datetime.time.fromisoformat),
        "span": (datetime.timedelta, _span_to_json, lambda parts: datetime.timedelta(*parts)),
        "timestamp": (pd.Timestamp, str, pd.Timestamp),
        "timedelta": (pd.Timedelta, pd.Timedelta.isoformat, pd.Timedelta),
        "period": (
            pd.Period,
            lambda period: [period.ordinal, period.freqstr],
            lambda parts: pd.Period(ordinal=parts[0], freq=parts[1]),
        ),
        "interval": (pd.Interval, _interval_to_json, _interval_from_json),
        "tuple": (
            tuple,
            lambda parts: [cell_to_json(part) for part in parts],
            lambda parts: tuple(cell_from_json(part) for part in parts),
        ),
    }


def _span_to_json(span: datetime.timedelta) -> list[int]:
    return [span.days, span.seconds, span.microseconds]


def _interval_to_json(interval: Any) -> list[Any]:
    return [cell_to_json(interval.left), cell_to_json(interval.right), interval.closed]


def _interval_from_json(parts: list[Any]) -> Any:
    import pandas as pd

    left, right, closed = parts
    return pd.Interval(cell_from_json(left), cell_from_json(right), closed)
