"""Clusters of each channel of images, where the channels are independent: three
measurements of three things, say.

A few hundred clusters of whole images describe each channel coarsely; as many of each
channel describe all of them well, in every combination. A sample has C classes at once:
cluster k of channel c is class c * K + k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.image_kmeans import ImageClusters

TESTED_CLUSTERS = 16  # of each channel, in the tables of the independence test
# Samples per cell of a table, on average, at least: with fewer the statistic is not
# chi-square's (Cochran 1954).
MIN_PER_CELL = 5
ALPHA = 1e-3  # false-positive rate of the independence test


class ChannelClusters(Clustering):
    """K clusters of every channel of images (N, C, H, W)."""

    name = "channel_clusters"
    per_channel = True

    def __init__(self, shape: tuple[int, ...], count: int) -> None:
        super().__init__(shape, count, labels=shape[0])
        self.channels: nn.ModuleList = nn.ModuleList(
            ImageClusters((1, *shape[1:]), count) for _ in range(shape[0])
        )

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit clusters of each channel to scaled images, (n, C, H, W) in parts."""
        found = [ImageClusters((1, *self.shape[1:]), self.count) for _ in self.channels]
        images = [*parts]
        for c, clusters in enumerate(found):
            clusters.fit((part[:, c : c + 1] for part in images), seed)
        self.channels = nn.ModuleList(found)
        self.weights: Tensor = torch.cat([clusters.weights for clusters in found]) / len(found)
        return self

    def assign(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A cluster for every channel of each sample, as the networks' classes,
        (N, C)."""
        found = self._each(lambda clusters, x: clusters.assign(x, generator), x)
        return torch.stack(found, 1) + self.first(1, x.device)

    def posteriors(self, x: Tensor) -> Tensor:
        """The fraction of each class among a sample's C, (N, C * K)."""
        found = self._each(lambda clusters, x: clusters.posteriors(x), x)
        return torch.cat(found, 1) / len(self.channels)

    def _each(self, work: Callable[[ImageClusters, Tensor], Tensor], x: Tensor) -> list[Tensor]:
        """`work` for the clusters of every channel, and the channel, (N, 1, H, W)."""
        return [
            work(cast(ImageClusters, clusters), x[:, c : c + 1])
            for c, clusters in enumerate(self.channels)
        ]

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes of as many samples as there are zeros in `label`, (N,):
        (N, C), each channel's drawn at its weights."""
        draw = super().classes
        return torch.stack([draw(label + c, generator) for c in range(len(self.channels))], 1)

    def first(self, n: int, device: torch.device) -> Tensor:
        return self.count * torch.arange(len(self.channels), device=device).repeat(n, 1)

    def config(self) -> dict[str, Any]:
        return {"clusters": self.count}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if not schema.is_image:
            raise RequestError("its clusters are of images, and its schema of points")
        return cls(shape, checked("clusters", stored["clusters"], int))


def are_independent(parts: Sequence[Tensor], shape: Sequence[int], seed: int) -> bool:
    """Whether the channels of scaled images, (N, C, H, W) in parts, are independent:
    Pearson's chi-square test of how often their clusters meet finds no two dependent.
    False where there are too few images for the test."""
    from scipy.stats import chi2_contingency

    if sum(map(len, parts)) < MIN_PER_CELL * TESTED_CLUSTERS**2:
        return False
    one_channel = ImageClusters((1, *shape[1:]), TESTED_CLUSTERS)
    found: list[NDArray[np.int64]] = []
    for c in range(shape[0]):
        one = one_channel.fit_predict((part[:, c : c + 1] for part in parts), seed).numpy()
        if len(np.unique(one)) < TESTED_CLUSTERS:
            return False  # a channel that hardly changes is not one of its own
        for other in found:
            counts = np.bincount(one * TESTED_CLUSTERS + other, minlength=TESTED_CLUSTERS**2)
            table = counts.reshape(TESTED_CLUSTERS, TESTED_CLUSTERS)
            if chi2_contingency(table).pvalue < ALPHA:
                return False
        found.append(one)
    return True
