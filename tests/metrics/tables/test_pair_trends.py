"""Pair trends equal SDMetrics' own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.pair_trends import (
    DENSE_CELLS,
    MAX_PAIRS,
    PAIR_TRENDS,
    PairedColumns,
    binned,
    contingency_variation,
    pair_trends,
    pairs_of,
    trends_of,
)
from equipoise.metrics.tables.raw_table import RawTable

RNG = np.random.default_rng(0)
NAN = float("nan")
# By SDMetrics 0.32.0: ColumnPairTrends.get_score and its details, of conftest's tables;
# nan where a column never varies.
SDMETRICS = {
    "plain": (
        0.7337593387963608,
        [
            0.9767226994448317,
            0.7491666666666666,
            0.5175000000000001,
            0.8925000000000001,
            0.6166666666666667,
            0.6499999999999999,
        ],
    ),
    "with blanks": (
        0.8586544677592439,
        [
            0.9162681101343043,
            0.5908333333333333,
            0.999957366141571,
            0.8766666666666667,
            0.9307013302795877,
            0.8375,
        ],
    ),
    "odd": (
        0.954618980052908,
        [
            NAN,
            1.0,
            NAN,
            NAN,
            0.9141666666666667,
            0.9986517587609611,
            1.0,
            0.9558333333333333,
            0.9583333333333334,
            0.8553477682760616,
        ],
    ),
}


def paired(pair: Any) -> tuple[PairedColumns, PairedColumns]:
    values = (pair.table.values(raw) for raw in (pair.real, pair.fake))
    real, fake = (PairedColumns(pair.table.columns, rows) for rows in values)
    return real, fake


@pytest.mark.parametrize("name", SDMETRICS)
def test_trends_are_those_of_sdmetrics(name: str, pairs: Mapping[str, Any]) -> None:
    pair, (mean, each) = pairs[name], SDMETRICS[name]
    np.testing.assert_allclose(trends_of(*paired(pair)), each, atol=1e-9)
    reference = MixedReference(pair.real, pair.table)
    found = pair_trends(reference, reference.prepare(pair.fake))
    assert found["pair_trends"] == pytest.approx(mean, abs=1e-9)
    assert found["worst_pair_trend"] == pytest.approx(np.nanmin(each), abs=1e-9)


@pytest.mark.filterwarnings("ignore")  # its own
@pytest.mark.parametrize("name", SDMETRICS)
def test_trends_are_those_that_an_installed_sdmetrics_computes(
    name: str, pairs: Mapping[str, Any], sdmetrics_details: Any
) -> None:
    details = sdmetrics_details("ColumnPairTrends", pairs[name])
    np.testing.assert_allclose(trends_of(*paired(pairs[name])), details["Score"], atol=1e-9)


def test_correlations_that_are_opposite_have_a_trend_of_0() -> None:
    columns = RawTable(("x", "y"), (0, 0)).columns
    x = RNG.normal(size=(50, 1)) * 1e200  # whose square is no number
    real, fake = (PairedColumns(columns, np.concatenate([x, y], 1)) for y in (2 * x, -3 * x))
    assert trends_of(real, fake) == pytest.approx(0)
    assert trends_of(real, real) == pytest.approx(1)


def test_numbers_are_in_ten_bins_of_their_own_range_and_the_greatest_in_an_eleventh() -> None:
    np.testing.assert_array_equal(
        binned(np.array([0.0, 0.5, 9.9, 10.0, np.nan])), [1, 1, 10, 11, 11]
    )
    assert binned(np.array([1e16, 1e16 + 2])) is None  # no ten numbers are between them
    np.testing.assert_array_equal(binned(np.full(2, np.nan)), [11, 11])


def test_a_table_of_many_empty_cells_is_compared_as_a_small_one_is() -> None:
    real, fake = RNG.integers(0, 300, 900), RNG.integers(0, 200, 700)
    assert contingency_variation(real, fake, DENSE_CELLS + 1) == pytest.approx(
        contingency_variation(real, fake, 300)
    )
    apart = RNG.integers(0, 100_000, 500) * 100_000  # ten billion cells
    assert contingency_variation(apart, apart + 1, 10**10) == pytest.approx(1)


def test_of_very_many_pairs_always_the_same_are_taken_and_it_is_said() -> None:
    assert pairs_of(3) == [(0, 1), (0, 2), (1, 2)]
    assert len(pairs_of(100)) == 4_950
    taken = pairs_of(150)
    assert len(set(taken)) == MAX_PAIRS
    assert taken == pairs_of(150)
    assert all(first < second < 150 for first, second in taken)
    table = RawTable(tuple(map(str, range(150))), (0,) * 150)
    from equipoise.metrics.registry import measures

    measure = next(m for m in measures("mixed") if PAIR_TRENDS in m.metrics)
    said = measure.reference_text(MixedReference(RNG.normal(size=(5, 150)), table))
    assert said == "5 held-out rows, 5,000 of 11,175 pairs"


def test_a_single_column_has_no_pairs() -> None:
    reference = MixedReference(RNG.normal(size=(20, 1)), RawTable(("x",), (0,)))
    assert pair_trends(reference, reference.real) == {}
