"""The columns of a table as expressions compute with them, and back.

A column is of numbers, dates, spans of time or texts, whatever kind of column it was
recognised as: few distinct numbers are a category, and numbers nevertheless. Numbers
are float64, dates and spans NumPy's, in microseconds or, where they need them,
nanoseconds; dates with a time zone are in UTC. A blank and a marker of a missing value
are NaN, NaT or None.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, Rows
from equipoise.data.tables.cells import Cell
from equipoise.data.tables.dtypes import UserDtype
from equipoise.data.tables.instants import from_instants, from_spans, instants_of, spans_of
from equipoise.data.tables.kinds.category import CategoryColumn
from equipoise.data.tables.kinds.constant import ConstantColumn
from equipoise.data.tables.kinds.date import DateColumn
from equipoise.data.tables.kinds.duration import DurationColumn
from equipoise.data.tables.kinds.number import NumberColumn
from equipoise.data.tables.numbers import decimals_of, rounded
from equipoise.data.tables.series import distinct, plain
from equipoise.data.tables.spread_column import Offsets, SpreadColumn
from equipoise.data.tables.whole import MAX_EXACT, whole_from
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "date", "span", "text"]
WORDS: dict[Kind, str] = {
    "number": "numbers",
    "date": "dates",
    "span": "spans of time",
    "text": "text",
}
NUMBERS, DATES = (int, float, Decimal, np.number, np.bool_), (datetime.date, datetime.datetime)
FIRST_DATE, LAST_DATE = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31", "us")
ZONE = re.compile(r"(?:datetime64\[\w+, |arrow:timestamp\[\w+, tz=)([^\]]+)\]")
LAST_PLACES = 8  # units in the last place that arithmetic may be off


@dataclass(frozen=True)
class Type:
    """What the values of an expression are."""

    kind: Kind
    zoned: bool = False
    """Whether dates have a time zone, whichever it is."""
    zone: str = field(default="", compare=False)
    """In which one a text in quotes beside them is."""

    @property
    def words(self) -> str:
        """For messages."""
        return WORDS[self.kind] + (" with a time zone" if self.zoned else "")


def type_of(column: Column) -> Type:
    """What the values of a column are.

    Raises:
        RequestError: If nothing can be computed of it. The message does not name it.
    """
    match column:
        case NumberColumn():
            if column.origin:
                raise RequestError("holds whole numbers beyond 2**53, which floats do not have all")
            return Type("number")
        case DateColumn():
            return _dates(_zone(column.dtype))
        case DurationColumn():
            return Type("span")
        case CategoryColumn():
            return _type_of_cells(column.categories, column.dtype)
        case ConstantColumn() if column.value is not None:
            return _type_of_cells((column.value,), column.dtype)
        case ConstantColumn():
            raise RequestError("is blank in all rows")
    what = "holds ids, which are made anew" if column.kind == "id" else "is left out of samples"
    raise RequestError(what)


def _type_of_cells(cells: Sequence[Cell], dtype: UserDtype) -> Type:
    """What distinct cells are. Raises as `type_of`."""
    if all(isinstance(cell, NUMBERS) for cell in cells):
        if any(abs(number) > MAX_EXACT for number in map(_number, cells)):
            raise RequestError("holds whole numbers beyond 2**53, which floats do not have all")
        return Type("number")
    if all(isinstance(cell, str) for cell in cells):
        return Type("text")
    if all(isinstance(cell, DATES) for cell in cells):
        zones = {str(getattr(cell, "tzinfo", None) or "") for cell in cells}
        if len(zones) == 1:
            return _dates(_zone(dtype) or zones.pop())
    if all(isinstance(cell, datetime.timedelta) for cell in cells):
        return Type("span")
    raise RequestError("holds cells of several types, or of one that nothing can be computed of")


def values_of(column: Column, series: pd.Series[Any]) -> NDArray[Any]:
    """The cells of a column as values, (N,)."""
    kind = type_of(column).kind
    if isinstance(column, CategoryColumn | ConstantColumn):
        found = distinct(plain(series))
        markers = {*getattr(column, "markers", ())}
        cells = [None if cell in markers else cell for cell in found.cells.tolist()]
        values = _values_of_cells(kind, cells)
        blank: Any = {"number": np.nan, "text": None}.get(kind, "NaT")
        return found.spread(values, blank)
    if isinstance(column, DateColumn) and not column.is_text:
        dates = plain(series)
        if column.clock.period:
            dates = dates.dt.to_timestamp()
        return in_one_unit(instants_of(dates, wall=False))[0]
    if isinstance(column, DurationColumn) and not column.is_text:
        return in_one_unit(spans_of(plain(series)))[0]
    numbers = column.read(series).numbers
    assert numbers is not None
    if isinstance(column, DateColumn):
        return in_one_unit(column.clock.dates(numbers))[0]
    return in_one_unit(column.spans(numbers))[0] if isinstance(column, DurationColumn) else numbers


def series_of(column: Column, values: NDArray[Any]) -> pd.Series[Any]:
    """Values, (N,), as cells of a column, whatever bounds it has: what a column cannot
    hold becomes something else that it can."""
    import pandas as pd

    blank = np.asarray(pd.isna(values))
    if isinstance(column, SpreadColumn):
        cells = _spread_cells(column, values, blank)
    elif isinstance(column, CategoryColumn):
        cells = _category_cells(column, values, blank)
    else:
        cells = column.restore(None, np.zeros(len(values), np.int64), Rows(0, 0))
    made: pd.Series[Any] = pd.Series(cells, name=column.name, dtype=column.dtype.pandas())
    return made


def agree(column: Column, computed: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where computed values are those of a column, (N,), to its own decimals. Blanks
    are equal to blanks alone, and to none where the column has none."""
    import pandas as pd

    blank = np.asarray(pd.isna(computed))
    holds = column.blank_code is not None or bool(getattr(column, "markers", ()))
    if (kind := type_of(column).kind) in ("date", "span"):
        same = np.equal(*in_one_unit(computed, values))
    elif kind == "text":
        same = computed == values
    else:
        decimals = _decimals(column)
        with np.errstate(invalid="ignore"):
            slack = LAST_PLACES * np.finfo(np.float64).eps * np.abs(computed)
            near = np.isclose(computed, values)
            if decimals is not None:
                near = np.abs(computed - values) <= 0.5 * 10.0**-decimals + slack
        same = near | (computed == values)
    return np.where(blank, np.asarray(pd.isna(values)) & holds, same)


