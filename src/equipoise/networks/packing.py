"""Packing: D is given m samples at once, all real or all generated.

Lin, Khetan, Fanti, Oh: "PacGAN: The power of two samples in generative adversarial
networks", NeurIPS 2018, section 2.

    D(x_1, ..., x_m)    instead of    D(x)

Only D's input grows: m images are joined along their channels, m points along their
columns. A generator that lacks variety makes samples that are alike, and within a pack
D sees that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Packing:
    """Joins neighbouring samples of a batch into packs.

    Args:
        size: m, the samples in a pack. With 1 nothing is changed.
        classes: Of one sample; 0 without classes.
    """

    size: int = 1
    classes: int = 0

    def join(self, x: Tensor) -> Tensor:
        """Samples (N, C, ...) as packs, (N / m, m C, ...)."""
        return x if self.size == 1 else x.reshape(len(x) // self.size, -1, *x.shape[2:])

    def split(self, packs: Tensor) -> Tensor:
        """The samples, (N, C, ...), in packs, (N / m, m C, ...)."""
        if self.size == 1:
            return packs
        return packs.reshape(len(packs) * self.size, -1, *packs.shape[2:])

    def join_classes(self, y: Tensor | None) -> Tensor | None:
        """The classes of samples, (N,), as those of packs, (N / m, m).

        Each place in a pack has classes of its own, `classes` of them, so that D is
        told which sample has which. Of samples with P classes at once, (N, P): (N / m,
        m P).
        """
        if y is None or self.size == 1:
            return y
        places = torch.arange(self.size, device=y.device) * self.classes
        packs = y.reshape(len(y) // self.size, self.size, -1)
        return (packs + places[:, None]).flatten(1)
