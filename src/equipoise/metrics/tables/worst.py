"""The columns and the pairs of columns that differ most from real rows, with their
figures: what a report shows and says in words.

What other real rows get is the baseline: a column of a thousand categories never gets 1
from a few thousand rows. The worst is what falls furthest below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.metrics.tables.associations import Array, Measure, association, measure_of
from equipoise.metrics.tables.column_shapes import shapes_of
from equipoise.metrics.tables.pair_trends import PairedColumns, pairs_of, trends_of
from equipoise.metrics.tables.raw_table import Column


@dataclass(frozen=True)
class ColumnFigures:
    """How a column of generated rows differs from the real one."""

    name: str
    measure: str
    """Its distance: Kolmogorov-Smirnov of numbers, total variation of categories."""
    shape: float
    """1 - this distance."""
    baseline: float
    """The shape of other real rows."""
    blank: float
    """Share of its cells that are blank among generated rows."""
    real_blank: float
    """The same among real ones."""


@dataclass(frozen=True)
class PairFigures:
    """How what binds two columns differs from what binds them in real rows."""

    names: tuple[str, str]
    measure: Measure
    """How their association is measured."""
    trend: float
    """Similarity of correlation or contingency."""
    baseline: float
    """The trend of other real rows."""
    association: float
    """Among generated rows; nan where a column never varies."""
    real_association: float
    """The same among real ones."""


def worst_columns(
    columns: Sequence[Column], real: Array, fake: Array, other: Array, most: int = 5
) -> list[ColumnFigures]:
    """The columns whose shape is furthest below its baseline, the worst one first.

    Args:
        columns: What the columns are.
        real: Real rows, (M, C).
        fake: Generated rows, (N, C).
        other: Other real rows, about as many, for the baseline.
        most: Columns.

    Returns:
        The figures; a column that is all blank anywhere is left out.
    """
    shapes, baselines = (shapes_of(columns, real, rows) for rows in (fake, other))
    return [
        ColumnFigures(
            columns[at].name,
            "total variation" if columns[at].size else "Kolmogorov-Smirnov",
            float(shapes[at]),
            float(baselines[at]),
            *(float(columns[at].are_blank(rows[:, at]).mean()) for rows in (fake, real)),
        )
        for at in _least(shapes - baselines, most)
    ]


def worst_pairs(
    columns: Sequence[Column], real: Array, fake: Array, other: Array, most: int = 5
) -> list[PairFigures]:
    """The pairs of columns whose trend is furthest below its baseline, the worst one
    first.

    The arguments are those of `worst_columns`. A pair whose correlation is not defined
    is left out.
    """
    among = PairedColumns(columns, real)
    trends, baselines = (trends_of(among, PairedColumns(columns, rows)) for rows in (fake, other))
    pairs = pairs_of(len(columns))
    return [
        _pair_figures(columns, pairs[at], (fake, real), float(trends[at]), float(baselines[at]))
        for at in _least(trends - baselines, most)
    ]


def _pair_figures(
    columns: Sequence[Column],
    pair: tuple[int, int],
    sides: tuple[Array, Array],
    trend: float,
    baseline: float,
) -> PairFigures:
    first, second = (columns[at] for at in pair)
    found, real = (association((first, second), rows[:, list(pair)]) for rows in sides)
    return PairFigures(
        (first.name, second.name), measure_of(first, second), trend, baseline, found, real
    )


def _least(values: Array, most: int) -> list[int]:
    """Where the least of the values are, in order; nan is nowhere."""
    order = np.argsort(values, kind="stable")  # nan comes last
    return [int(at) for at in order[:most] if not np.isnan(values[at])]
