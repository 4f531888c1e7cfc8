"""Groups of images that look alike: what an unlabelled set has for classes.

A generator and a discriminator that are told such groups learn far faster, as with
labels (Liu et al. 2020, "Diverse Image Generation via Self-Conditioned GANs", who group
D's features). Here they are found once, before the training: k-means of small copies'
principal components.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from equipoise.transforms.clustering import Clustering

MOST, EACH, LOOKED_AT_EACH = (
    256,
    200,
    30,
)  # groups at most, images for every one, and how many of them are looked at to find it
SIDE = 16  # of the small copies
AXES = 32
ROUNDS = 20  # of Lloyd's algorithm, which has hardly anything left to move then


def usual(images: int, looked_at: int, labels: int) -> int:
    """How many groups so many images are put into, of which some are looked at; fewer
    where there are labels too."""
    return max(min(MOST, images // EACH, looked_at // LOOKED_AT_EACH) // max(labels, 1), 1)


class ImageClusters(Clustering):
    """K groups of images (N, C, H, W)."""

    mean: Tensor
    """(F,), of the small copies."""
    axes: Tensor
    """(F, A), their principal axes."""
    centres: Tensor
    """(K, A)."""

    def __init__(self, count: int, shape: Sequence[int], labels: int = 0) -> None:
        super().__init__(count, labels)
        self.sides = (min(SIDE, shape[1]), min(SIDE, shape[2]))
        numbers = shape[0] * math.prod(self.sides)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, min(AXES, numbers)))
        self.register_buffer("centres", torch.zeros(count, min(AXES, numbers)))

    @classmethod
    def fit(
        cls, parts: Iterable[Tensor], shape: Sequence[int], count: int, seed: int
    ) -> ImageClusters:
        """So many groups of scaled images, (N, C, H, W) in parts, by k-means (Lloyd
        1982) from k-means++ (Arthur & Vassilvitskii 2007)."""
        from scipy.cluster.vq import kmeans2

        clustering = cls(count, shape)
        small = torch.cat([clustering.small(part) for part in parts])
        clustering.mean = small.mean(0)
        covariance = torch.cov(small.double().T, correction=min(len(small) - 1, 1)).reshape(
            small.shape[1], -1
        )
        clustering.axes = (
            torch.linalg.eigh(covariance)[1].flip(1)[:, : clustering.axes.shape[1]].float()
        )
        found = clustering.on_axes(small)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of groups that stay empty, where images repeat
            clustering.centres = torch.from_numpy(
                kmeans2(found.numpy(), count, iter=1, minit="++", seed=seed)[0]
            ).float()
        for _ in range(ROUNDS):
            fractions = one_hot(clustering.nearest(found), count).float()
            sizes = fractions.sum(0)[:, None]
            clustering.centres = torch.where(
                sizes > 0, (fractions.T @ found) / sizes.clamp(min=1), clustering.centres
            )
        clustering.weights = one_hot(clustering.nearest(found), count).float().mean(0)[None]
        return clustering

    def small(self, x: Tensor) -> Tensor:
        """Small copies of images, as rows (N, F)."""
        return adaptive_avg_pool2d(x, self.sides).flatten(1)

    def on_axes(self, small: Tensor) -> Tensor:
        """Small copies, (N, F), on their principal axes: (N, A)."""
        return (small - self.mean) @ self.axes

    def nearest(self, found: Tensor) -> Tensor:
        """The groups whose centres what lies on the axes, (N, A), is nearest to: (N,)."""
        return (self.centres.square().sum(1) - 2 * found @ self.centres.T).argmin(1)

    def posteriors(self, x: Tensor) -> Tensor:
        return one_hot(self.nearest(self.on_axes(self.small(x))), self.count).float()

    def assign(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.nearest(self.on_axes(self.small(x)))
