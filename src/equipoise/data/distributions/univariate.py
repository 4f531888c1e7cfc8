"""The built-in distributions: known distributions to learn.

A distribution is endless: training draws afresh from it, and what is held out for
judging is another draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from equipoise.data.distributions.base import Distribution, normal
from equipoise.data.distributions.planar import Grid, Ring, Swissroll
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian(Distribution):
    """The tutorials' example, N(4, 1.25).

    Here 1.25 is the standard deviation, not the variance.
    """

    name = "gaussian"
    summary = "1-D normal distribution, mean 4 and standard deviation 1.25"
    dimension = 1

    mean: float = 4.0
    """Mean of the normal distribution."""
    std: float = 1.25
    """Standard standard deviation of the normal distribution (not its variance)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._finite("mean")
        self._positive("std")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return normal((n, 1), generator).mul_(self.std).add_(self.mean)

    def cdf(self, x: Array) -> Array:
        import numpy as np
        from scipy.special import ndtr

        return np.asarray(ndtr((x - self.mean) / self.std))

    def quantile(self, u: Array) -> Array:
        import numpy as np
        from scipy.special import ndtri

        return np.asarray(self.mean + self.std * ndtri(u))

    def density(self, x: Array) -> Array:
        return _normal_density(x, self.mean, self.std)


@dataclass(frozen=True)
class Mixture(Distribution):
    """A mixture of normal distributions on the line."""

    name = "mixture"
    summary = "1-D mixture of normal distributions, three by default"
    dimension = 1

    means: tuple[float, ...] = (-4.0, 0.0, 5.0)
    """Means of the components."""
    stds: tuple[float, ...] = (0.5, 1.0, 1.5)
    """Standard standard deviations of the components, as many as means."""
    weights: tuple[float, ...] = (0.3, 0.4, 0.3)
    """Weights of the components, as many as means; they are divided by their sum."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.means) == len(self.stds) == len(self.weights) > 0:
            lengths = f"{len(self.means)}, {len(self.stds)} and {len(self.weights)}"
            raise RequestError(
                f"means, stds and weights of mixture have lengths {lengths}: give as many of each"
            )
        self._finite("means")
        if not all(math.isfinite(v) and v > 0 for v in (*self.stds, *self.weights)):
            raise RequestError(
                f"stds = {self.stds}, weights = {self.weights} of mixture: each must be a "
                "positive number"
            )

    def _fractions(self) -> Array:
        import numpy as np

        weights = np.array(self.weights) / max(
            self.weights
        )  # whose sum could be beyond all numbers
        return np.asarray(weights / weights.sum())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        import torch

        which = torch.multinomial(
            torch.tensor(self._fractions()), n, replacement=True, generator=generator
        )
        means, stds = (
            torch.tensor(v, dtype=torch.float64)[which, None] for v in (self.means, self.stds)
        )
        return normal((n, 1), generator) * stds + means, which

    def components(self) -> tuple[float, ...]:
        return tuple(self._fractions().tolist())

    def cdf(self, x: Array) -> Array:
        import numpy as np
        from scipy.special import ndtr

        parts = zip(self._fractions(), self.means, self.stds, strict=True)
        return np.asarray(sum(w * ndtr((x - m) / s) for w, m, s in parts))

    def quantile(self, u: Array) -> Array:
        import numpy as np
        from scipy.special import ndtri

        # The quantile lies between the components' own; bisect there, where the CDF is
        # monotone.
        each = np.stack([m + s * ndtri(u) for m, s in zip(self.means, self.stds, strict=True)])
        low, high = each.min(0), each.max(0)
        for _ in range(60):
            middle = (low + high) / 2
            below = self.cdf(middle) < u
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def density(self, x: Array) -> Array:
        import numpy as np

        parts = zip(self._fractions(), self.means, self.stds, strict=True)
        return np.asarray(sum(w * _normal_density(x, m, s) for w, m, s in parts))


__all__ = [
    "DISTRIBUTIONS",
    "NAMED_SOURCES",
    "Distribution",
    "Gaussian",
    "Grid",
    "Mixture",
    "Ring",
    "Swissroll",
    "distribution_settings",
]

DISTRIBUTIONS: dict[str, type[Distribution]] = {
    distribution.name: distribution for distribution in (Gaussian, Mixture, Ring, Grid, Swissroll)
}


NAMED_SOURCES = {
    **{name: distribution.summary for name, distribution in DISTRIBUTIONS.items()},
    "mnist": "70,000 handwritten digits, 28 x 28, grey, with labels",
}


def distribution_settings(distribution: Distribution) -> dict[str, object]:
    """The distribution's fields and their values."""
    return {field.name: getattr(distribution, field.name) for field in fields(distribution)}


def _normal_density(x: Array, mean: float, std: float) -> Array:
    import numpy as np

    return np.asarray(np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
