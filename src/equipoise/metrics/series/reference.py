"""The reference of windows of series."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.windows import Series
from equipoise.metrics.reference import Array, Kind, PointReference

VALUE_COST = 500.0  # multiplications a value, 50 nanoseconds


class SeriesReference(PointReference):
    """Windows of series, in units of each channel's standard deviation.

    A prepared row, (D,), is laid out as `Series` lays it out: the length first where
    lengths differ, then the values step by step, about their channel's mean and over
    its standard deviation, and 0 after the end.

    Args:
        real: Held-out rows, (M, D), in the user's units.
        series: The form of the windows.
    """

    kind: ClassVar[Kind] = "series"

    def __init__(self, real: Array, series: Series) -> None:
        self.series = series
        values = series.values(real)[series.present(real)]
        self.means: Array = values.mean(0)
        spread = np.where(values.max(0) > values.min(0), values.std(0), 0.0)
        self.spreads: Array = np.where(spread > 0, spread, 1.0)
        super().__init__(self.prepare(real))
        self.n: int = len(real)
        self.cost: float = VALUE_COST * series.size
        self.description: str = f"{len(real):,} held-out windows"

    def prepare(self, x: Array) -> Array:
        scaled = (self.series.values(x) - self.means) / self.spreads
        scaled = np.where(self.series.present(x)[:, :, None], scaled, 0.0)
        return np.concatenate([x[:, : self.series.first], scaled.reshape(len(x), -1)], 1)

    def values(self, rows: Array) -> Array:
        """The values of prepared rows, (N, T, C), 0 after the end."""
        return np.asarray(self.series.values(rows))

    def present(self, rows: Array) -> NDArray[np.bool_]:
        """Which steps the windows of prepared rows have, (N, T)."""
        return self.series.present(rows)

    def with_changes(self, x: Array) -> Array:
        """Windows, (N, D) in the user's units, as a classifier is to see them: prepared
        rows, and the changes from step to step, which show how rough they are."""
        rows = self.prepare(x)
        values, present = self.values(rows), self.present(rows)
        changes = np.diff(values, axis=1) * present[:, 1:, None]
        return np.concatenate([rows, changes.reshape(len(rows), -1)], 1)
