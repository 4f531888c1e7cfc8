"""The Fréchet distance of rows of mixed columns: the primary metric of tables.

Means and covariances are compared of features (`Encoding.moments`) in which a
covariance of two columns is what binds them: ranks and bins of numbers, one-hot
categories. So a table whose every column is right and whose columns have nothing to do
with one another is far off, which column shapes and pair trends hardly show. It costs
one pass over the rows. What binds three columns and no two of them it does not see:
boosted trees do. benchmarks/EXPERIMENTS.md compares it with other distances.
"""

from __future__ import annotations

import numpy as np

from equipoise.metrics.frechet import frechet_distance
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.tables.mixed_reference import MixedReference

TABLE_FRECHET = Metric(
    "table_frechet_distance",
    "Fréchet (ranks and categories)",
    "lower",
    "Fréchet distance, computed as FID is, on ranks and bins of numbers, one-hot categories",
)


@register(
    TABLE_FRECHET,
    kinds=["mixed"],
    position=0,
    while_training=True,
    compared_with=lambda reference: (
        f"{reference.description}, {_moments(reference).shape[1]} features"
    ),
)
def table_frechet(reference: MixedReference, rows: Array) -> float:
    """The Fréchet distance of the features whose moments are compared."""
    return frechet_distance(
        _two_at_least(reference.encoding.moments(rows)), _two_at_least(_moments(reference))
    )


def _moments(reference: MixedReference) -> Array:
    return reference.once("moments", lambda: reference.encoding.moments(reference.real))


def _two_at_least(rows: Array) -> Array:
    """The rows; a lone one twice, whose covariance is then 0."""
    return np.repeat(rows, 2, 0) if len(rows) == 1 else rows
