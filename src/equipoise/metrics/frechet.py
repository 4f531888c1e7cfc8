"""The Fréchet distance between two clouds of features (Heusel et al. 2017).

On MNIST it uses the features of the shipped digit classifier, on colour images those of
EfficientNet-Lite0, and is named after them: only on Inception's features it is FID.
"""

from __future__ import annotations

import numpy as np

from equipoise.metrics.reference import (
    Array,
    DigitReference,
    PhotoReference,
    RotationReference,
)
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
ROTATION_FRECHET = Metric(
    "rotation_frechet_distance",
    "Fréchet (rotation features)",
    "lower",
    "Fréchet distance on features of a network that learned rotations of the real images",
)
# Before the primary metric of images, whose measures apply too.
FEATURE_POSITION = -1


@register(DIGIT_FRECHET, kinds=["digits"], position=0, while_training=True)
def digit_frechet(reference: DigitReference, rows: Array) -> float:
    """The Fréchet distance of the digit classifier's features."""
    return frechet_distance(reference.features_of(rows), reference.features)


@register(
    PHOTO_FRECHET,
    kinds=["photos"],
    position=FEATURE_POSITION,
    while_training=True,
    compared_with=lambda reference: (
        f"{reference.feature_description}, first {reference.components.shape[1]} principal "
        "components"
    ),
)
def photo_frechet(reference: PhotoReference, rows: Array) -> float:
    """The Fréchet distance of the principal components of EfficientNet-Lite0's
    features."""
    return frechet_distance(reference.components_of(rows), reference.components)


@register(
    ROTATION_FRECHET,
    kinds=["rotations"],
    position=FEATURE_POSITION,
    while_training=True,
    compared_with=lambda reference: reference.feature_description,
)
def rotation_frechet(reference: RotationReference, rows: Array) -> float:
    """The Fréchet distance of features that no generator was trained on."""
    return frechet_distance(reference.components_of(rows), reference.components)


def frechet_distance(x: Array, y: Array) -> float:
    """|mu_x - mu_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)).

    That is the squared Wasserstein-2 of the normal distributions with the features'
    means and covariances. The trace of the root is the sum of the roots of the
    eigenvalues of C_x^(1/2) C_y C_x^(1/2), which is symmetric, so that rank-deficient
    covariances do no harm.

    Args:
        x: Features, (N, F).
        y: Others, (M, F).

    Returns:
        The distance; lower is closer.
    """
    mean = x.mean(0) - y.mean(0)
    c_x, c_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(c_x))
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ np.atleast_2d(c_y) @ root).clip(min=0)
    return float(
        mean @ mean
        + np.trace(np.atleast_2d(c_x))
        + np.trace(np.atleast_2d(c_y))
        - 2 * np.sqrt(cross).sum()
    )
