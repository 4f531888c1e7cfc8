"""What a condition asks of a column, in the states and numbers that the column has."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from equipoise.data.labels import is_typed_number
from equipoise.data.tables.base import Column
from equipoise.data.tables.kinds.category import CategoryColumn
from equipoise.data.tables.kinds.date import DateColumn
from equipoise.data.tables.kinds.duration import DurationColumn
from equipoise.data.tables.kinds.number import NumberColumn
from equipoise.data.tables.spread_column import SpreadColumn
from equipoise.errors import RequestError, clipped, nearest

Interval = tuple[float, float]
# Of a number that is asked for, relative to it: people see 10 digits of real ones.
TOLERANCE = 1e-9


def alternatives(asked: Any) -> list[Any]:
    """The values any of which will do."""
    if isinstance(asked, list | set | frozenset | np.ndarray):
        if not len(asked):
            raise RequestError("no value is given: give one at least")
        return list(asked)
    return [asked]


def states_or_interval(column: Column, value: Any, computed: bool) -> int | list[int] | Interval:
    """The state, the states or the numbers that a value or a pair of them means.

    A column that is computed of others can have numbers that the data does not.
    """
    if _is_blank(value):
        if column.blank_code is None:
            raise RequestError("is never blank")
        return column.blank_code
    if isinstance(column, SpreadColumn):
        for place, marker in enumerate(column.markers):
            if not isinstance(value, tuple) and value == marker:
                return 1 + len(column.spread.spikes) + place
        spread = column.spread
        gap = least_gap(column.step, spread.levels)
        interval = interval_of(value, lambda part: _in_units(column, part), gap)
        ends = (spread.least, spread.greatest, *spread.spikes)  # of which some are infinite
        if not computed and (interval[1] < min(ends) or interval[0] > max(ends)):
            raise RequestError(f"{_shown(value)} is never there: it is {column.summary()}")
        return interval
    if isinstance(column, CategoryColumn):
        return _codes(column, value)
    return _same(column, value)


def _is_blank(value: Any) -> bool:
    """Whether a value stands for a blank: None, NaN, pd.NA or NaT."""
    missing = type(value).__name__ in ("NAType", "NaTType")
    return value is None or missing or (isinstance(value, float) and math.isnan(value))


def _codes(column: CategoryColumn, value: Any) -> list[int]:
    """The codes of a category, or of those between two."""
    known = (*column.categories, *column.markers)
    if not isinstance(value, tuple) or value in known:
        exact = [
            code for code, cell in enumerate(known) if cell == value and _same_kind(cell, value)
        ]
        texts = [code for code, cell in enumerate(known) if str(cell) == str(value)]
        numbers = [code for code, cell in enumerate(known) if is_typed_number(cell, value)]
        if not (found := exact or texts or numbers):
            raise RequestError(f"{_shown(value)}: {nearest(str(value), map(str, known))}")
        return found[:1]
    least, greatest = _pair(value)
    if are_numbers(column):
        low, high = interval_of(value, number_of)
        codes = [c for c, cell in enumerate(column.categories) if low <= float(str(cell)) <= high]
    elif column.ordered:
        low = 0 if least is None else _codes(column, least)[0]
        high = len(known) if greatest is None else _codes(column, greatest)[0]
        codes = [c for c in range(len(column.categories)) if low <= c <= high]
    else:
        raise RequestError(f"{_shown(value)}: its values have no order: give a list of them")
    if not codes:
        raise RequestError(f"{_shown(value)} is never there: it has {column.summary()}")
    return codes


def are_numbers(column: CategoryColumn) -> bool:
    """Whether all categories are numbers."""
    return all(
        isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)
        for cell in column.categories
    )


def _same_kind(cell: Any, value: Any) -> bool:
    return isinstance(cell, bool) == isinstance(value, bool | np.bool_)


def _same(column: Column, value: Any) -> int:
    """The state of a column that is the same in all rows."""
    constant = getattr(column, "value", None)
    if constant is None or str(constant) != str(value):
        raise RequestError(f"{_shown(value)} is never there: it is {column.summary()} in all rows")
    return 0


def least_gap(step: float | None, levels: tuple[float, ...]) -> float:
    """The least distance of two numbers of a column; infinity where it is not known.

    Args:
        step: What their distances are whole multiples of; None for real ones.
        levels: All numbers there are, in order; empty for too many to list.
    """
    distances = [high - low for low, high in pairwise(levels)]
    return min([math.inf if step is None else step, *distances])


def interval_of(value: Any, number: Callable[[Any], float], gap: float = math.inf) -> Interval:
    """The numbers that a value, or a pair of them, means, of a column whose numbers
    have at least this distance."""
    if not isinstance(value, tuple):
        exact = number(value)
        slack = min(TOLERANCE * abs(exact), gap / 4) if math.isfinite(exact) else 0.0
        return exact - slack, exact + slack
    least, greatest = _pair(value)
    ends = (
        -math.inf if least is None else number(least),
        math.inf if greatest is None else number(greatest),
    )
    if ends[0] > ends[1]:
        raise RequestError(f"{_shown(value)}: the first must be at most the second")
    return ends


def _pair(value: tuple[Any, ...]) -> tuple[Any, Any]:
    if len(value) != 2:
        raise RequestError(
            f"{_shown(value)}: give a value, a pair (least, greatest), or a list of values"
        )
    return value[0], value[1]


def number_of(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(f"{_shown(value)} is not a number") from None


def _whole(value: Any) -> int | None:
    """A whole number with all its digits, which floats may lack; None for others."""
    try:
        return int(value) if isinstance(value, int | np.integer | str) else None
    except ValueError:
        return None


def _in_units(column: SpreadColumn, value: Any) -> float:
    """A value in the units of a column's numbers."""
    import pandas as pd

    if isinstance(column, NumberColumn):
        if column.is_text and isinstance(value, str):
            read = float(column.parsed([value])[0])  # "12,50", as the column writes it
            if math.isfinite(read):
                return read
        number, whole = number_of(value), _whole(value)
        return float((number if whole is None else whole) - column.origin)
    cell: pd.Series[Any]
    try:
        if isinstance(column, DateColumn):
            date = pd.Timestamp(value)
            zone = getattr(column.dtype.pandas(), "tz", None)
            if zone is not None and date.tzinfo is None:
                date = date.tz_localize(zone)
            cell = pd.Series([date])
        else:
            assert isinstance(column, DurationColumn)
            cell = pd.Series([pd.Timedelta(value)])
        numbers, _ = column.typed_numbers(cell, np.zeros(1, bool))
        if not np.isfinite(numbers[0]):
            raise ValueError
    except Exception:  # pandas raises errors of many types
        such = "2021-05-01" if isinstance(column, DateColumn) else "1 days 02:30:00"
        raise RequestError(
            f"{_shown(value)} is no {column.kind}: give one such as {such}"
        ) from None
    return float(numbers[0])


def _shown(value: Any) -> str:
    return clipped(repr(value), 40)
