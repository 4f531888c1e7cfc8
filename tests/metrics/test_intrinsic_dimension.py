"""The intrinsic dimension of data with a known one."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.intrinsic_dimension import intrinsic_dimension

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_of_a_flat_sheet_in_space_is_the_sheets(dimension: int) -> None:
    sheet = RNG.uniform(size=(2000, dimension)) @ RNG.normal(size=(dimension, 8))
    assert intrinsic_dimension(sheet) == pytest.approx(dimension, rel=0.12)
    assert intrinsic_dimension(100 * sheet) == pytest.approx(intrinsic_dimension(sheet), rel=1e-6)


def test_the_dimension_of_a_few_values_is_not_known_and_repeated_rows_do_no_harm() -> None:
    assert np.isnan(intrinsic_dimension(np.array([[0.0], [1.0], [0.0]])))
    assert np.isnan(intrinsic_dimension(RNG.normal(size=(39, 2))))
    x = RNG.normal(size=(500, 2))
    assert intrinsic_dimension(np.concatenate([x, x])) == pytest.approx(intrinsic_dimension(x))


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_the_dimension_of_whole_numbers_is_not_known_whatever_their_units(columns: int) -> None:
    rounded, dice = np.round(RNG.normal(0, 3, (2000, columns))), RNG.integers(1, 7, (2000, columns))
    for x in (rounded, dice / 0.7, (rounded - 0.123) / 3.1):
        assert np.isnan(intrinsic_dimension(x))


def test_a_column_of_whole_numbers_beside_others_does_no_harm() -> None:
    x = RNG.normal(size=(2000, 3))
    x[:, 2] = RNG.integers(0, 2, 2000)
    assert intrinsic_dimension(x) == pytest.approx(2, rel=0.12)
    for n in (40, 100, 500):
        assert not any(np.isnan(intrinsic_dimension(RNG.normal(size=(n, 2)))) for _ in range(20))


def test_a_dimension_far_above_the_columns_is_not_given() -> None:
    x = np.arange(2000.0)[:, None] + RNG.uniform(
        0, 1e-3, (2000, 1)
    )  # steps that are nearly equal, and no two the same
    assert np.isnan(intrinsic_dimension(x))
