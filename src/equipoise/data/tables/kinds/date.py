"""Dates and times: in pandas' types, as objects, in text, and as numbers like
20240131."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.clock import NAMES, Clock, clock_of
from equipoise.data.tables.date_text import DateText
from equipoise.data.tables.dates import FoundDates, dates_in_text, find_dates, text_of
from equipoise.data.tables.few import takes_few_values
from equipoise.data.tables.instants import from_instants, instants_of, object_cells
from equipoise.data.tables.markers import MARKED
from equipoise.data.tables.notes import Topic, quoted, some_of
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.spread_column import Offsets, SpreadColumn
from equipoise.data.tables.spread_fit import asked_of, fit_spread
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
    missing: tuple[str | int | float, ...] = ()
    """Cells that mean nothing: "-", "0000-00-00"."""


@register
@dataclass(frozen=True)
class DateColumn(SpreadColumn):
    """A column of dates or times. The raw number counts the column's own units."""

    kind = "date"
    position = 30
    options: ClassVar[type[Options]] = DateOptions
    cell_kind = "date"

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
        return found is not None and not takes_few_values(found.dates, found.counts)

    @classmethod
    def learn(cls, profile: Profile, options: DateOptions) -> DateColumn:
        if options.format is None:
            found = profile.once(find_dates)
        else:
            found = dates_in_text(profile, options.format)
        if found is None:
            raise RequestError(f"is not of dates: {profile.held}; text is, if you give its format")
        clock = clock_of(found.dates, _period_of(profile.fed.dtype))
        values = clock.numbers(found.dates)
        column = cls(
            name=profile.name,
            dtype=profile.user_dtype(object_cells(profile.series)),
            spread=fit_spread(
                values, found.counts, 1.0, asked_of(options, clock.read), clock.shown
            ),
            markers=found.markers,
            blank=profile.blanks > 0,
            clock=clock,
            wall=found.wall,
            text=found.text,
        )
        _note(profile, found)
        return column

    @property
    def is_text(self) -> bool:
        return self.text is not None

    @property
    def unit(self) -> float:
        return 1.0

    def is_valid(self) -> bool:
        text = self.text is None or self.text.is_valid
        bounded = self.spread.low is not None and self.spread.high is not None
        return super().is_valid() and self.clock.is_valid and text and bounded

    def typed_numbers(
        self, series: pd.Series[Any], blank: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return self.clock.numbers(instants_of(series, self.wall)), np.full(len(series), -1)

    def typed_cells(self, offsets: Offsets) -> Any:
        dates = self.clock.dates(np.where(offsets.blank, np.nan, offsets.numbers))
        return from_instants(dates, self.dtype, self.wall)

    def parsed(self, cells: list[Any]) -> NDArray[np.float64]:
        if self.text is None:
            return np.full(len(cells), np.nan)
        return self.clock.numbers(self.text.parse([*map(text_of, cells)]))

    def written(self, numbers: NDArray[np.float64]) -> list[Any]:
        assert self.text is not None
        texts = self.text.write(self.clock.dates(numbers))
        return [*map(int, texts)] if self.dtype.is_number else texts

    def shown(self, number: float) -> str:
        return self.clock.shown(number)

    def setting(self, number: float) -> str:
        return self.clock.shown(number)

    def step_text(self, step: float) -> str:
        return f"{step:.10g} {NAMES[self.clock.unit]}"

    def summary(self) -> str:
        written = "" if self.text is None else f", as {quoted(self.text.format)}"
        return f"{super().summary()}{written}"

    def settings(self) -> dict[str, Any]:
        known = super().settings()
        return known if self.text is None else {"format": self.text.format, **known}


def _period_of(dtype: Any) -> str:
    """What pandas calls the unit of a type of periods; empty for other types."""
    name = str(dtype)
    return name.removeprefix("period[").removesuffix("]") if name.startswith("period[") else ""


def _note(profile: Profile, found: FoundDates) -> None:
    """Tell what the user should know."""
    if found.words:
        profile.note(MARKED, found.words, {"kind": "category"})
    if found.other and found.text is not None:
        read = f"{some_of(profile.candidates, 1)} as {found.text.format}"
        profile.note(AMBIGUOUS, read, {"format": found.other})
