"""Distributions on the plane: mixtures with many modes, and a spiral."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.data.distributions.base import Distribution, standard_normal

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class _IsotropicMixture(Distribution):
    """A mixture of isotropic normal distributions with equal weights."""

    dimension = 2
    std: float = 0.01
    """Standard deviation of a mode along one axis."""

    @abstractmethod
    def centres(self) -> Array:
        """The means of the components, (K, 2)."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        import torch

        centres = torch.from_numpy(self.centres())
        which = torch.randint(len(centres), (n,), generator=generator)
        return centres[which] + self.std * standard_normal((n, 2), generator), which

    def mixture_weights(self) -> tuple[float, ...]:
        modes = len(self.centres())
        return (1 / modes,) * modes

    def density(self, x: Array) -> Array:
        import numpy as np

        squared_distances = ((x[:, None] - self.centres()[None]) ** 2).sum(-1)
        return np.asarray(
            np.exp(-squared_distances / (2 * self.std**2)).mean(1) / (2 * math.pi * self.std**2)
        )

    def modes(self) -> tuple[Array, float]:
        return self.centres(), self.std


@dataclass(frozen=True)
class Ring(_IsotropicMixture):
    """Equally spaced modes on a circle: the usual test of mode collapse."""

    name = "ring"
    summary = "2-D, 8 narrow modes on a circle: the usual test of mode collapse"

    circle_modes: int = 8
    """Number of modes on the circle."""
    radius: float = 1.0
    """Radius of the circle."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positive("circle_modes", "radius", "std")

    def centres(self) -> Array:
        import numpy as np

        angle = 2 * math.pi * np.arange(self.circle_modes) / self.circle_modes
        return np.asarray(self.radius * np.stack([np.cos(angle), np.sin(angle)], 1))


@dataclass(frozen=True)
class Grid(_IsotropicMixture):
    """Modes on a square grid."""

    name = "grid"
    summary = "2-D, 25 narrow modes on a 5 x 5 grid"

    std: float = 0.05
    """Standard deviation of a mode along one axis."""
    side: int = 5
    """Modes along a side of the grid."""
    spacing: float = 2.0
    """Distance between neighbouring modes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positive("side", "spacing", "std")

    def centres(self) -> Array:
        import numpy as np

        axis = self.spacing * (np.arange(self.side) - (self.side - 1) / 2)
        return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


@dataclass(frozen=True)
class Swissroll(Distribution):
    """The spiral (t cos t, t sin t) / 5 for t uniform on [1.5 pi, 4.5 pi], plus normal
    noise. The density has no closed form."""

    name = "swissroll"
    summary = "2-D spiral with noise"
    dimension = 2

    noise: float = 0.05
    """Standard deviation of the noise along one axis."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positive("noise")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        import torch

        t = 1.5 * math.pi * (1 + 2 * torch.rand(n, dtype=torch.float64, generator=generator))
        spiral = torch.stack([t * t.cos(), t * t.sin()], 1) / 5
        return spiral + self.noise * standard_normal((n, 2), generator)
