"""Modes: what a data set falls into by itself, so that networks learn each as a class
of its own.

Points fall into normal components, and networks see a point relative to its own
(`normal_modes`), even where that is the only one. Images fall into groups that look
alike, and networks see them as they are (`image_modes`); where the channels tell
nothing of one another, each of them does by itself (`channel_modes`). A class of the
networks is a mode, or with C labels label * K + mode.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

PART = 4096  # samples whose posteriors are in memory at once
RARE = 1e-3  # of a sample: what a label has that none of those looked at had


class Clustering(nn.Module):
    """K modes, fixed while networks train."""

    apart: ClassVar[bool] = False
    """Whether each channel of an image has a mode of its own."""
    weights: Tensor
    """(C, K): the share of all samples that have a label and a mode; C is 1 without
    labels, and the number of channels where they are apart."""

    def __init__(self, count: int, labels: int = 0) -> None:
        super().__init__()
        self.register_buffer(
            "weights", torch.full((max(labels, 1), count), 1 / (max(labels, 1) * count))
        )

    @property
    def count(self) -> int:
        """K."""
        return self.weights.shape[1]

    @abstractmethod
    def posteriors(self, x: Tensor) -> Tensor:
        """p(k | x) of scaled samples (N, *shape): (N, K)."""

    def whiten(self, x: Tensor, component: Tensor) -> Tensor:
        """What networks see of scaled samples (N, *shape), each of a mode, (N,)."""
        return x

    def unwhiten(self, u: Tensor, classes: Tensor) -> Tensor:
        """The scaled samples of what networks make, (N, *shape), of classes (N,)."""
        return u

    def assign(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A mode for each sample, drawn from its posterior: (N,)."""
        if self.count == 1:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        cumulative = self.posteriors(x).cumsum(1)
        drawn = 1 - torch.rand(
            len(x), 1, generator=generator, device=x.device
        )  # above 0, so that a mode without a share is never drawn
        found: Tensor = (cumulative < drawn * cumulative[:, -1:]).sum(1)
        return found

    def encode(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What networks see of scaled samples (N, *shape), and a mode for each, (N,), a
        part of them at a time."""
        parts = [x[first : first + PART] for first in range(0, len(x), PART)]
        clustering = [self.assign(part, generator) for part in parts]
        return torch.cat(
            [
                self.whiten(part, component)
                for part, component in zip(parts, clustering, strict=True)
            ]
        ), torch.cat(clustering)

    def component(self, classes: Tensor) -> Tensor:
        """The modes of the networks' classes, (N,)."""
        return classes % self.count

    def first(self, n: int, device: torch.device) -> Tensor:
        """The first class, n times, as networks are told it."""
        return torch.zeros(n, dtype=torch.int64, device=device)

    def labels(self, classes: Tensor) -> Tensor:
        """The labels of the networks' classes, (N,)."""
        return classes // self.count

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes for labels (N,), zeros without any: modes drawn at each
        label's shares, (N,)."""
        weights = self.weights.cpu().double()
        ends, totals = weights.flatten().cumsum(0), weights.sum(1)
        below = ends[self.count - 1 :: self.count] - totals
        drawn = 1 - torch.rand(len(label), generator=generator, dtype=torch.float64)
        found = torch.searchsorted(ends, below[label] + drawn * totals[label])
        return found.clamp(label * self.count, label * self.count + self.count - 1)

    def count_labels(self, parts: Iterable[Tensor], label: Tensor, labels: int) -> None:
        """Take the shares anew, of so many labels, from scaled samples, (N, *shape) in
        parts, and their labels (N,). A label that none has gets hardly any, and the
        modes at the shares of all."""
        posteriors = torch.cat([self.posteriors(part) for part in parts])
        sums = torch.zeros(labels, self.count).index_add_(0, label, posteriors)
        sums = torch.where(sums.sum(1, keepdim=True) == 0, RARE * posteriors.mean(0), sums)
        self.weights = sums / sums.sum()
