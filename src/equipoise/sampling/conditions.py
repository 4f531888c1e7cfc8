"""Conditions on the columns of a table: {"plan": "pro", "age": (60, 70)}.

Rows are drawn as without conditions, and those that meet all of them are kept: they are
exactly distributed as the generator's rows given the conditions, and the same seed
without conditions gives the same rows among others. (Shards draw each block of rows on
its own, see `Sampler.rows`.) A condition on the column of labels costs nothing:
networks are told the label. The constraints of a table (`data.tables.constraints`) are
conditions on every row.

It might seem faster to draw components k of the mixture not at their weights w_k but at
q_k = w_k r_k / sum_j w_j r_j, where r_k is how often the mixture meets the conditions
in k, and to make up for it by keeping a row that meets them with probability min_j r_j
/ r_k. That is exact too, and never better. With P_k the frequency of the conditions in
k, a draw is kept with probability

    sum_k q_k P_k min_j r_j / r_k = (min_j r_j / sum_j w_j r_j) sum_k w_k P_k,

which is at most sum_k w_k P_k, that of plain draws, and equal to it only where all r_k
are. Weights in place of rejection would give rows that come several times.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.schema import Schema, cast
from equipoise.data.tables.base import Column, Reading
from equipoise.data.tables.kinds.category import CategoryColumn
from equipoise.data.tables.notes import quoted
from equipoise.errors import RequestError, clipped, nearest
from equipoise.sampling.condition_values import (
    Interval,
    alternatives,
    are_numbers,
    interval_of,
    least_gap,
    number_of,
    states_or_interval,
)

if TYPE_CHECKING:
    from equipoise.data.tables.table import Table
    from equipoise.sampling.rows import Rows

Where = Mapping[str, Any]
"""By column a value, a pair (least, greatest) of which either may be None, a list of
values any of which will do, or None for blanks."""
MAX_HOPELESS = 500_000  # draws, after which
HOPELESS = 1e-5  # of them must have met the conditions


@dataclass(frozen=True)
class Condition:
    """What is asked of one column."""

    read: Callable[[NDArray[np.float64]], Reading]
    """From rows of the matrix, (N, R), to the column's cells."""
    states: tuple[int, ...]
    """States that will do, see `data.tables.base`."""
    intervals: tuple[Interval, ...]
    """Numbers that will do, ends included, in the column's units."""

    def met(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows meet it, (N,)."""
        codes, numbers = self.read(values)
        met = np.isin(codes, self.states)
        if numbers is not None:
            for least, greatest in self.intervals:
                met |= (numbers >= least) & (numbers <= greatest)
        return met


@dataclass
class Conditions:
    """What is asked of rows, and how often it was met.

    The constraints of the table are asked of all rows, whatever else is.
    """

    conditions: tuple[Condition, ...]
    labels: tuple[int, ...] | None
    """The positions of the labels that will do; None for all."""
    text: str
    """What was asked, for messages."""
    table: Table | None = None
    """The table whose constraints rows must meet; None without any."""
    drawn: int = field(default=0, init=False)
    """Rows drawn."""
    met: int = field(default=0, init=False)
    """Those of them that met all conditions."""

    @classmethod
    def of(cls, schema: Schema, where: Where) -> Conditions:
        """Conditions on rows of this schema.

        Raises:
            RequestError: For a column that there is not, or a value that it cannot
                have: all mistakes, in one line.
        """
        _refuse_series(schema)
        if schema.container != "frame" or schema.columns is None:
            raise RequestError("where: is for tables, and this run was trained on other data")
        names = _names(schema)
        conditions, problems = list[Condition](), list[str]()
        labels = None
        for name, asked in where.items():
            if str(name) not in names:
                problems.append(f"where: no column {quoted(name)}: {nearest(str(name), names)}")
                continue
            try:
                if schema.label_column is not None and str(name) == str(schema.label_column.name):
                    labels = _labels(schema, asked)
                else:
                    conditions.append(_condition(schema, str(name), asked))
            except RequestError as error:
                problems.append(f"where: {quoted(str(name))}: {error}")
        if problems:
            raise RequestError("; ".join(problems))
        text = ", ".join(f"{name} = {clipped(repr(asked), 40)}" for name, asked in where.items())
        return cls(tuple(conditions), labels, text, _constrained(schema))

    @classmethod
    def of_constraints(cls, schema: Schema) -> Conditions | None:
        """What every row must meet; None where there are no constraints."""
        table = _constrained(schema)
        return None if table is None else cls((), None, "", table)

    def keep(self, rows: Rows, most: int) -> Rows:
        """The rows that meet all conditions, the first `most` of them, counted.

        Raises:
            RequestError: If so few have met them that there is no hope.
        """
        met = np.ones(len(rows), bool)
        for condition in self.conditions:
            met &= condition.met(rows.values)
        if self.table is not None:
            met &= self.table.met(rows.values)
        places = np.flatnonzero(met)[:most]
        is_last = len(places) == most
        self.drawn += int(places[-1]) + 1 if is_last and most else len(rows)
        self.met += len(places)
        if not is_last and self.drawn >= MAX_HOPELESS and self.met < HOPELESS * self.drawn:
            raise RequestError(
                f"{self._asked}: met by {self.met:,} of {self.drawn:,} rows drawn, too few to go "
                f"on: {'ask for less' if self.text else 'train longer, or with fewer constraints'}"
            )
        kept = np.zeros(len(rows), bool)
        kept[places] = True
        return rows[kept]

    @property
    def dropped(self) -> float:
        """The share of rows drawn that did not meet them."""
        return 1 - self.met / max(self.drawn, 1)

    @property
    def _asked(self) -> str:
        """What was asked, for a message."""
        texts = [] if self.table is None else [one.text for one in self.table.constraints]
        parts = [f"where: {self.text}"] if self.text else []
        parts += [f"constraints: {clipped('; '.join(texts), 200)}"] if texts else []
        return ", and ".join(parts)


def _constrained(schema: Schema) -> Table | None:
    """The table, if it has constraints."""
    return schema.table if schema.table is not None and schema.table.constraints else None


def where_of_texts(schema: Schema, texts: Iterable[str]) -> dict[str, Any]:
    """Conditions as they are typed: "plan=pro", "age=60..70", "age=60..", "city=A,B",
    "city=" for blanks.

    Raises:
        RequestError: If a text has another form, or names no column, and for windows of
            series.
    """
    _refuse_series(schema)
    where: dict[str, Any] = {}
    names = sorted(_names(schema), key=len, reverse=True)
    for text in texts:
        name = next((name for name in names if text.startswith(f"{name}=")), None)
        if name is None:
            given = text.partition("=")[0]
            known = nearest(given, names) if names else "this run was trained without columns"
            what = f"no column {quoted(given)}: {known}" if "=" in text else "must be COLUMN=VALUE"
            raise RequestError(f"--where {quoted(text)}: {what}")
        if name in where:
            raise RequestError(
                f"--where: {quoted(name)} is asked for twice: give {name}=A,B for either"
            )
        where[name] = _typed(schema, name, text.removeprefix(f"{name}="))
    return where


def _refuse_series(schema: Schema) -> None:
    if schema.series is not None:
        raise RequestError("where is for rows of a table, and these are windows of series")


def _typed(schema: Schema, name: str, text: str) -> Any:
    """What a text asks of a column."""
    known = {*map(str, _categories(schema, name) or ())}
    if text == "":
        return None
    if text in known:
        return text
    parts = text.split(",")
    if ".." in text and _has_order(schema, name) and not known.issuperset(parts):
        least, _, greatest = text.partition("..")
        return (least or None, greatest or None)
    return parts if len(parts) > 1 else text


def _names(schema: Schema) -> list[str]:
    """The columns of samples."""
    if schema.table is not None:
        names = [str(column.name) for column in schema.table.columns if column.kept]
    else:
        names = [str(name) for name in schema.columns or ()]
    return [*names, *([] if schema.label_column is None else [str(schema.label_column.name)])]


def _categories(schema: Schema, name: str) -> tuple[Hashable, ...] | None:
    """The values of a column of categories or labels; None for another column."""
    if schema.label_column is not None and name == str(schema.label_column.name):
        return schema.classes
    column = _column(schema, name)
    return (*column.categories, *column.markers) if isinstance(column, CategoryColumn) else None


def _has_order(schema: Schema, name: str) -> bool:
    """Whether a column has values between two."""
    if schema.label_column is not None and name == str(schema.label_column.name):
        return False
    column = _column(schema, name)
    return not isinstance(column, CategoryColumn) or column.ordered or are_numbers(column)


def _column(schema: Schema, name: str) -> Column | None:
    columns = () if schema.table is None else schema.table.columns
    return next((column for column in columns if str(column.name) == name), None)


def _labels(schema: Schema, asked: Any) -> tuple[int, ...]:
    """The positions of the labels that are asked for."""
    if isinstance(asked, tuple):
        raise RequestError("is the column of labels: give one, or a list of them")
    values = asked if isinstance(asked, list | set | frozenset) else [asked]
    return tuple(sorted({schema.class_index(value) for value in values}))


def _condition(schema: Schema, name: str, asked: Any) -> Condition:
    column = _column(schema, name)
    if column is None:
        return _plain_condition(schema, name, asked)
    assert schema.table is not None
    if column.kind == "id":
        raise RequestError("is made anew: leave it out")
    table = schema.table

    def read(values: NDArray[np.float64]) -> Reading:
        return column.read(table.cells(values).series(column))

    states, intervals = list[int](), list[Interval]()
    for value in alternatives(asked):
        found = states_or_interval(column, value, table.is_computed(column))
        if isinstance(found, int):
            states.append(found)
        elif len(found) == 2 and isinstance(found, tuple):
            intervals.append(found)
        else:
            states += found
    return Condition(read, tuple(states), tuple(intervals))


def _plain_condition(schema: Schema, name: str, asked: Any) -> Condition:
    """A condition on a column of plain numbers."""
    place = [str(known) for known in schema.columns or ()].index(name)
    dtype = (schema.column_dtypes or (schema.dtype,) * schema.size)[place]
    is_float = np.dtype(dtype).kind == "f"
    levels = None if schema.levels is None else schema.levels[place]
    gap = least_gap(None if is_float else 1.0, levels or ())

    def read(values: NDArray[np.float64]) -> Reading:
        numbers = cast(values[:, place], dtype).astype(np.float64)
        return Reading(np.zeros(len(values), np.int64), numbers)

    def number(value: Any) -> float:
        exact = np.array([number_of(value)])
        return float(cast(exact, dtype)[0] if is_float else exact[0])  # 0.1 as float32 has it

    intervals = [interval_of(value, number, gap) for value in alternatives(asked)]
    return Condition(read, (), tuple(intervals))