def can_be_assigned(column: Column) -> bool:
    """Whether cells can be made of values: not of pandas' periods."""
    return not (isinstance(column, DateColumn) and column.clock.period)


def in_one_unit(*values: NDArray[Any]) -> list[NDArray[Any]]:
    """Dates or spans of time, all in the same unit: microseconds, which have every date
    there is, or nanoseconds where one of them needs these."""
    fine = any(np.datetime_data(part.dtype)[0] == "ns" and _needs_ns(part) for part in values)
    return [_in_unit(part, "ns" if fine else "us") for part in values]


def _needs_ns(values: NDArray[Any]) -> bool:
    """Whether dates or spans in nanoseconds are no whole microseconds."""
    return bool((~np.isnat(values) & (values.astype(np.int64) % 1_000 != 0)).any())


def _dates(zone: str) -> Type:
    return Type("date", bool(zone), zone)


def _zone(dtype: UserDtype) -> str:
    found = ZONE.fullmatch(dtype.name)
    return found[1] if found else ""


def _number(cell: Any) -> float:
    return float(cell) if isinstance(cell, NUMBERS) else float("nan")


def _values_of_cells(kind: Kind, cells: list[Any]) -> NDArray[Any]:
    """Distinct cells as values, (M,): those of another kind are blanks."""
    if kind == "number":
        return np.array(list(map(_number, cells)), np.float64)
    if kind == "text":
        texts = np.empty(len(cells), object)
        texts[:] = [cell if isinstance(cell, str) else None for cell in cells]
        return texts
    make = _instant if kind == "date" else _span
    found = [make(cell) for cell in cells]
    letter = "M8" if kind == "date" else "m8"
    return np.concatenate([np.empty(0, f"{letter}[us]"), *in_one_unit(*map(np.atleast_1d, found))])


def _instant(cell: Any) -> np.datetime64:
    import pandas as pd

    if not isinstance(cell, DATES):
        return np.datetime64("NaT", "us")
    date = pd.Timestamp(cell)
    date = date if date.tzinfo is None else date.tz_convert("UTC").tz_localize(None)
    return np.datetime64(date.to_datetime64())


