"""The prior: the distribution of the latents z, with the codes of InfoGAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from equipoise.errors import RequestError, nearest


@dataclass(frozen=True)
class Prior:
    """The distribution of latents z = (noise, codes).

    Codes have names and can be set (InfoGAN, Chen et al. 2016).

    Args:
        dim: Dimensions of the noise.
        kind: Its distribution: standard normal, or uniform on [-1, 1].
        categorical_codes: Number of values of each categorical code c0, c1, ...: each
            is a one-hot vector of that length.
        continuous_codes: Number of continuous codes u0, u1, ..., uniform on [-1, 1].
        draws: Dimensions of standard normal noise at the end of z, for the draws of a
            table's categories (`networks.columns`).
    """

    dim: int
    kind: Literal["normal", "uniform"] = "normal"
    categorical_codes: tuple[int, ...] = ()
    continuous_codes: int = 0
    draws: int = 0

    @property
    def width(self) -> int:
        """The latent dimension, codes and draws included."""
        return self.dim + sum(self.categorical_codes) + self.continuous_codes + self.draws

    @property
    def codes(self) -> dict[str, slice]:
        """The columns of z that hold each code, by its name."""
        at, columns = self.dim, {}
        for i, size in enumerate(self.categorical_codes):
            columns[f"c{i}"] = slice(at, at + size)
            at += size
        return columns | {f"u{i}": slice(at + i, at + i + 1) for i in range(self.continuous_codes)}

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n latents, (n, width), float32, on the generator's device."""
        device = generator.device
        if self.kind == "normal":
            z = torch.randn(n, self.dim, generator=generator, device=device)
        else:
            z = torch.rand(n, self.dim, generator=generator, device=device) * 2 - 1
        parts = [z]
        for size in self.categorical_codes:
            entry = torch.randint(size, (n, 1), generator=generator, device=device)
            parts.append(torch.zeros(n, size, device=device).scatter_(1, entry, 1.0))
        if self.continuous_codes:
            parts.append(
                torch.rand(n, self.continuous_codes, generator=generator, device=device) * 2 - 1
            )
        if self.draws:
            parts.append(torch.randn(n, self.draws, generator=generator, device=device))
        return torch.cat(parts, 1)

    def with_codes(self, z: Tensor, codes: Mapping[str, ArrayLike]) -> Tensor:
        """A copy of latents with the named codes set.

        Args:
            z: Latents, (n, width).
            codes: For each code one value, or n values: an index from 0 for c0, c1,
                ..., any number for u0, u1, ..., which are trained on [-1, 1].

        Returns:
            (n, width).

        Raises:
            RequestError: For an unknown code, or a value that it cannot have.
        """
        z = z.clone()
        for name, values in self.code_values(codes, len(z)).items():
            z[:, self.codes[name]] = self._encoded(name, values).to(z)
        return z

    def code_values(self, codes: Mapping[str, ArrayLike], n: int) -> dict[str, NDArray[np.float64]]:
        """The value of each named code for each of n samples, (n,).

        Raises:
            RequestError: As `with_codes`.
        """
        return {
            name: self._checked(self.check_code(name), value, n) for name, value in codes.items()
        }

    def check_code(self, name: str) -> str:
        """The name, if it is that of a code.

        Raises:
            RequestError: If not; the message has the closest name.
        """
        if not self.codes:
            raise RequestError(
                f"no code {name!r}: this generator has no codes, train the recipe 'infogan'"
            )
        if name not in self.codes:
            raise RequestError(f"no code {name!r}: {nearest(name, self.codes)}")
        return name

    def _checked(self, name: str, value: ArrayLike, n: int) -> NDArray[np.float64]:
        try:
            given = np.asarray(value, np.float64)
            values = np.broadcast_to(given, (n,))  # which may be more than memory holds
        except (ValueError, TypeError):
            raise RequestError(
                f"code {name} = {value!r}: must be one number, or one for each of the {n} samples"
            ) from None
        if not np.isfinite(given).all():
            raise RequestError(f"code {name} holds NaN or infinity: give finite numbers")
        if name.startswith("c"):
            size = self._entries(name)
            wrong = (given != given.round()) | (given < 0) | (given >= size)
            if wrong.any():
                raise RequestError(
                    f"code {name} = {given[wrong][0]:g}: must be a whole number from 0 to "
                    f"{size - 1}"
                )
        return values

    def _entries(self, name: str) -> int:
        return self.categorical_codes[int(name[1:])]

    def _encoded(self, name: str, values: NDArray[np.float64]) -> Tensor:
        if name.startswith("u"):
            return torch.from_numpy(values.copy())[:, None]
        return torch.nn.functional.one_hot(
            torch.from_numpy(values.astype(np.int64)), self._entries(name)
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
