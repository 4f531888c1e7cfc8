from __future__ import annotations

import pytest
import torch

from equipoise.networks.conv import ConvGenerator, ConvTrunk, Pyramid

SHAPES = [(1, 28, 28), (3, 37, 51), (4, 16, 9), (1, 1, 1), (3, 64, 64), (1, 5, 100), (3, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_networks_take_any_size_and_channels(shape: tuple[int, int, int]) -> None:
    x = ConvGenerator(6, shape, width=4, mapping=8)(torch.randn(2, 6))
    assert x.shape == (2, *shape)
    assert ConvTrunk(shape, width=4, features=7)(x).shape == (2, 7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_grids_cover_the_image_with_less_than_a_coarsest_cell_to_spare(
    shape: tuple[int, int, int],
) -> None:
    pyramid = Pyramid(*shape)
    cell = pyramid.fold * 2**pyramid.halvings
    assert all(0 <= margin < cell for margin in pyramid.margins)


def test_every_pixel_reaches_the_discriminator() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 37, 51, requires_grad=True)
    ConvTrunk((3, 37, 51), width=4, features=7)(x).sum().backward()
    assert x.grad is not None
    assert (x.grad != 0).all()


def test_there_is_no_normalisation_layer() -> None:
    layers = [
        *ConvGenerator(6, (3, 32, 32), 4, 8).modules(),
        *ConvTrunk((3, 32, 32), 4, 7).modules(),
    ]
    assert not [layer for layer in layers if "norm" in type(layer).__name__.lower()]
