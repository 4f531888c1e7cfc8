"""Columns that are left out: free text, and what no table of numbers can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, Options, Reading, Rows, register
from equipoise.data.tables.dtypes import UserDtype
from equipoise.data.tables.notes import Topic, some_of
from equipoise.data.tables.profile import Profile

if TYPE_CHECKING:
    import pandas as pd

# Text is free where nearly every cell is another, or half of them are, and long.
MIN_TEXTS = 20  # distinct ones; fewer are categories, whatever they are
NEARLY_ALL, HALF = 0.9, 0.5
LONG = 40  # characters on average

FREE_TEXT = Topic(
    "samples are without columns of free text, where nearly every cell is another",
    "to learn these very texts as categories",
)
OBJECTS = Topic(
    "samples are without columns whose cells are neither text, numbers nor dates; make columns "
    "of their parts, or text by astype(str), of",
    "",
)


@register
@dataclass(frozen=True)
class IgnoredColumn(Column):
    """A column that is not learned, and that samples do not have."""

    kind = "ignore"
    position = 60
    options = Options

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        if profile.cells == "other":
            return True
        return profile.cells in ("text", "mixed") and is_free_text(profile)

    @classmethod
    def learn(cls, profile: Profile, options: Options) -> IgnoredColumn:
        if profile.cells == "other":
            profile.note(OBJECTS, f"cells of type {_type_of_cells(profile)}")
        elif cls.claims(profile):
            first = some_of(profile.listed, 1)
            profile.note(FREE_TEXT, first, {"kind": "category"})
        return cls(name=profile.name, dtype=UserDtype("object", blank="None"))

    @property
    def kept(self) -> bool:
        return False

    @property
    def states(self) -> int:
        return 1

    def read(self, series: pd.Series[Any]) -> Reading:
        return Reading(np.zeros(len(series), np.int64))

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        return self.dtype.array([None] * len(codes))

    def summary(self) -> str:
        return "left out"

    def settings(self) -> dict[str, Any]:
        return {}


def is_free_text(profile: Profile) -> bool:
    """Whether the texts of a column are too many to be categories."""
    cells, counts = profile.unique
    if len(cells) < MIN_TEXTS:
        return False
    share = len(cells) / counts.sum()
    length = float(np.mean([len(str(cell)) for cell in cells.tolist()]))
    return bool(share >= NEARLY_ALL or (share >= HALF and length >= LONG))


def _type_of_cells(profile: Profile) -> str:
    """The type of the first cell that is not blank."""
    return type(profile.series[~profile.blank].iloc[0]).__name__
