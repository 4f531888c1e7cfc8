"""The standard CNN of SNGAN, for images of any size and number of channels.

Miyato, Kataoka, Koyama, Yoshida: "Spectral Normalization for Generative Adversarial
Networks", ICLR 2018, table 3. G doubles an eighth of the image's sides by transposed
4 x 4 convolutions with BatchNorm, and ends in a 3 x 3 one. D has a 3 x 3 and, but for
the last grid, a halving 4 x 4 convolution on each grid, with LeakyReLU(.1), and no
normalisation but the recipe's spectral one. Images whose sides are no multiples of
eight are padded in D and cropped in G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import pad

from equipoise.networks.dcgan import init_weights

HALVINGS = 3
SLOPE = 0.1  # of LeakyReLU


def coarsest(shape: Sequence[int]) -> tuple[int, int]:
    """Cells of the coarsest grid, (height, width), for images (C, H, W)."""
    step = 2**HALVINGS
    return math.ceil(shape[1] / step), math.ceil(shape[2] / step)


class StandardGenerator(nn.Module):
    """Latents (N, Z) to images (N, C, H, W) on [-1, 1].

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the finest grid; each coarser one has twice as many.
    """

    def __init__(self, latent_width: int, shape: Sequence[int], width: int) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        self.grid: tuple[int, int, int] = (width * 2**HALVINGS, *coarsest(shape))
        self.project: nn.Linear = nn.Linear(latent_width, math.prod(self.grid))
        layers: list[nn.Module] = []
        for level in range(HALVINGS, 0, -1):
            here = width * 2 ** (level - 1)
            layers += [nn.ConvTranspose2d(2 * here, here, 4, 2, 1), nn.BatchNorm2d(here), nn.ReLU()]
        self.layers: nn.Sequential = nn.Sequential(
            *layers, nn.Conv2d(width, shape[0], 3, 1, 1), nn.Tanh()
        )
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(self.project(z).unflatten(1, self.grid))
        return x[:, :, : self.shape[1], : self.shape[2]]


class StandardTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, `features`).

    Args:
        shape: (C, H, W).
        width: Channels of the first convolution; each coarser grid has twice as many.
    """

    def __init__(self, shape: Sequence[int], width: int) -> None:
        super().__init__()
        grid = coarsest(shape)
        self.margins: tuple[int, int] = (
            grid[0] * 2**HALVINGS - shape[1],
            grid[1] * 2**HALVINGS - shape[2],
        )
        layers: list[nn.Module] = []
        before = shape[0]
        for level in range(HALVINGS):
            here = width * 2**level
            layers += [nn.Conv2d(before, here, 3, 1, 1), nn.LeakyReLU(SLOPE)]
            layers += [nn.Conv2d(here, here, 4, 2, 1), nn.LeakyReLU(SLOPE)]
            before = here
        last = width * 2**HALVINGS
        layers += [nn.Conv2d(before, last, 3, 1, 1), nn.LeakyReLU(SLOPE), nn.Flatten()]
        self.layers: nn.Sequential = nn.Sequential(*layers)
        self.features: int = last * math.prod(grid)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layers(pad(x, (0, self.margins[1], 0, self.margins[0])))
        return h
