"""Column shapes: how near each column's distribution is to the real one.

The mean over columns of 1 - Kolmogorov-Smirnov for numbers, and of 1 - total variation
for categories, as SDMetrics defines its Column Shapes (KSComplement, TVComplement).
Blank cells count in neither; MissingValueSimilarity compares how many there are.
https://docs.sdv.dev/sdmetrics
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.kolmogorov_smirnov import kolmogorov_smirnov
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.tables.mixed_reference import MixedReference
from equipoise.metrics.tables.raw_table import Column

DECIMALS = 14  # that SDMetrics rounds numbers to before it compares them
ROUNDED = (1e-4, 1e290)  # greatest value of columns that this rounding does not spoil
UNSEEN = 1e-6  # count that SDMetrics gives to a category that real rows lack
MAX_COLUMNS = 100  # that have a metric of their own

COLUMN_SHAPES = Metric(
    "column_shapes",
    "column shapes",
    "higher",
    "mean over columns of 1 - Kolmogorov-Smirnov or 1 - total variation, as in SDMetrics",
)
WORST_COLUMN_SHAPE = Metric(
    "worst_column_shape",
    "worst column's shape",
    "higher",
    "the least of the columns' 1 - Kolmogorov-Smirnov or 1 - total variation",
)
COLUMN_SHAPE = Metric(
    "column_shape",
    "shape of column {}",
    "higher",
    "1 - Kolmogorov-Smirnov of this column's numbers, or 1 - total variation of categories",
    in_table=False,
)
MISSING_VALUES = Metric(
    "missing_value_similarity",
    "similarity of blanks",
    "higher",
    "mean over columns with blanks of 1 - difference of their shares, as in SDMetrics",
)


@register(COLUMN_SHAPES, WORST_COLUMN_SHAPE, COLUMN_SHAPE, kinds=["mixed"], position=10)
def column_shapes(reference: MixedReference, rows: Array) -> dict[str, float]:
    """The mean and the least of the columns' shapes, and those of the first columns."""
    shapes = shapes_of(reference.columns, reference.real, rows)
    if np.isnan(shapes).all():
        return {}
    named = zip(reference.columns[:MAX_COLUMNS], shapes.tolist(), strict=False)
    return {
        COLUMN_SHAPES.key: float(np.nanmean(shapes)),
        WORST_COLUMN_SHAPE.key: float(np.nanmin(shapes)),
        **{COLUMN_SHAPE.at(column.name): shape for column, shape in named},
    }


@register(MISSING_VALUES, kinds=["mixed"], position=30)
def missing_values(reference: MixedReference, rows: Array) -> dict[str, float]:
    """The mean over columns that may be blank; no value where none may."""
    pairs = zip(reference.columns, reference.real.T, rows.T, strict=True)
    differences = [
        abs(float(column.are_blank(real).mean() - column.are_blank(fake).mean()))
        for column, real, fake in pairs
        if column.blank is not None
    ]
    return {MISSING_VALUES.key: 1 - float(np.mean(differences))} if differences else {}


def shapes_of(columns: Sequence[Column], real: Array, fake: Array) -> Array:
    """The shape of each column, 1 where the distributions are equal and 0 where they
    have nothing in common.

    Args:
        columns: What the columns are.
        real: Real rows, (M, C).
        fake: Generated rows, (N, C).

    Returns:
        The shapes, (C,); nan for a column that is all blank in either.
    """
    return np.array(
        [_shape(*given) for given in zip(columns, real.T, fake.T, strict=True)], np.float64
    )


def _shape(column: Column, real: Array, fake: Array) -> float:
    x, y = (values[~column.are_blank(values)] for values in (real, fake))
    if not (len(x) and len(y)):
        return math.nan
    if column.size:
        return 1 - total_variation(x.astype(np.int64), y.astype(np.int64), column.size)
    return 1 - kolmogorov_smirnov(*_rounded(x, y))


def total_variation(real: NDArray[np.int64], fake: NDArray[np.int64], size: int) -> float:
    """Half the sum of the differences of the frequencies of codes 0..size-1, in 0..1.

    A category that generated rows alone, (N,), have counts a millionth among the real
    ones, (M,), as SDMetrics has it: that changes the last digits.
    """
    counts, others = (np.bincount(codes, minlength=size) for codes in (real, fake))
    among = np.where((counts == 0) & (others > 0), UNSEEN, counts)
    return float(np.abs(among / among.sum() - others / others.sum()).sum() / 2)


def _rounded(x: Array, y: Array) -> tuple[Array, Array]:
    """Numbers to 14 decimals, as SDMetrics compares them: .1 + .2 is then .3.

    Those of a column that this leaves few digits of, or that overflow, stay as they
    are: the distance does not depend on the unit.
    """
    low, high = ROUNDED
    if not low <= max(np.abs(x).max(), np.abs(y).max()) <= high:
        return x, y
    return np.round(x, DECIMALS), np.round(y, DECIMALS)
