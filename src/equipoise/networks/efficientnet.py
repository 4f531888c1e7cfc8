"""EfficientNet-Lite0: the features of a network that was trained on the photographs of
ImageNet.

Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019, table 1: inverted bottlenecks (Sandler et al. 2018). The Lite variant (TPU
repository, `efficientnet/lite`, 2020) has no squeeze and excitation, and ReLU6 instead
of swish. It takes RGB values (v - 127) / 128 of photographs of 224 pixels a side.

The network is frozen. It is evaluated only, and BatchNorm is part of the convolutions
(`networks.pretrained` folds it into them). Its weights are buffers that state dicts
leave out: checkpoints do not repeat what an installed package holds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, pad, relu6

# Channels of the maps of the four stages, at 1/4, 1/8, 1/16 and 1/32 of the side.
STAGE_CHANNELS = (24, 40, 112, 320)
POOLED_FEATURES = 1280
# Pixels a side that the network was trained on.
NATIVE_SIDE = 224
# The side must be a multiple: the coarsest maps are 1/32 of it.
STRIDE = 32
STEM_CHANNELS = 32
# Of pixels from 0 to 255: the network takes (pixel - MEAN) / STD.
PIXEL_MEAN, PIXEL_STD = 127.0, 128.0
PIXEL_MAX = 255.0
# Cells a side up to which a 1 x 1 convolution is a matrix product.
SMALL_GRID = 4


class Layout(NamedTuple):
    """Some blocks of the same form."""

    stage: int
    """Of the four stages whose maps are features."""
    repeats: int
    kernel: int
    stride: int
    """Of the first one; the others keep the grid."""
    expansion: int
    channels: int


BLOCKS = (
    Layout(0, repeats=1, kernel=3, stride=1, expansion=1, channels=16),
    Layout(0, repeats=2, kernel=3, stride=2, expansion=6, channels=24),
    Layout(1, repeats=2, kernel=5, stride=2, expansion=6, channels=40),
    Layout(2, repeats=3, kernel=3, stride=2, expansion=6, channels=80),
    Layout(2, repeats=3, kernel=5, stride=1, expansion=6, channels=112),
    Layout(3, repeats=4, kernel=5, stride=2, expansion=6, channels=192),
    Layout(3, repeats=1, kernel=3, stride=1, expansion=6, channels=320),
)


def network_input(pixels: Tensor) -> Tensor:
    """What the network takes, (N, 3, H, W), of pixels from 0 to 255.

    Args:
        pixels: Grey, RGB, or RGBA with premultiplied colours, which is put on mid-grey:
            (N, C, H, W).
    """
    opacity = pixels[:, 3:] / PIXEL_MAX if pixels.shape[1] > 3 else 1.0
    seen = (pixels[:, :3] - PIXEL_MEAN * opacity) / PIXEL_STD
    return seen.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


class EfficientNetLite0(nn.Module):
    """RGB images (N, 3, H, W), normalised, H and W multiples of 32, to features.

    It is built with undefined weights. `networks.pretrained` fills them in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem: FrozenConv = FrozenConv(3, STEM_CHANNELS, kernel=3, stride=2)
        stages: list[list[nn.Module]] = [[] for _ in STAGE_CHANNELS]
        before = STEM_CHANNELS
        for layout in BLOCKS:
            for repeat in range(layout.repeats):
                stride = layout.stride if repeat == 0 else 1
                stages[layout.stage].append(Bottleneck(before, layout, stride))
                before = layout.channels
        self.stages: nn.ModuleList = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
        self.head: FrozenConv = FrozenConv(before, POOLED_FEATURES)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The feature maps of the four stages, fine to coarse: (N, STAGE_CHANNELS[i], H
        / 2^(i + 2), W / 2^(i + 2)) each."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def pooled(self, x: Tensor) -> Tensor:
        """The means of the last maps over the image, which the classifier's logits are
        linear in: (N, 1280)."""
        maps: Tensor = self.head(self(x)[-1])
        return maps.mean((2, 3))


class Bottleneck(nn.Module):
    """An inverted bottleneck: 1 x 1 expansion, depthwise convolution, 1 x 1 projection
    without an activation. It is added to its input where the shape is the same."""

    def __init__(self, before: int, layout: Layout, stride: int) -> None:
        super().__init__()
        inner = before * layout.expansion
        self.adds: bool = stride == 1 and before == layout.channels
        self.expand: FrozenConv | nn.Identity = (
            FrozenConv(before, inner) if layout.expansion > 1 else nn.Identity()
        )
        self.depthwise: FrozenConv = FrozenConv(inner, inner, layout.kernel, stride, groups=inner)
        self.project: FrozenConv = FrozenConv(inner, layout.channels, activates=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class FrozenConv(nn.Module):
    """A convolution with constant weights, padded as TensorFlow's "SAME", then ReLU6.

    "SAME" gives ceil(side / stride) cells a side; an odd pixel of padding is at the
    right and at the bottom.
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activates: bool = True,
    ) -> None:
        super().__init__()
        self.kernel: int = kernel
        self.stride: int = stride
        self.groups: int = groups
        self.activates: bool = activates
        weight = torch.empty(after, before // groups, kernel, kernel)
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", torch.empty(after), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = (self._padding(side) for side in x.shape[2:])
        weight, border = self.weight, (0, 0)
        if self.stride == 1:
            # Weights that meet padding alone are left out: oneDNN takes 10 ms for a
            # depthwise 5 x 5 kernel on one cell.
            border = (min(top, x.shape[2] - 1), min(left, x.shape[3] - 1))
            rows, columns = top - border[0], left - border[1]
            if rows or columns:
                weight = weight[
                    :, :, rows : self.kernel - rows, columns : self.kernel - columns
                ].contiguous(memory_format=torch.channels_last)
        elif (top, left) == (bottom, right):
            border = (top, left)
        else:
            x = pad(x, (left, right, top, bottom))
        if self.kernel == self.stride == self.groups == 1 and max(x.shape[2:]) <= SMALL_GRID:
            # The same as a matrix product. On a CPU the convolution takes up to 3.4
            # times as long (benchmarks/EXPERIMENTS.md).
            y = linear(x.permute(0, 2, 3, 1), weight.flatten(1), self.bias).permute(0, 3, 1, 2)
        else:
            y = conv2d(x, weight, self.bias, self.stride, border, groups=self.groups)
        return relu6(y, inplace=True) if self.activates else y

    def _padding(self, side: int) -> tuple[int, int]:
        """Pixels before and after."""
        cells = math.ceil(side / self.stride)
        total = max((cells - 1) * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2
