"""The energy distance of numbers (Székely & Rizzo 2013)."""

from __future__ import annotations

from equipoise.metrics.reference import Array, UnivariateReference
from equipoise.metrics.registry import Metric, register

ENERGY_DISTANCE = Metric(
    "energy_distance",
    "energy distance",
    "lower",
    "difference in mean distances of pairs; 0 for equal distributions",
)


@register(ENERGY_DISTANCE, kinds=["univariate"], position=20, while_training=True)
def univariate_energy(reference: UnivariateReference, rows: Array) -> float:
    """The distance to held-out values, or to quantiles of the exact distribution."""
    return energy_distance(rows[:, 0], reference.values)


def energy_distance(x: Array, y: Array) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of two samples of numbers.

    SciPy has the root of it; it is twice the integral of (F_x - F_y)^2.

    Args:
        x: Numbers, (N,).
        y: Others, (M,).

    Returns:
        The distance in the data's units.
    """
    from scipy import stats

    return float(stats.energy_distance(x, y) ** 2)
