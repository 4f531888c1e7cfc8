"""The primary metric of mixed tables grows with every kind of difference."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.tables.frechet import table_frechet
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)
N = 2000


def curve(n: int) -> np.ndarray:
    """y is x^2 and noise, which no correlation shows; the category is whether |x| is
    large; the last column has 200 categories, of which the number follows y."""
    x = RNG.uniform(-2, 2, n)
    y = x**2 + 0.1 * RNG.normal(size=n)
    many = np.clip(40 * y, 0, 199).astype(int)
    return np.stack([x, y, np.abs(x) > 1, many], 1).astype(float)


def distance(table: RawTable, real: np.ndarray, rows: np.ndarray) -> float:
    reference = MixedReference(real, table)
    return table_frechet(reference, reference.prepare(rows))


def noisy(rows: np.ndarray, part: float) -> np.ndarray:
    """A part of the cells taken from other rows."""
    other = np.stack([RNG.permutation(column) for column in rows.T], 1)
    return np.where(RNG.random(rows.shape) < part, other, rows)


CURVE = RawTable(("x", "y", "large", "many"), (0, 0, 2, 200))


def test_it_grows_with_the_noise_and_columns_shuffled_apart_are_far() -> None:
    real = curve(N)
    found = [distance(CURVE, real, noisy(curve(N), part)) for part in (0, 0.05, 0.1, 0.2, 0.5, 1)]
    assert found == sorted(found)
    assert found[2] > 2 * found[0]
    assert found[-1] > 20 * found[0]


def test_equal_rows_are_at_no_distance_and_units_do_not_matter() -> None:
    real, rows = curve(N), curve(N)
    assert distance(CURVE, real, real) == pytest.approx(0, abs=1e-6)
    scale, shift = np.array([1e30, 1e-30, 1, 1]), np.array([0, 7e-30, 0, 0])
    assert distance(CURVE, real * scale + shift, rows * scale + shift) == pytest.approx(
        distance(CURVE, real, rows)
    )


def test_a_share_of_blanks_that_is_wrong_is_found() -> None:
    table = RawTable(("x", "x"), (0, 2), (None, 1))

    def blanks(share: float) -> np.ndarray:
        return np.stack([RNG.normal(size=N), RNG.random(N) < share], 1).astype(float)

    real = blanks(0.2)
    assert distance(table, real, blanks(0.4)) > 5 * distance(table, real, blanks(0.2))


def test_many_columns_are_projected_and_what_binds_them_is_still_found() -> None:
    table = RawTable(tuple(map(str, range(80))), (0,) * 80)
    mixing = RNG.normal(size=(5, 80))

    def bound(n: int) -> np.ndarray:
        return RNG.normal(size=(n, 5)) @ mixing + RNG.normal(size=(n, 80))

    real, rows = bound(N), bound(N)
    floor = distance(table, real, rows)
    assert distance(table, real, noisy(rows, 1.0)) > 5 * floor
    assert distance(table, real, noisy(rows, 0.2)) > 1.3 * floor
