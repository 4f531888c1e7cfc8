"""Distributions on the line: a normal distribution and a mixture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.data.distributions.base import Distribution, standard_normal
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian(Distribution):
    """The normal distribution. By default the tutorials' N(4, 1.25), where 1.25 is the
    standard deviation, not the variance."""

    name = "gaussian"
    summary = "1-D normal distribution, mean 4 and standard deviation 1.25"
    dimension = 1

    mean: float = 4.0
    """Mean of the normal distribution."""
    std: float = 1.25
    """Standard deviation of the normal distribution (not its variance)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._finite("mean")
        self._positive("std")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal((n, 1), generator).mul_(self.std).add_(self.mean)

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
    """Standard deviations of the components, as many as means."""
    weights: tuple[float, ...] = (0.3, 0.4, 0.3)
    """Weights of the components, as many as means. They are divided by their sum."""

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

    def _probabilities(self) -> Array:
        import numpy as np

        # Divided by the largest first, since the sum could overflow.
        weights = np.array(self.weights) / max(self.weights)
        return np.asarray(weights / weights.sum())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        import torch

        which = torch.multinomial(
            torch.tensor(self._probabilities()), n, replacement=True, generator=generator
        )
        means, stds = (
            torch.tensor(v, dtype=torch.float64)[which, None] for v in (self.means, self.stds)
        )
        return standard_normal((n, 1), generator) * stds + means, which

    def mixture_weights(self) -> tuple[float, ...]:
        return tuple(self._probabilities().tolist())

    def cdf(self, x: Array) -> Array:
        import numpy as np
        from scipy.special import ndtr

        parts = zip(self._probabilities(), self.means, self.stds, strict=True)
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

        parts = zip(self._probabilities(), self.means, self.stds, strict=True)
        return np.asarray(sum(w * _normal_density(x, m, s) for w, m, s in parts))


def _normal_density(x: Array, mean: float, std: float) -> Array:
    import numpy as np

    return np.asarray(np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
