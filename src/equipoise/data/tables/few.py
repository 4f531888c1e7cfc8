"""Columns of numbers that take so few values that each is a category."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Flags, marks of 1 to 5, classes: up to so many distinct numbers, with so many rows for
# each, are learned as categories. A network meets the share of each value exactly and
# makes no other, which no rounding of a continuous number does; and whoever compares such
# columns compares shares. More values than that are counts and ages, where neighbours are
# alike, and a code for each would hide it.
MAX_FEW, MIN_ROWS_OF_EACH = 10, 10


def takes_few_values(values: NDArray[Any], counts: NDArray[np.int64]) -> bool:
    """Whether numbers are categories: at most 10 distinct ones, with 10 rows for each on
    average; 0 and 1 with any.

    Args:
        values: The distinct ones, sorted, (M,).
        counts: Rows of each, (M,).
    """
    if values.tolist() == [0, 1]:
        return True
    return len(values) <= MAX_FEW and int(counts.sum()) >= MIN_ROWS_OF_EACH * len(values)
