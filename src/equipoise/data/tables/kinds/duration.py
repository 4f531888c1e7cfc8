"""Spans of time: in pandas' types, as objects, and as text such as 07:30."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.cells import Cell
from equipoise.data.tables.clock import NAMES, SpanUnit, coarsest
from equipoise.data.tables.duration_text import DurationText, find_duration_text
from equipoise.data.tables.few import takes_few_values
from equipoise.data.tables.instants import from_spans, object_cells, spans_of
from equipoise.data.tables.markers import MARKED, words_among, words_text
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.spread_column import Offsets, SpreadColumn
from equipoise.data.tables.spread_fit import asked_of, fit_spread
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

LONGEST = float(2**62)  # units that NumPy counts


@dataclass(frozen=True)
class DurationOptions(Options):
    """What the user can say of a column of spans of time."""

    minimum: str | None = None
    """The shortest that samples may have, such as "90 min"."""
    maximum: str | None = None
    """The longest one."""
    step: float | None = None
    """What spans are whole multiples of, in the column's units."""
    levels: bool | None = None
    """Whether samples only have spans that the column holds."""
    spikes: tuple[str, ...] | None = None
    """Spans that are points of their own: "0 s"."""
    missing: tuple[str | int | float, ...] = ()
    """Cells that mean nothing."""


class FoundSpans(NamedTuple):
    """The spans of time of a column."""

    spans: NDArray[np.timedelta64]
    """The distinct ones, sorted, (M,)."""
    counts: NDArray[np.int64]
    """Rows of each, (M,)."""
    markers: tuple[Cell, ...] = ()
    text: DurationText | None = None
    words: str = ""
    """The markers that the user did not name, with their rows."""


@register
@dataclass(frozen=True)
class DurationColumn(SpreadColumn):
    """A column of spans of time, or of times of the day in text. The raw number counts
    units."""

    kind = "duration"
    position = 40
    options: ClassVar[type[Options]] = DurationOptions
    cell_kind = "span"

    unit_of_time: SpanUnit
    """The coarsest that has all of them."""
    text: DurationText | None
    """How they are written, of a column of text."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        found = profile.once(find_spans)
        return found is not None and not takes_few_values(found.spans, found.counts)

    @classmethod
    def learn(cls, profile: Profile, options: DurationOptions) -> DurationColumn:
        found = profile.once(find_spans)
        if found is None:
            raise RequestError(
                f"is not of spans of time: {profile.held}; text is, if written as 07:30:15"
            )
        unit = coarsest(found.spans)
        asked = asked_of(options, lambda name, span: _read(name, span, unit))
        spread = fit_spread(
            _numbers(found.spans, unit), found.counts, 1.0, asked, lambda x: _shown(x, unit)
        )
        if found.words:
            profile.note(MARKED, found.words, {"kind": "category"})
        return cls(
            name=profile.name,
            dtype=profile.user_dtype(object_cells(profile.series)),
            spread=spread,
            markers=found.markers,
            blank=profile.blanks > 0,
            unit_of_time=unit,
            text=found.text,
        )

    @property
    def is_text(self) -> bool:
        return self.text is not None

    @property
    def unit(self) -> float:
        return 1.0

    def is_valid(self) -> bool:
        bounded = self.spread.low is not None and self.spread.high is not None
        text = self.text is None or self.text.is_valid
        return super().is_valid() and bounded and text

    def typed_numbers(
        self, series: pd.Series[Any], blank: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return _numbers(spans_of(series), self.unit_of_time), np.full(len(series), -1)

    def typed_cells(self, offsets: Offsets) -> Any:
        numbers = np.where(offsets.blank, np.nan, offsets.numbers)
        return from_spans(_spans(numbers, self.unit_of_time), self.dtype)

    def parsed(self, cells: list[Any]) -> NDArray[np.float64]:
        if self.text is None:
            return np.full(len(cells), np.nan)
        texts = [cell if isinstance(cell, str) else "" for cell in cells]
        return _numbers(self.text.parse(texts), self.unit_of_time)

    def written(self, numbers: NDArray[np.float64]) -> list[Any]:
        assert self.text is not None
        return self.text.write(_spans(numbers, self.unit_of_time))

    def numbers(self, spans: NDArray[np.timedelta64]) -> NDArray[np.float64]:
        """Spans in the column's units, (N,), NaN for NaT."""
        return _numbers(spans, self.unit_of_time)

    def spans(self, numbers: NDArray[np.float64]) -> NDArray[np.timedelta64]:
        """The nearest spans of whole units, (N,), NaT for NaN."""
        return _spans(numbers, self.unit_of_time)

    def shown(self, number: float) -> str:
        return _shown(number, self.unit_of_time)

    def setting(self, number: float) -> str:
        return _shown(number, self.unit_of_time)

    def step_text(self, step: float) -> str:
        return f"{step:.10g} {NAMES[self.unit_of_time]}"


def find_spans(profile: Profile) -> FoundSpans | None:
    """The spans of time of a column; None if it is not one of them, or has none."""
    if profile.cells == "span":
        spans = spans_of(profile.series[~profile.blank])
        return FoundSpans(*np.unique(spans, return_counts=True)) if len(spans) else None
    if profile.cells != "text":
        return None
    text = find_duration_text(profile.candidates)
    if text is None:
        return None
    spans = text.parse(profile.listed)
    wrong = np.isnat(spans)
    cells, counts = profile.unique
    words = words_among(cells, counts, wrong)
    if words is None:
        return None
    distinct, index = np.unique(spans[~wrong], return_inverse=True)
    rows = np.bincount(index, counts[~wrong]).astype(np.int64)
    return FoundSpans(distinct, rows, (*profile.markers, *words), text, words_text(words))


def _numbers(spans: NDArray[np.timedelta64], unit: SpanUnit) -> NDArray[np.float64]:
    """Spans in units, NaN for NaT."""
    return np.where(np.isnat(spans), np.nan, spans / np.array(1, f"m8[{unit}]"))


def _spans(numbers: NDArray[np.float64], unit: SpanUnit) -> NDArray[np.timedelta64]:
    """The nearest spans of whole units, NaT for NaN."""
    blank = np.isnan(numbers)
    counts = np.rint(np.where(blank, 0, numbers).clip(-LONGEST, LONGEST)).astype(np.int64)
    return np.where(blank, np.timedelta64("NaT"), counts.view(f"m8[{unit}]"))


def _shown(number: float, unit: SpanUnit) -> str:
    import pandas as pd

    (span,) = _spans(np.array([number]), unit)
    return str(pd.Timedelta(span))


def _read(name: str, asked: str, unit: SpanUnit) -> float:
    """The number of a span that the user gives.

    Raises:
        RequestError: If it is none.
    """
    import pandas as pd

    try:
        return float(_numbers(np.array([pd.Timedelta(asked).to_timedelta64()]), unit)[0])
    except ValueError:
        raise RequestError(f"{name} = {asked!r}: must be a span of time, as '90 min'") from None
