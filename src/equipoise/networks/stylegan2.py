"""The networks of StyleGAN2, for images of any size and number of channels.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image
Quality of StyleGAN", CVPR 2020 (StyleGAN2). Karras, Laine, Aila: "A Style-Based
Generator Architecture for Generative Adversarial Networks", CVPR 2019: mapping network,
style mixing, noise. Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs", ICLR
2018: equalised learning rate, pixel norm, minibatch standard deviation.

    w = f(z / rms(z))                           mapping network
    w'_ijk = s_i w_ijk                          modulation, s = A(w)   (eq. 1)
    w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2)    demodulation           (eq. 3)

G adds up the RGB outputs of its grids (skip connections), D is residual (section 4.1).
Grids are those of `networks.dcgan`: images whose sides cannot be halved often enough
are padded in D and cropped in G.

**Latents.** A sample is a function of its latents alone, so the noise inputs of G are
latents too: one number for each cell of each convolution's output. In training a second
style latent and a crossover follow the first, for style mixing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, interpolate, leaky_relu, linear, pad

from equipoise.networks.conditioning import MixedPrecision, forward_mixed
from equipoise.networks.controller import Controller
from equipoise.networks.dcgan import all_channels, grids
from equipoise.networks.mlp import LEAKY_SLOPE
from equipoise.utils.one_hot import one_hot

# Added to a sum of squares before its root.
EPSILON = 1e-8
# Learning rate of the mapping network, relative to the others.
MAPPING_RATE = 0.01
# Fraction by which the mean path length goes to that of a batch (section 3.2: .99).
PATH_LENGTH_RATE = 0.01


class EqualizedLinear(nn.Linear):
    """A dense layer with equalised learning rate: its weights are N(0, 1), divided by
    the root of the fan-in when used, so that Adam's steps are equally large in every
    layer.

    Args:
        before: Inputs.
        after: Outputs.
        rate: Learning rate relative to other layers'.
        bias: Initial bias.
    """

    def __init__(self, before: int, after: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__(before, after)
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.constant_(self.bias, bias / rate)
        self.scale: float = rate / math.sqrt(before)
        self.rate: float = rate

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualizedConv(nn.Module):
    """A convolution with equalised learning rate, without a bias; it can halve the grid
    after a low-pass filter."""

    def __init__(self, before: int, after: int, size: int, halves: bool = False) -> None:
        super().__init__()
        self.weight: nn.Parameter = nn.Parameter(torch.randn(after, before, size, size))
        self.scale: float = 1 / math.sqrt(before * size**2)
        self.halves: bool = halves
        self.size: int = size
        if halves:
            self.blur: Blur = Blur()

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        if not self.halves:
            return conv2d(x, weight, padding=self.size // 2)
        # Not a filter of stride 2 for a 1 x 1 kernel: bfloat16's is ten times slower.
        return conv2d(self.blur(x, (self.size + 1) // 2), weight, stride=2)


class ModulatedConv(nn.Module):
    """A convolution whose weights each sample's style scales (eqs. 1 and 3).

    Scaling the weights of each sample takes a convolution per sample. Scaling inputs
    and outputs gives the same numbers with one convolution of the batch:

        y_j = d_j (w_j * (s x)),   d_j = 1 / sqrt(sum_i s_i^2 sum_k w_ijk^2)

    Args:
        before: Channels of the input.
        after: Channels of the output.
        size: Side of the kernel.
        style: Dimensions of w.
        demodulates: Whether outputs are divided by their expected standard deviation.
        doubles: Whether the grid is doubled, by a transposed convolution and a low-pass
            filter.
    """

    def __init__(
        self,
        before: int,
        after: int,
        size: int,
        style: int,
        demodulates: bool = True,
        doubles: bool = False,
    ) -> None:
        super().__init__()
        self.affine: EqualizedLinear = EqualizedLinear(style, before, bias=1.0)
        self.weight: nn.Parameter = nn.Parameter(torch.randn(after, before, size, size))
        self.scale: float = 1 / math.sqrt(before * size**2)
        self.demodulates: bool = demodulates
        self.doubles: bool = doubles
        self.size: int = size
        if doubles:
            self.blur: Blur = Blur(gain=4.0)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles, weight = self.affine(w), self.weight * self.scale
        x = x * styles[:, :, None, None]
        if self.doubles:
            x = self.blur(conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1)
        else:
            x = conv2d(x, weight, padding=self.size // 2)
        if self.demodulates:
            variances = linear(styles.square(), weight.square().sum((2, 3)))
            x = x * (variances + EPSILON).rsqrt()[:, :, None, None]
        return x


class Blur(nn.Module):
    """The low-pass filter (1, 3, 3, 1) / 8 along both sides, with zero padding."""

    taps: Tensor

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("taps", gain * torch.outer(taps, taps)[None, None], persistent=False)

    def forward(self, x: Tensor, padding: int) -> Tensor:
        taps = self.taps.expand(x.shape[1], 1, 4, 4)
        return conv2d(x, taps, padding=padding, groups=x.shape[1])


class BiasedActivation(nn.Module):
    """sqrt(2) LeakyReLU after a bias for each channel: it keeps the mean square."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias: nn.Parameter = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        bias = self.bias.reshape(-1, *(1,) * (x.dim() - 2))
        return leaky_relu(x + bias, LEAKY_SLOPE) * math.sqrt(2)


