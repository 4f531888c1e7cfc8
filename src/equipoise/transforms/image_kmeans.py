"""Clusters of similar images: pseudo-labels of an unlabelled set.

Networks that are conditioned on clusters learn far faster, as with labels (Liu et al.
2020, "Diverse Image Generation via Self-Conditioned GANs", who cluster D's features
while training). Here clusters are found once, before the training: k-means of the
principal components of small copies.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.clustering import Clustering
from equipoise.utils.threads import single_threaded

MAX_CLUSTERS = 256
IMAGES_PER_CLUSTER = 200  # in the training set
FITTED_PER_CLUSTER = 30  # among the images that clusters are fitted to
MAX_SIDE = 16  # of small copies, in pixels
MAX_COMPONENTS = 32  # principal components that are kept


def default_clusters(images: int, fitted: int, labels: int) -> int:
    """The number of clusters of so many images; fewer where there are labels too.

    Args:
        images: In the training set.
        fitted: Those that clusters are fitted to.
        labels: How many labels networks learn; 0 for none.
    """
    most = min(MAX_CLUSTERS, images // IMAGES_PER_CLUSTER, fitted // FITTED_PER_CLUSTER)
    return max(most // max(labels, 1), 1)


class ImageClusters(Clustering):
    """K clusters of images (N, C, H, W)."""

    name = "image_clusters"
    mean: Tensor
    """(F,), of the small copies."""
    axes: Tensor
    """(F, A), their principal axes."""
    centres: Tensor
    """(K, A)."""

    def __init__(self, shape: tuple[int, ...], count: int, labels: int = 0) -> None:
        super().__init__(shape, count, labels)
        self.sides: tuple[int, int] = (min(MAX_SIDE, shape[1]), min(MAX_SIDE, shape[2]))
        features = shape[0] * math.prod(self.sides)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, min(MAX_COMPONENTS, features)))
        self.register_buffer("centres", torch.zeros(count, min(MAX_COMPONENTS, features)))

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit by k-means (Lloyd 1982) from k-means++ (Arthur & Vassilvitskii 2007), to
        scaled images (n, C, H, W) in parts. There are at most as many clusters as
        images."""
        from sklearn.cluster import KMeans

        small = torch.cat([self.small(part) for part in parts])
        self.mean = small.mean(0)
        covariance = torch.cov(small.double().T, correction=min(len(small) - 1, 1))
        covariance = covariance.reshape(small.shape[1], -1)
        self.axes = torch.linalg.eigh(covariance)[1].flip(1)[:, : self.axes.shape[1]].float()
        z = self.projected(small)
        kmeans = KMeans(min(self.count, len(z)), n_init=1, random_state=seed % 2**32)
        with single_threaded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of empty clusters, where images repeat
            self.centres = torch.from_numpy(kmeans.fit(z.numpy()).cluster_centers_).float()
        counts = torch.bincount(self.nearest(z), minlength=len(self.centres))
        self.weights: Tensor = (counts.float() / len(z))[None]
        return self

    def small(self, x: Tensor) -> Tensor:
        """Small copies of images, as rows (N, F)."""
        return adaptive_avg_pool2d(x, self.sides).flatten(1)

    def projected(self, small: Tensor) -> Tensor:
        """Small copies, (N, F), on their principal axes: (N, A)."""
        return (small - self.mean) @ self.axes

    def nearest(self, z: Tensor) -> Tensor:
        """The clusters whose centres are nearest to projections (N, A): (N,)."""
        return (self.centres.square().sum(1) - 2 * z @ self.centres.T).argmin(1)

    def posteriors(self, x: Tensor) -> Tensor:
        return one_hot(self.nearest(self.projected(self.small(x))), self.count).float()

    def assign(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.nearest(self.projected(self.small(x)))

    def config(self) -> dict[str, Any]:
        return {"clusters": self.count, "labels": self.weights.shape[0]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if not schema.is_image:
            raise RequestError("its clusters are of images, and its schema of points")
        return cls(shape, *(checked(name, stored[name], int) for name in ("clusters", "labels")))
