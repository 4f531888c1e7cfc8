"""Correlations of columns."""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import Array, TabularReference
from equipoise.metrics.registry import Metric, register

CORRELATION_DIFFERENCE = Metric(
    "correlation_difference",
    "largest difference of correlations",
    "lower",
    "largest error of a correlation of two columns",
)


@register(CORRELATION_DIFFERENCE, kinds=["tabular"], position=60)
def correlations(reference: TabularReference, rows: Array) -> float:
    """The largest difference of Pearson correlations from the held-out samples'."""
    return correlation_difference(rows, reference.real)


def correlation_difference(x: Array, y: Array) -> float:
    """The largest difference between entries of two correlation matrices.

    A column that never varies correlates with nothing.

    Args:
        x: Samples, (N, D).
        y: Real samples, (M, D).

    Returns:
        The difference, in 0..2.
    """
    return float(np.abs(_correlations(x) - _correlations(y)).max())


def _correlations(x: Array) -> Array:
    centred = x - x.mean(0)
    # By rounding the norm of a column that never varies is not quite 0.
    norms = np.where(x.max(0) > x.min(0), np.linalg.norm(centred, axis=0), 0.0)
    scaled = centred / np.where(norms > 0, norms, 1.0)
    return np.asarray(scaled.T @ scaled)
