"""Levels: the few values that a column of points takes, and its samples too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_LEVELS, MAX_IN_ALL = 100, 20_000  # of one column, and of all columns of a table
ROWS_EACH = 10  # rows for each level, on average, from which a column is of levels
LOOK = 2_048  # rows that are looked at first

Levels = tuple[tuple[float, ...] | None, ...]
"""Of each column, in order, or None for a column that is not of levels."""


def levels_of(points: NDArray[Any]) -> Levels | None:
    """The levels of each column of points, (N, D); None where no column is of levels.

    A column is of levels where it takes at most 100 values, a tenth as many as it has
    rows or fewer, half of which or more occur more than once. A continuous column is
    not, however few its rows, and neither is one that is mostly 0 and else continuous.
    Of tables of more than 200 columns fewer levels are kept, at least two a column.
    """
    most = min(MAX_LEVELS, max(MAX_IN_ALL // points.shape[1], 2), len(points) // ROWS_EACH)
    step = max(len(points) // LOOK, 1)
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
