"""Categories: text, booleans, pandas' categories, numbers of few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import raise_mistakes
from equipoise.data.tables.base import Column, Options, Reading, Rows, register
from equipoise.data.tables.cells import Cell, is_storable
from equipoise.data.tables.markers import is_marker
from equipoise.data.tables.notes import Topic, quoted, rows_text, some_of
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.series import cell_kind, distinct, plain
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

MANY = 1_000  # categories that are worth a note
MAX_WRITTEN = 100  # categories that are worth a line of a file

ORDERED = ("number", "date", "span")  # kinds of cells

LEARNED_MARKER = Topic(
    "a marker of missing values is learned as a category in", "if it means missing"
)
COSTLY = Topic(
    "each category is one more input of networks, and one of few rows is hardly learned; there "
    "are many in",
    "to leave the column out",
)


@dataclass(frozen=True)
class CategoryOptions(Options):
    """What the user can say of a column of categories."""

    categories: tuple[bool | int | float | str, ...] | None = None
    """All categories, in order."""
    ordered: bool | None = None
    """Whether their order means something."""
    missing: tuple[str | int | float, ...] = ()
    """Categories that mean nothing: "?"."""


@register
@dataclass(frozen=True)
class CategoryColumn(Column):
    """A column whose cells are one of several values: a code each, then one for each
    marker, then the blank."""

    kind = "category"
    position = 70
    options: ClassVar[type[Options]] = CategoryOptions

    categories: tuple[Cell, ...]
    markers: tuple[Cell, ...]
    """Categories that the user says mean nothing."""
    blank: bool
    """Whether cells can be blank."""
    ordered: bool
    """Whether the order of the categories means something."""

    @classmethod
    def claims(cls, profile: Profile) -> bool:
        return profile.cells != "other"

    @classmethod
    def learn(cls, profile: Profile, options: CategoryOptions) -> CategoryColumn:
        cells = [] if profile.cells == "other" else profile.distinct.cells.tolist()
        if profile.cells == "other" or not all(map(is_storable, cells)):
            raise RequestError("cannot be categories: its cells are neither text nor numbers")
        if len(cells) + (profile.blanks > 0) < 2:
            raise RequestError("cannot be categories: it is the same in all rows")
        markers = tuple(cell for cell in cells if any(cell == marker for marker in profile.markers))
        seen = [cell for cell in cells if cell not in markers]
        dtype = profile.user_dtype()
        if options.categories is not None:
            _refuse_lacking(profile, options.categories)
            ordered = bool(options.ordered)
            each = {(type(cell), cell): cell for cell in options.categories}
            categories: list[Cell] = list(each.values())
        elif profile.cells == "category":
            known = set(seen)
            ordered, categories = dtype.ordered, [c for c in dtype.categories if c in known]
        else:
            ordered, categories = profile.cells in ORDERED, _in_order(seen)
        column = cls(
            name=profile.name,
            dtype=dtype,
            categories=tuple(categories),
            markers=markers,
            blank=profile.blanks > 0,
            ordered=ordered if options.ordered is None else options.ordered,
        )
        _note(profile, column)
        return column

    @property
    def states(self) -> int:
        return len(self.categories) + len(self.markers) + self.blank

    def is_valid(self) -> bool:
        known = {(type(cell), cell) for cell in (*self.categories, *self.markers)}
        several = self.states >= 2 and len(known) == self.states - self.blank
        return several and (not self.blank or self.dtype.holds_blanks)

    def read(self, series: pd.Series[Any]) -> Reading:
        series = plain(series)
        codes = np.full(len(series), -1, np.int64)
        if cell_kind(series) != "other":
            found = distinct(series)
            codes = found.spread(self._codes(found.cells.tolist()), -1)
        if self.blank:
            codes[series.isna().to_numpy()] = self.states - 1
        return Reading(codes)

    def _codes(self, cells: list[Any]) -> NDArray[np.int64]:
        """The codes of distinct cells, -1 for unknown ones. 1.0 is the category 1, as
        whole numbers are floats in a column with blanks; True is not."""
        known = (*self.categories, *self.markers)
        exact = {(type(cell), cell): code for code, cell in enumerate(known)}
        equal = {cell: code for code, cell in enumerate(known) if not isinstance(cell, bool)}
        return np.array(
            [
                exact.get((type(cell), cell), -1 if isinstance(cell, bool) else equal.get(cell, -1))
                for cell in cells
            ],
            np.int64,
        )

    def restore(
        self, numbers: NDArray[np.float64] | None, codes: NDArray[np.int64], rows: Rows
    ) -> Any:
        known = [*self.categories, *self.markers, *([None] if self.blank else [])]
        return self.dtype.array(known).take(codes)

    def summary(self) -> str:
        words = [f"{len(self.categories):,} values: {some_of(self.categories)}"]
        if self.ordered:
            words.append("in order")
        if self.markers:
            words.append(f"or {some_of(self.markers)}")
        if self.blank:
            words.append("or blank")
        return ", ".join(words)

    def settings(self) -> dict[str, Any]:
        of_toml = all(isinstance(cell, str | int | float) for cell in self.categories)
        listed = {"categories": list(self.categories)} if of_toml else {}
        few = len(self.categories) <= MAX_WRITTEN
        markers = {"missing": list(self.markers)} if self.markers else {}
        return {**(listed if few else {}), "ordered": self.ordered, **markers}


def _in_order(cells: list[Any]) -> list[Cell]:
    """Cells sorted, those of several types by type."""
    try:
        return sorted(cells)
    except TypeError:
        return sorted(cells, key=lambda cell: (type(cell).__name__, str(cell)))


def _refuse_lacking(profile: Profile, categories: tuple[Cell, ...]) -> None:
    """Refuse a list of categories that does not have all of the column.

    Raises:
        RequestError: If one is not listed.
    """
    listed = set(categories)
    values, counts = profile.unique
    lacking = [
        f"{quoted(cell)} in {rows_text(count)}"
        for cell, count in zip(values.tolist(), counts.tolist(), strict=True)
        if cell not in listed
    ]
    if lacking:
        more = ", ..." if len(lacking) > 3 else ""
        raise_mistakes([f"categories lacks {', '.join(lacking[:3])}{more}; list all of them"])


def _note(profile: Profile, column: CategoryColumn) -> None:
    """Tell what the user should know."""
    values, counts = profile.unique
    if profile.cells in ("text", "mixed", "category"):
        for cell, count in zip(values.tolist(), counts.tolist(), strict=True):
            if isinstance(cell, str) and is_marker(cell):
                shown = f"{quoted(cell)} in {rows_text(count)}"
                profile.note(LEARNED_MARKER, shown, {"missing": [cell]})
    if column.states > MANY:
        profile.note(COSTLY, f"{column.states:,}", {"kind": "ignore"})
