"""The prior: the law of the latents z that a generator turns into samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prior:
    """z = (continuous part, categorical part). The continuous part is `dim` numbers, standard normal or uniform on [-1, 1].

    The categorical part, if `categories` > 0, is a one-hot vector with entries 0 and 2: latents without it are connected, so a generator,
    being continuous, cannot map them onto separate modes without samples in between.
    """

    dim: int
    kind: Literal["normal", "uniform"] = "normal"
    categories: int = 0

    @property
    def width(self) -> int:
        """Numbers in one latent."""
        return self.dim + self.categories

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n latents, (n, width), float32, on the generator's device."""
        device = generator.device
        if self.kind == "normal":
            z = torch.randn(n, self.dim, generator=generator, device=device)
        else:
            z = torch.rand(n, self.dim, generator=generator, device=device) * 2 - 1
        if not self.categories:
            return z
        category = torch.randint(self.categories, (n, 1), generator=generator, device=device)
        one_hot = torch.zeros(n, self.categories, device=device).scatter_(1, category, 2.0)
        return torch.cat([z, one_hot], 1)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
