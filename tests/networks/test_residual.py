"""R3GAN's networks: what the paper says of blocks, starts and resampling."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d

from equipoise.networks.residual import (
    Block,
    Downsample,
    GridSum,
    ResidualGenerator,
    ResidualTrunk,
    Upsample,
)

WIDTHS = [12, 12, 8]


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 13, 9), (4, 5, 16)])
def test_networks_fit_every_image_that_the_finest_grid_covers(shape: tuple[int, int, int]) -> None:
    x = ResidualGenerator(6, shape, WIDTHS, blocks=1, group=4)(torch.randn(2, 6))
    assert x.shape == (2, *shape)
    assert ResidualTrunk(shape, WIDTHS, blocks=1, group=4)(x).shape == (2, 12)


def test_a_block_starts_as_the_identity() -> None:
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(Block(8, 4, depth=4)(x), x)


def test_a_block_is_a_grouped_bottleneck_turned_inside_out_with_fixups_start() -> None:
    torch.manual_seed(0)
    inner, _, grouped, _, last = Block(64, 16, depth=8).layers
    assert (inner.out_channels, grouped.groups, grouped.kernel_size, last.out_channels) == (
        128,
        8,
        (3, 3),
        64,
    )
    assert all(layer.bias is None for layer in (inner, grouped, last))
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    assert inner.weight.std().item() == pytest.approx(gain / 8, rel=0.05)
    assert grouped.weight.std().item() == pytest.approx(gain / math.sqrt(9 * 16), rel=0.05)


def test_halving_is_the_transpose_of_bilinear_doubling_up_to_the_scale() -> None:
    x = torch.randn(1, 3, 8, 8)
    taps = torch.outer(*(torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4,) * 2).expand(3, 1, 4, 4)
    doubled = conv_transpose2d(x, taps, stride=2, padding=1, groups=3)
    assert torch.allclose(Upsample(3, 3)(x)[..., 1:-1, 1:-1], doubled[..., 1:-1, 1:-1], atol=1e-6)
    u = torch.randn(1, 3, 16, 16)
    assert ((doubled * u).sum() / 4).item() == pytest.approx(
        (Downsample(3, 3, 16)(u) * x).sum().item(), rel=1e-4
    )


def test_halving_is_a_depthwise_convolution_of_stride_2_and_keeps_channels_last() -> None:
    x = torch.randn(2, 3, 12, 12).contiguous(memory_format=torch.channels_last)
    taps = torch.outer(*(torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8,) * 2).expand(3, 1, 4, 4)
    halved = Downsample(3, 3, 12)(x)
    assert torch.allclose(halved, conv2d(x, taps, stride=2, padding=1, groups=3), atol=1e-6)
    assert halved.is_contiguous(memory_format=torch.channels_last)


def test_the_sum_over_the_grid_is_a_depthwise_convolution_over_all_of_it() -> None:
    x, layer = torch.randn(2, 5, 4, 4), GridSum(5)
    expected = conv2d(x, layer.weight[:, None], groups=5).flatten(1)
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_there_is_no_normalisation_layer() -> None:
    layers = [
        *ResidualGenerator(6, (1, 16, 16), WIDTHS, 1, 4).modules(),
        *ResidualTrunk((1, 16, 16), WIDTHS, 1, 4).modules(),
    ]
    assert not [
        layer
        for layer in layers
        if isinstance(layer, nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm)
    ]