class MappingNetwork(nn.Module):
    """The mapping network f: latents (N, Z) and classes to styles w, (N, Z).

    Classes are embedded, normalised and concatenated, as in ADA (Karras et al. 2020).
    """

    def __init__(self, latent_dim: int, classes: int, layers: int) -> None:
        super().__init__()
        self.classes = classes
        if classes:
            self.embedding: EqualizedLinear = EqualizedLinear(classes, latent_dim)
        sizes = [latent_dim * (2 if classes else 1)] + [latent_dim] * layers
        self.layers: nn.ModuleList = nn.ModuleList(
            EqualizedLinear(*pair, rate=MAPPING_RATE) for pair in pairwise(sizes)
        )

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        w = pixel_norm(z)
        if self.classes:
            assert y is not None, "a conditional generator needs classes"
            w = torch.cat([w, pixel_norm(self.embedding(one_hot(z, y, self.classes)))], 1)
        for layer in self.layers:
            w = leaky_relu(layer(w), LEAKY_SLOPE) * math.sqrt(2)
        return w


class StyledConv(nn.Module):
    """A modulated 3 x 3 convolution, noise of a learned strength, bias, LeakyReLU."""

    def __init__(self, before: int, after: int, style: int, doubles: bool = False) -> None:
        super().__init__()
        self.convolution: ModulatedConv = ModulatedConv(before, after, 3, style, doubles=doubles)
        self.strength: nn.Parameter = nn.Parameter(torch.zeros(()))
        self.activation: BiasedActivation = BiasedActivation(after)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        x = self.convolution(x, w)
        styled: Tensor = self.activation(x + self.strength * noise.to(x.dtype))
        return styled


