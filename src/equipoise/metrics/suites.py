"""Judges: for each kind of data the figures that say how close samples are, every one
with its floor, which real samples get from the same judge.

A judge is built once from a source, and then called with samples in the user's units.
Its first figure is the headline. A quick one, for figures while training, takes only
those that cost little.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.distributions import Distribution
from equipoise.metrics import wasserstein
from equipoise.metrics.intervals import half_widths
from equipoise.metrics.mmd import gaussian_kernel_mean, gaussian_mmd, median_distance
from equipoise.metrics.neighbours import (
    K,
    coverage,
    intrinsic_dimension,
    kth_neighbour,
    mean_distance,
)
from equipoise.metrics.result import (
    COLUMN,
    COVERAGE,
    DENSITY,
    DIMENSION,
    DIVERSITY,
    MODES,
    PRECISION,
    RECALL,
    REVERSE_KL,
    SLICED,
    SPREAD,
    WASSERSTEIN,
    WITHIN,
    WORST_COLUMN,
    Better,
    MetricResult,
    directions,
)

Array = NDArray[np.float64]
MODE_SAMPLES = 2_500
QUICK_SAMPLES = 2_000  # for figures taken while training
PAIRS = 2_000  # samples of each kind for figures whose cost grows with the square of their number
MIN_FOR_INTERVALS = 40
MIN_NEIGHBOURS = 40  # samples of each kind below which balls about them say nothing
NARROWED = 0.9  # factor on distances from the mean, of a difference that matters
MMD = "MMD^2, Gaussian kernel"
LINE_METRICS: dict[str, Better] = directions(
    WASSERSTEIN,
    "Kolmogorov-Smirnov",
    "energy distance",
    "mean",
    "standard deviation",
)
MODE_METRICS: dict[str, Better] = directions(WITHIN, REVERSE_KL, SPREAD)
SPACE_METRICS: dict[str, Better] = directions(
    MMD,
    WORST_COLUMN,
    "largest difference of correlations",
)
NEIGHBOUR_METRICS: dict[str, Better] = directions(PRECISION, RECALL, DENSITY, COVERAGE)
DIVERSITY_METRICS: dict[str, Better] = directions(DIVERSITY)


class MetricSuite(ABC):
    """Compares samples, (n, *shape) in the user's units, with real ones.

    `n` is how many it should be given, `against` with what it compares, `better` has
    every figure's name, `cost` is of judging one sample while training, in
    multiplications that take a training as long (`training.pace`).
    """

    n: int
    cost: float = 2e4  # of points: 2 millionths of a second
    against: str
    better: dict[str, Better]
    quick: bool = False

    def prepare(self, x: Array) -> Array:
        """What figures are taken of: a row for each sample."""
        return x.reshape(len(x), -1)

    @abstractmethod
    def measure(self, rows: Array) -> dict[str, float]:
        """Figures by name, the headline first, of prepared samples."""

    def __call__(self, x: Array) -> dict[str, float]:
        return self.measure(self.prepare(x))

    def metrics(self, x: Array, reals: Sequence[Array]) -> list[MetricResult]:
        """Each figure of x with its interval, beside its mean over `reals`, which must
        be other real samples than the judge holds. A figure that is not known, of x or
        of real ones, is left out, but for the headline, which every verdict needs."""
        rows = self.prepare(x)
        values, of_reals = self.measure(rows), [self(real) for real in reals]
        n, enough = len(rows), len(rows) >= MIN_FOR_INTERVALS
        widths = (
            half_widths(
                lambda chosen: self.measure(rows[chosen]), n, lambda name: self.used(name, n)
            )
            if enough
            else {}
        )
        widths = {name: width for name, width in widths.items() if math.isfinite(width)}
        floors = {name: float(np.mean([metrics[name] for metrics in of_reals])) for name in values}
        return [
            MetricResult(
                name,
                value,
                floors[name],
                self.better[name],
                self.protocol(name, len(x), len(reals[0]), len(reals)),
                low=value - widths[name] if name in widths else None,
                high=value + widths[name] if name in widths else None,
                narrowed=self.narrowed(reals) if number == 0 else None,
            )
            for number, (name, value) in enumerate(values.items())
            if number == 0 or not math.isnan(value + floors[name])
        ]

    def narrowed(self, reals: Sequence[Array]) -> float | None:
        """The headline of real samples that were made too narrow, see
        `MetricResult.narrowed`."""
        return None

    def used(self, name: str, n: int) -> int:
        """Of how many of n samples the figure of this name is taken."""
        return n

    def means(self, name: str) -> str:
        """With what the figure of this name compares, and how."""
        return self.against

    def protocol(self, name: str, n: int, n_real: int, draws: int) -> str:
        """What the figure of this name was taken on."""
        floor = f"floor: {self.used(name, n_real):,} real samples" + (
            f", mean of {draws} draws" if draws > 1 else ""
        )
        return f"{self.used(name, n):,} samples against {self.means(name)}; {floor}"


class PointSuite(MetricSuite):
    """What judges of points share: neighbours, on columns of unit variance."""

    def __init__(self, real: Array, quick: bool) -> None:
        self.real, self.quick = real.reshape(len(real), -1), quick
        self.centre, self.units = self.real.mean(0), wasserstein.stds(self.real)
        self.near = self.scaled(self.real[:PAIRS])
        self.radii = None if quick else kth_neighbour(torch.from_numpy(self.near), K)

    def used(self, name: str, n: int) -> int:
        return (
            min(n, PAIRS) if name in NEIGHBOUR_METRICS or name in (DIMENSION, DIVERSITY, MMD) else n
        )

    def means(self, name: str) -> str:
        if name in NEIGHBOUR_METRICS or name in (DIMENSION, DIVERSITY):
            return f"{len(self.near):,} held-out samples, columns of unit variance, k = {K}"
        return self.against

    @abstractmethod
    def distance(self, rows: Array) -> float:
        """The headline, of rows (n, D)."""

    def narrowed(self, reals: Sequence[Array]) -> float | None:
        rows = (self.prepare(real) for real in reals)
        return float(
            np.mean([self.distance(self.centre + NARROWED * (x - self.centre)) for x in rows])
        )

    def scaled(self, rows: Array) -> Array:
        """In columns of unit variance about the real ones' means: squares of numbers
        far from 0 would leave no digits for distances."""
        return np.asarray((rows - self.centre) / self.units)

    def neighbours(self, rows: Array) -> dict[str, float]:
        """Precision, recall, density and coverage, and how far apart the samples are."""
        scaled = self.scaled(rows[:PAIRS])
        return neighbour_metrics(self.near, scaled, self.radii) | {DIVERSITY: mean_distance(scaled)}


class LineSuite(PointSuite):
    """Numbers on the line, against real ones or against an exact distribution."""

    def __init__(self, real: Array, n: int, distribution: Distribution | None, quick: bool) -> None:
        super().__init__(real, quick)
        self.n, self.distribution = n, distribution
        self.against = (
            f"{len(real):,} held-out samples" if distribution is None else "the exact distribution"
        )
        self.better = (
            LINE_METRICS if quick else LINE_METRICS | NEIGHBOUR_METRICS | DIVERSITY_METRICS
        )
        self.values = (
            self.real[:, 0]
            if distribution is None
            else _known(distribution.quantile((np.arange(n) + 0.5) / n))
        )

    def distance(self, rows: Array) -> float:
        if (distribution := self.distribution) is None:
            return wasserstein.wasserstein(rows[:, 0], self.values)
        return wasserstein.wasserstein_to_distribution(
            rows[:, 0], lambda u: _known(distribution.quantile(u))
        )

    def measure(self, rows: Array) -> dict[str, float]:
        line, distribution = rows[:, 0], self.distribution
        metrics = {
            WASSERSTEIN: self.distance(rows),
            "Kolmogorov-Smirnov": wasserstein.kolmogorov_smirnov(line, self.values)
            if distribution is None
            else wasserstein.kolmogorov_smirnov_to_distribution(
                line, lambda v: _known(distribution.cdf(v))
            ),
            "energy distance": wasserstein.energy_distance(line, self.values),
            "mean": float(line.mean()),
            "standard deviation": float(line.std()),
        }
        return metrics if self.quick else {**metrics, **self.neighbours(rows)}


class SpaceSuite(PointSuite):
    """Points of several columns, the first of them by `columns`' names too, and their
    modes where the source knows them."""

    def __init__(
        self, real: Array, modes: tuple[Array, float] | None, columns: Sequence[str], quick: bool
    ) -> None:
        super().__init__(real, quick)
        self.columns = [f"{COLUMN}{name}" for name in columns]
        self.n, self.modes, self.against = len(real), modes, f"{len(real):,} held-out samples"
        self.covered = "" if modes is None else f"{MODES}{len(modes[0])}"
        self.bandwidth = median_distance(self.scaled(self.real))
        self.within = math.nan if quick else gaussian_kernel_mean(self.near, self.bandwidth)
        self.projected: dict[int, wasserstein.Projected] = {}
        self.better = directions(SLICED)
        if modes is not None:
            self.better |= {**directions(self.covered), **MODE_METRICS}
        if not quick:
            self.better |= {**SPACE_METRICS, **NEIGHBOUR_METRICS, **DIVERSITY_METRICS}
            self.better |= directions(DIMENSION, *self.columns)

    def used(self, name: str, n: int) -> int:
        return (
            min(n, MODE_SAMPLES)
            if name in MODE_METRICS or name == self.covered
            else super().used(name, n)
        )

    def means(self, name: str) -> str:
        if name in MODE_METRICS or name == self.covered:
            return "the distribution's modes"
        if name == MMD:
            return (
                f"{len(self.near):,} held-out samples, columns of unit variance, bandwidth "
                f"{self.bandwidth:.3g}, unbiased"
            )
        return super().means(name)

    def distance(self, rows: Array) -> float:
        """The sliced distance to as many real samples, which are projected once for
        each number."""
        n = min(len(rows), len(self.real))
        if n not in self.projected:
            self.projected[n] = wasserstein.Projected(self.real[:n])
        return self.projected[n].distance(rows[:n])

    def measure(self, rows: Array) -> dict[str, float]:
        metrics = {SLICED: self.distance(rows)}
        if self.modes is not None:
            modes = wasserstein.mode_coverage(rows[:MODE_SAMPLES], *self.modes)
            metrics |= {
                self.covered: float(modes.covered),
                WITHIN: modes.within,
                REVERSE_KL: modes.reverse_kl,
                SPREAD: modes.spread,
            }
        if self.quick:
            return metrics
        scaled, columns = self.scaled(rows[:PAIRS]), wasserstein.column_wasserstein(rows, self.real)
        return {
            **metrics,
            MMD: gaussian_mmd(scaled, self.near, self.bandwidth, self.within),
            WORST_COLUMN: float(columns.max()),
            "largest difference of correlations": wasserstein.correlation_difference(
                rows, self.real
            ),
            **self.neighbours(rows),
            DIMENSION: intrinsic_dimension(scaled),
            **dict(
                zip(self.columns, columns.tolist(), strict=False)
            ),  # of many columns only the first are named
        }


def neighbour_metrics(real: Array, fake: Array, radii: Tensor | None) -> dict[str, float]:
    """Precision, recall, density and coverage by their names; none of too few samples.

    Args:
        real: Features of held-out samples, (M, F).
        fake: Of generated samples, (N, F).
        radii: `kth_neighbour` of the real ones, (M,).
    """
    if min(len(real), len(fake)) < MIN_NEIGHBOURS:
        return dict.fromkeys(NEIGHBOUR_METRICS, math.nan)
    return coverage(real, fake, radii=radii).named()


def _known(values: Array | None) -> Array:
    assert values is not None, (
        "a distribution with a judge of its own has a CDF and a quantile function"
    )
    return values
