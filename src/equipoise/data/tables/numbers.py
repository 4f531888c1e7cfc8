"""Which columns hold numbers: those of such a type, and those of text that can be read as
numbers; and with how many decimals."""

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
# Values that a computation has moved by some units in the last place, 0.1 + 0.2 for 0.3,
# have the decimals of what was meant.
LAST_PLACES = 8
MAX_ROUNDED = 1e15  # greater floats have no decimals to round
REPEATED = 10  # rows of each whole number in text that is a code, on average


class FoundNumbers(NamedTuple):
    """The numbers of a column."""

    numbers: NDArray[Any]
    """Those of all rows that hold one, (n,): int64, uint64 or float64."""
    markers: tuple[Cell, ...]
    text: NumberText | None
    """How they are written in text."""
    cells: ObjectCells
    """What the cells of a column of objects are."""
    words: str = ""
    """The markers that the user did not name, with their rows."""


def as_numbers(cells: list[Any], text: NumberText | None) -> NDArray[np.float64]:
    """Distinct cells as numbers, (M,), NaN for those that are none."""
    if text is not None:
        return text.parse([cell if isinstance(cell, str) else "" for cell in cells])
    return np.array(
        [
            float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else np.nan
            for cell in cells
        ],
        np.float64,
    )


def find_numbers(profile: Profile) -> FoundNumbers | None:
    """The numbers of a column; None if it is not one of numbers."""
    if profile.cells == "number":
        kept = ~profile.blank
        for marker in profile.markers:
            kept &= profile.numbers != marker
        return FoundNumbers(profile.numbers[kept], profile.markers, None, _object_cells(profile))
    if profile.cells not in ("text", "mixed"):
        return None
    cells, counts = profile.unique
    text = find_number_text(profile.candidates) if profile.cells == "text" else None
    if text is None and profile.cells == "text":
        return None
    numbers = as_numbers(profile.listed, text)
    wrong = np.isnan(numbers)
    rows = words_among(cells, counts, wrong)
    if rows is None:
        return None
    values = np.repeat(numbers[~wrong], counts[~wrong])
    markers = (*profile.markers, *rows)
    return FoundNumbers(
        values, markers, text, _object_cells(profile), words_text(rows) if rows else ""
    )


def are_codes(found: FoundNumbers) -> bool:
    """Whether whole numbers that are given as text, each several times, are codes:
    whoever made the table could have given numbers."""
    plain_text = found.text is not None and found.text.is_plain and not found.markers
    whole = bool((found.numbers == np.rint(found.numbers)).all())
    return plain_text and whole and len(np.unique(found.numbers)) * REPEATED <= len(found.numbers)


def _object_cells(profile: Profile) -> ObjectCells:
    """What the numbers of a column of objects are."""
    import pandas as pd

    if profile.fed.dtype != object:
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
