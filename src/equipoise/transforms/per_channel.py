"""Groups of each channel of images by itself, where channels tell nothing of one
another: three measurements of three things, say.

A few hundred groups of such images as wholes say little of each channel; as many of
each channel say much of all of them, and any of one goes with any of another. A sample
has C classes at once: group k of channel c is class c * K + k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from equipoise.transforms.clustering import Clustering
from equipoise.transforms.image_kmeans import ImageClusters

TRIED = 16  # groups of each channel, whose table with another's shows whether they depend
# Samples that a table has for every cell at least, on average: with fewer the statistic
# is not chi-square's (Cochran 1954).
EACH_CELL = 5
RARELY = 1e-3  # of independent channels are taken for dependent ones, and few of the others are not


class ChannelClusters(Clustering):
    """K groups of every channel of images (N, C, H, W)."""

    apart = True

    def __init__(self, count: int, shape: Sequence[int]) -> None:
        super().__init__(count, labels=shape[0])
        self.channels = nn.ModuleList(
            ImageClusters(count, (1, *shape[1:])) for _ in range(shape[0])
        )

    @classmethod
    def fit(
        cls, parts: Sequence[Tensor], shape: Sequence[int], count: int, seed: int
    ) -> ChannelClusters:
        """So many groups of each channel of scaled images, (N, C, H, W) in parts."""
        clustering = cls(count, shape)
        found = clusters_by_channel(parts, shape, count, seed)
        clustering.channels = nn.ModuleList(found)
        clustering.weights = torch.cat([group.weights for group in found]) / len(found)
        return clustering

    def assign(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A group for every channel of each sample, as the networks' classes: (N, C)."""
        return torch.stack(
            self._each(lambda group, x: group.assign(x, generator), x), 1
        ) + self.first(1, x.device)

    def posteriors(self, x: Tensor) -> Tensor:
        """The share of each class among a sample's C, (N, C * K)."""
        return torch.cat(self._each(lambda group, x: group.posteriors(x), x), 1) / len(
            self.channels
        )

    def _each(self, work: Callable[[ImageClusters, Tensor], Tensor], x: Tensor) -> list[Tensor]:
        """What `work` makes of every channel's groups and the channel itself, (N, 1, H,
        W)."""
        return [
            work(cast(ImageClusters, group), x[:, c : c + 1])
            for c, group in enumerate(self.channels)
        ]

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes for as many samples as there are zeros in `label`,
        (N,): (N, C), each channel's drawn at its shares."""
        return torch.stack(
            [
                super(ChannelClusters, self).classes(label + c, generator)
                for c in range(len(self.channels))
            ],
            1,
        )

    def first(self, n: int, device: torch.device) -> Tensor:
        return self.count * torch.arange(len(self.channels), device=device).repeat(n, 1)


def clusters_by_channel(
    parts: Sequence[Tensor], shape: Sequence[int], count: int, seed: int
) -> list[ImageClusters]:
    """So many groups of each channel."""
    alone = (1, *shape[1:])
    return [
        ImageClusters.fit((part[:, c : c + 1] for part in parts), alone, count, seed)
        for c in range(shape[0])
    ]


def are_independent(parts: Sequence[Tensor], shape: Sequence[int], seed: int) -> bool:
    """Whether the channels of scaled images, (N, C, H, W) in parts, tell nothing of one
    another: no two depend in Pearson's chi-square test of how often their groups meet.
    False where there are too few images to tell."""
    from scipy.stats import chi2_contingency

    if sum(map(len, parts)) < EACH_CELL * TRIED**2:
        return False
    unused = torch.Generator()
    found = [
        torch.cat([group.assign(part[:, c : c + 1], unused) for part in parts]).numpy()
        for c, group in enumerate(clusters_by_channel(parts, shape, TRIED, seed))
    ]
    if any(
        len(np.unique(groups)) < TRIED for groups in found
    ):  # a channel that hardly changes is none of its own
        return False
    for one, other in combinations(found, 2):
        table = np.bincount(one * TRIED + other, minlength=TRIED**2).reshape(TRIED, TRIED)
        if chi2_contingency(table).pvalue < RARELY:
            return False
    return True
