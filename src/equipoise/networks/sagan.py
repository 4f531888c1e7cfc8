"""The networks of SAGAN: residual, with self-attention on one grid, for images of any
size and number of channels.

Zhang, Goodfellow, Metaxas, Odena: "Self-Attention Generative Adversarial Networks",
ICML 2019. The residual blocks are those of Miyato, Koyama: "cGANs with Projection
Discriminator", ICLR 2018, with conditional BatchNorm in G (Dumoulin et al. 2017) and
none in D. Every convolution and dense layer is spectrally normalised by the recipe.

Grids are those of `networks.dcgan`: images whose sides cannot be halved often enough
are padded in D and cropped in G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad, relu

from equipoise.networks.conditioning import MixedPrecision, forward_mixed
from equipoise.networks.dcgan import all_channels, channels, dense_projection, grids
from equipoise.utils.one_hot import one_hot

# Cells along the shorter side of the grid with attention, at least, where it is a
# quarter of the image's sides.
MIN_ATTENTION_GRID = 16
# Channels of queries and keys, and of values, as fractions of the grid's.
KEY_FRACTION, VALUE_FRACTION = 1 / 8, 1 / 2


class SelfAttention(nn.Module):
    """Each cell gets a weighted sum over all cells (section 3, eqs. 1 to 3):

        beta_ji = softmax_i (f(x_i) . g(x_j))
        o_j = v(sum_i beta_ji h(x_i))
        y_j = gamma o_j + x_j

    f, g, h and v are 1 x 1 convolutions, gamma starts at 0. As in the authors' code f
    and h are maxima over 2 x 2 cells, which costs a quarter.

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        keys, values = (
            max(int(width * fraction), 1) for fraction in (KEY_FRACTION, VALUE_FRACTION)
        )
        self.f: nn.Conv2d = nn.Conv2d(width, keys, 1, bias=False)
        self.g: nn.Conv2d = nn.Conv2d(width, keys, 1, bias=False)
        self.h: nn.Conv2d = nn.Conv2d(width, values, 1, bias=False)
        self.v: nn.Conv2d = nn.Conv2d(values, width, 1, bias=False)
        self.gamma: nn.Parameter = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        keys, values = (
            max_pool2d(layer(x), 2, ceil_mode=True).flatten(2) for layer in (self.f, self.h)
        )
        queries = self.g(x).flatten(2)
        beta = (queries.transpose(1, 2) @ keys).softmax(2)
        o = self.v((values @ beta.transpose(1, 2)).reshape(x.shape[0], -1, *x.shape[2:]))
        y: Tensor = self.gamma * o + x
        return y


class ConditionalBatchNorm(nn.Module):
    """BatchNorm whose gains and biases depend on the class; plain without classes.

    Args:
        width: Channels.
        classes: Number of classes.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm: nn.BatchNorm2d = nn.BatchNorm2d(width, affine=not classes)
        if classes:
            self.gain: nn.Parameter = nn.Parameter(torch.ones(classes, width))
            self.bias: nn.Parameter = nn.Parameter(torch.zeros(classes, width))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Normalise (N, C, H, W), with one-hot classes (N, classes)."""
        normed: Tensor = self.norm(x)
        if self.norm.affine:
            return normed
        gain, bias = ((y @ of_class)[:, :, None, None] for of_class in (self.gain, self.bias))
        return normed * gain.to(normed.dtype) + bias.to(normed.dtype)


class UpBlock(nn.Module):
    """Doubles the grid: a residual block with conditional BatchNorm."""

    def __init__(self, before: int, after: int, classes: int) -> None:
        super().__init__()
        self.norms: nn.ModuleList = nn.ModuleList(
            ConditionalBatchNorm(width, classes) for width in (before, after)
        )
        self.first: nn.Conv2d = nn.Conv2d(before, after, 3, padding=1)
        self.second: nn.Conv2d = nn.Conv2d(after, after, 3, padding=1)
        self.skip: nn.Conv2d = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.first(interpolate(relu(self.norms[0](x, y)), scale_factor=2))
        h = self.second(relu(self.norms[1](h, y)))
        # A 1 x 1 convolution and doubling commute; this order is the cheaper one.
        both: Tensor = h + interpolate(self.skip(x), scale_factor=2)
        return both


