"""The Kolmogorov-Smirnov distance of numbers: the largest difference of two cumulative
distribution functions, in 0..1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.metrics.reference import Array, UnivariateReference
from equipoise.metrics.registry import Metric, register

KOLMOGOROV_SMIRNOV = Metric(
    "kolmogorov_smirnov",
    "Kolmogorov-Smirnov",
    "lower",
    "largest gap between the two cumulative distribution functions",
)


@register(KOLMOGOROV_SMIRNOV, kinds=["univariate"], position=10, while_training=True)
def univariate_ks(reference: UnivariateReference, rows: Array) -> float:
    """The distance to the held-out values, or to the exact distribution."""
    if reference.distribution is None:
        return kolmogorov_smirnov(rows[:, 0], reference.values)
    return kolmogorov_smirnov_to_distribution(rows[:, 0], reference.cdf)


def kolmogorov_smirnov(x: Array, y: Array) -> float:
    """The largest difference between two empirical distribution functions.

    Args:
        x: Numbers, (N,).
        y: Others, (M,).

    Returns:
        The difference, in 0..1.
    """
    both = np.concatenate([x, y])
    steps = [np.searchsorted(np.sort(part), both, "right") / len(part) for part in (x, y)]
    return float(np.abs(steps[0] - steps[1]).max())


def kolmogorov_smirnov_to_distribution(x: Array, cdf: Callable[[Array], Array]) -> float:
    """The largest difference between an empirical distribution function and an exact
    one.

    Args:
        x: Numbers, (N,).
        cdf: The exact distribution function.

    Returns:
        The difference, in 0..1.
    """
    ordered, n = np.sort(x), len(x)
    exact, steps = cdf(ordered), np.arange(n + 1) / n
    return float(max((steps[1:] - exact).max(), (exact - steps[:-1]).max()))
