"""The Fréchet distance between two clouds of features (Heusel et al. 2017).

On MNIST it uses the features of the shipped digit classifier, on colour images those of
EfficientNet-Lite0, and is named after them: only on Inception's features it is FID.
"""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import Array, DigitReference, PhotoReference
from equipoise.metrics.registry import Metric, register

DIGIT_FRECHET = Metric(
    "digit_frechet_distance",
    "Fréchet (digit features)",
    "lower",
    "Fréchet distance, computed as FID is, on features of a digit classifier",
)
PHOTO_FRECHET = Metric(
    "photo_frechet_distance",
    "Fréchet (EfficientNet features)",
    "lower",
    "Fréchet distance, computed as FID is, on EfficientNet-Lite0's features, not Inception's",
)
BEFORE_IMAGES = -1  # position: the primary metric, not that of images without features


@register(DIGIT_FRECHET, kinds=["digits"], position=0, while_training=True)
def digit_frechet(reference: DigitReference, rows: Array) -> float:
    """The Fréchet distance of the digit classifier's features."""
    return frechet_distance(reference.features_of(rows), reference.features)


@register(
    PHOTO_FRECHET,
    kinds=["photos"],
    position=BEFORE_IMAGES,
    while_training=True,
    compared_with=lambda reference: reference.feature_description,
)
def photo_frechet(reference: PhotoReference, rows: Array) -> float:
    """The Fréchet distance of EfficientNet-Lite0's features."""
    real = reference.features
    root = reference.once("covariance root", lambda: covariance_root(real))
    return frechet_distance(reference.features_of(rows), real, root)


def frechet_distance(x: Array, y: Array, root: Array | None = None) -> float:
    """|mu_x - mu_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)).

    That is the squared Wasserstein-2 of the normal distributions with the features'
    means and covariances. The trace of the root is the sum of the roots of the
    eigenvalues of C_y^(1/2) C_x C_y^(1/2), which is symmetric, so that rank-deficient
    covariances do no harm.

    Args:
        x: Features, (N, F).
        y: Others, (M, F).
        root: `covariance_root` of y, (F, F), where it is known already.

    Returns:
        The distance; lower is closer.
    """
    mean, c_x = x.mean(0) - y.mean(0), covariance(x)
    root = covariance_root(y) if root is None else root
    cross = np.linalg.eigvalsh(root @ c_x @ root).clip(min=0)
    return float(mean @ mean + np.trace(c_x) + np.sum(root**2) - 2 * np.sqrt(cross).sum())


def covariance(x: Array) -> Array:
    """The covariance of the columns of x, (N, F): (F, F)."""
    return np.atleast_2d(np.cov(x, rowvar=False))


def covariance_root(x: Array) -> Array:
    """The symmetric square root of `covariance`, (F, F)."""
    values, vectors = np.linalg.eigh(covariance(x))
    root: Array = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root
