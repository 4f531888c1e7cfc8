"""The fraction of samples that are finite numbers, which every other metric needs."""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult

FINITE_FRACTION = describe(
    Metric(
        "finite_fraction",
        "finite samples",
        "higher",
        "fraction of samples that are finite numbers",
    )
)


def finite_metric(x: Array) -> MetricResult:
    """The fraction of samples, (N, *shape), all of whose values are finite."""
    finite = np.isfinite(x.reshape(len(x), -1)).all(1).mean()
    return MetricResult.of(FINITE_FRACTION, float(finite), 1.0, f"{len(x):,} samples", n=len(x))
