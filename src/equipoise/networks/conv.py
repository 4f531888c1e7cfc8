"""Convolutional networks for images of any size and number of channels, without
normalisation layers.

G and D work on a pyramid of grids. Each grid has half the resolution of the one below,
and at most four times the finest grid's channels. The finest grid has half the image's
resolution: D rearranges each 2 x 2 pixels into channels, and G rearranges channels into
pixels (Shi et al. 2016). This costs a quarter of convolutions at full resolution. Sides
that are not divisible are padded in D and cropped in G. Activations have the
channels-last memory format, which is faster with compiled code and tensor cores;
weights have torch's default format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from equipoise.networks.mlp import LEAKY_SLOPE, activation, mlp

# Minimum number of cells along the shorter side of the coarsest grid, for images of at
# least this size.
MIN_GRID = 4
# Maximum number of channels, as a multiple of the width.
MAX_WIDENING = 4


@dataclass(frozen=True)
class Pyramid:
    """The grids for images of shape (C, H, W).

    A cell of the finest grid has `fold` x `fold` pixels. The finest grid is halved
    `halvings` times.
    """

    channels: int
    height: int
    width: int

    @property
    def fold(self) -> int:
        return 2 if min(self.height, self.width) >= 4 * MIN_GRID else 1

    @property
    def halvings(self) -> int:
        return max(int(math.log2(min(self.height, self.width) / self.fold / MIN_GRID)), 0)

    @property
    def coarsest(self) -> tuple[int, int]:
        """Cells of the coarsest grid, (height, width); it covers the image."""
        step = self.fold * 2**self.halvings
        return math.ceil(self.height / step), math.ceil(self.width / step)

    @property
    def margins(self) -> tuple[int, int]:
        """Pixels that the grids reach beyond the image, (height, width)."""
        step = self.fold * 2**self.halvings
        return self.coarsest[0] * step - self.height, self.coarsest[1] * step - self.width

    def channels_at(self, level: int, width: int) -> int:
        """Channels of the grid after `level` halvings."""
        return int(width * min(2**level, MAX_WIDENING))


class Folded(nn.PixelUnshuffle):
    """Rearranges fold x fold pixels into channels, in the channels-last format."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's own name
        return super().forward(input).contiguous(memory_format=torch.channels_last)


class ConvGenerator(nn.Module):
    """Latents (N, Z) to images (N, C, H, W), with a linear output.

    Two dense layers as a mapping network (Karras et al. 2019), one onto the coarsest
    grid, then two 3 x 3 convolutions on each grid, coarse to fine.

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the finest grid.
        mapping: Units of each mapping layer.
    """

    def __init__(self, latent_width: int, shape: tuple[int, ...], width: int, mapping: int) -> None:
        super().__init__()
        self.shape = shape
        pyramid = Pyramid(*shape)
        top = pyramid.channels_at(pyramid.halvings, width)
        self.grid: tuple[int, int, int] = (top, *pyramid.coarsest)
        self.dense: nn.Sequential = mlp(
            [latent_width, mapping, mapping, math.prod(self.grid)], ["leaky_relu", "leaky_relu"]
        )
        layers: list[nn.Module] = [
            activation("leaky_relu"),
            conv(top, top),
            activation("leaky_relu"),
        ]
        for level in reversed(range(pyramid.halvings)):
            above, here = pyramid.channels_at(level + 1, width), pyramid.channels_at(level, width)
            layers += [
                nn.Upsample(scale_factor=2),
                conv(above, here),
                activation("leaky_relu"),
                conv(here, here),
                activation("leaky_relu"),
            ]
        finest = pyramid.channels_at(0, width)
        layers += [conv(finest, pyramid.channels * pyramid.fold**2), nn.PixelShuffle(pyramid.fold)]
        self.layers: nn.Sequential = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(
            self.dense(z).unflatten(1, self.grid).contiguous(memory_format=torch.channels_last)
        )
        return x[:, :, : self.shape[1], : self.shape[2]]


class ConvTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, `features`).

    Two 3 x 3 convolutions on each grid, fine to coarse, with 2 x 2 average pooling
    between grids, then a dense layer.

    Args:
        shape: (C, H, W).
        width: Channels of the finest grid.
        features: Number of features.
    """

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        super().__init__()
        pyramid = Pyramid(*shape)
        self.margins: tuple[int, int] = pyramid.margins
        before = pyramid.channels * pyramid.fold**2
        layers: list[nn.Module] = [Folded(pyramid.fold)]
        for level in range(pyramid.halvings + 1):
            here = pyramid.channels_at(level, width)
            layers += [
                conv(before, here),
                activation("leaky_relu"),
                conv(here, here),
                activation("leaky_relu"),
            ]
            if level < pyramid.halvings:
                layers.append(nn.AvgPool2d(2))
            before = here
        layers += [
            nn.Flatten(),
            nn.Linear(before * math.prod(pyramid.coarsest), features),
            activation("leaky_relu"),
        ]
        self.layers: nn.Sequential = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if any(self.margins):
            x = pad(x, (0, self.margins[1], 0, self.margins[0]))
        h: Tensor = self.layers(x)
        return h


def conv(before: int, after: int) -> nn.Conv2d:
    """A 3 x 3 convolution with padding 1, initialised as in He et al. 2015."""
    layer = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, LEAKY_SLOPE)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