class ToImage(nn.Module):
    """A modulated 1 x 1 convolution onto the image's channels, not demodulated."""

    def __init__(self, before: int, image_channels: int, style: int) -> None:
        super().__init__()
        self.convolution: ModulatedConv = ModulatedConv(
            before, image_channels, 1, style, demodulates=False
        )
        self.bias: nn.Parameter = nn.Parameter(torch.zeros(image_channels, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        image: Tensor = self.convolution(x, w) + self.bias
        return image


class Synthesis(nn.Module):
    """The synthesis network g: styles and noise to images, with skip connections.

    Args:
        style: Dimensions of w.
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        most: Channels of a grid, at most. Default: no bound.
    """

    def __init__(
        self, style: int, shape: Sequence[int], width: int, most: int | None = None
    ) -> None:
        super().__init__()
        self.shape: tuple[int, ...] = tuple(shape)
        cells = grids(*shape[1:])[::-1]
        widths = all_channels(len(cells) - 1, width, most)[::-1]
        self.constant: nn.Parameter = nn.Parameter(torch.randn(widths[0], *cells[0]))
        self.convolutions: nn.ModuleList = nn.ModuleList([StyledConv(widths[0], widths[0], style)])
        for before, after in pairwise(widths):
            self.convolutions += [
                StyledConv(before, after, style, doubles=True),
                StyledConv(after, after, style),
            ]
        self.to_image: nn.ModuleList = nn.ModuleList(
            ToImage(width, shape[0], style) for width in widths
        )
        self.noise_shapes: list[tuple[int, int]] = [cells[0]] + [
            grid for grid in cells[1:] for _ in range(2)
        ]
        """The (height, width) of each convolution's noise."""
        self.styles: int = len(self.convolutions) + 1
        """Number of styles: one for each convolution, and one for the last image."""

    def forward(self, styles: Tensor, noise: Tensor) -> Tensor:
        """Generate images, (N, C, H, W).

        Args:
            styles: (N, `styles`, Z): w of each convolution; an image has the w of the
                convolution that follows.
            noise: (N, sum of the noise's cells).
        """
        each = torch.split_with_sizes(noise, [math.prod(shape) for shape in self.noise_shapes], 1)
        inputs = [
            part.reshape(-1, 1, *shape) for part, shape in zip(each, self.noise_shapes, strict=True)
        ]
        x = self.constant.expand(styles.shape[0], -1, -1, -1)
        x = self.convolutions[0](
            x.contiguous(memory_format=torch.channels_last), styles[:, 0], inputs[0]
        )
        image: Tensor = self.to_image[0](x, styles[:, 1])
        for at, to_image in enumerate(list(self.to_image)[1:]):
            for of in (2 * at + 1, 2 * at + 2):
                x = self.convolutions[of](x, styles[:, of], inputs[of])
            image = interpolate(image, scale_factor=2, mode="bilinear") + to_image(
                x, styles[:, 2 * at + 3]
            )
        return image[:, :, : self.shape[1], : self.shape[2]]


class StyleGenerator(MixedPrecision):
    """Latents and, if `classes` > 0, classes (N,) to images (N, C, H, W), with a linear
    output.

    Latents are (N, `latent_width`): Z numbers of the style; with style mixing Z of the
    second style and one of the crossover, which only training uses; and the noise.

    Args:
        latent_dim: Z.
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        classes: Number of classes; 0 for an unconditional generator.
        mapping_layers: Layers of the mapping network.
        mixing: Probability that a training image has two styles.
        most: Channels of a grid, at most. Default: no bound.
    """

    def __init__(
        self,
        latent_dim: int,
        shape: Sequence[int],
        width: int,
        classes: int = 0,
        mapping_layers: int = 2,
        mixing: float = 0.0,
        most: int | None = None,
    ) -> None:
        super().__init__()
        self.mapping: MappingNetwork = MappingNetwork(latent_dim, classes, mapping_layers)
        self.synthesis: Synthesis = Synthesis(latent_dim, shape, width, most)
        self.mixing = mixing
        noise = sum(math.prod(grid) for grid in self.synthesis.noise_shapes)
        self.sizes: list[int] = [latent_dim, *([latent_dim, 1] if mixing else []), noise]
        """Columns of the parts of the latents."""

    @property
    def latent_width(self) -> int:
        """Columns of the latents."""
        return sum(self.sizes)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.synthesize(self.styles(z, y), z)

    def styles(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The styles of latents and classes, (N, L, Z).

        While training with style mixing, the layers from a random crossover on have the
        second style, with probability `mixing` (Karras et al. 2019, section 3.1).
        """
        first, *second, _ = torch.split_with_sizes(z, self.sizes, 1)
        layers = self.synthesis.styles
        styles: Tensor = self.mapping(first, y)[:, None].expand(-1, layers, -1)
        if not (self.training and self.mixing):
            return styles
        other, crossover = second
        fraction = torch.special.ndtr(crossover) / self.mixing  # uniform on [0, 1 / mixing)
        start = torch.where(fraction < 1, 1 + (fraction * (layers - 1)).floor(), layers)
        switched = torch.arange(layers, device=z.device) >= start
        return torch.where(switched[:, :, None], self.mapping(other, y)[:, None], styles)

    def synthesize(self, styles: Tensor, z: Tensor) -> Tensor:
        """Images, (N, C, H, W), of styles, (N, L, Z), with the noise of latents."""
        noise = torch.split_with_sizes(z, self.sizes, 1)[-1]
        return forward_mixed(self.synthesis, styles, self.mixed and self.training, noise)


class StyleTrunk(nn.Module):
    """Images (N, C, H, W) to features (N, `features`): blocks that halve the grid,
    minibatch standard deviation, a convolution and a dense layer.

    Args:
        shape: (C, H, W).
        width: Channels of the grid of half the image's sides.
        group: Samples in a group of the minibatch standard deviation.
        most: Channels of a grid, at most. Default: no bound.
        residual: Whether the blocks are residual, or their two convolutions alone.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int,
        group: int,
        most: int | None = None,
        residual: bool = True,
    ) -> None:
        super().__init__()
        cells = grids(*shape[1:])
        self.margins: tuple[int, int] = cells[0][0] - shape[1], cells[0][1] - shape[2]
        widths = all_channels(len(cells) - 1, width, most)
        self.features: int = widths[-1]
        block: Callable[[int, int], nn.Module] = ResidualBlock if residual else halving
        self.layers: nn.Sequential = nn.Sequential(
            EqualizedConv(shape[0], widths[0], 1),
            BiasedActivation(widths[0]),
            *(block(*pair) for pair in pairwise(widths)),
            MinibatchStd(group),
            EqualizedConv(self.features + 1, self.features, 3),
            BiasedActivation(self.features),
            nn.Flatten(),
            EqualizedLinear(self.features * math.prod(cells[-1]), self.features),
            BiasedActivation(self.features),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, (0, self.margins[1], 0, self.margins[0]))
        h: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))
        return h


