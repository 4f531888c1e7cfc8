"""Which columns hold dates: those of such a type, and those of text or digits that can
be read as dates."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.cells import Cell
from equipoise.data.tables.clock import DateUnit, clock_of
from equipoise.data.tables.date_text import DateText, date_text_of, find_date_text
from equipoise.data.tables.instants import from_instants, instants_of
from equipoise.data.tables.markers import words_among, words_text
from equipoise.data.tables.profile import Profile

DIGITS = "%Y%m%d"
# Whole numbers are dates if so many distinct ones all are, as 20240131 is. Of the
# numbers between these two, one in 27 is.
MIN_DATES_OF_DIGITS, FIRST, LAST = 10, 19000101, 21001231


class FoundDates(NamedTuple):
    """The dates of a column."""

    dates: NDArray[np.datetime64]
    """The distinct ones, sorted, (M,)."""
    counts: NDArray[np.int64]
    """Rows of each, (M,)."""
    markers: tuple[Cell, ...] = ()
    text: DateText | None = None
    other: str = ""
    """A format that reads them as well."""
    words: str = ""
    """The markers that the user did not name, with their rows."""
    wall: bool = False
    """Whether they are as clocks of the column's time zone show them."""


def find_dates(profile: Profile) -> FoundDates | None:
    """The dates of a column; None if it is not one of dates, or has none."""
    if profile.cells == "date":
        return _dates_of_type(profile)
    if profile.cells == "text":
        return dates_in_text(profile)
    return _dates_of_digits(profile) if profile.cells == "number" else None


def _dates_of_type(profile: Profile) -> FoundDates | None:
    present = profile.series[~profile.blank]
    if not len(present):
        return None
    dates, counts = np.unique(instants_of(present, wall=False), return_counts=True)
    if getattr(present.dtype, "tz", None) is None:
        return FoundDates(dates, counts)
    shown = instants_of(present, wall=True)
    units = get_args(DateUnit)
    if units.index(clock_of(shown).unit) < units.index(clock_of(dates).unit):
        # Two hours of one name in autumn come back as the first.
        again = from_instants(shown, profile.user_dtype(), wall=True)
        if (again == profile.fed[~profile.blank].array).all():
            return FoundDates(*np.unique(shown, return_counts=True), wall=True)
    return FoundDates(dates, counts)


def dates_in_text(profile: Profile, asked: str = "") -> FoundDates | None:
    """The dates of a column of text; None if it is not one of dates.

    Args:
        profile: The column.
        asked: The user's format; empty for the one that is found.

    Raises:
        RequestError: If `asked` is no format of dates.
    """
    if profile.cells not in ("text", "number", "mixed"):
        return None
    texts = profile.listed if profile.cells == "text" else [*map(text_of, profile.listed)]
    if asked:
        text, other = date_text_of(asked, profile.candidates or texts), ""
    else:
        found = find_date_text(profile.candidates)
        if found is None:
            return None
        text, other = found
    dates = text.parse(texts)
    wrong = np.isnat(dates)
    cells, counts = profile.unique
    words = words_among(np.array(cells, object), counts, wrong)
    if words is None or (text.format == DIGITS and not asked and not _are_likely(texts)):
        return None
    distinct, index = np.unique(dates[~wrong], return_inverse=True)
    return FoundDates(
        distinct,
        np.bincount(index, counts[~wrong]).astype(np.int64),
        (*profile.markers, *words),
        text,
        other,
        words_text(words),
    )


def _dates_of_digits(profile: Profile) -> FoundDates | None:
    """The dates of whole numbers such as 20240131."""
    values, counts = profile.unique
    if len(values) < MIN_DATES_OF_DIGITS or not FIRST <= values[0] <= values[-1] <= LAST:
        return None
    text = DateText(DIGITS)
    dates = text.parse([*map(text_of, profile.listed)])
    return None if np.isnat(dates).any() else FoundDates(dates, counts, profile.markers, text)


def _are_likely(texts: list[str]) -> bool:
    """Whether eight digits are dates: enough distinct ones, of likely years."""
    digits = [int(text) for text in texts if text.isdecimal()]
    return len(digits) >= MIN_DATES_OF_DIGITS and FIRST <= min(digits) <= max(digits) <= LAST


def text_of(cell: Any) -> str:
    """A cell as text: 20240131.0, of a column with blanks, as 20240131."""
    if isinstance(cell, str):
        return cell
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
