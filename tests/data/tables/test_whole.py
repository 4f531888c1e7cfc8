from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.whole import counted_from, origin_of, whole_from


@given(
    start=st.integers(-(2**63), 2**63 - 2**40),
    steps=st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=6),
)
def test_large_whole_numbers_are_floats_without_loss(start: int, steps: list[int]) -> None:
    values = np.sort(np.array([start + step for step in steps], np.int64))
    origin = origin_of(values)
    distances = counted_from(values, origin)
    assert [origin + int(distance) for distance in distances] == values.tolist()
    np.testing.assert_array_equal(whole_from(distances, origin, signed=True), values)


@given(st.lists(st.integers(2**63, 2**63 + 2**53), min_size=1, max_size=6))
def test_those_beyond_int64_too(numbers: list[int]) -> None:
    values = np.sort(np.array(numbers, np.uint64))
    origin = origin_of(values)
    distances = counted_from(values, origin)
    np.testing.assert_array_equal(whole_from(distances, origin, signed=False), values)


@pytest.mark.parametrize(
    ("values", "origin"),
    [([1, 5], 0), ([-(2**53), 2**53], 0), ([2**53, 2**53 + 1], 2**53), ([-(2**63), 2**63 - 1], 0),
     ([-(2**60), -(2**60) + 3], -(2**60))],
)  # fmt: skip
def test_numbers_are_counted_from_0_where_floats_have_them(values: list[int], origin: int) -> None:
    assert origin_of(np.array(values)) == origin


def test_a_number_below_the_origin_is_a_negative_distance() -> None:
    values: Any = np.array([2**60 - 3], np.int64)
    assert counted_from(values, 2**60).tolist() == [-3]
    assert whole_from(np.array([-3.0]), 2**60, signed=True).tolist() == [2**60 - 3]


def test_any_float_becomes_a_whole_number_that_the_type_has() -> None:
    far = np.array([-1e300, 1e300])
    low, high = whole_from(far, 0, signed=True).tolist()
    assert -(2**63) <= low < -(2**62)
    assert 2**62 < high < 2**63
    assert whole_from(far, 0, signed=False)[0] == 0
