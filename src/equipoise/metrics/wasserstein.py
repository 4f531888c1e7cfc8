"""Distances between samples on the line and in space, and the coverage of known modes.

Lower is closer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DIRECTIONS = 128  # projections of the sliced distance
TOGETHER = 8  # of them at once
WITHIN = 3.0  # standard deviations about a mode that count as on it (Srivastava et al. 2017)


def wasserstein(x: Array, y: Array) -> float:
    """Wasserstein-1 between two samples on the line, (N,) and (M,), in the data's
    units: the mean distance that values must move."""
    from scipy import stats

    return float(stats.wasserstein_distance(x, y))


def wasserstein_to_distribution(x: Array, quantile: Callable[[Array], Array]) -> float:
    """Wasserstein-1 between a sample, (N,), and an exact distribution: the mean of
    |x_(i) - F^-1((i - 1/2) / N)| over the sorted sample, the midpoint rule for the
    integral of |F_N^-1 - F^-1| over (0, 1)."""
    n = len(x)
    return float(np.abs(np.sort(x) - quantile((np.arange(n) + 0.5) / n)).mean())


def kolmogorov_smirnov(x: Array, y: Array) -> float:
    """The largest difference between the two empirical distribution functions, in 0..1."""
    both = np.concatenate([x, y])
    steps = [np.searchsorted(np.sort(part), both, "right") / len(part) for part in (x, y)]
    return float(np.abs(steps[0] - steps[1]).max())


def kolmogorov_smirnov_to_distribution(x: Array, cdf: Callable[[Array], Array]) -> float:
    """The largest difference between the sample's distribution function and the exact
    one, in 0..1."""
    ordered, n = np.sort(x), len(x)
    exact, steps = cdf(ordered), np.arange(n + 1) / n
    return float(max((steps[1:] - exact).max(), (exact - steps[:-1]).max()))


class Projected:
    """Samples y, (N, D), on random unit vectors, sorted there: what a sliced distance
    to them needs, made once for many x."""

    def __init__(self, y: Array, directions: int = DIRECTIONS, seed: int = 0) -> None:
        unit = np.random.default_rng(seed).standard_normal((y.shape[1], directions))
        self.unit = (unit / np.linalg.norm(unit, axis=0)).T
        self.sorted = list(self._sorted(y))

    def distance(self, x: Array) -> float:
        """The mean Wasserstein-1 of the projections of x, (N, D), and y onto random
        unit vectors (Rabin et al. 2011), in the data's units.

        The two samples must be equally many, so that sorting pairs them.
        """
        found = [np.abs(a - b).mean(1) for a, b in zip(self._sorted(x), self.sorted, strict=True)]
        return float(np.concatenate(found).mean())

    def _sorted(self, rows: Array) -> Iterator[Array]:
        """A few directions at a time, (directions, N) each."""
        for start in range(0, len(self.unit), TOGETHER):
            yield np.sort(self.unit[start : start + TOGETHER] @ rows.T, axis=1)


def sliced_wasserstein(x: Array, y: Array, directions: int = DIRECTIONS, seed: int = 0) -> float:
    """The sliced Wasserstein-1 distance of x and y, both (N, D): `Projected.distance`."""
    return Projected(y, directions, seed).distance(x)


def energy_distance(x: Array, y: Array) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of two samples on the line, (N,) and (M,), in
    the data's units (Székely & Rizzo 2013).

    SciPy's figure is the root of it; it is twice the integral of (F_x - F_y)^2.
    """
    from scipy import stats

    return float(stats.energy_distance(x, y) ** 2)


def column_wasserstein(x: Array, y: Array) -> Array:
    """Wasserstein-1 of each column of x, (N, D), and y, (M, D), in standard deviations
    of y's column: (D,). A column of y that never varies is measured in its own units.
    """
    return np.array([wasserstein(a, b) for a, b in zip(x.T, y.T, strict=True)]) / stds(y)


def stds(x: Array) -> Array:
    """The standard deviation of each column of x, (N, D), and 1 for a column that never
    varies: (D,). A column that is .1 throughout has one of 1e-17 by rounding, which
    nothing may be measured in."""
    spread = np.where(x.max(0) > x.min(0), x.std(0), 0.0)
    return np.where(spread > 0, spread, 1.0)


def correlation_difference(x: Array, y: Array) -> float:
    """The largest difference, 0 to 2, between an entry of the correlation matrix of x,
    (N, D), and the same of y, (M, D). A column that never varies correlates with
    nothing."""
    return float(np.abs(_correlations(x) - _correlations(y)).max())


def _correlations(x: Array) -> Array:
    centred = x - x.mean(0)
    norms = np.where(
        x.max(0) > x.min(0), np.linalg.norm(centred, axis=0), 0.0
    )  # rounding leaves a little of a column that never varies
    scaled = centred / np.where(norms > 0, norms, 1.0)
    return np.asarray(scaled.T @ scaled)


@dataclass(frozen=True)
class ModeCoverage:
    """How the samples spread over modes that are known and equally likely."""

    covered: int
    """Modes with at least one sample within 3 standard deviations, nearest to that
    mode."""
    within: float
    """Share of the samples within 3 standard deviations of a mode; for round normal
    modes on the plane 98.9% of real ones are."""
    reverse_kl: float
    """KL(samples' modes || uniform) over all samples' nearest modes, in nats."""
    spread: float
    """Root mean square distance from the mode, per axis, of the samples within 3
    standard deviations, over that of real ones: 1 is right, less is too narrow."""


def mode_coverage(x: Array, centres: Array, std: float) -> ModeCoverage:
    """Samples x, (N, 2), against modes at `centres`, (K, 2), each round normal with
    `std`."""
    distances = np.linalg.norm(x[:, None] - centres[None], axis=-1)
    nearest, distance = distances.argmin(1), distances.min(1)
    on_mode = distance <= WITHIN * std
    covered = len(np.unique(nearest[on_mode]))
    fractions = np.bincount(nearest, minlength=len(centres)) / len(x)
    reverse_kl = float(
        np.sum(fractions * np.log(np.where(fractions > 0, fractions * len(centres), 1.0)))
    )
    # A normal distribution cut off at 3 standard deviations has a smaller second
    # moment: E[r^2 | r <= 3] / 2 for the Rayleigh distribution of r.
    whole = 1 - np.exp(-(WITHIN**2) / 2)
    expected = 1 - WITHIN**2 / 2 * np.exp(-(WITHIN**2) / 2) / whole
    spread = (
        float(np.sqrt((distance[on_mode] ** 2).mean() / 2 / expected) / std)
        if on_mode.any()
        else 0.0
    )
    return ModeCoverage(covered, float(on_mode.mean()), reverse_kl, spread)
