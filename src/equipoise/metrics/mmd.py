"""Maximum mean discrepancies: the squared distance of two distributions in a kernel's
space, estimated without bias, so that it can be negative.

Gretton et al.: "A Kernel Two-Sample Test", JMLR 2012, eq. 3; Bińkowski et al.:
"Demystifying MMD GANs", ICLR 2018 (KID).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
Kernel = Callable[[Tensor, Tensor], Tensor]
CHUNK = 256  # rows of a kernel matrix at once: bounds memory at any n, and stays in the cache
MEDIAN_ROWS = 1000  # pairs for the bandwidth come from as many rows


def gaussian_mmd(x: Array, y: Array, bandwidth: float, within_y: float | None = None) -> float:
    """MMD^2 of x, (N, D), and y, (M, D), with the kernel exp(-|a - b|^2 / (2
    bandwidth^2)). `within_y` is `gaussian_kernel_mean` of y, where it is known already.
    """
    return _unbiased_mmd(x, y, _gaussian(bandwidth), within_y)


def gaussian_kernel_mean(y: Array, bandwidth: float) -> float:
    """The mean of the same kernel over pairs of different rows of y, (M, D); nan for a
    single row."""
    return _within(torch.from_numpy(y), _gaussian(bandwidth))


def _gaussian(bandwidth: float) -> Kernel:
    return lambda a, b: torch.cdist(a, b).square_().mul_(-1 / (2 * bandwidth**2)).exp_()


def median_distance(x: Array) -> float:
    """The median distance between two of the first thousand rows of x, (N, D): the
    usual bandwidth. 1 where most are equal."""
    distances = torch.nn.functional.pdist(torch.from_numpy(x[:MEDIAN_ROWS]))
    median = float(distances.median()) if len(distances) else 0.0
    return median or 1.0


def kernel_distance(x: Array, y: Array) -> float:
    """MMD^2 of features x, (N, F), and y, (M, F), with the kernel (a . b / F + 1)^3:
    the kernel (inception) distance on these features."""
    features = x.shape[1]
    return _unbiased_mmd(x, y, lambda a, b: (a @ b.T).div_(features).add_(1).pow_(3))


def _unbiased_mmd(x: Array, y: Array, kernel: Kernel, within_y: float | None = None) -> float:
    """Means of the kernel over pairs of different rows of x, and of y, less twice that
    over all pairs of both; nan for a single row."""
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    between = sum(float(kernel(part, b).sum()) for part in torch.split(a, CHUNK))
    return (
        _within(a, kernel)
        + (_within(b, kernel) if within_y is None else within_y)
        - 2 * between / (len(a) * len(b))
    )


def _within(rows: Tensor, kernel: Kernel) -> float:
    """The mean over pairs of different rows, each of which is taken once; nan for a
    single row."""
    if len(rows) < 2:
        return math.nan
    total = 0.0
    for start in range(0, len(rows), CHUNK):
        values = kernel(rows[start : start + CHUNK], rows[start:])
        total += float(values[:, CHUNK:].sum()) + float(values[:, :CHUNK].triu(1).sum())
    return 2 * total / (len(rows) * (len(rows) - 1))
