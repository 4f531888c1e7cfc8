"""The scene: where the data lies, what is known of its density, and real samples to
measure by. It stays the same while a distribution is learned.

Densities are on a grid of cells. That of samples is their histogram, blurred by a
normal kernel. For the best D the data's own density is blurred alike, so that equal
distributions have equal densities there.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.data.distributions import Distribution, Mixture
from equipoise.data.sources import DistributionSource
from equipoise.metrics.modes import RADIUS
from equipoise.metrics.wasserstein import Projected, wasserstein_to_distribution
from equipoise.plotting.axes import axis_limits

Array = NDArray[np.float64]

REAL_SAMPLES, SHOWN_REAL = 20_000, 400
CELLS = {1: 120, 2: 36}  # along each side, by dimension
BLUR = {1: 2.0, 2: 0.8}  # standard deviation of the kernel, in cells
MARGIN = 0.12  # of the range of the data, around it: a generator may be beside it
LINE_SAMPLES, PLANE_SAMPLES = 2_000, 1_000  # that a distance is measured on
DIRECTIONS = 32  # of the sliced distance
FLOOR_DRAWS = 8
# Fraction of its fair share from which samples are said to reach a mode.
MODE_SHARE = 0.25
# D is not known where the densities are below this fraction of the highest.
MIN_MASS = 0.01


class Scene:
    """What the training is watched against.

    Args:
        source: The distribution that is learned.
    """

    def __init__(self, source: DistributionSource) -> None:
        self.distribution: Distribution = source.distribution
        self.dimension = self.distribution.dimension
        self.real: Array = source.held_out(REAL_SAMPLES, 0).numpy()
        low, high = axis_limits(self.real)
        spread = MARGIN * (high - low)
        self.low, self.high = low - spread, high + spread
        cells = CELLS[self.dimension]
        self.edges = [
            np.linspace(a, b, cells + 1) for a, b in zip(self.low, self.high, strict=True)
        ]
        middles = [(edges[1:] + edges[:-1]) / 2 for edges in self.edges]
        self.points: Array = np.stack(
            [part.ravel() for part in np.meshgrid(*middles, indexing="ij")], 1
        )
        """The middles of the cells, (cells, dimension)."""
        self.mean, self.std = self.real.mean(0), self.real.std(0)
        self.samples = LINE_SAMPLES if self.dimension == 1 else PLANE_SAMPLES
        reference = source.held_out(self.samples, 1).numpy()
        self._projected = Projected(reference, DIRECTIONS) if self.dimension == 2 else None
        draws = (source.held_out(self.samples, 2 + draw).numpy() for draw in range(FLOOR_DRAWS))
        self.floor = float(np.mean([self.distance(draw) for draw in draws]))
        """What as many real samples score in place of generated ones, on average."""
        self.blurred: Array = self.density_of(self.real)
        """The data's density in the cells, blurred."""

    @cached_property
    def density(self) -> Array | None:
        """The data's density in the cells; None where it is not known."""
        at = self.points[:, 0] if self.dimension == 1 else self.points
        return self.distribution.density(at)

    @cached_property
    def modes(self) -> tuple[Array, Array] | None:
        """Centres of the modes, (K, dimension), and the standard deviation of each,
        (K,); None where there are none."""
        if isinstance(self.distribution, Mixture):
            return np.array(self.distribution.means)[:, None], np.array(self.distribution.stds)
        known = self.distribution.modes()
        return None if known is None else (known[0], np.full(len(known[0]), known[1]))

    def _quantile(self, u: Array) -> Array:
        found = self.distribution.quantile(u)
        assert found is not None, "every distribution on the line has one"
        return found

    def density_of(self, samples: Array) -> Array:
        """The blurred density of samples, (N, dimension), in the cells."""
        from scipy.ndimage import gaussian_filter

        counts, _ = np.histogramdd(samples, self.edges)
        cell = np.prod([edges[1] - edges[0] for edges in self.edges])
        blurred = gaussian_filter(counts, BLUR[self.dimension], mode="constant")
        return np.asarray(blurred.ravel() / (len(samples) * cell))

    def distance(self, samples: Array) -> float:
        """How far samples, (`self.samples`, dimension), are from the data, in its
        units: Wasserstein-1 on the line, sliced on the plane."""
        if self._projected is not None:
            return self._projected.distance(samples)
        return wasserstein_to_distribution(samples[:, 0], self._quantile)

    def modes_reached(self, samples: Array) -> int | None:
        """How many modes have at least a quarter of their fair share of the samples
        within 3 standard deviations; None without known modes."""
        if self.modes is None:
            return None
        centres, stds = self.modes
        away = np.linalg.norm(samples[:, None] - centres[None], axis=-1) / stds
        nearest, on_mode = away.argmin(1), away.min(1) <= RADIUS
        shares = np.bincount(nearest[on_mode], minlength=len(centres)) / len(samples)
        weights = np.array(self.distribution.mixture_weights())
        return int((shares >= MODE_SHARE * weights).sum())

    def to_json(self) -> dict[str, object]:
        """What a page needs to draw the data."""
        return {
            "dimension": self.dimension,
            "low": rounded(self.low),
            "high": rounded(self.high),
            "cells": CELLS[self.dimension],
            "x": rounded(self.points[:, 0]) if self.dimension == 1 else None,
            "density": None
            if self.dimension == 2
            else rounded(self.blurred if self.density is None else self.density),
            "real": rounded(self.real[:SHOWN_REAL]),
            "floor": self.floor,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }


def rounded(values: Array) -> list[object]:
    """Numbers with the digits that a picture can show."""
    known = np.abs(values[np.isfinite(values)])
    highest = float(known.max()) if known.size else 0.0
    digits = 4 - int(np.floor(np.log10(highest))) if highest > 0 else 4
    found: list[object] = np.round(values, max(digits, 0)).tolist()
    return found
