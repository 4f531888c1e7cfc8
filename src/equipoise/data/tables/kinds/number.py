"""Numbers: real, decimal and whole ones, in types of numbers and in text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.dtypes import UserDtype
from equipoise.data.tables.few import takes_few_values
from equipoise.data.tables.markers import MARKED, looks_like_sentinel
from equipoise.data.tables.notes import Topic, rows_text, some_of
from equipoise.data.tables.number_text import NumberText
from equipoise.data.tables.numbers import (
    FoundNumbers,
    are_codes,
    as_numbers,
    decimals_of,
    find_numbers,
    rounded,
)
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import cell_kind, distinct, numbers_of, plain
from equipoise.data.tables.spread_column import Offsets, SpreadColumn, spread_offsets
from equipoise.data.tables.spread_fit import Asked, as_number, fit_spread
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

MAX_EXACT = 2**53  # up to here float64 has every whole number

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
    spikes: tuple[float, ...] | None = None
    """Values that are points of their own beside the others."""
    missing: tuple[str | float, ...] = ()
    """Values that mean nothing: -999, "?"."""


@register
@dataclass(frozen=True)
class NumberColumn(SpreadColumn):
    """A column of numbers."""

    kind = "number"
    position = 50
    options = NumberOptions

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
        if found is None or not np.isfinite(found.numbers).any():
            return False
        if profile.cells == "text" and are_codes(found):
            return False
        return not takes_few_values(*np.unique(found.numbers, return_counts=True))

    @classmethod
    def learn(cls, profile: Profile, options: NumberOptions) -> NumberColumn:
        found = profile.once(find_numbers)
        if found is None or not len(found.numbers):
            raise RequestError(f"is not of numbers: {_first_word(profile)}")
        origin = _origin_of(found.numbers)
        offsets = _offsets(found.numbers, origin)
        decimals = _decimals_asked(options, np.unique(offsets), profile)
        offsets = rounded(offsets, decimals)
        asked = Asked(
            None if options.minimum is None else float(options.minimum - origin),
            None if options.maximum is None else float(options.maximum - origin),
            None
            if options.spikes is None
            else tuple(float(spike - origin) for spike in options.spikes),
            options.step,
            options.levels,
        )
        spread = fit_spread(offsets, None if decimals is None else 10.0**decimals, asked, as_number)
        column = cls(
            name=profile.name,
            dtype=profile.user_dtype(found.cells),
            spread=spread,
            markers=found.markers,
            blank=profile.blanks > 0,
            decimals=decimals,
            origin=origin,
            text=found.text,
        )
        _note(profile, column, found, offsets)
        return column

    @property
    def label(self) -> str:
        return "integer" if self.decimals == 0 else "number"

    @property
    def is_plain(self) -> bool:
        """Whether the raw number is all there is: floats of NumPy without decimals,
        bounds or points of their own."""
        unbounded = self.spread.low is None and self.spread.high is None
        free = self.decimals is None and not self.spread.levels and self.states == 1
        return free and unbounded and self.dtype.name in ("float16", "float32", "float64")

    def is_valid(self) -> bool:
        text = self.text is None or self.text.is_valid
        whole = not self.dtype.is_integer or np.isfinite(self.spread.spikes).all()
        decimals = self.decimals is None or 0 <= self.decimals <= 15
        marks = self.text is not None or not self.dtype.is_integer or self._marks_are_numbers()
        return bool(super().is_valid() and text and whole and decimals and marks)

    def _marks_are_numbers(self) -> bool:
        return all(isinstance(mark, int | float) for mark in self.markers)

    def offsets(self, series: pd.Series[Any]) -> Offsets:
        series = plain(series)
        kind = cell_kind(series)
        blank = series.isna().to_numpy()
        none = np.full(len(series), -1, np.int64)
        if kind == "number":
            values = numbers_of(series, blank)
            blank = blank | np.isnan(values)
            numbers, marks = rounded(_offsets(values, self.origin), self.decimals), none
            for place, marker in enumerate(self.markers):
                marks = np.where(values == marker, place, marks)
            return Offsets(np.where((marks >= 0) | blank, np.nan, numbers), marks, blank)
        if kind not in ("text", "mixed"):
            return Offsets(np.full(len(series), np.nan), none, blank)
        found = distinct(series)
        cells = found.cells.tolist()
        read = rounded(as_numbers(cells, self.text), self.decimals)
        of_distinct, marked = spread_offsets(self.markers, read, cells)
        return Offsets(found.spread(of_distinct, np.nan), found.spread(marked, -1), blank)

    def cells(self, offsets: Offsets) -> Any:
        x, marks, blank = offsets
        x = rounded(x, self.decimals) + 0.0  # no negative zero
        marked = marks >= 0
        if self.text is not None or any(isinstance(marker, str) for marker in self.markers):
            return self._mixed(x, marks, blank)
        if not self.dtype.is_integer and self.dtype.cells != "int":
            points = np.array([0.0, *self.markers], np.float64)
            return self.dtype.numbers(np.where(marked, points[marks + 1], x), blank)
        signed = not self.dtype.name.lower().removeprefix("arrow:").startswith(("u", "sparse[u"))
        whole = _whole(x, self.origin, signed)
        for place, marker in enumerate(self.markers):
            whole[marks == place] = int(marker)  # type: ignore[call-overload]
        return self.dtype.numbers(whole, blank)

    def _mixed(
        self, x: NDArray[np.float64], marks: NDArray[np.int64], blank: NDArray[np.bool_]
    ) -> Any:
        """Cells of which some are text: all of them, or the markers among numbers."""
        values, index = np.unique(x, return_inverse=True)
        if self.text is not None:
            written: list[Any] = self.text.write(values, self.decimals)
        else:
            written = UserDtype("object", self.dtype.cells).numbers(
                values, np.zeros(len(values), bool)
            )
        known = np.empty(len(written) + len(self.markers), object)
        known[:] = [*written, *self.markers]
        cells = known[np.where(marks >= 0, len(written) + marks, index)]
        cells[blank] = None
        return self.dtype.array(cells)

    def shown(self, number: float) -> str:
        if np.isinf(number):
            return str(number)
        value = round(number) + self.origin if self.origin else number
        return f"{value:,}" if self.decimals == 0 and self.origin else f"{value:,.10g}"

    def settings(self) -> dict[str, Any]:
        spread = self.spread
        return {
            "minimum": self._user(spread.least),
            "maximum": self._user(spread.greatest),
            **({} if self.decimals == 0 else {"decimals": self.decimals or "all"}),
            **({} if self.decimals is None else {"step": self._step()}),
            "levels": bool(spread.levels),
            "spikes": [self._user(spike) for spike in spread.spikes],
            **({"missing": list(self.markers)} if self.markers else {}),
        }

    def _step(self) -> int | float:
        """What numbers are multiples of, their last digit if of nothing more."""
        step = self.spread.step or 10.0 ** -(self.decimals or 0)
        return int(step) if step.is_integer() else step

    def _user(self, number: float) -> int | float:
        """A raw number in the user's units."""
        if np.isinf(number) or self.decimals != 0 or abs(number) >= 2**63:
            return number
        return round(number) + self.origin


