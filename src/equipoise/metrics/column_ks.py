"""The Kolmogorov-Smirnov distance of the worst column: it sees a column whose shape is
wrong whatever its scale, which a distance in standard deviations may not."""

from __future__ import annotations

from equipoise.metrics.kolmogorov_smirnov import kolmogorov_smirnov
from equipoise.metrics.reference import Array, TabularReference
from equipoise.metrics.registry import Metric, register


@register(
    Metric(
        "worst_column_ks",
        "worst column's Kolmogorov-Smirnov",
        "lower",
        "largest gap between the cumulative distribution functions of a column",
    ),
    kinds=["tabular"],
    position=55,
)
def worst_column_ks(reference: TabularReference, rows: Array) -> float:
    """The greatest of the columns' distances from the held-out samples."""
    pairs = zip(rows.T, reference.real.T, strict=True)
    return max(kolmogorov_smirnov(fake, real) for fake, real in pairs)
