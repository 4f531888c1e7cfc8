"""Which columns hold numbers: those of such a type, and those of text that can be read
as numbers; and with how many decimals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.cells import Cell
from equipoise.data.tables.dtypes import ObjectCells
from equipoise.data.tables.markers import words_among, words_text
from equipoise.data.tables.number_text import NumberText, find_number_text
from equipoise.data.tables.profile import Profile

MAX_DECIMALS = 6  # more are the digits of a real number
LOOKED_AT = 1_000  # values that show at once that a column has more decimals
# Values that a computation has moved by some units in the last place, as 0.1 + 0.2 is
# not 0.3, have the decimals that were meant.
LAST_PLACES = 8
MAX_ROUNDED = 1e15  # greater floats have no decimals to round
REPEATED = 10  # rows of each whole number in text that is a code, on average


class FoundNumbers(NamedTuple):
    """The numbers of a column."""

    values: NDArray[Any]
    """The distinct ones, sorted, (M,): int64, uint64 or float64."""
    counts: NDArray[np.int64]
    """Rows of each, (M,)."""
    markers: tuple[Cell, ...]
    text: NumberText | None
    """How they are written in text."""
    cells: ObjectCells
    """What the cells of a column of objects are."""
    words: str = ""
    """The markers that the user did not name, with their rows."""


def find_numbers(profile: Profile) -> FoundNumbers | None:
    """The numbers of a column; None if it is not one of numbers, or has none."""
    if profile.cells == "number":
        values, counts = profile.unique
        found = FoundNumbers(values, counts, profile.markers, None, _object_cells(profile))
        return found if len(values) else None
    if profile.cells not in ("text", "mixed"):
        return None
    text = find_number_text(profile.candidates) if profile.cells == "text" else None
    if text is None and profile.cells == "text":
        return None
    cells, counts = profile.unique
    numbers = as_numbers(profile.listed, text)
    wrong = np.isnan(numbers)
    words = words_among(cells, counts, wrong)
    if words is None:
        return None
    values, index = np.unique(numbers[~wrong], return_inverse=True)
    return FoundNumbers(
        values,
        np.bincount(index, counts[~wrong]).astype(np.int64),
        (*profile.markers, *words),
        text,
        _object_cells(profile),
        words_text(words),
    )


def as_numbers(cells: list[Any], text: NumberText | None) -> NDArray[np.float64]:
    """Distinct cells as numbers, (M,), NaN for those that are none.

    Args:
        cells: The cells.
        text: How numbers are written in text; None where they are numbers.
    """
    if text is not None:
        return text.parse([cell if isinstance(cell, str) else "" for cell in cells])
    return np.array([float(cell) if _is_number(cell) else np.nan for cell in cells], np.float64)


def _is_number(cell: Any) -> bool:
    kinds = int | float | np.integer | np.floating
    return isinstance(cell, kinds) and not isinstance(cell, bool)


def are_codes(found: FoundNumbers) -> bool:
    """Whether whole numbers that are given as text, each several times, are codes:
    whoever made the table could have given numbers."""
    plain_text = found.text is not None and found.text.is_plain and not found.markers
    whole = bool((found.values == np.rint(found.values)).all())
    return plain_text and whole and len(found.values) * REPEATED <= int(found.counts.sum())


def _object_cells(profile: Profile) -> ObjectCells:
    """What the numbers of a column of objects are; empty for other columns."""
    import pandas as pd

    if profile.fed.dtype != np.dtype(object):
        return ""
    present = profile.series[~profile.blank]
    if profile.cells == "mixed":
        present = present[[not isinstance(cell, str) for cell in present]]
    kinds: dict[str, ObjectCells] = {"integer": "int", "floating": "float", "decimal": "decimal"}
    return kinds.get(pd.api.types.infer_dtype(present, skipna=True), "")


def decimals_of(values: NDArray[np.float64], eps: float) -> int | None:
    """The decimals that represent all values exactly; None for more than 6.

    Args:
        values: Distinct numbers, (M,).
        eps: The distance from 1 to the next number of their type.
    """
    finite = values[np.isfinite(values)]
    some = finite[:: max(len(finite) // LOOKED_AT, 1)]
    for decimals in range(MAX_DECIMALS + 1):
        if all(_has_decimals(part, decimals, eps) for part in (some, finite)):
            return decimals
    return None


def _has_decimals(values: NDArray[np.float64], decimals: int, eps: float) -> bool:
    slack = np.minimum(LAST_PLACES * eps * np.abs(values), 10.0 ** -(decimals + 3))
    return bool((np.abs(values - rounded(values, decimals)) <= slack).all())


def rounded(values: NDArray[np.float64], decimals: int | None) -> NDArray[np.float64]:
    """Numbers with so many decimals, (N,); as they are for None, as are infinities."""
    if decimals is None:
        return values
    large = np.abs(values) >= MAX_ROUNDED
    return np.where(large, values, np.round(np.where(large, 0, values), decimals))
