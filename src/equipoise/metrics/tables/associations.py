"""Associations of columns, in 0..1 but the correlation, which has a sign: Pearson's
correlation of numbers, Cramér's V of categories, the correlation ratio of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.tables.raw_table import Column

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Measure = Literal["correlation", "Cramér's V", "correlation ratio"]


def measure_of(first: Column, second: Column) -> Measure:
    """How the association of two columns is measured."""
    categories = (first.size > 0) + (second.size > 0)
    return ("correlation", "correlation ratio", "Cramér's V")[categories]


def associations(columns: Sequence[Column], rows: Array) -> Array:
    """The association of each pair of columns.

    Args:
        columns: What the columns are.
        rows: Rows, (N, C). Where a number is blank the row does not count; a blank
            category is one of its own.

    Returns:
        The associations, (C, C), symmetric, 1 on the diagonal. nan where a column never
        varies.
    """
    found = correlations(rows)
    for first in range(len(columns)):
        for second in range(first):
            if math.isnan(found[first, second]) or columns[first].size or columns[second].size:
                pair = columns[first], columns[second]
                value = association(pair, rows[:, [first, second]])
                found[first, second] = found[second, first] = value
    np.fill_diagonal(found, 1.0)
    return found


def association(columns: tuple[Column, Column], rows: Array) -> float:
    """The association of two columns, whose rows are (N, 2)."""
    there = rows[~np.isnan(rows).any(1)]
    if not len(there):
        return math.nan
    (first, second), (x, y) = columns, there.T
    if first.size and second.size:
        return cramers_v(x.astype(np.int64), y.astype(np.int64))
    if first.size or second.size:
        codes, numbers = (x, y) if first.size else (y, x)
        return correlation_ratio(codes.astype(np.int64), numbers)
    return float(correlations(there)[0, 1])


def correlations(x: Array) -> Array:
    """Pearson's correlations of the columns of x, (N, C): (C, C). nan for a column that
    never varies, or that has a nan."""
    with np.errstate(all="ignore"):
        centred = np.where(x.max(0) > x.min(0), x - x.mean(0), np.nan)
        centred /= np.abs(centred).max(0)  # whose squares do not overflow
        scaled = centred / np.linalg.norm(centred, axis=0)
        return np.asarray((scaled.T @ scaled).clip(-1, 1))


def cramers_v(x: Codes, y: Codes) -> float:
    """Cramér's V of two columns of codes, (N,): the root of chi-square over N and over
    one less than the smaller number of categories that occur (Cramér 1946).

    Returns:
        0 where they are independent, 1 where one gives the other; nan where one never
        varies.
    """
    rows, columns = (np.unique(codes, return_inverse=True)[1] for codes in (x, y))
    totals = np.bincount(rows), np.bincount(columns)
    fewer = min(map(len, totals)) - 1
    if fewer == 0:
        return math.nan
    cells, counts = np.unique(rows * len(totals[1]) + columns, return_counts=True)
    expected = totals[0][cells // len(totals[1])] * totals[1][cells % len(totals[1])]
    # Of empty cells only the expected count remains, and they sum up to N.
    phi = max(float((counts / expected * counts).sum()) - 1, 0.0)
    return math.sqrt(min(phi / fewer, 1.0))


def correlation_ratio(codes: Codes, numbers: Array) -> float:
    """The correlation ratio: the root of the part of the numbers' variance, (N,), that
    is between the categories, (N,) (Pearson 1905).

    Returns:
        0 where all categories have the same mean, 1 where each has one number; nan
        where the numbers never vary.
    """
    if numbers.max() <= numbers.min():
        return math.nan
    centred = numbers - numbers.mean()
    centred = centred / np.abs(centred).max()
    _, groups = np.unique(codes, return_inverse=True)
    sums, counts = np.bincount(groups, centred), np.bincount(groups)
    between = float((sums**2 / counts).sum() / (centred @ centred))
    return math.sqrt(min(between, 1.0))
