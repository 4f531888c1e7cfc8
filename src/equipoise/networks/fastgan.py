"""The networks of FastGAN, for images of any size and number of channels.

Liu, Zhu, Song, Elgammal: "Towards Faster and Stabilized GAN Training for High-fidelity
Few-shot Image Synthesis", ICLR 2021, section 3.

G doubles its grids by convolutions with gated linear units. Skip-layer excitation
(3.1) lets a coarse grid scale the channels of a grid several doublings finer. D halves
its grids by residual blocks. Small decoders reconstruct real images from its features
(3.2).

Grids are those of `networks.dcgan`: images whose sides cannot be halved often enough
are padded in D and cropped in G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad

from equipoise.networks.conditioning import Discriminator, forward_mixed
from equipoise.networks.dcgan import all_channels, channels, dense_projection, grids, init_weights
from equipoise.networks.mlp import activation

# Maximum number of doublings that an excitation skips (4 x 4 to 64 x 64).
MAX_SKIP = 4
# The authors' channels of the grids of G and of D, coarse to fine, as multiples of the
# width. D's coarsest grid, 4 x 4, is not theirs.
PUBLISHED_G = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)
PUBLISHED_D = (8, 8, 4, 2, 1, 1 / 2, 1 / 4, 1 / 8)
# Cells along each side of the pooled coarse grid that an excitation sees.
EXCITATION_GRID = 4


class SkipLayerExcitation(nn.Module):
    """Scale a fine grid's channels by numbers on (0, 1) from a coarse grid (section
    3.1):

        y = sigmoid(conv1x1(leaky_relu(conv4x4(pool(x_low))))) * x_high

    `pool` averages onto 4 x 4 cells, or leaves a smaller grid as it is; the first
    convolution covers all of them.

    Args:
        low: Channels of the coarse grid.
        high: Channels of the fine grid.
        grid: Cells of the coarse grid, (height, width).
    """

    def __init__(self, low: int, high: int, grid: tuple[int, int]) -> None:
        super().__init__()
        pooled = [min(side, EXCITATION_GRID) for side in grid]
        self.pool: nn.AdaptiveAvgPool2d = nn.AdaptiveAvgPool2d((pooled[0], pooled[1]))
        self.excite: nn.Sequential = nn.Sequential(
            nn.Flatten(),
            nn.Linear(low * math.prod(pooled), high),
            activation("leaky_relu"),
            nn.Linear(high, high),
            nn.Sigmoid(),
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        scales: Tensor = self.excite(self.pool(low))
        return high * scales[:, :, None, None]


class FastGenerator(nn.Module):
    """Latents (N, Z) to images (N, C, H, W) on [-1, 1].

    Each doubling has one convolution with BatchNorm and a gated linear unit, or, at
    every other grid, two. Grids in the finer half are excited by those as many
    doublings coarser as there are grids in a half, at most `MAX_SKIP`: at 256 pixels 4
    x 4 excites 64 x 64, as in the paper.

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        dense_units: Units of a dense layer between the latents and the coarsest grid; 0
            for none, as in the paper.
        published: Whether channels are the authors': from the coarsest grid on 16, 8,
            4, 2, 2, 1, 1/2, 1/4 and 1/8 times the width.
    """

    def __init__(
        self,
        latent_width: int,
        shape: Sequence[int],
        width: int,
        dense_units: int = 0,
        published: bool = False,
    ) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        cells = grids(*shape[1:])[::-1]
        widths = (
            published_channels(len(cells), width, PUBLISHED_G)
            if published
            else all_channels(len(cells) - 1, width)[::-1]
        )
        self.grid: tuple[int, int, int] = (2 * widths[0], *cells[0])
        flat = math.prod(self.grid)
        if dense_units:
            self.project: nn.Module = nn.Sequential(
                *dense_projection(latent_width, dense_units, flat)
            )
            self.first: nn.Module = nn.GLU(1)
        else:
            self.project = nn.Linear(latent_width, flat, bias=False)
            self.first = nn.Sequential(nn.BatchNorm2d(self.grid[0]), nn.GLU(1))
        self.blocks: nn.ModuleList = nn.ModuleList(
            up_block(before, after, convolutions=1 + at % 2)
            for at, (before, after) in enumerate(pairwise(widths), 1)
        )
        self.skip: int = min(math.ceil(len(cells) / 2), MAX_SKIP)
        self.excitations: nn.ModuleList = nn.ModuleList(
            SkipLayerExcitation(widths[at - self.skip], widths[at], cells[at - self.skip])
            for at in range(self.skip, len(cells))
        )
        self.to_image: nn.Sequential = nn.Sequential(
            nn.Conv2d(widths[-1], shape[0], 3, padding=1), nn.Tanh()
        )
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        maps: list[Tensor] = [self.first(self.project(z).unflatten(1, self.grid))]
        for at, block in enumerate(self.blocks, 1):
            x = block(maps[-1])
            if at >= self.skip:
                x = self.excitations[at - self.skip](maps[at - self.skip], x)
            maps.append(x)
        images: Tensor = self.to_image(maps[-1])
        return images[:, :, : self.shape[1], : self.shape[2]]


def published_channels(count: int, width: int, multiples: Sequence[float]) -> list[int]:
    """The authors' channels of so many grids, coarse to fine: these multiples of the
    width, the last one for all that are finer."""
    last = len(multiples) - 1
    return [max(int(width * multiples[min(at, last)]), 1) for at in range(count)]


class FastDiscriminator(Discriminator):
    """Samples (N, C, H, W) and classes (N,) to logits (N,), and to all that
    `reconstruction_errors` needs, (N, K): two feature maps and the images themselves.

    With h the flattened coarsest feature map, D(x, y) = head(h) + <embedding(y), h>.

    Args:
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        classes: Number of classes; 0 for an unconditional discriminator.
        published: Whether channels are the authors': from the coarsest grid on 8, 8, 4,
            2, 1, 1/2, 1/4 and 1/8 times the width.
    """

    def __init__(
        self, shape: Sequence[int], width: int, classes: int = 0, published: bool = False
    ) -> None:
        cells = grids(*shape[1:])
        widths = (
            published_channels(len(cells) - 1, width, PUBLISHED_D)[::-1]
            if published
            else [channels(level, width) for level in range(1, len(cells))]
        )
        trunk = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(shape[0], widths[0], 4, 2, 1),
                activation("leaky_relu"),
                *(DownBlock(*pair) for pair in pairwise(widths[:-1])),
            ),
            nn.Sequential(DownBlock(*widths[-2:]), nn.Flatten()),
        )
        super().__init__(trunk, widths[-1] * math.prod(cells[-1]), classes)
        self.margins: tuple[int, int] = cells[0][0] - shape[1], cells[0][1] - shape[2]
        self.maps: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]] = (
            (widths[-1], *cells[-1]),
            (widths[-2], *cells[-2]),
            (shape[0], *cells[0]),
        )
        """Shapes of the coarsest feature map, the next finer one, and the images."""
        self.doublings: int = len(cells) - 2
        self.decoders: nn.ModuleList = nn.ModuleList(
            decoder(before, width, shape[0], self.doublings) for before in widths[:-3:-1]
        )
        self.apply(init_weights)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        assert y is not None or not self.classes, "a conditional discriminator needs classes"
        mixed = self.mixed and self.training
        assert isinstance(self.trunk, nn.Sequential)
        x = pad(x, (0, self.margins[1], 0, self.margins[0]))
        middle = forward_mixed(self.trunk[0], x, mixed)
        h = forward_mixed(self.trunk[1], middle, mixed)
        return self.logits(h, y), torch.cat([h, middle.flatten(1), x.flatten(1)], 1)

    def reconstruction_errors(self, outputs: Tensor, randomness: torch.Generator) -> Tensor:
        """The errors of both decoders (section 3.2), their mean over pixels, summed:

            mean |decoder(f2) - halved(x)| + mean |decoder(crop(f1)) - crop(x)|

        f2 is the coarsest feature map, f1 the next finer one. Each image has a random
        crop of half its sides, f1 the same one. Both targets have half the image's
        sides.

        Args:
            outputs: This network's second output on images x, (N, K).
            randomness: Of the crops' positions.

        Returns:
            (N,).
        """
        sizes = [math.prod(shape) for shape in self.maps]
        coarse, middle, x = (
            part.reshape(-1, *shape)
            for part, shape in zip(
                torch.split_with_sizes(outputs, sizes, 1), self.maps, strict=True
            )
        )
        cell = 2**self.doublings
        corner = [
            torch.randint(side + 1, (len(x),), generator=randomness, device=x.device)
            for side in coarse.shape[2:]
        ]
        size = (coarse.shape[2], coarse.shape[3])
        part = cropped(x, [at * cell for at in corner], (size[0] * cell, size[1] * cell))
        pairs = ((coarse, avg_pool2d(x, 2)), (cropped(middle, corner, size), part))
        mixed = self.mixed and self.training
        errors = [
            (forward_mixed(decode, features, mixed) - target).abs().flatten(1).mean(1)
            for decode, (features, target) in zip(self.decoders, pairs, strict=True)
        ]
        return errors[0] + errors[1]


class DownBlock(nn.Module):
    """Halves the grid: the mean of two strided convolutions and a pooled 1 x 1 one."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.main: nn.Sequential = nn.Sequential(
            *normed(nn.Conv2d(before, after, 4, 2, 1, bias=False)),
            *normed(nn.Conv2d(after, after, 3, 1, 1, bias=False)),
        )
        self.direct: nn.Sequential = nn.Sequential(
            nn.AvgPool2d(2), *normed(nn.Conv2d(before, after, 1, bias=False))
        )

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor = (self.main(x) + self.direct(x)) / 2
        return mean


