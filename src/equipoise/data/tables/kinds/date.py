"""Dates and times: in pandas' types, as objects, in text, and as numbers like
20240131."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.clock import NAMES, Clock, clock_of
from equipoise.data.tables.date_text import DateText
from equipoise.data.tables.dates import DIGITS, dates_in_text, find_dates, text_of
from equipoise.data.tables.instants import from_instants, instants_of, object_cells
from equipoise.data.tables.markers import MARKED
from equipoise.data.tables.notes import Topic, quoted, some_of
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import cell_kind, distinct, plain
from equipoise.data.tables.spread_column import Offsets, SpreadColumn, spread_offsets
from equipoise.data.tables.spread_fit import Asked, fit_spread
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

AMBIGUOUS = Topic("dates can be read in two ways, in", "for the other")


@dataclass(frozen=True)
class DateOptions(Options):
    """What the user can say of a column of dates."""

    minimum: str | None = None
    """The first date that samples may have, such as "2024-01-31"."""
    maximum: str | None = None
    """The last one."""
    format: str | None = None
    """How text writes dates, as `strftime` has it: "%d.%m.%Y"."""
    step: float | None = None
    """What dates are whole multiples of, in the column's units."""
    levels: bool | None = None
    """Whether samples only have dates that the column holds."""
    spikes: tuple[str, ...] | None = None
    """Dates that are points of their own: "1970-01-01"."""
    missing: tuple[str | float, ...] = ()
    """Cells that mean nothing: "-", "0000-00-00"."""


@register
@dataclass(frozen=True)
class DateColumn(SpreadColumn):
    """A column of dates or times. The raw number counts the column's own units."""

    kind = "date"
    position = 30
    options = DateOptions

    clock: Clock
    """What the raw number counts, and from where."""
    wall: bool
    """Whether dates with a time zone are as its clocks show them. They are where that
    makes the unit coarser: midnights of a zone are no whole days of UTC in summer."""
    text: DateText | None
    """How dates are written, of a column of text or whole numbers."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        found = profile.once(find_dates)
        return found is not None and len(found.dates) > 0

    @classmethod
    def learn(cls, profile: Profile, options: DateOptions) -> DateColumn:
        if options.format is None:
            found = profile.once(find_dates)
        else:
            found = dates_in_text(profile, options.format)
        if found is None or not len(found.dates):
            held = profile.cells in ("text", "mixed")
            what = f"it holds {some_of(profile.listed)}; give its format"
            raise RequestError(f"is not of dates: {what if held else f'type {profile.fed.dtype}'}")
        dtype = profile.user_dtype(object_cells(profile.series))
        clock = clock_of(found.dates, _period_of(profile.fed.dtype))
        column = cls(
            name=profile.name,
            dtype=dtype,
            spread=fit_spread(clock.numbers(found.dates), 1.0, _asked(options, clock), clock.shown),
            markers=found.markers,
            blank=profile.blanks > 0,
            clock=clock,
            wall=found.wall,
            text=found.text,
        )
        if found.words:
            profile.note(MARKED, found.words, {"kind": "category"})
        if found.other and found.text is not None:
            read = f"as {found.text.format}: {some_of(profile.listed, 1)}"
            profile.note(AMBIGUOUS, read, {"format": found.other})
        return column

    def is_valid(self) -> bool:
        text = self.text is None or self.text.is_valid
        bounded = self.spread.low is not None and self.spread.high is not None
        return super().is_valid() and self.clock.is_valid and text and bounded

    def offsets(self, series: pd.Series[Any]) -> Offsets:
        series = plain(series)
        kind = cell_kind(series)
        blank = series.isna().to_numpy()
        none = np.full(len(series), -1, np.int64)
        if self.text is None and kind == "date":
            return Offsets(self.clock.numbers(instants_of(series, self.wall)), none, blank)
        if self.text is None or kind not in ("text", "number", "mixed"):
            return Offsets(np.full(len(series), np.nan), none, blank)
        found = distinct(series)
        cells = found.cells.tolist()
        numbers = self.clock.numbers(self.text.parse([*map(text_of, cells)]))
        of_distinct, marked = spread_offsets(self.markers, numbers, cells)
        return Offsets(found.spread(of_distinct, np.nan), found.spread(marked, -1), blank)

    def cells(self, offsets: Offsets) -> Any:
        x, marks, blank = offsets
        if self.text is None:
            dates = self.clock.dates(np.where(blank, np.nan, x))
            return from_instants(dates, self.dtype, self.wall)
        values, index = np.unique(x, return_inverse=True)
        written = self.text.write(self.clock.dates(values))
        if self.text.format == DIGITS and self.dtype.is_number:
            whole = np.array([int(text) for text in written], np.int64)[index]
            for place, marker in enumerate(self.markers):
                whole[marks == place] = int(marker)  # type: ignore[call-overload]
            return self.dtype.numbers(whole, blank)
        known = np.array([*written, *self.markers, None], object)
        places = np.where(marks >= 0, len(written) + marks, index)
        return self.dtype.array(known[np.where(blank, len(known) - 1, places)])

    def shown(self, number: float) -> str:
        return self.clock.shown(number)

    def summary(self) -> str:
        written = "" if self.text is None else f", as {quoted(self.text.format)}"
        return f"{super().summary()}{written}"

    def _step_text(self, step: float) -> str:
        return f"{step:.15g} {NAMES[self.clock.unit]}"

    def settings(self) -> dict[str, Any]:
        spread = self.spread
        shown: dict[str, Any] = {
            "minimum": self.shown(spread.least),
            "maximum": self.shown(spread.greatest),
            "step": spread.step or 1.0,
            "levels": bool(spread.levels),
            "spikes": [self.shown(spike) for spike in spread.spikes],
            **({"missing": list(self.markers)} if self.markers else {}),
        }
        return shown if self.text is None else {"format": self.text.format, **shown}


def _asked(options: DateOptions, clock: Clock) -> Asked:
    """What the user says of dates, in numbers."""
    read = clock.read
    return Asked(
        None if options.minimum is None else read("minimum", options.minimum),
        None if options.maximum is None else read("maximum", options.maximum),
        None if options.spikes is None else tuple(read("spikes", date) for date in options.spikes),
        options.step,
        options.levels,
    )


def _period_of(dtype: Any) -> str:
    """What pandas calls the unit of a type of periods; empty for other types."""
    name = str(dtype)
    return name.removeprefix("period[").removesuffix("]") if name.startswith("period[") else ""