class ResidualBlock(nn.Module):
    """Halves the grid: (skip(x) + two convolutions of x) / sqrt(2)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.main: nn.Sequential = halving(before, after)
        self.skip: EqualizedConv = EqualizedConv(before, after, 1, halves=True)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = (self.main(x) + self.skip(x)) / math.sqrt(2)
        return both


def halving(before: int, after: int) -> nn.Sequential:
    """Two convolutions, the second of which halves the grid."""
    return nn.Sequential(
        EqualizedConv(before, before, 3),
        BiasedActivation(before),
        EqualizedConv(before, after, 3, halves=True),
        BiasedActivation(after),
    )


class MinibatchStd(nn.Module):
    """Appends a channel: the standard deviation over a group of samples, averaged over
    channels and cells (Karras et al. 2018, section 3).

    Groups are of neighbours, so that in a batch of real samples and then as many
    generated ones none has both.

    Args:
        group: Samples in a group, at most; it divides the size of training batches. In
            another batch a group has the largest common divisor of both sizes.
    """

    def __init__(self, group: int) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        group = math.gcd(len(x), self.group)
        groups = x.float().reshape(-1, group, *x.shape[1:])
        deviation = (groups.var(1, correction=0) + EPSILON).sqrt().flatten(1).mean(1)
        plane = deviation.repeat_interleave(group)[:, None, None, None]
        return torch.cat([x, plane.expand(-1, 1, *x.shape[2:]).to(x.dtype)], 1)


class PathLength(Controller):
    """Path length regularisation (section 3.2, eq. 4):

        E (|J_w^T v| - a)^2,   J_w^T v = grad_w (g(w) v),   v ~ N(0, I) / sqrt(H W)

    a is the moving mean of the lengths, a buffer. |.|^2 is the mean over the layers'
    styles, as in the authors' code.
    """

    after: ClassVar[Literal["discriminator", "generator"]] = "generator"
    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(0.0))

    def penalty(
        self,
        images: Tensor,
        styles: Tensor,
        randomness: torch.Generator,
        gather: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor]:
        """The penalty, (), and the mean length, ().

        Args:
            images: g(w), (N, C, H, W).
            styles: w of each layer, (N, L, Z); they require gradients.
            randomness: Of the directions v.
            gather: The lengths of the whole batch, (M,), from those of its part here.
        """
        v = torch.randn(images.shape, generator=randomness, device=images.device)
        v = v / math.sqrt(math.prod(images.shape[2:]))
        (slopes,) = torch.autograd.grad((images * v).sum(), styles, create_graph=True)
        lengths = slopes.square().sum(2).mean(1).sqrt()
        mean = gather(lengths.detach()).mean()
        return (lengths - self.updated(mean)).square().mean(), mean

    def updated(self, length: Tensor) -> Tensor:
        """The moving mean after a batch of this mean length."""
        return torch.lerp(self.mean, length, PATH_LENGTH_RATE)

    @torch.no_grad()
    def update(self, readings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Update the moving mean by `path_length`, in steps that have it."""
        if "path_length" in readings:
            self.mean.copy_(self.updated(readings["path_length"]))
        return {}


def pixel_norm(x: Tensor) -> Tensor:
    """Rows (N, K), each divided by the root of its mean square."""
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()
