"""Columns of numbers, dates and spans of time: a number beside spikes, markers and
blanks."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, RawColumn, Reading, Rows
from equipoise.data.tables.cells import Cell
from equipoise.data.tables.notes import quoted
from equipoise.data.tables.series import CellKind, cell_kind, distinct, plain
from equipoise.data.tables.spread import Spread

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3  # spikes and markers in a summary


class Offsets(NamedTuple):
    """The cells of a column as numbers."""

    numbers: NDArray[np.float64]
    """(N,): NaN where there is none."""
    marks: NDArray[np.int64]
    """(N,): which marker stands there; -1 for none."""
    blank: NDArray[np.bool_]
    """(N,)"""


@dataclass(frozen=True)
class SpreadColumn(Column):
    """A column whose cells are numbers, in state 0, or points of their own: spikes,
    then markers, then blanks.

    A marker comes back as the marker that was there.
    """

    has_number = True
    cell_kind: ClassVar[CellKind]
    """The kind of cells that need not be read as text."""

    spread: Spread
    markers: tuple[Cell, ...]
    """Cells that are no numbers, or that the user says mean nothing."""
    blank: bool
    """Whether cells can be blank."""

    @property
    @abstractmethod
    def is_text(self) -> bool:
        """Whether the column is of text, in which the numbers are written."""

    @abstractmethod
    def typed_numbers(
        self, series: pd.Series[Any], blank: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The numbers and marks of a column of `cell_kind`, (N,), NaN for blanks."""

    @abstractmethod
    def typed_cells(self, offsets: Offsets) -> Any:
        """Numbers as an array of pandas, of a column that is of `cell_kind`."""

    @abstractmethod
    def parsed(self, cells: list[Any]) -> NDArray[np.float64]:
        """Distinct cells of text as numbers, (M,), NaN for those that are none."""

    @abstractmethod
    def written(self, numbers: NDArray[np.float64]) -> list[Any]:
        """Distinct numbers as cells of text."""

    @property
    @abstractmethod
    def unit(self) -> float | None:
        """The least distance of two numbers; None for real ones."""

    @abstractmethod
    def shown(self, number: float) -> str:
        """A number in the user's units, for people."""

    @abstractmethod
    def setting(self, number: float) -> int | float | str:
        """A number as an option has it."""

    @property
    def states(self) -> int:
        return 1 + len(self.spread.spikes) + len(self.markers) + self.blank

    @property
    def typical(self) -> float:
        return self.spread.typical

    @property
    def step(self) -> float | None:
        """What the distances of numbers are whole multiples of; None for real ones."""
        return self.spread.step or self.unit

    @property
    def raw_number(self) -> RawColumn:
        return RawColumn(str(self.name), "number", 1, self.step, self.spread.levels)

    def is_valid(self) -> bool:
        return self.spread.is_valid and (not self.blank or self.dtype.holds_blanks)

    def read(self, series: pd.Series[Any]) -> Reading:
        numbers, marks, blank = self._offsets(plain(series))
        codes = np.where(np.isfinite(numbers), 0, -1)
        for place, spike in enumerate(self.spread.spikes):
            codes[numbers == spike] = 1 + place
        codes = np.where(marks >= 0, 1 + len(self.spread.spikes) + marks, codes)
        codes[blank] = self.states - 1 if self.blank else -1
        return Reading(codes, numbers)

    def _offsets(self, series: pd.Series[Any]) -> Offsets:
        kind = cell_kind(series)
        blank = series.isna().to_numpy()
        if kind == self.cell_kind and not self.is_text:
            numbers, marks = self.typed_numbers(series, blank)
            return Offsets(numbers, marks, blank | (np.isnan(numbers) & (marks < 0)))
        if kind not in ("text", "mixed", "number"):
            return Offsets(np.full(len(series), np.nan), np.full(len(series), -1), blank)
        found = distinct(series)
        cells = found.cells.tolist()
        places = {(type(marker), marker): place for place, marker in enumerate(self.markers)}
        marked = np.array([places.get((type(cell), cell), -1) for cell in cells], np.int64)
        of_distinct = np.where(marked >= 0, np.nan, self.parsed(cells))
        return Offsets(found.spread(of_distinct, np.nan), found.spread(marked, -1), blank)

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        assert numbers is not None
        points = np.array([0.0, *self.spread.spikes])
        spikes = len(points) - 1
        on_spike = (codes >= 1) & (codes <= spikes)
        x = np.where(on_spike, points[codes.clip(0, spikes)], self.spread.snap(numbers))
        blank = (codes == self.states - 1) & self.blank
        marks = np.where(blank, -1, np.maximum(codes - 1 - spikes, -1))
        return self.cells(Offsets(x, marks, blank))

    def cells(self, offsets: Offsets) -> Any:
        """Numbers, whatever bounds the column has, as an array of pandas."""
        texts = self.is_text or any(isinstance(marker, str) for marker in self.markers)
        return self._text_cells(offsets) if texts else self.typed_cells(offsets)

    def _text_cells(self, offsets: Offsets) -> Any:
        """Cells of which some are text: all of them, or the markers among numbers."""
        values, index = np.unique(offsets.numbers, return_inverse=True)
        written = self.written(values)
        known = np.empty(len(written) + len(self.markers) + 1, object)
        known[:] = [*written, *self.markers, None]
        places = np.where(offsets.marks >= 0, len(written) + offsets.marks, index)
        return self.dtype.array(known[np.where(offsets.blank, len(known) - 1, places)])

    def summary(self) -> str:
        spread = self.spread
        parts = [self._range()]
        if spread.levels:
            parts.append(f"{len(spread.levels):,} levels")
        elif spread.step is not None:
            parts.append(f"in steps of {self.step_text(spread.step)}")
        if spread.spikes:
            parts.append(f"often {_listed(map(self.shown, spread.spikes))}")
        if self.markers:
            parts.append(f"or {_listed(map(quoted, self.markers))}")
        if self.blank:
            parts.append("or blank")
        return ", ".join(parts)

    def step_text(self, step: float) -> str:
        """A step with its unit."""
        return f"{step:,.10g}"

    def _range(self) -> str:
        least, greatest = self.spread.least, self.spread.greatest
        if math.isinf(least) and math.isinf(greatest):
            return f"about {self.shown(self.spread.typical)}"
        if math.isinf(greatest):
            return f"from {self.shown(least)}"
        if math.isinf(least):
            return f"up to {self.shown(greatest)}"
        return f"{self.shown(least)} to {self.shown(greatest)}"

    def settings(self) -> dict[str, Any]:
        spread = self.spread
        known: dict[str, Any] = {
            "minimum": self.setting(spread.least),
            "maximum": self.setting(spread.greatest),
            "levels": bool(spread.levels),
            "spikes": [self.setting(spike) for spike in spread.spikes],
        }
        if self.step is not None:
            known["step"] = int(self.step) if self.step.is_integer() else self.step
        return {**known, "missing": list(self.markers)} if self.markers else known


def _listed(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = ", ..." if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
