"""Raw matrices become the user's columns."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.tables.raw_table import RawTable

TABLE = RawTable(
    ("age", "plan", "income", "income"), (0, 3, 0, 2), (None, 2, None, 1)
)  # plan 2 is a blank, and income is blank where its code is 1
RAW = np.array([[30.0, 0, 5.5, 0], [40.0, 2, 0.0, 1], [50.0, 1, 7.5, 0]])


def test_a_code_that_says_whether_a_number_is_blank_is_no_column_of_its_own() -> None:
    assert [(c.name, c.raw, c.size, c.flag, c.blank) for c in TABLE.columns] == [
        ("age", 0, 0, None, None),
        ("plan", 1, 3, None, 2),
        ("income", 2, 0, 3, 1),
    ]


def test_blank_numbers_are_nan_and_blank_categories_keep_their_code() -> None:
    values = TABLE.values(RAW)
    np.testing.assert_array_equal(values, [[30, 0, 5.5], [40, 2, np.nan], [50, 1, 7.5]])
    blank = [c.are_blank(v).tolist() for c, v in zip(TABLE.columns, values.T, strict=True)]
    assert blank == [[False] * 3, [False, True, False], [False, True, False]]
    assert not np.isnan(RAW).any()


def test_categories_beside_numbers_of_another_name_are_columns() -> None:
    table = RawTable(("a", "b", "b"), (0, 2, 2), (None, 1, None))
    assert [c.name for c in table.columns] == ["a", "b", "b"]


def test_sizes_that_do_not_fit_the_names_are_refused() -> None:
    with pytest.raises(ValueError, match="a name and a size"):
        RawTable(("a", "b"), (0,))
