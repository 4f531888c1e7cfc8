"""Clusters of a data set as pseudo-labels: networks learn each as a class of its own.

Points have the components of a Gaussian mixture, and are whitened by component
(`whitening`), even where there is one component. Images have clusters of similar images
(`image_kmeans`), or of each channel where the channels are independent (`per_channel`).
A class of the networks is a cluster k of K, or with C labels `label * K + k`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor

from equipoise.transforms.base import Transform

PART = 4096  # samples whose posteriors are in memory at once
PSEUDO_COUNT = 1e-3  # samples of a label that the fitted ones do not have


class Clustering(Transform):
    """K clusters, fixed while networks train."""

    per_channel = False
    """Whether each channel of an image has clusters of its own."""
    weights: Tensor
    """(C, K): the fraction of all samples that have a label and a cluster. C is 1
    without labels, and the number of channels for clusters per channel."""

    def __init__(self, shape: tuple[int, ...], count: int, labels: int = 0) -> None:
        super().__init__(shape)
        rows = max(labels, 1)
        self.register_buffer("weights", torch.full((rows, count), 1 / (rows * count)))

    @property
    def count(self) -> int:
        """K."""
        return self.weights.shape[1]

    @property
    def is_random(self) -> bool:
        return True

    @abstractmethod
    def posteriors(self, x: Tensor) -> Tensor:
        """p(k | x) of scaled samples (N, *shape): (N, K)."""

    def whiten(self, x: Tensor, component: Tensor) -> Tensor:
        """What networks see of scaled samples, (N, *shape), of components (N,)."""
        return x

    def assign(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A cluster for each sample, (N,): drawn from its posterior, or without a
        generator the most probable one."""
        if self.count == 1:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        posteriors = self.posteriors(x)
        if generator is None:
            return posteriors.argmax(1)
        cumulative = posteriors.cumsum(1)
        # Above 0, so that a cluster of posterior 0 is never drawn.
        drawn = 1 - torch.rand(len(x), 1, generator=generator, device=x.device)
        found: Tensor = (cumulative < drawn * cumulative[:, -1:]).sum(1)
        return found

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        parts = torch.split(x, PART)
        components = [self.assign(part, generator) for part in parts]
        u = torch.cat([self.whiten(p, k) for p, k in zip(parts, components, strict=True)])
        component = torch.cat(components)
        return u, component if y is None else y * self.count + component

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return x

    def component(self, classes: Tensor) -> Tensor:
        """The cluster in each of the networks' classes, (N,)."""
        return classes % self.count

    def labels(self, classes: Tensor) -> Tensor:
        """The label in each of the networks' classes, (N,)."""
        return classes // self.count

    def first(self, n: int, device: torch.device) -> Tensor:
        """The networks' first class, n times."""
        return torch.zeros(n, dtype=torch.int64, device=device)

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes of labels (N,), or of zeros where there are none:
        clusters are drawn at their weights among the label's samples."""
        weights = self.weights.cpu().double()
        ends, totals = weights.flatten().cumsum(0), weights.sum(1)
        below = ends[self.count - 1 :: self.count] - totals
        drawn = 1 - torch.rand(len(label), generator=generator, dtype=torch.float64)
        found = torch.searchsorted(ends, below[label] + drawn * totals[label])
        return found.clamp(label * self.count, label * self.count + self.count - 1)

    def fit_class_weights(self, parts: Iterable[Tensor], label: Tensor, labels: int) -> None:
        """Count how often each label and cluster occur together.

        A label without samples gets a pseudo-count, and the clusters' weights among all
        samples.

        Args:
            parts: Scaled samples, (n, *shape) each.
            label: Their labels, (N,).
            labels: How many labels there are.
        """
        posteriors = torch.cat([self.posteriors(part) for part in parts])
        sums = torch.zeros(labels, self.count).index_add_(0, label, posteriors)
        unseen = sums.sum(1, keepdim=True) == 0
        sums = torch.where(unseen, PSEUDO_COUNT * posteriors.mean(0), sums)
        self.weights = sums / sums.sum()
