"""Raw tables: tables of mixed columns as matrices of numbers, (N, R), all finite.

A raw column is a number in the user's units or the code of a category. A column of
numbers that may be blank takes two raw columns of the same name: the number, and a code
that says whether the cell is blank. Metrics compare the user's columns, (N, C): there a
blank number is nan, as in pandas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.table import Table

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """One of the user's columns: numbers, or categories by their codes."""

    name: str
    raw: int
    """The raw column that has its values."""
    size: int
    """0 for numbers, K for codes 0..K-1."""
    flag: int | None = None
    """Of numbers: the raw column whose code says whether the cell is blank."""
    blank: int | None = None
    """The code, there or in the column itself, of a blank cell; None where cells are
    never blank."""

    def are_blank(self, values: Array) -> NDArray[np.bool_]:
        """Which of its values, (N,), are blank."""
        if self.size == 0:
            return np.isnan(values)
        return np.full(len(values), False) if self.blank is None else values == self.blank


@dataclass(frozen=True)
class RawTable:
    """What the raw columns of a table are."""

    names: tuple[str, ...]
    """Of the user's column that each raw column belongs to: equal ones belong
    together."""
    sizes: tuple[int, ...]
    """Of each raw column: 0 for a number, K for codes 0..K-1."""
    blanks: tuple[int | None, ...] = ()
    """Of each raw column of codes: the code of a blank cell, None where there is none.

    By default no cell is blank.
    """

    def __post_init__(self) -> None:
        if len(self.sizes) != len(self.names) or len(self.blanks) not in (0, len(self.names)):
            raise ValueError("a raw table needs a name and a size, and a blank or none, per column")

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The user's columns, in order. A code that says whether a number is blank is
        none of its own."""
        return tuple(self._columns())

    def _columns(self) -> Iterator[Column]:
        blanks = self.blanks or (None,) * len(self.names)
        numbers = {name for name, size in zip(self.names, self.sizes, strict=True) if size == 0}
        flags = {
            name: raw
            for raw, (name, blank) in enumerate(zip(self.names, blanks, strict=True))
            if blank is not None and name in numbers
        }
        for raw, (name, size) in enumerate(zip(self.names, self.sizes, strict=True)):
            if size == 0 and name in flags:
                yield Column(name, raw, 0, flags[name], blanks[flags[name]])
            elif raw not in flags.values():
                # Beside a number: which marker stands there, or none.
                own = f"{name} (marker)" if size and name in numbers else name
                yield Column(own, raw, size, blank=blanks[raw])

    def values(self, raw: Array) -> Array:
        """The user's columns, (N, C), of a raw matrix, (N, R): a blank number is nan, a
        blank category keeps its code."""
        values = raw[:, [column.raw for column in self.columns]].astype(np.float64)
        for at, column in enumerate(self.columns):
            if column.flag is not None:
                values[raw[:, column.flag] == column.blank, at] = np.nan
        return values


def raw_table(table: Table) -> RawTable:
    """What the raw columns of the user's table are."""
    raw = [(column, of) for column in table.columns for of in table.raw_of(column)]
    return RawTable(
        tuple(of.name for _, of in raw),
        table.sizes,
        tuple(column.blank_code if of.kind == "code" else None for column, of in raw),
    )
