"""Ids: one of its own for every row, of a form that shows it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.base import Column, Options, Reading, Rows, register
from equipoise.data.tables.id_forms import (
    MIN_IDS,
    UUID,
    Code,
    Serial,
    find_form,
    serial_of_numbers,
)
from equipoise.data.tables.notes import Topic, quoted, some_of
from equipoise.data.tables.numbers import find_numbers
from equipoise.data.tables.profile import Profile
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

# What people call columns of ids. A column of such a name need not count without gaps.
NAMES = re.compile(r"id|ids|uid|uuid|guid|key|pk|index|idx|rowid|rownum")
MIN_DIGITS = 9  # of numbers in text, all of one length, that are ids and no measures
MAX_EXACT = 2**53  # floats do not have all whole numbers beyond
NEARLY_ALL = 0.9  # of the addresses differ, as households share some

WIDER = "give it as int64"
ANEW = Topic(
    "ids are made anew, in the form that they have and none as in the table, in",
    "to learn it all the same",
)


@register
@dataclass(frozen=True)
class IdColumn(Column):
    """A column of ids, of which nothing is learned but where they are blank."""

    kind = "id"
    position = 45
    options = Options

    serial: Serial | None
    """How they count up; None for codes."""
    code: Code | None
    blank: bool
    """Whether cells can be blank."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        if profile.missing or profile.cells not in ("number", "text"):
            return False
        cells, counts = profile.unique
        if len(cells) < 2 or len(cells) < NEARLY_ALL * counts.sum():
            return False
        if profile.cells == "number":
            return counts.max() == 1 and _count_up(profile, cells)
        first = cells[0]
        if len(cells) < MIN_IDS and not UUID.fullmatch(first):
            return False
        form = profile.once(_form_of)
        if form is None:
            return False
        if UUID.fullmatch(first) or "@" in first:
            return True
        return bool(counts.max() == 1) and _form_shows(profile, form)

    @classmethod
    def learn(cls, profile: Profile, options: Options) -> IdColumn:
        form: Serial | Code | None = None
        values = _whole(profile)
        if values is not None and len(values):
            form = serial_of_numbers(values)
        elif profile.cells == "text":
            form = profile.once(_form_of)
        if form is None:
            raise RequestError(
                "has no form of ids that are known (whole numbers, C-00012, UUIDs, codes of one "
                f"length, e-mail addresses): {profile.held}"
            )
        dtype = profile.user_dtype("int" if profile.cells == "number" else "")
        room: float = math.inf
        if dtype.is_integer and isinstance(form, Serial):
            room = dtype.greatest - form.first
        if room < profile.rows:
            raise RequestError(f"has type {dtype.name}, in which no new ids are left: {WIDER}")
        if cls.claims(profile):
            kind = "number" if profile.cells == "number" else "category"
            profile.note(ANEW, some_of(profile.listed, 1), {"kind": kind})
        return cls(
            name=profile.name,
            dtype=dtype,
            serial=form if isinstance(form, Serial) else None,
            code=form if isinstance(form, Code) else None,
            blank=profile.blanks > 0,
        )

    @property
    def states(self) -> int:
        return 1 + self.blank

    def is_valid(self) -> bool:
        forms = [form for form in (self.serial, self.code) if form is not None]
        return len(forms) == 1 and forms[0].is_valid and (not self.blank or self.dtype.holds_blanks)

    def read(self, series: pd.Series[Any]) -> Reading:
        blank = series.isna().to_numpy()
        return Reading(np.where(blank, 1 if self.blank else -1, 0))

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        places = rows.start + np.arange(len(codes), dtype=np.int64)
        blank = codes == 1
        if self.dtype.is_number or self.dtype.cells == "int":
            return self._numbers(places, blank)
        if self.serial is not None:
            texts: list[Any] = self.serial.texts(places)
        else:
            assert self.code is not None
            texts = self.code.texts(places, rows.seed)
        known = np.array([*texts, None], object)
        return self.dtype.array(known[np.where(blank, len(texts), np.arange(len(texts)))])

    def _numbers(self, places: NDArray[np.int64], blank: NDArray[np.bool_]) -> Any:
        assert self.serial is not None
        numbers = self.serial.numbers(places)
        if len(numbers) and self.dtype.is_integer and int(numbers[-1]) > self.dtype.greatest:
            raise RequestError(
                f"column {quoted(self.name)} has type {self.dtype.name}, in which no new ids are "
                f"left: {WIDER}, or make fewer rows"
            )
        return self.dtype.numbers(numbers, blank)

    def summary(self) -> str:
        form = self.serial.texts(np.zeros(1, np.int64)) if self.serial else None
        shown = form or (self.code.texts(np.zeros(1, np.int64), 0) if self.code else [])
        return f"made anew, as {some_of(shown)}{', or blank' if self.blank else ''}"

    def settings(self) -> dict[str, Any]:
        return {}


def _whole(profile: Profile) -> NDArray[Any] | None:
    """The distinct whole numbers of a column, sorted; None if it holds others."""
    if profile.cells != "number":
        return None
    values, _ = profile.unique
    whole = np.isfinite(values) & (np.abs(values) < 2.0**63) & (values == np.rint(values))
    return values if values.dtype.kind in "iu" or whole.all() else None


def _count_up(profile: Profile, values: NDArray[Any]) -> bool:
    """Whether distinct numbers, sorted, are ids: whole numbers without a gap, too large
    for anything that is measured, or of a column that is called so."""
    if values.dtype.kind not in "iu" or profile.blanks or len(values) < MIN_IDS:
        return False
    if profile.series.dtype != object and getattr(profile.fed.dtype, "itemsize", 8) < 4:
        return False  # numbers of 8 or 16 bits have no room for new ones
    low, high = int(values[0]), int(values[-1])
    return high - low == len(values) - 1 or high > MAX_EXACT or is_called_id(str(profile.name))


def is_called_id(name: str) -> bool:
    """Whether a column's name says that it holds ids: customer_id, userId, KEY."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return any(NAMES.fullmatch(word.lower()) for word in words)


def _form_of(profile: Profile) -> Serial | Code | None:
    """The form of the distinct texts of a column."""
    return find_form(profile.listed) if profile.listed else None


def _form_shows(profile: Profile, form: Serial | Code) -> bool:
    """Whether distinct texts have a form that only ids have."""
    if isinstance(form, Serial) and form.prefix.strip("-"):
        return True
    if profile.once(find_numbers) is None:
        return isinstance(form, Code) or _digits_show(profile, form)
    digits = all(text.isdecimal() for text in profile.listed)
    return digits and (isinstance(form, Code) or _digits_show(profile, form))


def _digits_show(profile: Profile, form: Serial) -> bool:
    """Whether texts of digits are ids: with zeros in front, or long and all of one
    length, or of a column that is called so."""
    zeros = form.width > 1 and any(text.startswith("0") for text in profile.listed)
    return form.width >= MIN_DIGITS or zeros or is_called_id(str(profile.name))
