"""Published networks of `acgan` and `lsgan` where they are not DCGAN's, for images of
any size and number of channels.

Grids are those of `networks.dcgan`: images whose sides cannot be halved often enough
are padded in D and cropped in G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import pad

from equipoise.networks.dcgan import grids, init_weights
from equipoise.networks.mlp import Dropout, activation

# Channels of LSGAN's coarser grids, at most, as a multiple of the finest's.
MOST_WIDENING = 4


class DropoutTrunk(nn.Module):
    """AC-GAN's D (Odena et al. 2017, appendix A): images (N, C, H, W) to features (N,
    `features`). On each grid a halving 3 x 3 convolution and, with twice the channels,
    another, with BatchNorm after all but the first, LeakyReLU(.2) and dropout.

    Args:
        shape: (C, H, W).
        width: Channels of the first convolution; each next one has twice as many.
        dropout: Fraction of each layer's outputs that is dropped in training.
    """

    def __init__(self, shape: Sequence[int], width: int, dropout: float) -> None:
        super().__init__()
        cells = grids(*shape[1:])
        self.margins: tuple[int, int] = cells[0][0] - shape[1], cells[0][1] - shape[2]
        layers: list[nn.Module] = []
        before = shape[0]
        for at in range(2 * (len(cells) - 1)):
            here = width * 2**at
            layers.append(nn.Conv2d(before, here, 3, 1 if at % 2 else 2, 1, bias=not at))
            layers += [nn.BatchNorm2d(here)] if at else []
            layers += [activation("leaky_relu"), Dropout(dropout)]
            before = here
        self.layers: nn.Sequential = nn.Sequential(*layers, nn.Flatten())
        self.features: int = before * math.prod(cells[-1])
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layers(pad(x, (0, self.margins[1], 0, self.margins[0])))
        return h


class DoubledGenerator(nn.Module):
    """LSGAN's G (Mao et al. 2017, section 4.1): latents (N, Z) to images (N, C, H, W)
    on [-1, 1]. Transposed 3 x 3 convolutions with BatchNorm and ReLU double the grid;
    on all but the coarsest and the two finest grids another one follows.

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the finest grid; the next coarser one has twice as many, all
            others four times.
    """

    def __init__(self, latent_width: int, shape: Sequence[int], width: int) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        cells = grids(*shape[1:])
        levels = len(cells) - 1
        widths = [width * min(2**level, MOST_WIDENING) for level in range(levels + 1)]
        self.grid: tuple[int, int, int] = (widths[levels], *cells[-1])
        self.project: nn.Linear = nn.Linear(latent_width, math.prod(self.grid))
        layers: list[nn.Module] = [nn.BatchNorm2d(self.grid[0]), nn.ReLU()]
        for level in reversed(range(levels)):
            here = widths[level]
            steps = [(widths[level + 1], 2)] + ([(here, 1)] if level > 1 else [])
            for before, stride in steps:
                layers += [
                    nn.ConvTranspose2d(before, here, 3, stride, 1, output_padding=stride - 1),
                    nn.BatchNorm2d(here),
                    nn.ReLU(),
                ]
        last = nn.ConvTranspose2d(widths[0], shape[0], 3, 1, 1)
        self.layers: nn.Sequential = nn.Sequential(*layers, last, nn.Tanh())
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(self.project(z).unflatten(1, self.grid))
        return x[:, :, : self.shape[1], : self.shape[2]]
