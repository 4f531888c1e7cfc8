"""Mean and standard deviation of numbers."""

from __future__ import annotations

from equipoise.metrics.reference import Array, UnivariateReference
from equipoise.metrics.registry import Metric, register

MEAN = Metric("mean", "mean", "near", "mean of the values")
STANDARD_DEVIATION = Metric(
    "standard_deviation", "standard deviation", "near", "standard deviation of the values"
)


@register(MEAN, STANDARD_DEVIATION, kinds=["univariate"], position=30, while_training=True)
def moments(_: UnivariateReference, rows: Array) -> dict[str, float]:
    """Moments of the samples alone; their baselines are those of real samples."""
    values = rows[:, 0]
    return {MEAN.key: float(values.mean()), STANDARD_DEVIATION.key: float(values.std())}
