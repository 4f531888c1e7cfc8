"""What can be learned: built-in distributions, and those that a learner has drawn.

A drawn one has an exact density, so that the best D for it is known too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.data.distributions import Distribution, Gaussian, Grid, Mixture, Ring, Swissroll
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]

MIN_BARS, MAX_BARS = 2, 256
MIN_POINTS, MAX_POINTS = 8, 2_000
MAX_COORDINATE = 1e3
# Standard deviation of the noise about each drawn point, of the points' own.
POINT_NOISE = 0.04


@dataclass(frozen=True)
class DrawnDensity(Distribution):
    """A density on the line that is constant between evenly spaced edges."""

    name = "drawn-density"
    summary = "1-D, drawn by hand"
    dimension = 1

    heights: tuple[float, ...] = (1.0, 1.0)
    """Height of each bar; only their proportions count."""
    low: float = -5.0
    """Left edge of the first bar."""
    high: float = 5.0
    """Right edge of the last bar."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._finite("heights", "low", "high")
        if not MIN_BARS <= len(self.heights) <= MAX_BARS:
            raise RequestError(
                f"heights has {len(self.heights)} bars: give {MIN_BARS} to {MAX_BARS}"
            )
        if min(self.heights) < 0 or max(self.heights) <= 0:
            raise RequestError("heights: must be 0 or more, and one of them above 0: draw a curve")
        if sum(height > 0 for height in self.heights) < MIN_BARS:
            raise RequestError("heights: only one bar is above 0, draw a wider curve")
        if not -MAX_COORDINATE <= self.low < self.high <= MAX_COORDINATE:
            raise RequestError(
                f"low = {self.low}, high = {self.high}: low must be less than high, both within "
                f"{MAX_COORDINATE:g} of 0"
            )

    @property
    def edges(self) -> Array:
        """The edges of the bars, (bars + 1,)."""
        return np.linspace(self.low, self.high, len(self.heights) + 1)

    @property
    def _probabilities(self) -> Array:
        heights = np.array(self.heights) / max(self.heights)  # their sum could overflow
        return np.asarray(heights / heights.sum())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        import torch

        which = torch.multinomial(
            torch.from_numpy(self._probabilities), n, replacement=True, generator=generator
        )
        within = torch.rand(n, dtype=torch.float64, generator=generator)
        width = (self.high - self.low) / len(self.heights)
        return (self.low + width * (which + within))[:, None]

    def cdf(self, x: Array) -> Array:
        below = np.concatenate([[0.0], np.cumsum(self._probabilities)])
        return np.asarray(np.interp(x, self.edges, below))

    def quantile(self, u: Array) -> Array:
        probabilities = self._probabilities
        above = np.cumsum(probabilities)
        bar = np.minimum(np.searchsorted(above, u), np.flatnonzero(probabilities)[-1])
        before = above[bar] - probabilities[bar]
        edges = self.edges
        within = np.clip((u - before) / np.maximum(probabilities[bar], 1e-300), 0, 1)
        return np.asarray(edges[bar] + within * (edges[bar + 1] - edges[bar]))

    def density(self, x: Array) -> Array:
        width = (self.high - self.low) / len(self.heights)
        bar = np.floor((x - self.low) / width).astype(int)
        inside = (bar >= 0) & (bar < len(self.heights))
        heights = self._probabilities / width
        return np.where(inside, heights[np.clip(bar, 0, len(heights) - 1)], 0.0)


@dataclass(frozen=True)
class DrawnPoints(Distribution):
    """Points on the plane, each with a little normal noise: their kernel density."""

    name = "drawn-points"
    summary = "2-D, drawn by hand"
    dimension = 2

    x: tuple[float, ...] = ()
    """Horizontal positions."""
    y: tuple[float, ...] = ()
    """Vertical positions, as many."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._finite("x", "y")
        if len(self.x) != len(self.y):
            raise RequestError(f"x and y have {len(self.x)} and {len(self.y)} numbers: as many")
        if not MIN_POINTS <= len(self.x) <= MAX_POINTS:
            raise RequestError(f"{len(self.x)} points: draw {MIN_POINTS} to {MAX_POINTS}")
        if max(map(abs, (*self.x, *self.y))) > MAX_COORDINATE:
            raise RequestError(f"points lie beyond {MAX_COORDINATE:g}: draw them nearer to 0")
        if not self.spread > 0:
            raise RequestError("all points are the same: draw different ones")

    @property
    def points(self) -> Array:
        """(N, 2)."""
        return np.stack([self.x, self.y], 1)

    @property
    def spread(self) -> float:
        """The standard deviation of the points, the mean of both axes."""
        return float(self.points.std(0).mean())

    @property
    def noise(self) -> float:
        """The standard deviation of the noise along one axis."""
        return POINT_NOISE * self.spread

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        import torch

        points = torch.from_numpy(self.points)
        which = torch.randint(len(points), (n,), generator=generator)
        noise = torch.randn(n, 2, dtype=torch.float64, generator=generator)
        return points[which] + self.noise * noise

    def density(self, x: Array) -> Array:
        squares = ((x[:, None] - self.points[None]) ** 2).sum(-1)
        kernels = np.exp(-squares / (2 * self.noise**2)).mean(1)
        return np.asarray(kernels / (2 * math.pi * self.noise**2))


CHOICES: dict[str, Distribution] = {
    "gaussian": Gaussian(),
    "two-bumps": Mixture(means=(-2.0, 2.0), stds=(0.5, 0.5), weights=(0.5, 0.5)),
    "mixture": Mixture(),
    "steps": DrawnDensity(heights=(1.0, 1.0, 4.0, 4.0, 0.0, 0.0, 2.0, 2.0), low=-4.0, high=4.0),
    "ring": Ring(std=0.08),
    "grid": Grid(side=3, std=0.15),
    "swissroll": Swissroll(),
}
"""The distributions that the page offers by name. The modes of ring and grid are wider
and fewer than the built-in ones', so that they are learned within a minute."""
