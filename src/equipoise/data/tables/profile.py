"""A column as recognition looks at it: each figure is computed once, when it is first
asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.cells import Cell
from equipoise.data.tables.dtypes import ObjectCells, UserDtype, dtype_of
from equipoise.data.tables.markers import is_marker
from equipoise.data.tables.notes import Name, Note, Topic, some_of
from equipoise.data.tables.series import (
    CellKind,
    Distinct,
    cell_kind,
    distinct,
    numbers_of,
    plain,
)

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Missing = tuple[str | int | float, ...]
"""Cells that the user says mean nothing."""


class Profile:
    """What stands in a column, and what the user said of it.

    Args:
        name: Its name.
        series: The column as it was fed.
        missing: Cells that the user says mean nothing.
    """

    def __init__(self, name: Name, series: pd.Series[Any], missing: Missing = ()) -> None:
        self.name = name
        self.fed = series
        self.series: pd.Series[Any] = plain(series)
        self.missing = missing
        self.rows: int = len(series)
        self.notes: list[Note] = []
        self._found: dict[Callable[[Profile], Any], Any] = {}

    @cached_property
    def cells(self) -> CellKind:
        """The kind of its cells."""
        return cell_kind(self.series)

    @cached_property
    def blank(self) -> NDArray[np.bool_]:
        """Where it is blank, (N,)."""
        blank = self.series.isna().to_numpy()
        if self.cells == "number" and self.series.dtype.kind == "f":
            # Nullable floats can hold NaN beside what pandas calls missing.
            blank = blank | np.isnan(self.series.to_numpy(np.float64, na_value=np.nan))
        return blank

    @cached_property
    def blanks(self) -> int:
        """Rows that are blank."""
        return int(self.blank.sum())

    @cached_property
    def numbers(self) -> NDArray[Any]:
        """Its numbers, (N,), of a column of numbers: see `numbers_of`."""
        return numbers_of(self.series, self.blank)

    @cached_property
    def distinct(self) -> Distinct:
        """The distinct cells, markers among them, and where they stand."""
        return distinct(self.series)

    @cached_property
    def markers(self) -> tuple[Cell, ...]:
        """The cells that the user says mean nothing, those that occur."""
        if not self.missing:
            return ()
        if self.cells == "number":
            present = self.numbers[~self.blank]
            asked = dict.fromkeys(map(_number, self.missing))
            return tuple(number for number in asked if (present == number).any())
        if self.cells in ("text", "mixed", "category", "bool"):
            asked_texts = {text for cell in self.missing for text in _texts(cell)}
            known = {*self.missing}
            return tuple(
                cell
                for cell in self.distinct.cells.tolist()
                if cell in known or (isinstance(cell, str) and cell in asked_texts)
            )
        return ()

    @property
    def absent(self) -> Missing:
        """The cells that the user says mean nothing, those that do not occur."""
        known = {text for marker in self.markers for text in _texts(marker)}
        return tuple(cell for cell in self.missing if known.isdisjoint(_texts(cell)))

    @cached_property
    def unique(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The distinct values, neither blank nor markers, and the rows of each.

        Numbers are sorted."""
        if self.cells == "number":
            kept = ~self.blank
            for marker in self.markers:
                kept &= self.numbers != marker
            return np.unique(self.numbers[kept], return_counts=True)
        marked = {(type(cell), cell) for cell in self.markers}
        cells = self.distinct.cells
        if not marked:
            return cells, self.distinct.counts
        kept = np.array([(type(cell), cell) not in marked for cell in cells.tolist()], bool)
        return cells[kept], self.distinct.counts[kept]

    @cached_property
    def listed(self) -> list[Any]:
        """The distinct values of `unique` as Python has them."""
        values: list[Any] = self.unique[0].tolist()
        return values

    @cached_property
    def candidates(self) -> list[str]:
        """The distinct texts that are no markers of missing values: what numbers and
        dates in text are recognised by."""
        return [cell for cell in self.listed if isinstance(cell, str) and not is_marker(cell)]

    @property
    def held(self) -> str:
        """What the column holds, for a message that it is of another kind."""
        if self.cells in ("number", "text", "mixed", "category", "bool"):
            return f"it holds {some_of(self.listed)}"
        return f"its type is {self.fed.dtype}"

    @cached_property
    def values(self) -> int:
        """How many distinct values there are."""
        if self.cells in ("date", "span"):
            return int(self.series.nunique())
        return 0 if self.cells == "empty" else len(self.unique[0])

    def user_dtype(self, cells: ObjectCells = "") -> UserDtype:
        """The type of the column; `cells` are those of a column of objects."""
        return dtype_of(self.fed, cells)

    def once(self, function: Callable[[Profile], T]) -> T:
        """What a function finds of this column, computed once."""
        if function not in self._found:
            self._found[function] = function(self)
        found: T = self._found[function]
        return found

    def note(self, topic: Topic, detail: str, override: Mapping[str, Any] | None = None) -> None:
        """Tell the user something."""
        self.notes.append(Note(topic, self.name, detail, override))


def _number(marker: str | float) -> float:
    """A marker among numbers; NaN, which is none of them, for a text that is none."""
    try:
        return float(marker)
    except ValueError:
        return math.nan


def _texts(marker: Cell) -> list[str]:
    """How a marker can be written in a column of text: -999 as "-999" and "-999.0"."""
    if isinstance(marker, float) and marker.is_integer():
        return [str(marker), str(int(marker))]
    return [str(marker)]
