"""Pair trends: how near what binds two columns is to what binds them in real rows.

The mean over pairs of columns, as SDMetrics defines its Column Pair Trends:

- two columns of numbers: 1 - |r - r_real| / 2 of Pearson's correlations
  (CorrelationSimilarity), of the rows where neither is blank;
- two of categories: 1 - the total variation of their contingency tables
  (ContingencySimilarity), a blank cell being a category;
- one of each: the same, with the numbers in ten bins of equal width. Each table has
  bins of its own range: one enormous value moves all of them.

https://docs.sdv.dev/sdmetrics
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.tables.associations import association, correlations
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import Column

Codes = NDArray[np.int64]
BINS = 10  # of numbers beside categories
DENSE_CELLS = 1 << 16  # of a contingency table that is counted cell by cell
MAX_PAIRS = 5_000  # of columns; 100 columns have 4,950

PAIR_TRENDS = Metric(
    "pair_trends",
    "pair trends",
    "higher",
    "mean over pairs of columns of the similarity of correlation or contingency, as in SDMetrics",
)
WORST_PAIR_TREND = Metric(
    "worst_pair_trend",
    "worst pair's trend",
    "higher",
    "the least of the pairs' similarities of correlation or contingency",
)


def _compared_with(reference: MixedReference) -> str:
    number = len(reference.columns)
    of, taken = number * (number - 1) // 2, len(pairs_of(number))
    return f"{reference.description}, {taken:,}{f' of {of:,}' if taken < of else ''} pairs"


@register(PAIR_TRENDS, WORST_PAIR_TREND, kinds=["mixed"], position=20, compared_with=_compared_with)
def pair_trends(reference: MixedReference, rows: Array) -> dict[str, float]:
    """The mean and the least of the pairs' trends; no value for a single column."""
    real = reference.once("pairs", lambda: PairedColumns(reference.columns, reference.real))
    trends = trends_of(real, PairedColumns(reference.columns, rows))
    if np.isnan(trends).all():
        return {}
    return {
        PAIR_TRENDS.key: float(np.nanmean(trends)),
        WORST_PAIR_TREND.key: float(np.nanmin(trends)),
    }


def pairs_of(number: int) -> list[tuple[int, int]]:
    """The pairs of `number` columns; of very many some, always the same."""
    total = number * (number - 1) // 2
    if total <= MAX_PAIRS:
        return list(combinations(range(number), 2))
    first, second = np.triu_indices(number, 1)
    taken = np.sort(np.random.default_rng(0).choice(total, MAX_PAIRS, replace=False))
    return list(zip(first[taken].tolist(), second[taken].tolist(), strict=True))


class PairedColumns:
    """Rows, (N, C), as pairs of their columns are compared."""

    def __init__(self, columns: Sequence[Column], rows: Array) -> None:
        self.columns: Sequence[Column] = columns
        self.rows: Array = rows
        self._codes: dict[int, Codes | None] = {}

    def codes(self, at: int) -> Codes | None:
        """The categories of a column, (N,), or the bins of its numbers; None where its
        range is too narrow for ten bins."""
        if at not in self._codes:
            values = self.rows[:, at]
            size = self.columns[at].size
            self._codes[at] = values.astype(np.int64) if size else binned(values)
        return self._codes[at]

    def size(self, at: int) -> int:
        """Codes of a column are below it."""
        return self.columns[at].size or BINS + 2

    @cached_property
    def correlations(self) -> Array:
        """Pearson's correlations of columns without blanks, (C, C); nan for others, and
        where a column never varies."""
        return correlations(self.rows)

    def correlation(self, first: int, second: int) -> float:
        """Pearson's correlation of the rows where neither column is blank; nan where a
        column never varies."""
        if not np.isnan(found := self.correlations[first, second]):
            return float(found)
        pair = self.columns[first], self.columns[second]
        return association(pair, self.rows[:, [first, second]])


def trends_of(real: PairedColumns, fake: PairedColumns) -> Array:
    """The trend of each pair of `pairs_of`, 1 where it is as in real rows: (P,). nan
    where a correlation is not defined."""
    return np.array([trend(real, fake, *pair) for pair in pairs_of(len(real.columns))])


def trend(real: PairedColumns, fake: PairedColumns, first: int, second: int) -> float:
    """The trend of two columns."""
    if real.columns[first].size == real.columns[second].size == 0:
        off = abs(real.correlation(first, second) - fake.correlation(first, second))
        return 1 - off / 2
    x, y = ((side.codes(first), side.codes(second)) for side in (real, fake))
    if x[0] is None or x[1] is None or y[0] is None or y[1] is None:
        return math.nan
    size = real.size(second)
    return 1 - contingency_variation(
        x[0] * size + x[1], y[0] * size + y[1], real.size(first) * size
    )


def binned(values: Array) -> Codes | None:
    """The bin of each number, (N,), of ten of equal width over their range, counted
    from 1: the greatest number, and a blank one, are in the eleventh. None where the
    range is too narrow for ten bins."""
    there = values[~np.isnan(values)]
    try:
        with np.errstate(all="ignore"):
            return np.digitize(values, np.histogram_bin_edges(there, BINS)).astype(np.int64)
    except ValueError:  # numbers so alike, or so far apart, that no ten bins have a width
        return None


def contingency_variation(real: Codes, fake: Codes, cells: int) -> float:
    """The total variation of two contingency tables.

    Args:
        real: The cell of each real row, (M,), in 0..cells-1.
        fake: Of each generated row, (N,).
        cells: Of the table.

    Returns:
        Half the sum of the differences of the cells' frequencies, in 0..1.
    """
    if cells > DENSE_CELLS:  # most of which are empty
        _, found = np.unique(np.concatenate([real, fake]), return_inverse=True)
        real, fake = found[: len(real)], found[len(real) :]
        cells = int(found.max()) + 1
    p, q = (np.bincount(part, minlength=cells) / len(part) for part in (real, fake))
    return float(np.abs(p - q).sum() / 2)
