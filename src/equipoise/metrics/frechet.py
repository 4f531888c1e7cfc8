"""The Fréchet distance between two clouds of features (Heusel et al. 2017): of images,
but of whatever features it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def frechet_distance(x: Array, y: Array) -> float:
    """|mu_x - mu_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)) of features x, (N, F), and y,
    (M, F): the squared Wasserstein-2 of the normal distributions with those means and
    covariances. Lower is closer.

    The trace of the root is the sum of the roots of the eigenvalues of C_x^(1/2) C_y
    C_x^(1/2), which is symmetric, so that rank-deficient covariances do no harm.
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