class DownBlock(nn.Module):
    """A residual block without normalisation layers.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        halves: Whether the grid is halved.
        first: Whether the input is images, which get no ReLU.
        wide: Whether there are as many channels inside as at the end, and no
            convolution beside them where neither grid nor channels change.
    """

    def __init__(
        self,
        before: int,
        after: int,
        halves: bool = True,
        first: bool = False,
        wide: bool = False,
    ) -> None:
        super().__init__()
        inner = after if first or wide else before
        self.is_first: bool = first
        self.halves: bool = halves
        self.first: nn.Conv2d = nn.Conv2d(before, inner, 3, padding=1)
        self.second: nn.Conv2d = nn.Conv2d(inner, after, 3, padding=1)
        unchanged = wide and not halves and before == after
        self.skip: nn.Module = nn.Identity() if unchanged else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(relu(self.first(x if self.is_first else relu(x))))
        if not self.halves:
            both: Tensor = h + self.skip(x)
            return both
        # A 1 x 1 convolution and pooling commute; this order is the cheaper one.
        pooled: Tensor = avg_pool2d(h, 2) + self.skip(avg_pool2d(x, 2))
        return pooled


def attention_level(cells: Sequence[tuple[int, int]]) -> int:
    """The grid with attention, as an index into `cells`, fine to coarse: that of a
    quarter of the image's sides, as the paper's 32 x 32 at 128 pixels, or of half of
    them if a quarter has fewer than 16 cells."""
    return 2 if min(cells[2]) >= MIN_ATTENTION_GRID else 1


class AttentionGenerator(MixedPrecision):
    """Latents (N, Z) and, if `classes` > 0, classes (N,) to images (N, C, H, W) on [-1,
    1].

    Args:
        latent_width: Z.
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        classes: Number of classes; 0 for an unconditional generator.
        most: Channels of a grid, at most. Default: no bound.
        dense_units: Units of a dense layer between the latents and the coarsest grid; 0
            for none, as in the paper.
    """

    def __init__(
        self,
        latent_width: int,
        shape: Sequence[int],
        width: int,
        classes: int = 0,
        most: int | None = None,
        dense_units: int = 0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.body: AttentionSynthesis = AttentionSynthesis(
            latent_width, shape, width, classes, most, dense_units
        )

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        hot = z.new_zeros(z.shape[0], 0)
        if self.classes:
            assert y is not None, "a conditional generator needs classes"
            hot = one_hot(z, y, self.classes)
        return forward_mixed(self.body, z, self.mixed and self.training, hot)


class AttentionSynthesis(nn.Module):
    """The layers of `AttentionGenerator`: latents and one-hot classes, (N, classes), to
    images."""

    def __init__(
        self,
        latent_width: int,
        shape: Sequence[int],
        width: int,
        classes: int,
        most: int | None,
        dense_units: int,
    ) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        cells = grids(*shape[1:])
        widths = all_channels(len(cells) - 1, width, most)[::-1]
        self.grid: tuple[int, int, int] = (widths[0], *cells[-1])
        flat = math.prod(self.grid)
        self.project: nn.Module = (
            nn.Sequential(*dense_projection(latent_width, dense_units, flat))
            if dense_units
            else nn.Linear(latent_width, flat)
        )
        self.blocks: nn.ModuleList = nn.ModuleList(
            UpBlock(*pair, classes) for pair in pairwise(widths)
        )
        self.attended: int = len(cells) - 1 - attention_level(cells)
        """Number of blocks before attention."""
        self.attention: SelfAttention = SelfAttention(widths[self.attended])
        self.norm: ConditionalBatchNorm = ConditionalBatchNorm(widths[-1], 0)
        self.to_image: nn.Conv2d = nn.Conv2d(widths[-1], shape[0], 3, padding=1)
        self.apply(init_weights)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x: Tensor = self.project(z).reshape(-1, *self.grid)
        x = x.contiguous(memory_format=torch.channels_last)
        for at, block in enumerate(self.blocks):
            x = block(self.attention(x) if at == self.attended else x, y)
        images: Tensor = self.to_image(relu(self.norm(x, y))).tanh()
        return images[:, :, : self.shape[1], : self.shape[2]]


class AttentionTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, `features`), sums over the cells of the
    coarsest grid.

    Args:
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        wide: As `DownBlock` has it.
    """

    def __init__(self, shape: Sequence[int], width: int, wide: bool = False) -> None:
        super().__init__()
        cells = grids(*shape[1:])
        self.margins: tuple[int, int] = cells[0][0] - shape[1], cells[0][1] - shape[2]
        widths = [shape[0]] + [channels(level, width) for level in range(1, len(cells))]
        self.features: int = widths[-1]
        layers: list[nn.Module] = [
            DownBlock(*pair, first=not at, wide=wide) for at, pair in enumerate(pairwise(widths))
        ]
        layers.append(DownBlock(self.features, self.features, halves=False, wide=wide))
        level = attention_level(cells)
        layers.insert(level, SelfAttention(widths[level]))
        self.layers: nn.Sequential = nn.Sequential(*layers, nn.ReLU())
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, (0, self.margins[1], 0, self.margins[0]))
        h: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))
        return h.sum((2, 3))


def init_weights(layer: nn.Module) -> None:
    """Initialise a layer as in the authors' code: weights as in Glorot & Bengio 2010,
    biases 0."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
