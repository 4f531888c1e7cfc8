"""Maximum mean discrepancies: the squared distance of two distributions in a kernel's
space, estimated without bias, so that it can be negative. With a Gaussian kernel for
tables, with KID's cubic kernel for the features of digits and of colour images.

Gretton et al.: "A Kernel Two-Sample Test", JMLR 2012, eq. 3; Bińkowski et al.:
"Demystifying MMD GANs", ICLR 2018 (KID).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from equipoise.metrics.reference import (
    MAX_PAIRED,
    Array,
    DigitReference,
    PhotoReference,
    TabularReference,
)
from equipoise.metrics.registry import Metric, register

Kernel = Callable[[Tensor, Tensor], Tensor]
KERNEL_ROWS = 256  # of a kernel matrix at once: bounds memory, and stays in the cache
MEDIAN_ROWS = 1000  # whose pairs the bandwidth comes from
MAX_DIGITS = 2_500  # of each kind: the cost grows with the square

MMD = Metric(
    "mmd_squared",
    "MMD^2, Gaussian kernel",
    "lower",
    "maximum mean discrepancy; about 0 for equal distributions",
)
DIGIT_KERNEL = Metric(
    "digit_kernel_distance",
    "kernel distance (digit features)",
    "lower",
    "kernel distance, computed as KID is, on features of a digit classifier",
)
PHOTO_KERNEL = Metric(
    "photo_kernel_distance",
    "kernel distance (EfficientNet features)",
    "lower",
    "kernel distance, computed as KID is, on EfficientNet-Lite0's features, not Inception's",
)


def _bandwidth(reference: TabularReference) -> float:
    return reference.once("bandwidth", lambda: median_distance(reference.scaled(reference.real)))


@register(
    MMD,
    kinds=["tabular"],
    position=40,
    max_samples=MAX_PAIRED,
    compared_with=lambda reference: (
        f"{reference.feature_description}, bandwidth {_bandwidth(reference):.3g}, unbiased"
    ),
)
def tabular_mmd(reference: TabularReference, rows: Array) -> float:
    """MMD^2 of columns of unit variance, at the median distance of real samples."""
    near, bandwidth = reference.features, _bandwidth(reference)
    within = reference.once("kernel mean", lambda: gaussian_kernel_mean(near, bandwidth))
    return gaussian_mmd(reference.scaled(rows), near, bandwidth, within)


@register(
    DIGIT_KERNEL,
    kinds=["digits"],
    position=40,
    max_samples=MAX_DIGITS,
    compared_with=lambda reference: (
        f"{min(reference.n, MAX_DIGITS):,} test digits, features of the shipped digit "
        "classifier, cubic kernel, unbiased"
    ),
)
def digit_kernel_distance(reference: DigitReference, rows: Array) -> float:
    """The kernel distance of the digit classifier's features."""
    return kernel_distance(reference.features_of(rows), reference.features[:MAX_DIGITS])


@register(
    PHOTO_KERNEL,
    kinds=["photos"],
    position=40,
    compared_with=lambda reference: f"{reference.feature_description}, cubic kernel, unbiased",
)
def photo_kernel_distance(reference: PhotoReference, rows: Array) -> float:
    """The kernel distance of EfficientNet-Lite0's features."""
    return kernel_distance(reference.features_of(rows), reference.features)


def gaussian_mmd(x: Array, y: Array, bandwidth: float, within_y: float | None = None) -> float:
    """MMD^2 with the kernel exp(-|a - b|^2 / (2 bandwidth^2)).

    Args:
        x: Samples, (N, D).
        y: Others, (M, D).
        bandwidth: Of the kernel, above 0.
        within_y: `gaussian_kernel_mean` of y, where it is known already.
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
    between = sum(float(kernel(part, b).sum()) for part in torch.split(a, KERNEL_ROWS))
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
    for start in range(0, len(rows), KERNEL_ROWS):
        values = kernel(rows[start : start + KERNEL_ROWS], rows[start:])
        total += float(values[:, KERNEL_ROWS:].sum()) + float(values[:, :KERNEL_ROWS].triu(1).sum())
    return 2 * total / (len(rows) * (len(rows) - 1))
