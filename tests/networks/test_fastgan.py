"""FastGAN's networks: skip-layer excitation, the decoders and their crops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from equipoise.networks.fastgan import (
    PUBLISHED_G,
    DownBlock,
    FastDiscriminator,
    FastGenerator,
    SkipLayerExcitation,
    cropped,
    published_channels,
    up_block,
)

SHAPES = [(1, 28, 28), (2, 4, 8), (3, 64, 64), (4, 12, 20), (3, 37, 51), (1, 5, 100), (3, 2, 2)]


@pytest.mark.parametrize("dense_units", [0, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_networks_take_any_size_and_channels(shape: tuple[int, int, int], dense_units: int) -> None:
    x = FastGenerator(6, shape, width=2, dense_units=dense_units)(torch.randn(3, 6))
    assert x.shape == (3, *shape)
    assert x.abs().max() <= 1
    network = FastDiscriminator(shape, width=2, classes=2)
    logits, outputs = network(x, torch.tensor([0, 1, 1]))
    assert logits.shape == (3,)
    assert network.reconstruction_errors(outputs, torch.Generator()).shape == (3,)


def test_an_excitation_is_the_papers_equation() -> None:
    """y = F(x_low) x_high, with sigmoid(0) = 1/2 for a last layer of zeros."""
    layer = SkipLayerExcitation(3, 5, (8, 8))
    low, high = torch.randn(2, 3, 8, 8), torch.randn(2, 5, 16, 16)
    _, first, _, second, _ = layer.excite
    pooled = avg_pool2d(low, 2).flatten(1)
    inner = torch.nn.functional.leaky_relu(pooled @ first.weight.T + first.bias, 0.2)
    scales = (inner @ second.weight.T + second.bias).sigmoid()
    assert torch.allclose(layer(low, high), scales[:, :, None, None] * high, atol=1e-6)
    nn.init.zeros_(second.weight)
    nn.init.zeros_(second.bias)
    assert torch.allclose(layer(low, high), high / 2)


@pytest.mark.parametrize(
    ("side", "excited"), [(256, [(4, 64), (8, 128), (16, 256)]), (32, [(4, 16), (8, 32)])]
)
def test_grids_excite_those_of_the_finer_half(side: int, excited: list[tuple[int, int]]) -> None:
    network = FastGenerator(6, (3, side, side), 1)
    seen: list[tuple[int, int]] = []
    for layer in network.excitations:
        layer.register_forward_hook(
            lambda _, given, __: seen.append((given[0].shape[-1], given[1].shape[-1]))
        )
    network(torch.randn(2, 6))
    assert seen == excited


def test_published_channels_follow_the_grids_from_the_coarsest_on() -> None:
    assert published_channels(7, 64, PUBLISHED_G) == [1024, 512, 256, 128, 128, 64, 32]
    assert published_channels(10, 64, PUBLISHED_G)[6:] == [32, 16, 8, 8]
    network = FastGenerator(6, (3, 32, 32), 2, published=True)
    assert network.grid == (64, 4, 4)  # twice 16 times 2, for the gates
    x = network(torch.randn(2, 6))
    assert x.shape == (2, 3, 32, 32)
    discriminator = FastDiscriminator((3, 32, 32), 2, published=True)
    assert [shape[0] for shape in discriminator.maps] == [16, 16, 3]
    assert discriminator(x)[0].shape == (2,)


def test_a_doubling_is_gated_by_half_of_its_channels() -> None:
    torch.manual_seed(0)
    block = up_block(2, 3).eval()
    x = torch.randn(2, 2, 4, 4)
    _, convolution, norm, _ = block
    values, gates = norm(convolution(x.repeat_interleave(2, 2).repeat_interleave(2, 3))).chunk(2, 1)
    assert torch.allclose(block(x), values * gates.sigmoid(), atol=1e-6)


def test_a_halving_is_the_mean_of_its_two_paths() -> None:
    block = DownBlock(2, 3).eval()
    x = torch.randn(2, 2, 8, 8)
    both = block.main(x) + block.direct(x)
    assert both.shape == (2, 3, 4, 4)
    assert torch.allclose(block(x), both / 2)


def test_each_image_has_a_crop_of_its_own() -> None:
    x = torch.arange(2 * 36.0).reshape(2, 1, 6, 6)
    parts = cropped(x, [torch.tensor([0, 3]), torch.tensor([2, 1])], (3, 2))
    assert torch.equal(parts[0], x[0, :, 0:3, 2:4])
    assert torch.equal(parts[1], x[1, :, 3:6, 1:3])


def test_the_error_is_that_of_the_halved_image_and_of_a_crop_at_the_same_place() -> None:
    """With decoders that give zeros it is the mean absolute value of both targets."""
    torch.manual_seed(0)
    network = FastDiscriminator((3, 32, 32), 2)
    for decode in network.decoders:
        nn.init.zeros_(decode[-2].weight)
        nn.init.zeros_(decode[-2].bias)
    x = torch.full((4, 3, 32, 32), -0.5)
    x[:, :, :, ::2] = 0.1
    errors = network.reconstruction_errors(network(x)[1], torch.Generator().manual_seed(0))
    assert torch.allclose(errors, torch.full((4,), 0.2 + 0.3), atol=1e-6)


def test_the_features_that_are_decoded_are_those_of_the_crop() -> None:
    network = FastDiscriminator((1, 32, 32), 2).eval()
    features, middle = network.maps[:2]
    network.decoders[0] = nn.Upsample(scale_factor=4)
    network.decoders[1] = nn.Upsample(scale_factor=4)
    coarse, fine = torch.zeros(5, *features)[:, :1], torch.rand(5, 1, *middle[1:])
    network.maps = ((1, *features[1:]), (1, *middle[1:]), network.maps[2])
    x = fine.repeat_interleave(4, 2).repeat_interleave(4, 3)
    outputs = torch.cat([coarse.flatten(1), fine.flatten(1), x.flatten(1)], 1)
    errors = network.reconstruction_errors(outputs, torch.Generator().manual_seed(0))
    assert torch.allclose(errors, avg_pool2d(x, 2).flatten(1).mean(1))
    assert math.prod(network.maps[0]) == 16
