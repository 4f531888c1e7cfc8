"""Multi-scale sliced Wasserstein distance of images: no network's weights are needed,
so it serves images of any kind.

Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality,
Stability, and Variation", ICLR 2018, section 5: the sliced Wasserstein distance of 7 x
7 patches of each level of a Laplacian pyramid (Burt & Adelson 1983). The finest level
shows edges and noise, the coarsest the shape of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from equipoise.metrics.reference import Array, ImageReference
from equipoise.metrics.registry import Metric, register
from equipoise.metrics.wasserstein import Projected

PATCH = 7  # pixels a side
PATCHES_PER_IMAGE = 16  # at each level
TAPS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
# Of the images' standard deviation: a channel that varies less is scaled as if it did.
MIN_CHANNEL_STD = 1e-3
MIN_LEVEL_SIDE = 16  # pixels along a level's shorter side, where the image has as many

PATCH_SWD = Metric(
    "patch_swd",
    "patch SWD",
    "lower",
    "sliced Wasserstein distance of small image patches, averaged over scales",
)
LEVEL_SWD = Metric(
    "level_patch_swd",
    "patch SWD at {} pixels",
    "lower",
    "the same for images scaled to this height",
)


@register(
    PATCH_SWD,
    LEVEL_SWD,
    kinds=["images"],
    position=0,
    while_training=True,
    compared_with=lambda reference: f"{reference.description}, patches of {PATCH} x {PATCH} pixels",
)
def patch_swd(reference: ImageReference, rows: Array) -> dict[str, float]:
    """The mean distance over the levels, and each level's where there are several.

    It is to as many real images, whose patches are cut out once for each number.
    """
    n = min(len(rows), len(reference.real))
    patches = reference.once(("patches", n), lambda: Patches(reference.real[:n]))
    levels = patches.distances(rows[: len(reference.real)])
    found = {PATCH_SWD.key: float(np.mean(list(levels.values())))}
    if len(levels) > 1:
        found |= {LEVEL_SWD.at(height): distance for height, distance in levels.items()}
    return found


@dataclass(frozen=True)
class Level:
    """One level of the pyramid of the images that others are compared with: where
    patches are taken, how they are scaled, and theirs."""

    places: tuple[Tensor, Tensor]
    mean: Tensor
    std: Tensor
    height: int
    patches: Projected


class Patches:
    """The patches of images y, (N, C, H, W): what a patch distance to them needs, made
    once for many x."""

    def __init__(self, y: Array, seed: int = 0) -> None:
        spread = (
            float(np.std(y)) if y.max() > y.min() else 1.0
        )  # rounding leaves a little of images that never vary
        self.levels: list[Level] = [
            _level(level, spread, number, seed)
            for number, level in enumerate(pyramid(torch.from_numpy(y)))
        ]

    def distances(self, x: Array) -> dict[int, float]:
        """The sliced Wasserstein-1 distance of the patches of images x, (N, C, H, W)
        and as many, for each level's height in pixels, from the finest. Patches are
        scaled by the mean and the standard deviation of y's in each channel, so the
        distance is in those standard deviations and a difference of brightness counts;
        a channel that hardly varies is scaled by a thousandth of the images' standard
        deviation."""
        both = zip(pyramid(torch.from_numpy(x)), self.levels, strict=True)
        return {
            at.height: at.patches.distance(_patches((level - at.mean) / at.std, at.places).numpy())
            for level, at in both
        }


def _level(x: Tensor, spread: float, number: int, seed: int) -> Level:
    places = _places(x, torch.Generator().manual_seed(seed + number))
    mean, std = (
        x.mean((0, 2, 3), keepdim=True),
        x.std((0, 2, 3), correction=0, keepdim=True).clamp(min=MIN_CHANNEL_STD * spread),
    )
    return Level(
        places,
        mean,
        std,
        x.shape[2],
        Projected(_patches((x - mean) / std, places).numpy(), seed=seed),
    )


def patch_distances(x: Array, y: Array, seed: int = 0) -> dict[int, float]:
    """The patch distances of images x and y, (N, C, H, W) each and equally many:
    `Patches.distances`."""
    return Patches(y, seed).distances(x)


def pyramid(x: Tensor) -> list[Tensor]:
    """The Laplacian pyramid of images (N, C, H, W), fine to coarse: what each level has
    beyond the next one enlarged, and the last as it is."""
    levels = []
    while min(x.shape[2:]) >= 2 * MIN_LEVEL_SIDE:
        smaller = _halved(x)
        levels.append(x - _doubled(smaller, x.shape[2:]))
        x = smaller
    return [*levels, x]


def _halved(x: Tensor) -> Tensor:
    return _smoothed(x)[:, :, ::2, ::2]


def _doubled(x: Tensor, size: torch.Size) -> Tensor:
    larger = x.new_zeros(*x.shape[:2], *size)
    larger[:, :, ::2, ::2] = x
    return 4 * _smoothed(larger)


def _smoothed(x: Tensor) -> Tensor:
    """Burt and Adelson's filter, (1, 4, 6, 4, 1) / 16 along each side; the border is
    mirrored. As sums of shifted images: convolutions in float64 are many times slower.
    """
    for axis, border in ((2, (0, 0, 2, 2)), (3, (2, 2, 0, 0))):
        size, wide = x.shape[axis], pad(x, border, mode="reflect")
        x = wide.narrow(axis, 2, size) * TAPS[2]
        for i in (0, 1, 3, 4):
            x.add_(wide.narrow(axis, i, size), alpha=TAPS[i])
    return x


def _places(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The upper left corners of patches for each image: rows and columns, (N,
    PATCHES_PER_IMAGE) each."""
    rows, columns = (
        torch.randint(max(side - PATCH, 0) + 1, (len(x), PATCHES_PER_IMAGE), generator=generator)
        for side in x.shape[2:]
    )
    return rows, columns


def _patches(x: Tensor, places: tuple[Tensor, Tensor]) -> Tensor:
    """The patches at these places, each as one row: (N * PATCHES_PER_IMAGE,
    C * height * width)."""
    height, width = (min(PATCH, side) for side in x.shape[2:])
    rows = places[0][:, :, None, None] + torch.arange(height)[:, None]
    columns = places[1][:, :, None, None] + torch.arange(width)
    images = torch.arange(len(x))[:, None, None, None]
    taken = x.permute(0, 2, 3, 1)[images, rows, columns]
    return taken.reshape(len(x) * PATCHES_PER_IMAGE, -1)
