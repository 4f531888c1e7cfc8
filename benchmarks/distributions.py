"""Twelve distributions on the line to learn from 20,000 draws each (Q2): flat, skewed,
peaked, heavy-tailed, discrete, bounded, in modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from equipoise.data.distributions import Mixture

Array = NDArray[np.float64]
DRAWS = 20_000


@dataclass(frozen=True)
class LineDistribution:
    """A distribution, by its quantiles and its distribution function."""

    quantile: Callable[[Array], Array]
    cdf: Callable[[Array], Array]

    def draw(self, n: int, seed: int) -> Array:
        """n draws, (n,)."""
        return np.asarray(self.quantile(np.random.default_rng(seed).random(n)))

    @property
    def quartiles_apart(self) -> float:
        """The distance between the quartiles."""
        first, third = self.quantile(np.array([0.25, 0.75]))
        return float(third - first)


def _known(
    distribution: stats.rv_continuous | stats.rv_discrete, *arguments: float
) -> LineDistribution:
    frozen = distribution(*arguments)
    return LineDistribution(frozen.ppf, frozen.cdf)


def _mixture(
    means: tuple[float, ...], stds: tuple[float, ...], weights: tuple[float, ...]
) -> LineDistribution:
    distribution = Mixture(means, stds, weights)
    return LineDistribution(distribution.quantile, distribution.cdf)


DISTRIBUTIONS: dict[str, LineDistribution] = {
    "uniform": _known(stats.uniform),
    "exponential": _known(stats.expon),
    "bimodal": _mixture((-3.0, 3.0), (1.0, 0.5), (1.0, 1.0)),
    "a 1% mode 20 standard deviations away": _mixture((0.0, 20.0), (1.0, 1.0), (0.99, 0.01)),
    "lognormal": _known(stats.lognorm, 1.0),
    "Student t 3": _known(stats.t, 3.0),
    "Laplace": _known(stats.laplace),
    "Poisson(3)": _known(stats.poisson, 3.0),
    "half-normal": _known(stats.halfnorm),
    "beta(.5, .5)": _known(stats.beta, 0.5, 0.5),
    "five narrow modes": _mixture((-4.0, -2.0, 0.0, 2.0, 4.0), (0.1,) * 5, (1.0,) * 5),
    "scales 1 and 30": _mixture((0.0, 0.0), (1.0, 30.0), (1.0, 1.0)),
}


def training_draws(name: str, seed: int) -> NDArray[np.float64]:
    """The draws of a distribution that the run of this seed trains on, (20,000,)."""
    return DISTRIBUTIONS[name].draw(DRAWS, 1000 * seed + list(DISTRIBUTIONS).index(name))
