"""Rows of mixed columns as features, in which distances and moments have a meaning.

Where neighbours are looked for, a number is in units of its column's spread, about the
median, and `asinh` of that: linear near the median, logarithmic in the tails, so that a
few enormous values do not hide all else. A category is one-hot over sqrt(2): two
different ones are at a distance of 1, as two numbers one unit apart are.

Where moments are compared, a number is its rank among the real ones and one-hot in five
bins of them. The second moments of one-hot columns are the contingency tables of all
pairs; ranks alone would not show a dependence that is not monotone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.reference import column_stds
from equipoise.metrics.tables.raw_table import Column

Array = NDArray[np.float64]
BINS = 5  # of numbers; 10 find no more (benchmarks/EXPERIMENTS.md)
MAX_CODES = 64  # categories of a column that have a dimension each
MIN_CODES = 8  # dimensions of a column of more categories, however many columns there are
MAX_DIMENSIONS = 2_048  # of all columns' categories together
MAX_MOMENTS = 256  # features whose covariance is compared
NORMAL_IQR = 1.349  # interquartile range of a normal distribution, in standard deviations
MAX_UNITS = 1e15  # from the median: a generator that diverged must not overflow
ONE_HOT = 0.5**0.5  # puts two categories at a distance of 1
RANK_SCALE = 12**0.5  # gives ranks in 0..1 a variance of 1


class Encoding:
    """What rows are measured in, fitted on real ones.

    Args:
        columns: The user's columns.
        real: Real rows, (M, C); a blank number is nan.
    """

    def __init__(self, columns: Sequence[Column], real: Array) -> None:
        self.columns = columns
        self.sorted: list[NDArray[Any]] = [
            np.sort(values[~column.are_blank(values)]) if column.size == 0 else values[:0]
            for column, values in zip(columns, real.T, strict=True)
        ]
        self._scales = [centre_and_spread(values) for values in self.sorted]
        most = int(np.clip(MAX_DIMENSIONS // max(len(columns), 1), MIN_CODES, MAX_CODES))
        self._vectors = [code_vectors(column.size, most) for column in columns]

    def numbers(self, rows: Array) -> Array:
        """The rows, (N, C), with numbers in units of spread, compressed by asinh. A
        category keeps its code, and a blank number is nan."""
        found = rows.copy()
        for at, (centre, spread) in enumerate(self._scales):
            if self.columns[at].size == 0:
                with np.errstate(over="ignore"):
                    units = (rows[:, at] - centre) / spread
                found[:, at] = np.arcsinh(units.clip(-MAX_UNITS, MAX_UNITS))
        return found

    def features(self, rows: Array) -> Array:
        """Features in which neighbours are looked for, (N, F), of rows, (N, C)."""
        numbers = self.numbers(rows)
        return np.concatenate(
            [self._near(at, numbers[:, at]) for at in range(len(self.columns))], 1
        )

    def moments(self, rows: Array) -> Array:
        """Features whose means and covariances are compared, (N, F), F at most
        `MAX_MOMENTS`, of rows, (N, C).

        Of more than that as many random projections are taken, always the same, a
        column at a time: all of them at once might not fit into memory.
        """
        widths = [self._width(at) for at in range(len(self.columns))]
        blocks = (self._moments(at, rows[:, at]) for at in range(len(self.columns)))
        if sum(widths) <= MAX_MOMENTS:
            return np.concatenate(list(blocks), 1)
        directions = np.random.default_rng(0)
        found = np.zeros((len(rows), MAX_MOMENTS))
        for block in blocks:
            projection = directions.standard_normal((block.shape[1], MAX_MOMENTS))
            found += block @ (projection / np.sqrt(sum(widths)))
        return found

    def rank(self, at: int, values: Array) -> Array:
        """Where values, (N,), of a column of numbers stand among the real ones, in
        0..1; equal ones in the middle of their ranks."""
        real = self.sorted[at]
        left, right = (np.searchsorted(real, values, side) for side in ("left", "right"))
        return np.asarray((left + right) / (2 * max(len(real), 1)))

    def _near(self, at: int, values: Array) -> Array:
        column = self.columns[at]
        if column.size > 0:
            return self._vectors[at][values.astype(np.int64)]
        if column.flag is None:
            return values[:, None]
        blank = np.isnan(values)
        return np.stack([np.where(blank, 0.0, values), blank], 1)

    def _moments(self, at: int, values: Array) -> Array:
        column = self.columns[at]
        if column.size > 0:
            return self._vectors[at][values.astype(np.int64)]
        blank, rank = np.isnan(values), self.rank(at, values)
        found = np.zeros((len(values), self._width(at)))
        found[:, 0] = np.where(blank, 0.0, (rank - 0.5) * RANK_SCALE)
        bins = np.where(blank, BINS, np.minimum((rank * BINS).astype(np.int64), BINS - 1))
        found[np.arange(len(values)), 1 + bins] = ONE_HOT
        return found

    def _width(self, at: int) -> int:
        """How many features whose moments are compared a column has."""
        column = self.columns[at]
        if column.size > 0:
            return len(self._vectors[at][0])
        return 1 + BINS + int(column.flag is not None)


def centre_and_spread(values: Array) -> tuple[float, float]:
    """The median of sorted numbers, (N,), and their interquartile range, in standard
    deviations of a normal distribution.

    Where half of them are equal the standard deviation takes its place, and 1 where all
    are.
    """
    if not len(values):
        return 0.0, 1.0
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = (high - low) / NORMAL_IQR or column_stds(values[:, None])[0]
    return float(median), float(spread)


def code_vectors(size: int, most: int, seed: int = 0) -> Array:
    """A vector for each of `size` categories, (size, D), two of them at a distance of
    1.

    One-hot over sqrt(2) for at most `most` categories. For more, random directions in
    `most` dimensions, which are nearly as far apart: the memory of 10,000 categories'
    one-hot rows is not to be had.
    """
    if size <= most:
        return np.eye(size) * ONE_HOT
    vectors = np.random.default_rng(seed).standard_normal((size, most))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * ONE_HOT)
