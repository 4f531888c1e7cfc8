"""Outliers so extreme that the other values of their column cannot be learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import clipped

MAX_DISTANCE = 100.0  # interquartile ranges
QUARTILE_ROWS = 50_000  # rows that quartiles are computed from
MAX_SHOWN = 3  # rows of a column, and columns, in the notes


def notes_of_outliers(points: NDArray[Any], columns: Sequence[str | int] | None) -> list[str]:
    """Notes on extreme rows of points, (N, D): a line for each column that has any,
    with how many, the first ones, and what to do.

    Networks see points divided by their standard deviation. A column has a note if the
    root mean square distance from its median is over 100 interquartile ranges: then the
    middle half of its rows lies within a hundredth of that scale. The rows named are
    those farther than 100 interquartile ranges from the median.

    Heavy tails that can be learned stay far below 100: for 20,000 draws, a lognormal
    distribution with sigma 1 gives 1.7, Student's t with 3 degrees of freedom 1.4, a
    mixture of scales 1 and 30 gives 5.7. The Cauchy distribution, where the rest is
    lost too, has a note in 2% of tables of 300 rows and in 40% of 20,000. Where half of
    a column is one value, its quartiles are those of the other values.

    Args:
        points: (N, D), raw.
        columns: Their names, if they have any.
    """
    found = [(number, rows) for number, x in enumerate(points.T) if len(rows := _extreme(x))]
    notes = []
    for number, rows in found[:MAX_SHOWN]:
        named = number if columns is None else columns[number]
        alone = points.shape[1] == 1 and columns is None
        where = "" if alone else f" of column {clipped(repr(named))}"
        first = ", ".join(f"row {row} ({points[row, number]:.6g})" for row in rows[:MAX_SHOWN])
        more = ", ..." if len(rows) > MAX_SHOWN else ""
        notes.append(
            f"{len(rows):,} of {len(points):,} rows{where} are extreme outliers: {first}{more}; "
            "a network cannot tell the other rows apart at that scale: correct or remove these "
            "rows, or take the logarithm if they are right"
        )
    if len(found) > MAX_SHOWN:
        notes.append(f"{len(found) - MAX_SHOWN:,} more columns have extreme outliers")
    return notes


def _extreme(x: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers of the extreme rows of a column, (N,)."""
    x = x.astype(np.float64)
    largest = float(max(abs(float(x.max())), abs(float(x.min()))))
    if largest == 0:
        return np.empty(0, np.int64)
    some = (
        x[:: max(len(x) // QUARTILE_ROWS, 1)] / largest
    )  # so that squares stay within what floats hold
    low, median, high = np.quantile(some, (0.25, 0.5, 0.75))
    if low == high and len(rest := some[some != median]):
        low, high = np.quantile(rest, (0.25, 0.75))
    distances = np.abs(x / largest - median)
    if not 0 < MAX_DISTANCE * (high - low) < np.sqrt(np.square(distances).mean()):
        return np.empty(0, np.int64)
    return np.flatnonzero(distances > MAX_DISTANCE * (high - low))
