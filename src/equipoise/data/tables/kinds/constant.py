"""Columns in which all cells are the same: they have nothing to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, Options, Reading, Rows, register
from equipoise.data.tables.cells import Cell, is_storable
from equipoise.data.tables.notes import Topic, quoted
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import cell_kind, distinct, plain
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

CONSTANT = Topic(
    "nothing is learned of columns that are the same in all rows, and come back so", ""
)


@register
@dataclass(frozen=True)
class ConstantColumn(Column):
    """A column of one value, or of blanks alone."""

    kind = "constant"
    position = 10
    options = Options

    value: Cell
    """None for a column of blanks."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        if profile.cells == "other":
            return False
        return profile.values + len(profile.markers) + (profile.blanks > 0) == 1

    @classmethod
    def learn(cls, profile: Profile, options: Options) -> ConstantColumn:
        if not cls.claims(profile):
            count = "several" if profile.cells == "other" else f"{profile.values:,}"
            raise RequestError(f"is not constant: it has {count} values, and perhaps blanks")
        value: Cell = None
        if profile.blanks == 0:
            (value,) = distinct(profile.series).cells.tolist()
        if not is_storable(value):
            raise RequestError(f"cells of type {type(value).__name__} cannot be kept")
        profile.note(CONSTANT, "blank" if value is None else quoted(value, 20))
        return cls(name=profile.name, dtype=profile.user_dtype(), value=value)

    @property
    def states(self) -> int:
        return 1

    def is_valid(self) -> bool:
        return self.value is not None or self.dtype.holds_blanks

    def read(self, series: pd.Series[Any]) -> Reading:
        series = plain(series)
        if self.value is None or cell_kind(series) == "other":
            return Reading(np.where(series.isna().to_numpy() & (self.value is None), 0, -1))
        found = distinct(series)
        same = [0 if cell == self.value else -1 for cell in found.cells.tolist()]
        return Reading(found.spread(np.array(same, np.int64), -1))

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        return self.dtype.array([self.value]).take(np.zeros(len(codes), np.int64))

    def summary(self) -> str:
        return "blank" if self.value is None else quoted(self.value)

    def settings(self) -> dict[str, Any]:
        return {}