def _origin_of(numbers: NDArray[Any]) -> int:
    """Where to count from so that floats have every number."""
    if numbers.dtype.kind not in "iu" or not len(numbers):
        return 0
    low, high = int(numbers.min()), int(numbers.max())
    if max(abs(low), abs(high)) <= MAX_EXACT or high - low >= 2**63:
        return 0
    return min(low, 2**63)


def _offsets(numbers: NDArray[Any], origin: int) -> NDArray[np.float64]:
    """The distances from the origin, exact where floats have them."""
    if numbers.dtype.kind not in "iu" or origin == 0:
        return numbers.astype(np.float64)
    # In the arithmetic modulo 2**64, where no difference of two of them overflows.
    start = np.uint64(origin % 2**64)
    bits = numbers.astype(np.uint64)
    above = numbers >= np.array(origin, numbers.dtype)
    return np.where(above, (bits - start).astype(np.float64), -(start - bits).astype(np.float64))


def _whole(offsets: NDArray[np.float64], origin: int, signed: bool) -> NDArray[Any]:
    """The whole numbers at these distances from the origin, int64 or uint64."""
    limit = float(2**63 - 1024)
    if origin == 0:
        within = np.rint(offsets.clip(-limit if signed else 0, limit))
        return within.astype(np.int64 if signed else np.uint64)
    far = np.rint(offsets.clip(-limit, limit))
    distance = np.abs(far).astype(np.uint64)
    start = np.uint64(origin % 2**64)
    bits = np.where(far < 0, start - distance, start + distance)
    return bits.astype(np.int64 if signed else np.uint64)


def _decimals_asked(
    options: NumberOptions, values: NDArray[np.float64], profile: Profile
) -> int | None:
    """The decimals that the user gives, or those of the distinct values."""
    if options.decimals == "all":
        return None
    if options.decimals is not None:
        if not 0 <= options.decimals <= 15:
            raise RequestError(f"decimals = {options.decimals}: must be from 0 to 15, or 'all'")
        return options.decimals
    dtype = getattr(profile.series.dtype, "numpy_dtype", profile.series.dtype)
    small = isinstance(dtype, np.dtype) and dtype.kind == "f"
    return decimals_of(values, float(np.finfo(dtype).eps) if small else 2.0**-52)


def _first_word(profile: Profile) -> str:
    """The message's part about what a column holds instead of numbers."""
    if profile.cells not in ("text", "mixed"):
        return f"its type is {profile.fed.dtype}"
    return f"it holds {some_of(profile.listed)}"


def _note(
    profile: Profile, column: NumberColumn, found: FoundNumbers, offsets: NDArray[np.float64]
) -> None:
    """Tell what the user should know."""
    spread = column.spread
    if found.words:
        profile.note(MARKED, found.words, {"kind": "category"})
    elif found.text is not None and not profile.markers:
        profile.note(AS_TEXT, some_of(profile.listed, 1), {"kind": "category"})
    infinite = [spike for spike in spread.spikes if np.isinf(spike)]
    if infinite:
        rows = rows_text(int(np.isinf(offsets).sum()))
        profile.note(INFINITE, rows, {"missing": infinite})
    others = offsets[~np.isin(offsets, spread.spikes)]
    for spike in spread.spikes:
        if np.isfinite(spike) and looks_like_sentinel(spike, others):
            rows = rows_text(int((offsets == spike).sum()))
            shown = f"{column.shown(spike)} in {rows}, others {_ends(column, others)}"
            profile.note(SUSPECTED, shown, {"missing": [column._user(spike)]})
    if column.decimals == 0 and spread.greatest - spread.least > MAX_EXACT:
        profile.note(ROUNDED, "")


def _ends(column: NumberColumn, others: NDArray[np.float64]) -> str:
    return f"{column.shown(float(others.min()))} to {column.shown(float(others.max()))}"
