from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.data.tables.few import takes_few_values


@pytest.mark.parametrize(
    ("values", "rows", "expected"),
    [
        ([0, 1], 2, True),  # a flag
        ([3.2, 5.7], 2, False),  # two numbers
        ([3.2, 5.7], 20, True),
        (range(10), 100, True),
        (range(10), 99, False),
        (range(11), 10_000, False),
        (np.array(["2024-01-31", "2024-02-29"], "M8[D]"), 20, True),
    ],
)
def test_few_values_with_rows_for_each_are_categories(
    values: Any, rows: int, expected: bool
) -> None:
    counts = np.full(len(values), 1)
    counts[0] += rows - len(values)
    assert takes_few_values(np.array(values), counts) is expected
