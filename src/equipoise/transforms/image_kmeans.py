"""Clusters of similar images: pseudo-labels of an unlabelled set.

Networks that are conditioned on clusters learn far faster, as with labels (Liu et al.
2020, "Diverse Image Generation via Self-Conditioned GANs", who cluster D's features
while training). Here clusters are found once, before the training: k-means of the
principal components of histograms of oriented gradients, which tell forms, and small
copies, which tell tones and colours.
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
from equipoise.transforms.oriented_gradients import count_features, oriented_gradients
from equipoise.transforms.space import has_colors
from equipoise.utils.threads import single_threaded

MAX_CLUSTERS = 256
IMAGES_PER_CLUSTER = 200  # in the training set
FITTED_PER_CLUSTER = 30  # among the images that clusters are fitted to
GRADIENT_SIDE = 32  # of the copies whose gradients are taken, at most, in pixels
# Side of small copies, and their values, at most: the time of a fit grows with the cube
# of the values.
COPY_SIDE, COPY_VALUES = 16, 2_048
# Standard deviation of small copies over that of the gradients. Grey images need more:
# else some G draws every form in black or white.
GREY_COPY_SCALE, COLOR_COPY_SCALE = 0.7, 0.5
PART = 256  # images whose gradients are in memory at once
MAX_COMPONENTS = 64  # principal components that are kept


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
    """(F,), of the features."""
    axes: Tensor
    """(F, A), their principal axes, times the features' scales."""
    centres: Tensor
    """(K, A)."""

    def __init__(self, shape: tuple[int, ...], count: int, labels: int = 0) -> None:
        super().__init__(shape, count, labels)
        side = min(COPY_SIDE, max(math.isqrt(COPY_VALUES // shape[0]), 1))
        self.sides: tuple[int, int] = _at_most(side, shape)
        features = count_features((shape[1], shape[2])) + shape[0] * math.prod(self.sides)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, min(MAX_COMPONENTS, features)))
        self.register_buffer("centres", torch.zeros(count, min(MAX_COMPONENTS, features)))

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit to scaled images, (n, C, H, W) in parts, see `fit_predict`."""
        self.fit_predict(parts, seed)
        return self

    def fit_predict(self, parts: Iterable[Tensor], seed: int = 0) -> Tensor:
        """Fit by k-means (Lloyd 1982) from k-means++ (Arthur & Vassilvitskii 2007), to
        scaled images (n, C, H, W) in parts, and return the cluster of each. There are
        at most as many clusters as images."""
        from sklearn.cluster import KMeans

        features = torch.cat([self.features(part) for part in parts])
        self.mean = features.mean(0)
        scales = self._scales(features.var(0, correction=0).double())
        covariance = torch.cov((features * scales).T, correction=min(len(features) - 1, 1))
        axes = torch.linalg.eigh(covariance)[1].flip(1)[:, : self.axes.shape[1]]
        self.axes = (scales[:, None] * axes).float()
        z = self.projected(features)
        kmeans = KMeans(min(self.count, len(z)), n_init=1, random_state=seed % 2**32)
        with single_threaded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of empty clusters, where images repeat
            self.centres = torch.from_numpy(kmeans.fit(z.numpy()).cluster_centers_).float()
        clusters = self.nearest(z)
        counts = torch.bincount(clusters, minlength=len(self.centres))
        self.weights: Tensor = (counts.float() / len(z))[None]
        return clusters

    def _scales(self, variance: Tensor) -> Tensor:
        """What features of such variances, (F,), are multiplied by, so that gradients
        have a variance of 1 in all, and small copies their scale squared."""
        copies = self.shape[0] * math.prod(self.sides)
        copy_scale = COLOR_COPY_SCALE if has_colors(self.shape) else GREY_COPY_SCALE
        of_gradients = _factors(variance[:-copies], 1.0)
        return torch.cat([of_gradients, _factors(variance[-copies:], copy_scale)])

    def features(self, x: Tensor) -> Tensor:
        """Oriented gradients and small copies of images, as rows (N, F)."""
        return torch.cat([self._features(part) for part in torch.split(x, PART)])

    def _features(self, x: Tensor) -> Tensor:
        x = adaptive_avg_pool2d(x, _at_most(GRADIENT_SIDE, self.shape))
        small = adaptive_avg_pool2d(x, self.sides).flatten(1)
        return torch.cat([oriented_gradients(x), small], 1)

    def projected(self, features: Tensor) -> Tensor:
        """Features, (N, F), on their principal axes: (N, A)."""
        return (features - self.mean) @ self.axes

    def nearest(self, z: Tensor) -> Tensor:
        """The clusters whose centres are nearest to projections (N, A): (N,)."""
        return (self.centres.square().sum(1) - 2 * z @ self.centres.T).argmin(1)

    def posteriors(self, x: Tensor) -> Tensor:
        return one_hot(self.assign(x), self.count).float()

    def assign(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.nearest(self.projected(self.features(x)))

    def config(self) -> dict[str, Any]:
        return {"clusters": self.count, "labels": self.weights.shape[0]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if not schema.is_image:
            raise RequestError("its clusters are of images, and its schema of points")
        return cls(shape, *(checked(name, stored[name], int) for name in ("clusters", "labels")))


def _at_most(side: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """The sides of a copy of images of a shape, (C, H, W)."""
    return min(side, shape[1]), min(side, shape[2])


def _factors(variance: Tensor, deviation: float) -> Tensor:
    """Equal factors that give features of such variances, (F,), a standard deviation in
    all; 0 for constant ones."""
    total = float(variance.sum().sqrt())
    return torch.full_like(variance, deviation / total if total > 0 else 0.0)
