"""Projected GAN's discriminators: they see images through the frozen features of a
network that was trained on photographs.

Sauer, Chitta, Müller, Geiger: "Projected GANs Converge Faster", NeurIPS 2021, section
3: features of four stages, mixed at random across channels and across scales, and for
each stage a small discriminator. Mixing makes it hard for G to satisfy the
discriminators by some of the features alone.

A discriminator of the pixels may stand beside them, for what the features do not see
well, such as colours. The gradient of the features by the image is up to a hundred
times that of the pixels, which alone would hardly reach G. So each of both is given a
norm of its own on the way to G, as VQGAN weighs its losses by their gradients (Esser,
Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021,
eq. 7).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.functional import conv2d, interpolate

from equipoise.networks.conditioning import Discriminator, MixedPrecision, forward_mixed
from equipoise.networks.efficientnet import (
    PIXEL_MAX,
    STAGE_CHANNELS,
    STRIDE,
    EfficientNetLite0,
    network_input,
)
from equipoise.networks.mlp import activation
from equipoise.networks.spectral import spectrally_normalised

STAGES = len(STAGE_CHANNELS)
# Cells a side that have a logit, as in the paper.
CELLS = 4
# Channels of the discriminators' last features, as a multiple of the width.
WIDENING = 4
# Norm of the gradient that G gets from the pixels, over that from the features.
PIXEL_PULL = 0.1


class GradientNorm(torch.autograd.Function):
    """The identity, whose gradient is scaled to a norm."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, norm: float) -> Tensor:
        ctx.norm = norm  # type: ignore[attr-defined]  # torch's way to hand it on
        return x.view_as(x)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        norm: float = ctx.norm  # type: ignore[attr-defined]  # of forward
        scale = norm / gradient.norm().clamp_min(torch.finfo(gradient.dtype).tiny)
        return gradient * scale, None


def with_gradient_norm(x: Tensor, norm: float) -> Tensor:
    """x; the gradient that reaches it has this norm over the whole batch."""
    scaled: Tensor = GradientNorm.apply(x, norm)  # type: ignore[no-untyped-call]  # torch's own
    return scaled


class FrozenMixing(nn.Module):
    """A convolution with constant random weights (Kaiming's, at gain 1) and no bias.

    The weights are saved: D is of no use with others.
    """

    weight: Tensor

    def __init__(self, before: int, after: int, kernel: int) -> None:
        super().__init__()
        weight = torch.empty(after, before, kernel, kernel)
        nn.init.kaiming_normal_(weight, nonlinearity="linear")
        self.register_buffer("weight", weight)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight, padding=self.weight.shape[-1] // 2)


