"""Columns of numbers, dates and spans of time: a number beside spikes, markers and
blanks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, Reading, Rows
from equipoise.data.tables.cells import Cell
from equipoise.data.tables.notes import quoted
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
    """A column whose cells are numbers, in state 0, or points of their own: spikes, then
    markers, then the blank.

    A marker comes back as the marker that was there.
    """

    has_number = True

    spread: Spread
    markers: tuple[Cell, ...]
    """Cells that are no numbers, or that the user says mean nothing."""
    blank: bool
    """Whether cells can be blank."""

    @abstractmethod
    def offsets(self, series: pd.Series[Any]) -> Offsets:
        """The cells of a column as numbers."""

    @abstractmethod
    def cells(self, offsets: Offsets) -> Any:
        """Numbers as cells, an array of pandas: the inverse of `offsets`. All numbers
        are finite, or spikes, in the rows without a marker or a blank."""

    @abstractmethod
    def shown(self, number: float) -> str:
        """A number in the user's units, in quotes if it is text there."""

    @property
    def states(self) -> int:
        return 1 + len(self.spread.spikes) + len(self.markers) + self.blank

    @property
    def typical(self) -> float:
        return self.spread.typical

    def is_valid(self) -> bool:
        return self.spread.is_valid and (not self.blank or self.dtype.holds_blanks)

    def read(self, series: pd.Series[Any]) -> Reading:
        numbers, marks, blank = self.offsets(series)
        codes = np.where(np.isfinite(numbers), 0, -1)
        for place, spike in enumerate(self.spread.spikes):
            codes[numbers == spike] = 1 + place
        codes = np.where(marks >= 0, 1 + len(self.spread.spikes) + marks, codes)
        codes[blank] = self.states - 1 if self.blank else -1
        return Reading(codes, numbers)

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        assert numbers is not None
        points = np.array([0.0, *self.spread.spikes])
        spikes = len(points) - 1
        x = np.where(
            (codes >= 1) & (codes <= spikes),
            points[codes.clip(0, spikes)],
            self.spread.snap(numbers),
        )
        marks = codes - 1 - spikes
        blank = np.zeros(len(codes), bool)
        if self.blank:
            blank = codes == self.states - 1
        return self.cells(Offsets(x, np.where((marks < 0) | blank, -1, marks), blank))

    def summary(self) -> str:
        spread = self.spread
        parts = [self._range()]
        if spread.levels:
            parts.append(f"{len(spread.levels):,} levels")
        elif spread.step is not None:
            parts.append(f"in steps of {self._step_text(spread.step)}")
        if spread.spikes:
            parts.append(f"often {_listed(map(self.shown, spread.spikes))}")
        if self.markers:
            parts.append(f"or {_listed(map(quoted, self.markers))}")
        if self.blank:
            parts.append("or blank")
        return ", ".join(parts)

    def _range(self) -> str:
        least, greatest = self.spread.least, self.spread.greatest
        if np.isinf(least) and np.isinf(greatest):
            return f"about {self.shown(self.spread.typical)}"
        if np.isinf(greatest):
            return f"from {self.shown(least)}"
        return (
            f"up to {self.shown(greatest)}"
            if np.isinf(least)
            else f"{self.shown(least)} to {self.shown(greatest)}"
        )

    def _step_text(self, step: float) -> str:
        return f"{step:.15g}"


def _listed(texts: Any) -> str:
    listed = list(texts)
    more = ", ..." if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def spread_offsets(
    markers: tuple[Cell, ...], numbers: NDArray[np.float64], cells: list[Any]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Numbers and marks of distinct cells: those that are markers are no numbers.

    Args:
        markers: All markers.
        numbers: The cells as numbers, (M,).
        cells: The cells.
    """
    places = {(type(marker), marker): place for place, marker in enumerate(markers)}
    marks = np.array([places.get((type(cell), cell), -1) for cell in cells], np.int64)
    return np.where(marks >= 0, np.nan, numbers), marks
