"""Markers: what people write where a value is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.notes import Topic, quoted, rows_text

# In small letters, without blanks around.
MARKERS = frozenset([
    "", "?", "??", "-", "--", "---", ".", "..", "...", "*", "**", "na", "n/a", "n.a.", "n.a",
    "#n/a", "#na", "nan", "-nan", "null", "nil", "none", "nat", "missing", "unknown",
    "unspecified", "undefined", "unavailable", "undisclosed", "undetermined", "not available",
    "not applicable", "not-available", "not-applicable", "not_available", "not_applicable",
    "no data", "no answer", "not reported", "<na>", "<null>", "(null)", "(none)", "(blank)",
    "(empty)", "tbd", "tba", "k.a.", "k.a", "keine angabe", "n/d", "n.d.", "s.o.",
    "#value!", "#ref!", "#div/0!", "#num!", "#name?", "#null!",
    "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000",
    "9999-12-31", "31/12/9999", "31.12.9999", "12/31/9999",
])  # fmt: skip
LONGEST = 40  # characters of a marker, blanks around it among them
# Other words in a column of numbers or dates are points of their own, if they are few.
MAX_WORDS, MAX_WORD_SHARE = 10, 0.1
# A number far from the others, and repeated, may stand for a missing value.
MIN_REPEATS = 5
MIN_OTHERS = 10  # distinct numbers
MAX_SHOWN = 3  # words in a note
MARKED = Topic(
    "cells that are no numbers or dates are values of their own, which come back as they are, in",
    "to learn the column as a category",
)


def is_marker(text: str) -> bool:
    """Whether a text is what people write where a value is missing."""
    return len(text) <= LONGEST and text.strip().lower() in MARKERS


def are_few_words(counts: Iterable[int], rows: int) -> bool:
    """Whether cells that are neither numbers nor markers are so few that a column is of
    numbers nevertheless.

    Args:
        counts: Rows of each of these words.
        rows: All rows that are not blank.
    """
    listed = list(counts)
    return len(listed) <= MAX_WORDS and sum(listed) <= MAX_WORD_SHARE * rows


def words_among(
    cells: NDArray[Any], counts: NDArray[np.int64], wrong: NDArray[np.bool_]
) -> dict[str, int] | None:
    """The cells that are no numbers or dates in a column of them, with the rows of
    each. None if there are so many that it is no such column.

    Args:
        cells: The distinct cells, (M,).
        counts: Rows of each, (M,).
        wrong: Which are no numbers, (M,).
    """
    rows = dict(zip(cells[wrong].tolist(), counts[wrong].tolist(), strict=True))
    if wrong.all() or not all(isinstance(word, str) for word in rows):
        return None
    odd = [count for word, count in rows.items() if not is_marker(word)]
    return rows if are_few_words(odd, int(counts.sum())) else None


def words_text(rows: dict[str, int]) -> str:
    """Markers and how often they occur: "'?' in 12 rows"; empty for none."""
    shown = [f"{quoted(word)} in {rows_text(count)}" for word, count in [*rows.items()][:MAX_SHOWN]]
    return ", ".join(shown) + (", ..." if len(rows) > MAX_SHOWN else "")


def far_values(values: NDArray[np.float64], counts: NDArray[np.int64]) -> list[float]:
    """The least and the greatest of a column's numbers where they are far from all
    others: repeated, and farther from the next number than the others are from one
    another. 99999 among capital gains up to 41,310 is one, -999 among ages another.

    Args:
        values: The distinct numbers, sorted, (M,).
        counts: Rows of each, (M,).
    """
    found = []
    for end in (0, -1):
        rest = values[1:] if end == 0 else values[:-1]
        if len(rest) < MIN_OTHERS or counts[end] < MIN_REPEATS:
            continue
        gap = rest[0] - values[0] if end == 0 else values[-1] - rest[-1]
        if gap > rest[-1] - rest[0]:
            found.append(float(values[end]))
    return found


def looks_like_sentinel(value: float, others: NDArray[np.float64]) -> bool:
    """Whether a number that stands apart is one that people write where a value is
    missing: 99999, 888, or below 0 where no other number is."""
    digits = f"{abs(value):.0f}"
    same = value == round(value) and len(digits) > 1 and set(digits) in ({"9"}, {"8"})
    return same or (value < 0 and len(others) > 0 and float(others.min()) >= 0)