class ProjectedFeatures(nn.Module):
    """Images (N, C, H, W) on [-1, 1], grey, RGB or RGBA, to the mixed features of four
    stages.

    With f_1, ..., f_4 the maps of EfficientNet-Lite0, fine to coarse:

        h_l = conv1x1(f_l)                              (cross-channel mixing)
        p_4 = h_4,   p_l = h_l + up(conv3x3(p_{l+1}))   (cross-scale mixing)

    All convolutions are random and frozen; `up` doubles the grid, bilinearly. RGBA has
    premultiplied colours and is put on mid-grey.

    Args:
        network: With its weights.
        side: Pixels a side that the network sees, a multiple of 32.
        width: Channels of the finest mixed map; each coarser one has twice as many.
    """

    def __init__(self, network: EfficientNetLite0, side: int, width: int) -> None:
        super().__init__()
        self.network: EfficientNetLite0 = network
        self.side: int = side
        self.channels: list[int] = [width * 2**level for level in range(STAGES)]
        self.across_channels: nn.ModuleList = nn.ModuleList(
            FrozenMixing(before, after, 1)
            for before, after in zip(STAGE_CHANNELS, self.channels, strict=True)
        )
        self.across_scales: nn.ModuleList = nn.ModuleList(
            FrozenMixing(coarse, fine, 3) for fine, coarse in pairwise(self.channels)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """The mixed maps, fine to coarse: (N, width 2^l, side / 2^(l + 2), same)."""
        if x.shape[2:] != (self.side, self.side):
            shrinks = max(x.shape[2:]) > self.side
            x = interpolate(x, (self.side, self.side), mode="bilinear", antialias=shrinks)
        maps = self.network(network_input((x + 1) * (PIXEL_MAX / 2)))
        mixed = [mix(f) for mix, f in zip(self.across_channels, maps, strict=True)]
        for level in reversed(range(STAGES - 1)):
            coarse = self.across_scales[level](mixed[level + 1])
            mixed[level] = mixed[level] + interpolate(coarse, scale_factor=2, mode="bilinear")
        return mixed


class StageDiscriminator(nn.Module):
    """A map (N, before, S, S) to logits (N, CELLS^2).

    Strided 4 x 4 convolutions to at most `CELLS` cells a side, a 3 x 3 one there, and a
    logit for each cell; with classes their embedding times the last features joins it
    (projection, Miyato & Koyama 2018). All layers are spectrally normalised. Logits of
    fewer cells are repeated, so that every stage weighs as much.

    Args:
        before: Channels of the map.
        cells: S.
        features: Channels of the last convolution.
        classes: Number of classes; 0 for none.
    """

    def __init__(self, before: int, cells: int, features: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while cells > CELLS:
            after = min(2 * before, features)
            layers += [nn.Conv2d(before, after, 4, 2, 1), activation("leaky_relu")]
            before, cells = after, cells // 2
        layers += [nn.Conv2d(before, features, 3, padding=1), activation("leaky_relu")]
        self.layers: nn.Sequential = nn.Sequential(*layers)
        self.head: nn.Conv2d = nn.Conv2d(features, 1, 1)
        self.embedding: nn.Embedding | None = nn.Embedding(classes, features) if classes else None
        spectrally_normalised(self)

    def forward(self, features: Tensor, y: Tensor | None) -> Tensor:
        h = self.layers(features)
        logits: Tensor = self.head(h)
        if self.embedding is not None:
            embedded: Tensor = self.embedding(y)
            embedded = embedded.sum(1) if embedded.dim() == 3 else embedded
            logits = logits + (embedded[:, :, None, None] * h).sum(1, keepdim=True)
        return interpolate(logits, (CELLS, CELLS)).flatten(1)


class ProjectedDiscriminator(MixedPrecision):
    """Images (N, C, H, W) on [-1, 1] and classes (N,) to the logits of all stages,
    those of a sample one after another: (N L,), and an empty (N, 0).

    A logit of the pixels is repeated, so that D has as many of them as of a stage. The
    gradients of the images, by which G learns, have norm 1 from the stages and
    `PIXEL_PULL` from the pixels.

    Args:
        network: EfficientNet-Lite0 with its weights.
        side: Pixels a side that it sees, a multiple of 32.
        width: Channels of the finest mixed map.
        classes: Number of classes; 0 for an unconditional discriminator.
        pixels: A discriminator of the images themselves, if any.
    """

    def __init__(
        self,
        network: EfficientNetLite0,
        side: int,
        width: int,
        classes: int = 0,
        pixels: Discriminator | None = None,
    ) -> None:
        super().__init__()
        assert side % STRIDE == 0, "the coarsest maps are 1/32 of the side"
        self.classes = classes
        self.frozen: ProjectedFeatures = ProjectedFeatures(network, side, width)
        """What is never trained."""
        self.stages: nn.ModuleList = nn.ModuleList(
            StageDiscriminator(before, side >> (level + 2), WIDENING * width, classes)
            for level, before in enumerate(self.frozen.channels)
        )
        self.pixels = pixels

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        assert y is not None or not self.classes, "a conditional discriminator needs classes"
        mixed, device = self.mixed and self.training, x.device.type
        # On a CPU depthwise convolutions are slower in bfloat16: forward and backward
        # through the frozen network take 3.8 ms an image instead of 2.4.
        with torch.autocast(device, torch.bfloat16, enabled=mixed and device != "cpu"):
            maps = self.frozen(x if self.pixels is None else with_gradient_norm(x, 1.0))
        with torch.autocast(device, torch.bfloat16, enabled=mixed):
            logits = [stage(at, y) for stage, at in zip(self.stages, maps, strict=True)]
        if self.pixels is not None:
            h = forward_mixed(self.pixels.trunk, with_gradient_norm(x, PIXEL_PULL), mixed)
            logits.append(self.pixels.logits(h, y)[:, None].expand_as(logits[0]))
        return torch.cat(logits, 1).flatten().float(), x.new_empty(len(x), 0)
