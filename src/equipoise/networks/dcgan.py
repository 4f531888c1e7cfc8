"""The convolutional networks of DCGAN, for images of any size and number of channels.

Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", ICLR 2016. The paper's guidelines:

- strided convolutions in D and transposed ones in G instead of pooling
- no hidden dense layers (one where `dense_units` asks for it)
- BatchNorm in both, except at G's output and D's input
- ReLU and a final tanh in G, LeakyReLU in D
- weights from N(0, .02)

Kernels are 4 x 4 with stride 2, so that every output pixel is covered equally often;
with the authors' 5 x 5 it is not. Images whose sides cannot be halved often enough are
padded in D and cropped in G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import pad

from equipoise.networks.mlp import activation

# Halvings of the finest grid, at least.
MIN_HALVINGS = 2
# Cells along the shorter side of the coarsest grid: from this number up to twice as
# many, as in the paper.
MIN_GRID = 4
# Maximum number of channels, as a multiple of the width.
MAX_WIDENING = 16
# What BatchNorm in front of G's coarsest grid normalises: each channel over batch and
# cells, or each number over the batch. none: there is none.
FirstNorm = Literal["channels", "numbers", "none"]


def grids(height: int, width: int) -> list[tuple[int, int]]:
    """The (height, width) of the grids, fine to coarse.

    The finest covers the image and can be halved down to the coarsest without a
    remainder.
    """
    halvings = max(int(math.log2(max(min(height, width) / MIN_GRID, 1))), MIN_HALVINGS)
    coarsest = [math.ceil(side / 2**halvings) for side in (height, width)]
    return [
        (coarsest[0] * 2**level, coarsest[1] * 2**level) for level in reversed(range(halvings + 1))
    ]


def channels(level: int, width: int) -> int:
    """Channels of the grid after `level` halvings, `level` >= 1."""
    return int(width * min(2 ** (level - 1), MAX_WIDENING))


def all_channels(levels: int, width: int, most: int | None = None) -> list[int]:
    """Channels of all grids of `levels` halvings, fine to coarse: those of `channels`,
    and half the width on the finest.

    Args:
        levels: Halvings.
        width: Channels of the grid of half the image's sides.
        most: Channels of a grid, at most. Default: no bound.
    """
    found = [max(width // 2, 1)] + [channels(level, width) for level in range(1, levels + 1)]
    return [min(here, most or here) for here in found]


class DCGenerator(nn.Module):
    """Latents (N, Z) to images (N, C, H, W) on [-1, 1]: a projection onto the coarsest
    grid, then a transposed convolution to each finer grid.

    InfoGAN's has a dense layer first (Chen et al. 2016, appendix C.1).

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        kernel: Pixels a side of the kernels, 4 or 5.
        dense_units: Units of the dense layer; 0 for none.
        tanh: Whether a tanh ends it. Without, images are not bounded.
        first_norm: BatchNorm of the coarsest grid. With a dense layer it is of each
            number.
    """

    def __init__(
        self,
        latent_width: int,
        shape: Sequence[int],
        width: int,
        kernel: int = 4,
        dense_units: int = 0,
        tanh: bool = True,
        first_norm: FirstNorm = "channels",
    ) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        cells = grids(*shape[1:])
        levels = len(cells) - 1
        self.grid: tuple[int, int, int] = (channels(levels, width), *cells[-1])
        flat = math.prod(self.grid)
        layers: list[nn.Module] = []
        if dense_units:
            self.project: nn.Module = nn.Sequential(
                *dense_projection(latent_width, dense_units, flat), activation("relu")
            )
        else:
            linear = nn.Linear(latent_width, flat, bias=first_norm == "none")
            by_number = first_norm == "numbers"
            self.project = nn.Sequential(linear, nn.BatchNorm1d(flat)) if by_number else linear
            layers += [nn.BatchNorm2d(self.grid[0])] if first_norm == "channels" else []
            layers.append(activation("relu"))
        for level in range(levels, 1, -1):
            above, here = channels(level, width), channels(level - 1, width)
            layers += [
                doubling(above, here, kernel, bias=False),
                nn.BatchNorm2d(here),
                activation("relu"),
            ]
        layers.append(doubling(channels(1, width), shape[0], kernel))
        layers += [nn.Tanh()] if tanh else []
        self.layers: nn.Sequential = nn.Sequential(*layers)
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.layers(self.project(z).unflatten(1, self.grid))
        return x[:, :, : self.shape[1], : self.shape[2]]


class DCTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, `features`): a strided convolution to each
    coarser grid, then flattened, and InfoGAN's dense layer where it is asked for.

    Args:
        shape: (C, H, W).
        width: Channels of the first convolution.
        norm: Whether all layers but the first convolution are normalised.
        kernel: Pixels a side of the kernels, 4 or 5.
        dense_units: Units of the dense layer; 0 for none.
        over: batch: by BatchNorm. sample: convolutions by layer normalisation (Ba et
            al. 2016), so that samples do not depend on each other.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int,
        norm: bool,
        kernel: int = 4,
        dense_units: int = 0,
        over: Literal["batch", "sample"] = "batch",
    ) -> None:
        super().__init__()
        cells = grids(*shape[1:])
        self.margins: tuple[int, int] = cells[0][0] - shape[1], cells[0][1] - shape[2]
        layers: list[nn.Module] = []
        before = shape[0]
        for level in range(1, len(cells)):
            here = channels(level, width)
            normed = norm and level > 1
            layers.append(nn.Conv2d(before, here, kernel, 2, (kernel - 1) // 2, bias=not normed))
            if normed:  # one group of channels: layer normalisation, with a gain for each
                layers.append(nn.BatchNorm2d(here) if over == "batch" else nn.GroupNorm(1, here))
            layers.append(activation("leaky_relu"))
            before = here
        flat = before * math.prod(cells[-1])
        layers.append(nn.Flatten())
        if dense_units:
            layers += dense(flat, dense_units, "leaky_relu", norm and over == "batch")
        self.layers: nn.Sequential = nn.Sequential(*layers)
        self.features: int = dense_units or flat
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        if any(self.margins):
            x = pad(x, (0, self.margins[1], 0, self.margins[0]))
        h: Tensor = self.layers(x)
        return h


def doubling(before: int, after: int, kernel: int, bias: bool = True) -> nn.ConvTranspose2d:
    """A transposed convolution that doubles the grid."""
    return nn.ConvTranspose2d(
        before, after, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2, bias=bias
    )


def dense(inputs: int, units: int, name: str, norm: bool = True) -> list[nn.Module]:
    """A dense layer, BatchNorm if `norm`, and the activation of this name."""
    layers: list[nn.Module] = [nn.Linear(inputs, units, bias=not norm)]
    layers += [nn.BatchNorm1d(units)] if norm else []
    return [*layers, activation(name)]


def dense_projection(latent_width: int, units: int, flat: int) -> list[nn.Module]:
    """Latents, (N, latent_width), to the coarsest grid, (N, flat), by way of a dense
    layer: without one G hardly tells kinds of images apart.

    The grid is normalised over the batch alone: over positions too, a pattern that all
    samples share could take the place of what the latents say.
    """
    return [
        *dense(latent_width, units, "relu"),
        nn.Linear(units, flat, bias=False),
        nn.BatchNorm1d(flat),
    ]


def init_weights(layer: nn.Module) -> None:
    """Initialise a layer as in the paper: weights from N(0, .02), BatchNorm's from
    N(1, .02), biases 0."""
    norms = nn.BatchNorm1d | nn.BatchNorm2d
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | norms):
        nn.init.normal_(layer.weight, 1.0 if isinstance(layer, norms) else 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
