from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.permutation import permuted, scrambled


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 1000, 4096, 4097])
@pytest.mark.parametrize("seed", [0, 1, 12345678901234567890])
def test_every_number_comes_once(size: int, seed: int) -> None:
    assert sorted(permuted(np.arange(size), size, seed).tolist()) == list(range(size))


@given(st.integers(0, 2**40), st.integers(10, 2**62), st.integers(0, 2**63))
def test_a_number_does_not_depend_on_those_made_with_it(start: int, size: int, seed: int) -> None:
    rows = start + np.arange(20)
    made = permuted(rows, size, seed)
    assert ((made >= 0) & (made < size)).all()
    np.testing.assert_array_equal(made[7:9], permuted(rows[7:9], size, seed))


def test_seeds_and_rows_look_unrelated() -> None:
    rows = np.arange(20_000)
    one, other = (permuted(rows, 10**9, seed) / 10**9 for seed in (1, 2))
    # Uniform and uncorrelated within four standard errors.
    for made in (one, other):
        assert abs(made.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 20_000)
    for a, b in ((one, other), (one[1:], one[:-1]), (one, rows)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(20_000)
    bits = np.unpackbits(scrambled(rows, 3).view(np.uint8)).reshape(-1, 64).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)


def test_no_rows_make_no_numbers() -> None:
    assert permuted(np.empty(0, np.int64), 10, 0).tolist() == []
