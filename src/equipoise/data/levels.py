"""Levels: the values of a column that takes few. Samples are rounded to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_LEVELS, MAX_LEVELS_OF_TABLE = 100, 20_000
MIN_ROWS_PER_LEVEL = 10  # on average
FIRST_ROWS = 2_048  # rows that are looked at first

Levels = tuple[tuple[float, ...] | None, ...]
"""The levels of each column, in order; None for a column without levels."""


def levels_of(points: NDArray[Any]) -> Levels | None:
    """The levels of each column of points, (N, D); None where no column has any.

    A column has levels if it takes at most 100 values, at most a tenth as many as it
    has rows, and at least half of them occur more than once. So a continuous column has
    none, however few its rows, nor has one that is mostly 0 and continuous elsewhere.
    In tables of more than 200 columns the limit is lower, but at least two per column.
    """
    most = min(
        MAX_LEVELS,
        max(MAX_LEVELS_OF_TABLE // points.shape[1], 2),
        len(points) // MIN_ROWS_PER_LEVEL,
    )
    step = max(len(points) // FIRST_ROWS, 1)
    found = tuple(_levels(column, most, step) for column in points.T)
    return None if all(levels is None for levels in found) else found


def _levels(column: NDArray[Any], most: int, step: int) -> tuple[float, ...] | None:
    """The levels of a column, (N,), in order; None if it has more than `most`."""
    if len(np.unique(column[::step])) > most:
        return None
    values, counts = np.unique(column, return_counts=True)
    if len(values) > most or 2 * int((counts == 1).sum()) > len(values):
        return None
    return tuple(values.astype(np.float64).tolist())
