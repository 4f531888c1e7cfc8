"""Columns of numbers that take so few values that each is a category."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Flags, marks of 1 to 5, classes: so few distinct numbers, with so many rows for each,
# are learned as categories. A softmax meets the share of each value and makes no other,
# which no rounding of a continuous number does, and shares are what such columns are
# compared by. More values are counts and ages: neighbours are alike, and a code for
# each would hide it.
MAX_FEW, MIN_ROWS_OF_EACH = 10, 10


def takes_few_values(values: NDArray[Any], counts: NDArray[np.int64]) -> bool:
    """Whether numbers or dates are categories: 10 distinct ones or fewer, with 10 rows
    for each on average; 0 and 1 in any case.

    Args:
        values: The distinct ones, sorted, (M,).
        counts: Rows of each, (M,).
    """
    if values.tolist() == [0, 1]:
        return True
    return len(values) <= MAX_FEW and int(counts.sum()) >= MIN_ROWS_OF_EACH * len(values)
