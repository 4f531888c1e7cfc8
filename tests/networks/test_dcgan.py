"""DCGAN's guidelines, each as the paper states it, and any size of image."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from equipoise.networks.dcgan import (
    DCGenerator,
    DCTrunk,
    FirstNorm,
    dense_projection,
    grids,
)

SHAPES = [(1, 28, 28), (2, 4, 8), (3, 64, 64), (4, 12, 20), (3, 37, 51), (1, 5, 100), (3, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_networks_take_any_size_and_channels(shape: tuple[int, int, int]) -> None:
    x = DCGenerator(6, shape, width=2)(torch.randn(2, 6))
    assert x.shape == (2, *shape)
    assert x.abs().max() <= 1
    trunk = DCTrunk(shape, width=2, norm=True)
    assert trunk(x).shape == (2, trunk.features)


def test_grids_of_common_sizes() -> None:
    assert grids(28, 28) == [(28, 28), (14, 14), (7, 7)]
    assert grids(64, 64)[-1] == (4, 4)
    assert grids(32, 48)[-1] == (4, 6)
    assert grids(30, 45) == [(32, 48), (16, 24), (8, 12)]
    assert grids(100, 100) == [(112, 112), (56, 56), (28, 28), (14, 14), (7, 7)]
    assert grids(4, 4) == [(4, 4), (2, 2), (1, 1)]


def test_the_papers_guidelines_hold() -> None:
    generator, trunk = DCGenerator(100, (3, 64, 64), 16), DCTrunk((3, 64, 64), 16, norm=True)
    in_g, in_d = list(generator.layers), list(trunk.layers)
    assert not [layer for layer in (*in_g, *in_d) if "Pool" in type(layer).__name__]
    assert [type(layer) for layer in in_g[-2:]] == [
        nn.ConvTranspose2d,
        nn.Tanh,
    ]  # no BatchNorm at G's output
    assert [type(layer) for layer in in_d[:2]] == [nn.Conv2d, nn.LeakyReLU]  # nor at D's input
    assert all(
        layer.stride == (2, 2)
        for layer in (*in_g, *in_d)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    )
    for before, after in ((nn.ConvTranspose2d, nn.ReLU), (nn.Conv2d, nn.LeakyReLU)):
        layers = in_g if before is nn.ConvTranspose2d else in_d
        normed = [
            layers[i - 1 : i + 2]
            for i, layer in enumerate(layers)
            if isinstance(layer, nn.BatchNorm2d) and i
        ]
        assert len(normed) == 3
        assert all(isinstance(a, before) and isinstance(b, after) for a, _, b in normed)
    assert all(layer.negative_slope == 0.2 for layer in in_d if isinstance(layer, nn.LeakyReLU))


def test_the_grid_after_a_dense_layer_is_normalised_over_the_batch_cell_by_cell() -> None:
    torch.manual_seed(0)
    grid = nn.Sequential(*dense_projection(6, 16, 12))(torch.randn(50, 6))
    assert grid.shape == (50, 12)
    assert torch.allclose(grid.mean(0), torch.zeros(12), atol=1e-5)
    assert torch.allclose(grid.var(0, correction=0), torch.ones(12), atol=1e-2)


@pytest.mark.parametrize(
    ("norm", "of_channels", "of_numbers"),
    [("channels", True, False), ("numbers", True, True), ("none", False, False)],
)
def test_the_coarsest_grid_is_normalised_by_channel_or_by_number_or_not_at_all(
    norm: FirstNorm, of_channels: bool, of_numbers: bool
) -> None:
    torch.manual_seed(0)
    network = DCGenerator(6, (1, 8, 8), 4, first_norm=norm)
    first = next(at for at, layer in enumerate(network.layers) if isinstance(layer, nn.ReLU))
    grid = network.layers[:first](network.project(torch.randn(50, 6)).unflatten(1, network.grid))
    deviations = grid.transpose(0, 1).flatten(1).std(1), grid.std(0)
    for found, normed in zip(deviations, (of_channels, of_numbers), strict=True):
        assert torch.allclose(found, torch.ones(()), atol=0.1) == normed


def test_layer_normalisation_keeps_samples_apart() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 1, 16, 16)
    of_sample = DCTrunk((1, 16, 16), 4, norm=True, over="sample")
    assert torch.allclose(of_sample(x)[:2], of_sample(x[:2]), atol=1e-5)
    of_batch = DCTrunk((1, 16, 16), 4, norm=True)
    assert not torch.allclose(of_batch(x)[:2], of_batch(x[:2]), atol=1e-5)


def test_weights_start_from_a_normal_distribution_of_std_two_hundredths() -> None:
    torch.manual_seed(0)
    network = DCGenerator(100, (3, 64, 64), 16)
    kernels = torch.cat(
        [
            layer.weight.flatten()
            for layer in network.modules()
            if isinstance(layer, nn.ConvTranspose2d | nn.Linear)
        ]
    )
    assert kernels.std().item() == pytest.approx(0.02, rel=0.02)
    assert abs(kernels.mean().item()) < 1e-3
    scales = torch.cat(
        [layer.weight for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    )
    assert scales.mean().item() == pytest.approx(1, abs=0.01)


def test_every_pixel_reaches_the_discriminator() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 37, 51, requires_grad=True)
    DCTrunk((3, 37, 51), 4, norm=False)(x).sum().backward()
    assert x.grad is not None
    assert (x.grad != 0).all()
