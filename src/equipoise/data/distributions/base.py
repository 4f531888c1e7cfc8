"""The base class of the built-in distributions.

Nothing heavy is imported here: the command line reads the fields for `--help`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
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
    """A probability distribution on the line or the plane, with its exact density, CDF
    or modes where they are known. Its fields are its parameters."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """A line for the list of data sets."""
    dimension: ClassVar[int]
    """1 on the line, 2 on the plane."""

    def __post_init__(self) -> None:
        """Convert the parameters to the fields' types: lists to tuples, NumPy's and
        torch's numbers to plain ones.

        Raises:
            RequestError: For a value of another type.
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
        """n independent samples, float64 of shape (n, dimension). All randomness comes
        from `generator`."""

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """The samples that `sample` draws, and of a mixture the component of each,
        (n,)."""
        return self.sample(n, generator), None

    def mixture_weights(self) -> tuple[float, ...] | None:
        """The components' probabilities, which sum to 1; None where the distribution is
        no mixture."""
        return None

    def cdf(self, x: Array) -> Array | None:
        """P(X <= x) on the line, (N,); None where there is no closed form."""
        return None

    def quantile(self, u: Array) -> Array | None:
        """The inverse of the CDF on the line at probabilities u in (0, 1), (N,)."""
        return None

    def density(self, x: Array) -> Array | None:
        """The probability density at x, (N,) on the line and (N, 2) on the plane; None
        where there is no closed form."""
        return None

    def modes(self) -> tuple[Array, float] | None:
        """The centres of equally likely round modes, (K, 2), and the standard deviation
        of each along one axis; None for a distribution without such modes."""
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


def distribution_settings(distribution: Distribution) -> dict[str, object]:
    """The distribution's parameters by name."""
    return {field.name: getattr(distribution, field.name) for field in fields(distribution)}


def standard_normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard normal numbers, float64."""
    import torch

    return torch.randn(shape, dtype=torch.float64, generator=generator)
