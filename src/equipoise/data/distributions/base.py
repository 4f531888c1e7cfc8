"""What a distribution is: a known distribution on the line or the plane, with its exact
density, CDF or modes where they exist.

This module is light on purpose: the command line reads distributions' fields for
`--help`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from equipoise.coerce import checked, hints
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution(ABC):
    """A distribution on the line or the plane, by name."""

    name: ClassVar[str]
    summary: ClassVar[str]
    dimension: ClassVar[int]

    def __post_init__(self) -> None:
        """Settings as their types: lists as tuples, NumPy's and torch's numbers as
        plain ones.

        Raises:
            RequestError: For what is none.
        """
        for name, hint in hints(type(self)).items():
            value = getattr(self, name)
            object.__setattr__(
                self,
                name,
                checked(name, value.tolist() if hasattr(value, "tolist") else value, hint),
            )

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n draws, float64 of shape (n, dimension), from `generator` alone."""

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """The same draws, and which component each is of, (n,), for a distribution that
        has components."""
        return self.sample(n, generator), None

    def components(self) -> tuple[float, ...] | None:
        """The components' weights, which sum to 1; None for a distribution without
        components."""
        return None

    def cdf(self, x: Array) -> Array | None:
        """P(X <= x) for 1-D distributions; None where there is no closed form."""
        return None

    def quantile(self, u: Array) -> Array | None:
        """The inverse of the CDF at u in (0, 1) for 1-D distributions."""
        return None

    def density(self, x: Array) -> Array | None:
        """The density at points x, (N,) for a distribution on the line and (N, 2) on
        the plane; None where there is no closed form."""
        return None

    def modes(self) -> tuple[Array, float] | None:
        """The centres of the modes, (K, 2), equally likely, and the standard deviation
        inside each; None for a distribution that is not of that kind."""
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


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard normal numbers, float64."""
    import torch

    return torch.randn(shape, dtype=torch.float64, generator=generator)
