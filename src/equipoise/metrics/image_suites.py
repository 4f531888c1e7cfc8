"""Judges of images: MNIST's digits by the features of the shipped classifier, any other
by patches and thumbnails, which need no weights."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from equipoise.metrics.digits import FEATURES, read_digits
from equipoise.metrics.frechet import frechet_distance
from equipoise.metrics.mmd import kernel_distance
from equipoise.metrics.neighbours import K, intrinsic_dimension, kth_neighbour, mean_distance
from equipoise.metrics.patch_swd import PATCH, Patches, patch_distances
from equipoise.metrics.result import (
    DIGIT_FREQUENCY,
    DIMENSION,
    DIVERSITY,
    FRECHET,
    KERNEL,
    PATCHES,
    RAREST,
    RECOGNISED,
    directions,
)
from equipoise.metrics.suites import (
    DIVERSITY_METRICS,
    NEIGHBOUR_METRICS,
    MetricSuite,
    neighbour_metrics,
)

Array = NDArray[np.float64]
# The classifier's probability from which a digit counts as recognised, as the metric's
# name says.
CONFIDENT = 0.9
# Samples of each kind for the kernel distance, whose cost grows with the square of
# their number.
PAIRS = 2_500
THUMBNAIL = 8  # pixels a side that neighbours of images are compared on
COST = 2400.0  # of an image's patches, for each of its values: 80 thousand-millionths of a second
CHUNK = 500  # images that are averaged at once
DIGIT_METRICS = directions(
    FRECHET, RECOGNISED, RAREST, *(f"{DIGIT_FREQUENCY}{digit}" for digit in range(10))
)


class DigitSuite(MetricSuite):
    """MNIST's digits, by the features and the opinion of the shipped classifier."""

    # a third of a thousandth of a second: 25 million multiplications, faster than a
    # training's.
    cost = 1e7

    def __init__(self, real: Array, quick: bool) -> None:
        self.n, self.quick = len(real), quick
        self.real = self.prepare(real)[:, :FEATURES]
        self.radii = None if quick else kth_neighbour(torch.from_numpy(self.real), K)
        self.better = (
            DIGIT_METRICS if quick else {**DIGIT_METRICS, **directions(KERNEL), **NEIGHBOUR_METRICS}
        )
        self.against = f"{len(real):,} test digits, features of the shipped digit classifier"

    def used(self, name: str, n: int) -> int:
        return min(n, PAIRS) if name == KERNEL else n

    def means(self, name: str) -> str:
        if name == KERNEL:
            return (
                f"{self.used(name, self.n):,} test digits, features of the shipped digit "
                "classifier, cubic kernel, unbiased"
            )
        return f"{self.against}, k = {K}" if name in NEIGHBOUR_METRICS else self.against

    def prepare(self, x: Array) -> Array:
        features, probabilities = read_digits(
            torch.from_numpy(x.reshape(len(x), *x.shape[-2:])).to(torch.uint8)
        )
        return torch.cat([features, probabilities], 1).double().numpy()

    def measure(self, rows: Array) -> dict[str, float]:
        features, probabilities = rows[:, :FEATURES], rows[:, FEATURES:]
        fractions = np.bincount(probabilities.argmax(1), minlength=10) / len(rows)
        metrics = {
            FRECHET: frechet_distance(features, self.real),
            RECOGNISED: float((probabilities.max(1) >= CONFIDENT).mean()),
            RAREST: float(fractions.min()),
            **{
                f"{DIGIT_FREQUENCY}{digit}": float(fraction)
                for digit, fraction in enumerate(fractions)
            },
        }
        if self.quick:
            return metrics
        kernel = kernel_distance(features[:PAIRS], self.real[:PAIRS])
        return {**metrics, KERNEL: kernel, **neighbour_metrics(self.real, features, self.radii)}


class ImageSuite(MetricSuite):
    """Images whose features nobody knows: patches at every scale, and neighbours of
    thumbnails."""

    def __init__(self, real: Array, quick: bool) -> None:
        self.n, self.quick, self.real = len(real), quick, real
        self.against = f"{len(real):,} held-out images"
        self.cost = COST * float(np.prod(real.shape[1:]))
        self.taken: dict[int, Patches] = {}
        self.thumbnails = thumbnails(torch.from_numpy(real)).astype(np.float64)
        self.radii = None if quick else kth_neighbour(torch.from_numpy(self.thumbnails), K)
        self.better = directions(*patch_names(real))
        if not quick:
            self.better |= {**NEIGHBOUR_METRICS, **DIVERSITY_METRICS, **directions(DIMENSION)}

    def means(self, name: str) -> str:
        how = (
            f"patches of {PATCH} x {PATCH} pixels"
            if name.startswith(PATCHES)
            else f"thumbnails of {THUMBNAIL} x {THUMBNAIL}, k = {K}"
        )
        return f"{self.against}, {how}"

    def prepare(self, x: Array) -> Array:
        return x

    def patches(self, n: int) -> Patches:
        """Those of the first n real images, taken once for each number."""
        if n not in self.taken:
            self.taken[n] = Patches(self.real[:n])
        return self.taken[n]

    def measure(self, rows: Array) -> dict[str, float]:
        levels = self.patches(min(len(rows), len(self.real))).distances(rows[: len(self.real)])
        metrics = {PATCHES: float(np.mean(list(levels.values())))}
        if len(levels) > 1:
            metrics |= {f"{PATCHES} at {height} pixels": value for height, value in levels.items()}
        if self.quick:
            return metrics
        small = thumbnails(torch.from_numpy(rows)).astype(np.float64)
        return {
            **metrics,
            **neighbour_metrics(self.thumbnails, small, self.radii),
            DIVERSITY: mean_distance(small),
            DIMENSION: intrinsic_dimension(small),
        }


def patch_names(real: Array) -> list[str]:
    """The names of the patch distances of images of this size, the mean first."""
    heights = list(patch_distances(real[:2], real[:2]))
    return [
        PATCHES,
        *([f"{PATCHES} at {height} pixels" for height in heights] if len(heights) > 1 else []),
    ]


def thumbnails(x: Tensor, side: int = THUMBNAIL) -> NDArray[np.float32]:
    """Images (N, C, H, W) of any type, averaged to at most `side` pixels a side, as
    rows (N, F); in chunks, since they may be many."""
    sides = (min(side, x.shape[2]), min(side, x.shape[3]))
    small = torch.empty(len(x), x.shape[1] * sides[0] * sides[1])
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        small[part] = adaptive_avg_pool2d(x[part].double(), sides).flatten(1)
    return small.numpy()
