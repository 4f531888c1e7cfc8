"""Numbers: real, decimal and whole ones, in types of numbers and in text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.dtypes import UserDtype
from equipoise.data.tables.few import takes_few_values
from equipoise.data.tables.markers import MARKED, looks_like_sentinel
from equipoise.data.tables.notes import Topic, rows_text, some_of
from equipoise.data.tables.number_text import NumberText
from equipoise.data.tables.numbers import (
    are_codes,
    as_numbers,
    decimals_of,
    find_numbers,
    rounded,
)
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import numbers_of
from equipoise.data.tables.spread_column import Offsets, SpreadColumn
from equipoise.data.tables.spread_fit import asked_of, fit_spread
from equipoise.data.tables.whole import MAX_EXACT, counted_from, origin_of, whole_from
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

MOST_DECIMALS = 15  # that float64 has

SUSPECTED = Topic(
    "a number that may stand for a missing value is learned as it is, apart from the others, in",
    "if it means missing",
)
INFINITE = Topic(
    "infinity is a value of its own, which comes back as it is, in", "if it means missing"
)
ROUNDED = Topic("whole numbers are kept to 16 digits, as floats have them, in", "")
AS_TEXT = Topic("text is read as numbers, which come back as text, in", "to learn categories")


@dataclass(frozen=True)
class NumberOptions(Options):
    """What the user can say of a column of numbers."""

    minimum: int | float | None = None
    """The least value that samples may have; -inf for any."""
    maximum: int | float | None = None
    """The greatest one; inf for any."""
    decimals: int | Literal["all"] | None = None
    """How many samples are rounded to; "all" for real numbers."""
    step: float | None = None
    """What values are whole multiples of."""
    levels: bool | None = None
    """Whether samples only have values that the column holds."""
    spikes: tuple[int | float, ...] | None = None
    """Values that are points of their own beside the others."""
    missing: tuple[str | int | float, ...] = ()
    """Values that mean nothing: -999, "?"."""


@register
@dataclass(frozen=True)
class NumberColumn(SpreadColumn):
    """A column of numbers."""

    kind = "number"
    position = 50
    options: ClassVar[type[Options]] = NumberOptions
    cell_kind = "number"

    decimals: int | None
    """What samples are rounded to; None for real numbers."""
    origin: int
    """What the raw number is counted from: 0, unless whole numbers are so large that
    floats do not have them all."""
    text: NumberText | None
    """How numbers are written, of a column of text."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        found = profile.once(find_numbers)
        if found is None or not np.isfinite(found.values).any():
            return False
        if profile.cells == "text" and are_codes(found):
            return False
        return not takes_few_values(found.values, found.counts)

    @classmethod
    def learn(cls, profile: Profile, options: NumberOptions) -> NumberColumn:
        found = profile.once(find_numbers)
        if found is None:
            raise RequestError(f"is not of numbers: {profile.held}")
        origin = origin_of(found.values)
        offsets = counted_from(found.values, origin)
        decimals = _decimals(profile, options, offsets)
        # Numbers that rounding makes equal are counted together.
        values, index = np.unique(rounded(offsets, decimals) + 0.0, return_inverse=True)
        counts = np.bincount(index, found.counts).astype(np.int64)
        asked = asked_of(options, lambda _, number: float(number - origin))
        scale = None if decimals is None else 10.0**decimals
        column = cls(
            name=profile.name,
            dtype=profile.user_dtype(found.cells),
            spread=fit_spread(values, counts, scale, asked, lambda x: f"{x + origin:.15g}"),
            markers=found.markers,
            blank=profile.blanks > 0,
            decimals=decimals,
            origin=origin,
            text=found.text,
        )
        _note(profile, column, found.words, values, counts)
        return column

    @property
    def label(self) -> str:
        return "integer" if self.decimals == 0 else "number"

    @property
    def is_text(self) -> bool:
        return self.text is not None

    @property
    def unit(self) -> float | None:
        return None if self.decimals is None else 10.0**-self.decimals

    def is_valid(self) -> bool:
        text = self.text is None or self.text.is_valid
        whole = self.dtype.is_integer and not self.is_text
        finite = not whole or all(map(math.isfinite, self.spread.spikes))
        marks = not whole or all(isinstance(mark, int | float) for mark in self.markers)
        decimals = self.decimals is None or 0 <= self.decimals <= MOST_DECIMALS
        return super().is_valid() and text and finite and marks and decimals

    def typed_numbers(
        self, series: pd.Series[Any], blank: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        values = numbers_of(series, blank)
        marks = np.full(len(values), -1, np.int64)
        for place, marker in enumerate(self.markers):
            marks[values == marker] = place
        numbers = rounded(counted_from(values, self.origin), self.decimals)
        return np.where((marks >= 0) | blank, np.nan, numbers), marks

    def typed_cells(self, offsets: Offsets) -> Any:
        x, marks, blank = offsets
        x = rounded(x, self.decimals) + 0.0  # no negative zero
        if not self.dtype.is_integer and self.dtype.cells != "int":
            points = np.array([0.0, *self.markers], np.float64)
            return self.dtype.numbers(np.where(marks >= 0, points[marks + 1], x), blank)
        whole = whole_from(x, self.origin, signed=self.dtype.is_signed)
        for place, marker in enumerate(self.markers):
            assert isinstance(marker, int | float)
            whole[marks == place] = int(marker)
        return self.dtype.numbers(whole, blank)

    def parsed(self, cells: list[Any]) -> NDArray[np.float64]:
        return rounded(as_numbers(cells, self.text), self.decimals)

    def written(self, numbers: NDArray[np.float64]) -> list[Any]:
        x = np.where(np.isfinite(numbers), rounded(numbers, self.decimals) + 0.0, numbers)
        if self.text is not None:
            return self.text.write(x, self.decimals)
        none = np.zeros(len(x), bool)
        cells: list[Any] = UserDtype("object", self.dtype.cells).numbers(x, none).tolist()
        return cells

    def shown(self, number: float) -> str:
        if math.isinf(number):
            return str(number)
        if self.origin:
            return f"{round(number) + self.origin:,}"
        return f"{number:,.10g}"

    def setting(self, number: float) -> int | float:
        if math.isinf(number) or self.decimals != 0 or abs(number) >= 2**63:
            return number
        return round(number) + self.origin

    def settings(self) -> dict[str, Any]:
        known = super().settings()
        return known if self.decimals == 0 else {"decimals": self.decimals or "all", **known}


def _decimals(profile: Profile, options: NumberOptions, values: NDArray[np.float64]) -> int | None:
    """The decimals that the user gives, or those of the distinct values."""
    if options.decimals == "all":
        return None
    if options.decimals is not None:
        if not 0 <= options.decimals <= MOST_DECIMALS:
            raise RequestError(
                f"decimals = {options.decimals}: must be from 0 to {MOST_DECIMALS}, or 'all'"
            )
        return options.decimals
    dtype = getattr(profile.series.dtype, "numpy_dtype", profile.series.dtype)
    is_float = isinstance(dtype, np.dtype) and dtype.kind == "f"
    return decimals_of(values, float(np.finfo(dtype if is_float else np.float64).eps))


def _note(
    profile: Profile,
    column: NumberColumn,
    words: str,
    values: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Tell what the user should know of the distinct values."""
    spread = column.spread
    if words:
        profile.note(MARKED, words, {"kind": "category"})
    elif column.is_text and not profile.markers:
        profile.note(AS_TEXT, some_of(profile.listed, 1), {"kind": "category"})
    others = values[~np.isin(values, spread.spikes)]
    ends = [column.shown(float(end)) for end in (others[0], others[-1])]
    for spike in spread.spikes:
        rows = rows_text(int(counts[values == spike].sum()))
        override = {"missing": [column.setting(spike)]}
        if math.isinf(spike):
            profile.note(INFINITE, rows, override)
        elif looks_like_sentinel(spike, others):
            shown = f"{column.shown(spike)} in {rows}, others {ends[0]} to {ends[1]}"
            profile.note(SUSPECTED, shown, override)
    if column.decimals == 0 and spread.greatest - spread.least > MAX_EXACT:
        profile.note(ROUNDED, "")