def up_block(before: int, after: int, convolutions: int = 1) -> nn.Sequential:
    """Doubles the grid: nearest neighbours, then 3 x 3 convolutions with BatchNorm and
    gated linear units."""
    layers: list[nn.Module] = [nn.Upsample(scale_factor=2)]
    for at in range(convolutions):
        layers += [
            nn.Conv2d(after if at else before, 2 * after, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * after),
            nn.GLU(1),
        ]
    return nn.Sequential(*layers)


def decoder(before: int, width: int, image_channels: int, doublings: int) -> nn.Sequential:
    """A simple decoder: features of `before` channels to images on [-1, 1]."""
    layers = [up_block(width if at else before, width) for at in range(doublings)]
    return nn.Sequential(*layers, nn.Conv2d(width, image_channels, 3, padding=1), nn.Tanh())


def normed(layer: nn.Conv2d) -> list[nn.Module]:
    """The convolution, BatchNorm and LeakyReLU."""
    return [layer, nn.BatchNorm2d(layer.out_channels), activation("leaky_relu")]


def cropped(x: Tensor, corner: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """A rectangle of each image, at its own position, without waiting for the device.

    Args:
        x: (N, C, H, W).
        corner: The first row and the first column of each rectangle, (N,) each.
        size: Its (height, width).

    Returns:
        (N, C, *size).
    """
    rows, columns = (
        start[:, None] + torch.arange(side, device=x.device)
        for start, side in zip(corner, size, strict=True)
    )
    images = torch.arange(len(x), device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[images, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
