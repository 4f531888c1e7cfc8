"""Spans of time: in pandas' types, as objects, and as text such as 07:30."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Options, register
from equipoise.data.tables.cells import Cell
from equipoise.data.tables.clock import NAMES, SpanUnit, coarsest
from equipoise.data.tables.duration_text import DurationText, find_duration_text
from equipoise.data.tables.instants import from_spans, object_cells, spans_of
from equipoise.data.tables.markers import MARKED, words_among, words_text
from equipoise.data.tables.notes import some_of
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import cell_kind, distinct, plain
from equipoise.data.tables.spread_column import Offsets, SpreadColumn, spread_offsets
from equipoise.data.tables.spread_fit import Asked, fit_spread
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
    missing: tuple[str | float, ...] = ()
    """Cells that mean nothing."""


class Found(NamedTuple):
    """The spans of time of a column."""

    spans: NDArray[np.timedelta64]
    """Those of all rows that hold one, (n,)."""
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
    options = DurationOptions

    unit: SpanUnit
    """The coarsest that has all of them."""
    text: DurationText | None
    """How they are written, of a column of text."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        found = profile.once(find_spans)
        return found is not None and len(found.spans) > 0

    @classmethod
    def learn(cls, profile: Profile, options: DurationOptions) -> DurationColumn:
        found = profile.once(find_spans)
        if found is None or not len(found.spans):
            held = profile.cells in ("text", "mixed")
            what = f"it holds {some_of(profile.listed)}; such as 07:30 or 07:30:15 are"
            raise RequestError(f"is not of spans: {what if held else f'type {profile.fed.dtype}'}")
        unit = coarsest(found.spans)
        numbers = _numbers(found.spans, unit)
        spread = fit_spread(numbers, 1.0, _asked(options, unit), lambda x: _shown(x, unit))
        if found.words:
            profile.note(MARKED, found.words, {"kind": "category"})
        return cls(
            name=profile.name,
            dtype=profile.user_dtype(object_cells(profile.series)),
            spread=spread,
            markers=found.markers,
            blank=profile.blanks > 0,
            unit=unit,
            text=found.text,
        )

    def is_valid(self) -> bool:
        bounded = self.spread.low is not None and self.spread.high is not None
        return super().is_valid() and bounded

    def offsets(self, series: pd.Series[Any]) -> Offsets:
        series = plain(series)
        kind = cell_kind(series)
        blank = series.isna().to_numpy()
        none = np.full(len(series), -1, np.int64)
        if self.text is None and kind == "span":
            return Offsets(_numbers(spans_of(series), self.unit), none, blank)
        if self.text is None or kind not in ("text", "mixed"):
            return Offsets(np.full(len(series), np.nan), none, blank)
        found = distinct(series)
        cells = found.cells.tolist()
        texts = [cell if isinstance(cell, str) else "" for cell in cells]
        numbers = _numbers(self.text.parse(texts), self.unit)
        of_distinct, marked = spread_offsets(self.markers, numbers, cells)
        return Offsets(found.spread(of_distinct, np.nan), found.spread(marked, -1), blank)

    def cells(self, offsets: Offsets) -> Any:
        x, marks, blank = offsets
        if self.text is None:
            return from_spans(_spans(np.where(blank, np.nan, x), self.unit), self.dtype)
        values, index = np.unique(x, return_inverse=True)
        written = self.text.write(_spans(values, self.unit))
        known = np.array([*written, *self.markers, None], object)
        places = np.where(marks >= 0, len(written) + marks, index)
        return self.dtype.array(known[np.where(blank, len(known) - 1, places)])

    def shown(self, number: float) -> str:
        return _shown(number, self.unit)

    def _step_text(self, step: float) -> str:
        return f"{step:.15g} {NAMES[self.unit]}"

    def settings(self) -> dict[str, Any]:
        return {
            "minimum": self.shown(self.spread.least),
            "maximum": self.shown(self.spread.greatest),
            "step": self.spread.step or 1.0,
            "levels": bool(self.spread.levels),
            "spikes": [self.shown(spike) for spike in self.spread.spikes],
            **({"missing": list(self.markers)} if self.markers else {}),
        }


def find_spans(profile: Profile) -> Found | None:
    """The spans of time of a column; None if it is not one of them."""
    if profile.cells == "span":
        return Found(spans_of(profile.series[~profile.blank]))
    if profile.cells != "text":
        return None
    cells, counts = profile.unique
    text = find_duration_text(profile.candidates)
    if text is None:
        return None
    spans = text.parse(profile.listed)
    wrong = np.isnat(spans)
    words = words_among(np.array(cells, object), counts, wrong)
    if words is None:
        return None
    shown = words_text(words) if words else ""
    kept = np.repeat(spans[~wrong], counts[~wrong])
    return Found(kept, (*profile.markers, *words), text, shown)


def _numbers(spans: NDArray[np.timedelta64], unit: SpanUnit) -> NDArray[np.float64]:
    """Spans in units, NaN for NaT."""
    return np.where(np.isnat(spans), np.nan, spans / np.timedelta64(1, unit))


def _spans(numbers: NDArray[np.float64], unit: SpanUnit) -> NDArray[np.timedelta64]:
    """The nearest spans of whole units, NaT for NaN."""
    blank = np.isnan(numbers)
    counts = np.rint(np.where(blank, 0, numbers).clip(-LONGEST, LONGEST)).astype(np.int64)
    return np.where(blank, np.timedelta64("NaT", unit), counts.view(f"m8[{unit}]"))


def _shown(number: float, unit: SpanUnit) -> str:
    import pandas as pd

    return str(pd.Timedelta(np.timedelta64(round(number), unit)))


def _asked(options: DurationOptions, unit: SpanUnit) -> Asked:
    """What the user says of spans, in numbers."""

    def read(name: str, asked: str) -> float:
        import pandas as pd

        try:
            return float(pd.Timedelta(asked).to_timedelta64() / np.timedelta64(1, unit))
        except ValueError:
            raise RequestError(f"{name} = {asked!r}: must be a span, such as '90 min'") from None

    return Asked(
        None if options.minimum is None else read("minimum", options.minimum),
        None if options.maximum is None else read("maximum", options.maximum),
        None if options.spikes is None else tuple(read("spikes", span) for span in options.spikes),
        options.step,
        options.levels,
    )
