"""The built-in laws: known distributions to learn, each with its exact density, CDF or modes where they exist.

A law is endless: training draws afresh from it, and what is held out for judging is another draw.
This module is light on purpose: the command line reads its fields for `--help`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from equipoise.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Law(ABC):
    """A distribution on the line or the plane, by name."""

    name: ClassVar[str]
    summary: ClassVar[str]
    dimension: ClassVar[int]

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n draws, float64 of shape (n, dimension), from `generator` alone."""

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """The same draws, and which component each is of, (n,), for a law that has components."""
        return self.sample(n, generator), None

    def components(self) -> tuple[float, ...] | None:
        """The components' weights, which sum to 1; None for a law without components."""
        return None

    def cdf(self, x: Array) -> Array | None:
        """P(X <= x) for 1-D laws; None where there is no closed form."""
        return None

    def quantile(self, u: Array) -> Array | None:
        """The inverse of the CDF at u in (0, 1) for 1-D laws."""
        return None

    def density(self, x: Array) -> Array | None:
        """The density at points x, (N,) for a law on the line and (N, 2) on the plane; None where there is no closed form."""
        return None

    def modes(self) -> tuple[Array, float] | None:
        """The centres of the modes, (K, 2), equally likely, and the standard deviation inside each; None for a law that is not of that
        kind."""
        return None

    def _finite(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not all(math.isfinite(v) for v in (value if isinstance(value, tuple) else (value,))):
                raise RequestError(f"{name} = {value} of {self.name}: must be finite")

    def _positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise RequestError(f"{name} = {value} of {self.name}: must be a positive number")


@dataclass(frozen=True)
class Gaussian(Law):
    """The tutorials' example, N(4, 1.25). Here 1.25 is the standard deviation, not the variance."""

    name = "gaussian"
    summary = "1-D normal law, mean 4 and standard deviation 1.25"
    dimension = 1

    mean: float = 4.0
    """Mean of the normal law."""
    std: float = 1.25
    """Standard deviation of the normal law (not its variance)."""

    def __post_init__(self) -> None:
        self._finite("mean")
        self._positive("std")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return _normal((n, 1), generator).mul_(self.std).add_(self.mean)

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
class Mixture(Law):
    """A mixture of normal laws on the line."""

    name = "mixture"
    summary = "1-D mixture of normal laws, three by default"
    dimension = 1

    means: tuple[float, ...] = (-4.0, 0.0, 5.0)
    """Means of the components."""
    stds: tuple[float, ...] = (0.5, 1.0, 1.5)
    """Standard deviations of the components, as many as means."""
    weights: tuple[float, ...] = (0.3, 0.4, 0.3)
    """Weights of the components, as many as means; they are divided by their sum."""

    def __post_init__(self) -> None:
        if not len(self.means) == len(self.stds) == len(self.weights) > 0:
            lengths = f"{len(self.means)}, {len(self.stds)} and {len(self.weights)}"
            raise RequestError(f"means, stds and weights of mixture have lengths {lengths}: give as many of each")
        self._finite("means")
        if not all(math.isfinite(v) and v > 0 for v in (*self.stds, *self.weights)):
            raise RequestError(f"stds = {self.stds}, weights = {self.weights} of mixture: each must be a positive number")

    def _shares(self) -> Array:
        import numpy as np

        weights = np.array(self.weights)
        return np.asarray(weights / weights.sum())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        import torch

        which = torch.multinomial(torch.tensor(self._shares()), n, replacement=True, generator=generator)
        means, stds = (torch.tensor(v, dtype=torch.float64)[which, None] for v in (self.means, self.stds))
        return _normal((n, 1), generator) * stds + means, which

    def components(self) -> tuple[float, ...]:
        return tuple(self._shares().tolist())

    def cdf(self, x: Array) -> Array:
        import numpy as np
        from scipy.special import ndtr

        parts = zip(self._shares(), self.means, self.stds, strict=True)
        return np.asarray(sum(w * ndtr((x - m) / s) for w, m, s in parts))

    def quantile(self, u: Array) -> Array:
        import numpy as np
        from scipy.special import ndtri

        # The quantile lies between the components' own; bisect there, where the CDF is monotone.
        each = np.stack([m + s * ndtri(u) for m, s in zip(self.means, self.stds, strict=True)])
        low, high = each.min(0), each.max(0)
        for _ in range(60):
            middle = (low + high) / 2
            below = self.cdf(middle) < u
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def density(self, x: Array) -> Array:
        import numpy as np

        parts = zip(self._shares(), self.means, self.stds, strict=True)
        return np.asarray(sum(w * _normal_density(x, m, s) for w, m, s in parts))


@dataclass(frozen=True)
class _Modes(Law):
    """Equally likely round normal modes on the plane."""

    dimension = 2
    std: float = 0.01
    """Standard deviation inside a mode."""

    @abstractmethod
    def centres(self) -> Array:
        """The modes' centres, (K, 2)."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        import torch

        centres = torch.from_numpy(self.centres())
        which = torch.randint(len(centres), (n,), generator=generator)
        return centres[which] + self.std * _normal((n, 2), generator), which

    def components(self) -> tuple[float, ...]:
        modes = len(self.centres())
        return (1 / modes,) * modes

    def density(self, x: Array) -> Array:
        import numpy as np

        squares = ((x[:, None] - self.centres()[None]) ** 2).sum(-1)
        return np.asarray(np.exp(-squares / (2 * self.std**2)).mean(1) / (2 * math.pi * self.std**2))

    def modes(self) -> tuple[Array, float]:
        return self.centres(), self.std


@dataclass(frozen=True)
class Ring(_Modes):
    """Normal modes on a circle: the usual test of mode collapse."""

    name = "ring"
    summary = "2-D, 8 narrow modes on a circle: the usual test of mode collapse"

    circle_modes: int = 8
    """Number of modes on the circle."""
    radius: float = 1.0
    """Radius of the circle."""

    def __post_init__(self) -> None:
        self._positive("circle_modes", "radius", "std")

    def centres(self) -> Array:
        import numpy as np

        angle = 2 * math.pi * np.arange(self.circle_modes) / self.circle_modes
        return np.asarray(self.radius * np.stack([np.cos(angle), np.sin(angle)], 1))


@dataclass(frozen=True)
class Grid(_Modes):
    """Normal modes on a square grid."""

    name = "grid"
    summary = "2-D, 25 narrow modes on a 5 x 5 grid"

    std: float = 0.05
    """Standard deviation inside a mode."""
    side: int = 5
    """Modes along a side of the grid."""
    spacing: float = 2.0
    """Distance between neighbouring modes."""

    def __post_init__(self) -> None:
        self._positive("side", "spacing", "std")

    def centres(self) -> Array:
        import numpy as np

        axis = self.spacing * (np.arange(self.side) - (self.side - 1) / 2)
        return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


@dataclass(frozen=True)
class Swissroll(Law):
    """The spiral (t cos t, t sin t) / 5 for t uniform on [1.5 pi, 4.5 pi], with normal noise. Its density has no closed form."""

    name = "swissroll"
    summary = "2-D spiral with noise"
    dimension = 2

    noise: float = 0.05
    """Standard deviation of the noise about the spiral."""

    def __post_init__(self) -> None:
        self._positive("noise")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        import torch

        t = 1.5 * math.pi * (1 + 2 * torch.rand(n, dtype=torch.float64, generator=generator))
        spiral = torch.stack([t * t.cos(), t * t.sin()], 1) / 5
        return spiral + self.noise * _normal((n, 2), generator)


LAWS: dict[str, type[Law]] = {law.name: law for law in (Gaussian, Mixture, Ring, Grid, Swissroll)}


NAMED_SOURCES = {**{name: law.summary for name, law in LAWS.items()}, "mnist": "70,000 handwritten digits, 28 x 28, grey, with labels"}


def law_settings(law: Law) -> dict[str, object]:
    """The law's fields and their values."""
    return {field.name: getattr(law, field.name) for field in fields(law)}


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    import torch

    return torch.randn(shape, dtype=torch.float64, generator=generator)


def _normal_density(x: Array, mean: float, std: float) -> Array:
    import numpy as np

    return np.asarray(np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