def _span(cell: Any) -> np.timedelta64:
    import pandas as pd

    if not isinstance(cell, datetime.timedelta):
        return np.timedelta64("NaT", "us")
    return np.timedelta64(pd.Timedelta(cell).to_timedelta64())


def _in_unit(values: NDArray[Any], unit: str) -> NDArray[Any]:
    """Dates or spans in a unit, at the ends of its range where they are beyond: NumPy
    would turn them round."""
    letter, (own, _) = values.dtype.kind, np.datetime_data(values.dtype)
    if own in ("Y", "M", "W"):
        values, own = values.astype(f"{letter}8[D]"), "D"
    many = np.array(1, f"m8[{own}]") / np.array(1, f"m8[{unit}]")
    if own == unit or many < 1:
        return values.astype(f"{letter}8[{unit}]")
    blank = np.isnat(values)
    limit = (2**63 - 1) // round(float(many))
    counts = np.where(blank, 0, values.astype(np.int64).clip(-limit, limit)) * round(float(many))
    return np.where(blank, np.array("NaT", f"{letter}8[{unit}]"), counts.view(f"{letter}8[{unit}]"))


def _spread_cells(column: SpreadColumn, values: NDArray[Any], blank: NDArray[np.bool_]) -> Any:
    """Values as an array of pandas."""
    if isinstance(column, DateColumn):
        values = np.where(blank, values, values.clip(FIRST_DATE, LAST_DATE))
        if not column.is_text:
            return from_instants(_as_held(values, column.dtype), column.dtype, wall=False)
        numbers = column.clock.numbers(values)
    elif isinstance(column, DurationColumn):
        if not column.is_text:
            return from_spans(_as_held(values, column.dtype), column.dtype)
        numbers = column.numbers(values)
    else:
        numbers = values
    marked = bool(column.markers) and not column.blank
    return column.cells(
        Offsets(
            np.where(blank, column.typical, numbers),
            np.where(blank & marked, 0, -1),
            blank & column.blank,
        )
    )


def _as_held(values: NDArray[Any], dtype: UserDtype) -> NDArray[Any]:
    """Dates or spans in the unit of a type that is fed, within its range."""
    unit = re.search(r"\[(s|ms|us|ns)", dtype.name)
    return _in_unit(values, unit[1]) if unit else values


def _category_cells(column: CategoryColumn, values: NDArray[Any], blank: NDArray[np.bool_]) -> Any:
    """Values as an array of pandas: numbers as they are, in a type of numbers; else the
    categories that they are."""
    dtype, kind = column.dtype, type_of(column).kind
    if kind == "number" and dtype.is_number and not column.markers:
        numbers = rounded(np.where(blank, 0, values), _decimals(column))
        held: NDArray[Any] = numbers
        if dtype.is_integer:
            held = whole_from(np.nan_to_num(numbers), 0, signed=dtype.is_signed)
        return dtype.numbers(held, blank & column.blank)
    known = (*column.categories, *column.markers)
    of_categories = _values_of_cells(kind, list(column.categories))
    if kind == "number":
        decimals = _decimals(column)
        values, of_categories = rounded(values, decimals), rounded(of_categories, decimals)
    elif kind != "text":
        values, of_categories = in_one_unit(values, of_categories)
    codes = {value: code for code, value in enumerate(of_categories.tolist())}
    nothing = column.blank_code if column.blank_code is not None else len(known) - 1
    found, index = distinct_values(values, blank)
    of_found = np.array([*(codes.get(value, 0) for value in found), nothing], np.int64)
    return column.restore(None, of_found[index], Rows(0, 0))


def distinct_values(
    values: NDArray[Any], blank: NDArray[np.bool_]
) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct values that are no blanks, and the place of each among them, (N,);
    of a blank one past the end."""
    found, places = np.unique(values[~blank], return_inverse=True)
    index = np.full(len(values), len(found), np.int64)
    index[~blank] = places
    return found.tolist(), index


def _decimals(column: Column) -> int | None:
    """The decimals of a column of numbers; None for real ones."""
    if isinstance(column, NumberColumn):
        return column.decimals
    cells: Sequence[Any] = getattr(column, "categories", (getattr(column, "value", 0),))
    return decimals_of(_values_of_cells("number", list(cells)), np.finfo(np.float64).eps)
