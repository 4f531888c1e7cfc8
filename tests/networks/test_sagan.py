"""SAGAN's networks: attention as the paper writes it, and the blocks around it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from equipoise.networks.dcgan import grids
from equipoise.networks.sagan import (
    AttentionGenerator,
    AttentionTrunk,
    ConditionalBatchNorm,
    DownBlock,
    SelfAttention,
    attention_level,
)

SHAPES = [(1, 28, 28), (2, 4, 8), (3, 64, 64), (4, 12, 20), (3, 37, 51), (1, 5, 100), (3, 2, 2)]


@pytest.mark.parametrize("dense_units", [0, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_networks_take_any_size_and_channels(shape: tuple[int, int, int], dense_units: int) -> None:
    generator = AttentionGenerator(6, shape, width=2, classes=2, dense_units=dense_units)
    x = generator(torch.randn(3, 6), torch.tensor([0, 1, 1]))
    assert x.shape == (3, *shape)
    assert x.abs().max() <= 1
    trunk = AttentionTrunk(shape, width=2)
    assert trunk(x).shape == (3, trunk.features)


def test_attention_starts_as_the_identity() -> None:
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(SelfAttention(8)(x), x)


def test_attention_is_the_papers_equation() -> None:
    torch.manual_seed(0)
    layer = SelfAttention(8)
    nn.init.constant_(layer.gamma, 0.7)
    x = torch.randn(2, 8, 4, 4)
    f, h = (
        nn.functional.max_pool2d(convolution(x), 2).flatten(2) for convolution in (layer.f, layer.h)
    )
    g, expected = layer.g(x).flatten(2), torch.empty(2, 8, 16)
    for n in range(2):
        for j in range(16):
            beta = torch.stack([f[n, :, i] @ g[n, :, j] for i in range(4)]).softmax(0)
            total = sum((beta[i] * h[n, :, i] for i in range(4)), torch.zeros(4))
            expected[n, :, j] = 0.7 * layer.v.weight[:, :, 0, 0] @ total + x.flatten(2)[n, :, j]
    assert torch.allclose(layer(x).flatten(2), expected, atol=1e-5)


def test_attention_reaches_every_cell_from_every_cell() -> None:
    layer = SelfAttention(8)
    nn.init.ones_(layer.gamma)
    x = torch.randn(1, 8, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x)[0, :, 0, 0].sum(), x)
    assert (slope.abs().sum(1) > 0).sum() > 4  # a maximum of each 2 x 2, at least


@pytest.mark.parametrize(("side", "grid"), [(128, 32), (64, 16), (32, 16), (28, 14), (256, 64)])
def test_attention_is_on_the_grid_of_a_quarter_of_the_sides_or_of_half(
    side: int, grid: int
) -> None:
    cells = grids(side, side)
    assert cells[attention_level(cells)] == (grid, grid)
    networks = AttentionGenerator(6, (3, side, side), 1), AttentionTrunk((3, side, side), 1)
    seen: list[int] = []
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, SelfAttention):
                layer.register_forward_hook(lambda _, given, __: seen.append(given[0].shape[-1]))
    networks[1](networks[0](torch.randn(2, 6)))
    assert seen == [grid, grid]


def test_batch_norm_has_gains_and_biases_of_the_class() -> None:
    layer = ConditionalBatchNorm(2, classes=3)
    with torch.no_grad():
        layer.gain.copy_(torch.tensor([[1.0, 1], [2, 3], [5, 7]]))
        layer.bias.copy_(torch.tensor([[0.0, 0], [1, 2], [3, 4]]))
    x, y = torch.randn(4, 2, 3, 3), torch.tensor([2, 0, 1, 2])
    plain = nn.functional.batch_norm(x, None, None, training=True)
    expected = plain * layer.gain[y][:, :, None, None] + layer.bias[y][:, :, None, None]
    assert torch.allclose(layer(x, nn.functional.one_hot(y, 3).float()), expected, atol=1e-6)


def test_a_block_halves_the_grid_after_the_convolutions() -> None:
    block, x = DownBlock(2, 3), torch.randn(2, 2, 6, 6)
    h = block.second(block.first(x.relu()).relu())
    pooled = nn.functional.avg_pool2d(h + block.skip(x), 2)
    assert torch.allclose(block(x), pooled, atol=1e-6)
    assert DownBlock(2, 3, halves=False)(x).shape == (2, 3, 6, 6)


def test_a_wide_block_adds_its_input_where_its_shape_stays() -> None:
    block, x = DownBlock(2, 2, halves=False, wide=True), torch.randn(2, 2, 6, 6)
    h = block.second(block.first(x.relu()).relu())
    assert torch.allclose(block(x), h + x, atol=1e-6)
    assert DownBlock(2, 3, wide=True).first.out_channels == 3
    assert DownBlock(2, 3).first.out_channels == 2
