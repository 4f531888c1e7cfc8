"""The residual networks of R3GAN: grouped bottlenecks without normalisation layers.

Huang, Gokaslan, Kuleshov, Tompkin: "The GAN is dead; long live the GAN! A modern
baseline GAN", NeurIPS 2024, section 4 and appendix D. A block is x +
conv1x1(act(conv3x3, grouped(act(conv1x1 x)))), expanded inside by 2; the last
convolution starts at zero, the others at variance gain^2 / fan-in with gain divided by
L^(1/4) for L blocks in a network (Fixup, Zhang et al. 2019). An activation is
LeakyReLU(.2) after a bias; convolutions have none. G starts from a learned 4 x 4 basis
whose channels the latent scales; D ends in a depthwise 4 x 4 convolution. Grids double
and halve by bilinear resampling, with a 1 x 1 convolution where channels change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad

from equipoise.networks.mlp import LEAKY_SLOPE

# Cells a side of the coarsest grid.
BASE_GRID = 4
# Ratio of channels inside a block to those outside.
EXPANSION = 2
# Gain of initial weights before a LeakyReLU.
GAIN = math.sqrt(2 / (1 + LEAKY_SLOPE**2))


class ResidualGenerator(nn.Module):
    """Latents (N, Z) to images (N, C, H, W), with a linear output.

    Args:
        latent_width: Z.
        shape: (C, H, W).
        widths: Channels of each grid, coarse to fine.
        blocks: Residual blocks on each grid.
        group: Channels in a group of a block's 3 x 3 convolution.
        fold: Pixels a side of a cell of the finest grid.
    """

    def __init__(
        self,
        latent_width: int,
        shape: Sequence[int],
        widths: Sequence[int],
        blocks: int,
        group: int,
        fold: int = 1,
    ) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        depth = blocks * len(widths)
        self.basis: nn.Parameter = nn.Parameter(torch.randn(widths[0], BASE_GRID, BASE_GRID))
        self.scale: nn.Linear = nn.Linear(latent_width, widths[0], bias=False)
        nn.init.normal_(self.scale.weight, std=latent_width**-0.5)
        layers: list[nn.Module] = []
        for level, width in enumerate(widths):
            if level:
                layers.append(Upsample(widths[level - 1], width))
            layers += [Block(width, group, depth) for _ in range(blocks)]
        self.layers: nn.Sequential = nn.Sequential(
            *layers, plain_conv(widths[-1], shape[0] * fold**2, 1), nn.PixelShuffle(fold)
        )

    def forward(self, z: Tensor) -> Tensor:
        start = self.basis * self.scale(z)[:, :, None, None]
        x: Tensor = self.layers(start.contiguous(memory_format=torch.channels_last))
        return x[:, :, : self.shape[1], : self.shape[2]]


class ResidualTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, widths[0]): G's mirror image.

    Arguments are as for `ResidualGenerator`.
    """

    def __init__(
        self, shape: Sequence[int], widths: Sequence[int], blocks: int, group: int, fold: int = 1
    ) -> None:
        super().__init__()
        side = BASE_GRID * 2 ** (len(widths) - 1) * fold
        self.margins: tuple[int, int] = side - shape[1], side - shape[2]
        depth = blocks * len(widths)
        self.unshuffle: nn.PixelUnshuffle = nn.PixelUnshuffle(fold)
        layers: list[nn.Module] = [plain_conv(shape[0] * fold**2, widths[-1], 1)]
        for level in reversed(range(len(widths))):
            layers += [Block(widths[level], group, depth) for _ in range(blocks)]
            if level:
                layers.append(Downsample(widths[level], widths[level - 1], BASE_GRID * 2**level))
        self.layers: nn.Sequential = nn.Sequential(*layers, GridSum(widths[0]))

    def forward(self, x: Tensor) -> Tensor:
        cells = self.unshuffle(pad(x, (0, self.margins[1], 0, self.margins[0])))
        h: Tensor = self.layers(cells.contiguous(memory_format=torch.channels_last))
        return h


class Block(nn.Module):
    """x + an inverted bottleneck, (N, width, H, W) to the same shape."""

    def __init__(self, width: int, group: int, depth: int) -> None:
        super().__init__()
        inner = width * EXPANSION
        gain = GAIN * depth**-0.25
        self.layers: nn.Sequential = nn.Sequential(
            plain_conv(width, inner, 1, gain),
            BiasedActivation(inner),
            plain_conv(
                inner, inner, 3, gain, groups=math.gcd(inner, max(inner // group, 1)), padding=1
            ),
            BiasedActivation(inner),
            plain_conv(inner, width, 1, gain=0),
        )

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.layers(x)
        return x + inner


class BiasedActivation(nn.Module):
    """LeakyReLU after a bias for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias: nn.Parameter = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x + self.bias, LEAKY_SLOPE)


class Upsample(nn.Module):
    """Changes channels with a 1 x 1 convolution, then doubles the grid. This order is
    the cheaper one."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.change: nn.Conv2d | nn.Identity = (
            plain_conv(before, after, 1) if before != after else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return interpolate(self.change(x), scale_factor=2, mode="bilinear")


class Downsample(nn.Module):
    """Halves a square grid, then changes channels with a 1 x 1 convolution.

    The filter (1, 3, 3, 1) / 8 along each side is the transpose of bilinear upsampling,
    as in the paper, with zero padding. It is a matrix product along each side, since on
    a CPU the gradients of a depthwise convolution take several times as long.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        side: Cells a side of the input, even.
    """

    halving: Tensor

    def __init__(self, before: int, after: int, side: int) -> None:
        super().__init__()
        padded = torch.zeros(side // 2, side + 2)
        for row in range(side // 2):
            padded[row, 2 * row : 2 * row + 4] = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("halving", padded[:, 1:-1].contiguous(), persistent=False)
        self.change: nn.Conv2d | nn.Identity = (
            plain_conv(before, after, 1) if before != after else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        # Channels come last in memory, and stay there.
        rows = self.halving @ x.permute(0, 2, 3, 1).reshape(n, height, width * channels)
        cells = self.halving @ rows.reshape(n, height // 2, width, channels)
        halved: Tensor = self.change(cells.permute(0, 3, 1, 2))
        return halved


class GridSum(nn.Module):
    """The coarsest grid, (N, width, 4, 4), to features, (N, width): a depthwise
    convolution over all of it, written as the weighted sum that it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight: nn.Parameter = nn.Parameter(torch.empty(width, BASE_GRID, BASE_GRID))
        nn.init.normal_(self.weight, std=1 / BASE_GRID)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((2, 3))


def plain_conv(
    before: int, after: int, size: int, gain: float = 1.0, groups: int = 1, padding: int = 0
) -> nn.Conv2d:
    """A convolution without a bias, its weights normal with standard deviation gain /
    sqrt(fan-in)."""
    layer = nn.Conv2d(before, after, size, padding=padding, groups=groups, bias=False)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    return layer
