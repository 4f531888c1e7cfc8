"""Wasserstein-1 distances: of numbers, of columns, and sliced.

Rabin, Peyré, Delon, Bernot: "Wasserstein Barycenter and Its Application to Texture
Mixing", SSVM 2011 (sliced). Lower is closer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from equipoise.metrics.reference import (
    Array,
    TabularReference,
    UnivariateReference,
    column_stds,
)
from equipoise.metrics.registry import Metric, register

DIRECTIONS = 128  # projections of the sliced distance
DIRECTION_BATCH = 8  # directions

WASSERSTEIN_1 = Metric(
    "wasserstein_1",
    "Wasserstein-1",
    "lower",
    "how far values must move, on average, for equal distributions",
)
SLICED_WASSERSTEIN = Metric(
    "sliced_wasserstein",
    "sliced Wasserstein",
    "lower",
    "Wasserstein-1 distance, averaged over 128 directions, in the data's units",
)
WORST_COLUMN = Metric(
    "worst_column_wasserstein_1",
    "worst column's Wasserstein-1",
    "lower",
    "distance of the worst column, in standard deviations",
)
COLUMN = Metric(
    "column_wasserstein_1",
    "Wasserstein-1 of column {}",
    "lower",
    "distance of this column's distributions, in standard deviations",
    in_table=False,
)


@register(WASSERSTEIN_1, kinds=["univariate"], position=0, while_training=True)
def univariate_distance(reference: UnivariateReference, rows: Array) -> float:
    """Wasserstein-1 to the held-out values, or to the exact distribution."""
    if reference.distribution is None:
        return wasserstein(rows[:, 0], reference.values)
    return wasserstein_to_distribution(rows[:, 0], reference.quantile)


@register(SLICED_WASSERSTEIN, kinds=["tabular"], position=0, while_training=True)
def sliced_distance(reference: TabularReference, rows: Array) -> float:
    """The sliced distance to as many real samples, which are projected once for each
    number."""
    n = min(len(rows), len(reference.real))
    projected = reference.once(("projected", n), lambda: Projected(reference.real[:n]))
    return projected.distance(rows[:n])


@register(WORST_COLUMN, COLUMN, kinds=["tabular"], position=50)
def column_distances(reference: TabularReference, rows: Array) -> dict[str, float]:
    """The greatest of the columns' distances, and those of the first columns."""
    distances = column_wasserstein(rows, reference.real)
    named = zip(reference.columns, distances.tolist(), strict=False)  # not all have a name
    return {
        WORST_COLUMN.key: float(distances.max()),
        **{COLUMN.at(column): distance for column, distance in named},
    }


def wasserstein(x: Array, y: Array) -> float:
    """Wasserstein-1 between two samples of numbers.

    Args:
        x: Numbers, (N,).
        y: Others, (M,).

    Returns:
        The mean distance that values must move, in the data's units.
    """
    from scipy import stats

    return float(stats.wasserstein_distance(x, y))


def wasserstein_to_distribution(x: Array, quantile: Callable[[Array], Array]) -> float:
    """Wasserstein-1 between numbers and an exact distribution.

    The mean of |x_(i) - F^-1((i - 1/2) / N)| over the sorted sample: the midpoint rule
    for the integral of |F_N^-1 - F^-1| over (0, 1).

    Args:
        x: Numbers, (N,).
        quantile: The distribution's quantile function F^-1.

    Returns:
        The distance in the data's units.
    """
    n = len(x)
    return float(np.abs(np.sort(x) - quantile((np.arange(n) + 0.5) / n)).mean())


class Projected:
    """Samples y, (N, D), on random unit vectors, sorted there: what a sliced distance
    to them needs, made once for many x."""

    def __init__(self, y: Array, directions: int = DIRECTIONS, seed: int = 0) -> None:
        unit = np.random.default_rng(seed).standard_normal((y.shape[1], directions))
        self.unit: Array = (unit / np.linalg.norm(unit, axis=0)).T
        self.sorted: list[Array] = list(self._sorted(y))

    def distance(self, x: Array) -> float:
        """The mean Wasserstein-1 of the projections of x, (N, D), and y onto random
        unit vectors, in the data's units.

        The two samples must be equally many, so that sorting pairs them.
        """
        found = [np.abs(a - b).mean(1) for a, b in zip(self._sorted(x), self.sorted, strict=True)]
        return float(np.concatenate(found).mean())

    def _sorted(self, rows: Array) -> Iterator[Array]:
        """A few directions at a time, (directions, N) each."""
        for start in range(0, len(self.unit), DIRECTION_BATCH):
            yield np.sort(self.unit[start : start + DIRECTION_BATCH] @ rows.T, axis=1)


def sliced_wasserstein(x: Array, y: Array, directions: int = DIRECTIONS, seed: int = 0) -> float:
    """The sliced Wasserstein-1 distance of x and y, both (N, D), see `Projected`."""
    return Projected(y, directions, seed).distance(x)


def column_wasserstein(x: Array, y: Array) -> Array:
    """Wasserstein-1 of each column.

    Args:
        x: Samples, (N, D).
        y: Real samples, (M, D).

    Returns:
        The distances, (D,), in standard deviations of y's column. A column of y that
        never varies is measured in its own units.
    """
    distances = np.array([wasserstein(a, b) for a, b in zip(x.T, y.T, strict=True)])
    return distances / column_stds(y)
