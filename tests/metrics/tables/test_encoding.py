"""Features of mixed rows: distances and moments that mean something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from equipoise.metrics.tables.encoding import (
    BINS,
    MAX_MOMENTS,
    Encoding,
    centre_and_spread,
    code_vectors,
)
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)
TABLE = RawTable(("x", "x", "plan"), (0, 2, 3), (None, 1, None))


def rows_of(n: int) -> np.ndarray:
    raw = np.stack([RNG.normal(5, 2, n), RNG.random(n) < 0.3, RNG.integers(0, 3, n)], 1)
    return TABLE.values(raw)


def test_two_categories_and_a_blank_and_the_median_are_a_unit_apart() -> None:
    real = rows_of(2000)
    encoding = Encoding(TABLE.columns, real)
    median = float(np.nanmedian(real[:, 0]))
    at_median, other, blank = encoding.features(
        np.array([[median, 0.0], [median, 2.0], [np.nan, 0.0]])
    )
    assert np.linalg.norm(at_median - other) == pytest.approx(1)
    assert np.linalg.norm(at_median - blank) == pytest.approx(1)


def test_numbers_are_linear_in_the_spread_near_the_median_and_tame_far_from_it() -> None:
    real = rows_of(100_000)
    encoding = Encoding(TABLE.columns, real)
    values = np.array([[5.0, 0], [5.2, 0], [5 + 2e6, 0]])
    middle, near, far = encoding.numbers(values)[:, 0]
    assert near - middle == pytest.approx(0.1, abs=0.005)
    assert far - middle == pytest.approx(np.log(2e6), abs=0.05)


def test_the_spread_of_a_normal_sample_is_its_standard_deviation() -> None:
    centre, spread = centre_and_spread(np.sort(RNG.normal(3, 2, 100_000)))
    assert centre == pytest.approx(3, abs=0.05)
    assert spread == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (0, 1)), ([7.0] * 5, (7, 1)), ([0.0] * 9 + [10.0], (0, 3))],
)
def test_where_half_of_the_numbers_are_equal_the_standard_deviation_is_the_spread(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert centre_and_spread(np.array(values)) == pytest.approx(expected)


@given(arrays.arrays(np.float64, (6, 1), elements=st.floats(-1e300, 1e300)))
def test_features_of_any_number_are_finite(x: np.ndarray) -> None:
    columns = RawTable(("x",), (0,)).columns
    encoding = Encoding(columns, RNG.normal(size=(50, 1)) * 1e-300)
    assert np.isfinite(encoding.features(x)).all()
    assert np.isfinite(encoding.moments(x)).all()


def test_the_features_whose_moments_are_compared_are_ranks_and_one_hot_bins() -> None:
    real = np.stack([np.arange(100.0), np.arange(100) % 2], 1)
    encoding = Encoding(RawTable(("x", "plan"), (0, 2)).columns, real)
    found = encoding.moments(real)
    assert found.shape == (100, 1 + BINS + 2)
    assert found[:, 0].var() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose((found[:, 1:] ** 2).sum(0), [10] * BINS + [25] * 2)
    outside = encoding.moments(np.array([[-5.0, 0], [1e9, 0]]))[:, 0]
    np.testing.assert_allclose(outside, np.array([-0.5, 0.5]) * 12**0.5)


def test_blank_numbers_have_a_bin_of_their_own() -> None:
    real = rows_of(300)
    found = Encoding(TABLE.columns, real).moments(real)
    blank = np.isnan(real[:, 0])
    np.testing.assert_array_equal(found[:, 1 + BINS] > 0, blank)
    assert (found[blank, 0] == 0).all()


def test_ten_thousand_categories_and_many_columns_take_a_bounded_number_of_features() -> None:
    assert code_vectors(10_000, 64).shape == (10_000, 64)
    vectors = code_vectors(1_000, 64)
    distances = np.linalg.norm(vectors[:500] - vectors[500:], axis=1)
    assert distances.mean() == pytest.approx(1, abs=0.02)
    assert distances.min() > 0.7
    table = RawTable(tuple(map(str, range(300))), (0,) * 150 + (50,) * 150)
    rows = np.concatenate([RNG.normal(size=(40, 150)), RNG.integers(0, 50, (40, 150))], 1)
    encoding = Encoding(table.columns, rows)
    assert encoding.moments(rows).shape == (40, MAX_MOMENTS)
    assert encoding.features(rows).shape == (40, 150 + 150 * 8)
