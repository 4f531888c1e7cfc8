"""Maximum mean discrepancies: the squared distance of two laws in a kernel's space, estimated without bias, so that it can be negative.

Gretton et al.: "A Kernel Two-Sample Test", JMLR 2012, eq. 3; Bińkowski et al.: "Demystifying MMD GANs", ICLR 2018 (KID).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
CHUNK = 1024  # rows of a kernel matrix at once: bounds memory at any n
MEDIAN_ROWS = 1000  # pairs for the bandwidth come from as many rows


def gaussian_mmd(x: Array, y: Array, bandwidth: float) -> float:
    """MMD^2 of x, (N, D), and y, (M, D), with the kernel exp(-|a - b|^2 / (2 bandwidth^2))."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (-torch.cdist(a, b).square() / (2 * bandwidth**2)).exp()

    return _unbiased_mmd(x, y, kernel, lambda a: torch.ones(len(a), dtype=a.dtype))


def median_distance(x: Array) -> float:
    """The median distance between two of the first thousand rows of x, (N, D): the usual bandwidth. 1 where most are equal."""
    distances = torch.nn.functional.pdist(torch.from_numpy(x[:MEDIAN_ROWS]))
    median = float(distances.median()) if len(distances) else 0.0
    return median or 1.0


def kernel_distance(x: Array, y: Array) -> float:
    """MMD^2 of features x, (N, F), and y, (M, F), with the kernel (a . b / F + 1)^3: the kernel (inception) distance on these features."""
    features = x.shape[1]

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return torch.pow(a @ b.T / features + 1, 3)

    return _unbiased_mmd(x, y, kernel, lambda a: torch.pow(a.square().sum(1) / features + 1, 3))


def _unbiased_mmd(x: Array, y: Array, kernel: Callable[[Tensor, Tensor], Tensor], with_itself: Callable[[Tensor], Tensor]) -> float:
    """Means of the kernel over pairs of different rows of x, and of y, less twice that over all pairs of both; nan for a single
    row. `with_itself` is the kernel
    of each row and itself."""
    if min(len(x), len(y)) < 2:
        return math.nan
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    within = [(_sum(c, c, kernel) - float(with_itself(c).sum())) / (len(c) * (len(c) - 1)) for c in (a, b)]
    return within[0] + within[1] - 2 * _sum(a, b, kernel) / (len(a) * len(b))


def _sum(a: Tensor, b: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> float:
    return sum(float(kernel(part, b).sum()) for part in torch.split(a, CHUNK))
