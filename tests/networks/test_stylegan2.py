"""StyleGAN2's networks: the equations of the paper against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d

from equipoise.networks.stylegan2 import (
    Blur,
    EqualizedConv,
    EqualizedLinear,
    MappingNetwork,
    MinibatchStd,
    ModulatedConv,
    PathLength,
    ResidualBlock,
    StyleGenerator,
    StyleTrunk,
    pixel_norm,
)

SHAPES = [(1, 28, 28), (2, 4, 8), (3, 64, 64), (4, 12, 20), (3, 37, 51), (1, 5, 100), (3, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_networks_take_any_size_and_channels(shape: tuple[int, int, int]) -> None:
    generator = StyleGenerator(6, shape, width=2, classes=2, mixing=0.5)
    x = generator(torch.randn(3, generator.latent_width), torch.tensor([0, 1, 1]))
    assert x.shape == (3, *shape)
    trunk = StyleTrunk(shape, width=2, group=1)
    assert trunk(x).shape == (3, trunk.features)


def modulated(layer: ModulatedConv, w: torch.Tensor) -> torch.Tensor:
    """The weights of each sample, (N, out, in, k, k), as eqs. 1 and 3 write them."""
    styles = layer.affine(w)[:, None, :, None, None]
    weights = styles * layer.weight * layer.scale
    if layer.demodulates:
        weights = weights / weights.square().sum((2, 3, 4), keepdim=True).sqrt()
    return weights


@pytest.mark.parametrize("demodulates", [True, False])
def test_scaling_inputs_and_outputs_is_scaling_each_samples_weights(demodulates: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv(3, 5, 3, style=4, demodulates=demodulates)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    expected = [
        conv2d(one[None], kernel, padding=1)
        for one, kernel in zip(x, modulated(layer, w), strict=True)
    ]
    assert torch.allclose(layer(x, w), torch.cat(expected), atol=1e-5)


def test_a_doubling_convolution_is_a_transposed_one_with_each_samples_weights_and_a_filter() -> (
    None
):
    torch.manual_seed(0)
    layer = ModulatedConv(3, 5, 3, style=4, doubles=True)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    taps = torch.outer(*(torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4,) * 2).expand(5, 1, 4, 4)
    expected = [
        conv2d(
            conv_transpose2d(one[None], kernel.transpose(0, 1), stride=2), taps, padding=1, groups=5
        )
        for one, kernel in zip(x, modulated(layer, w), strict=True)
    ]
    assert layer(x, w).shape == (2, 5, 12, 12)
    assert torch.allclose(layer(x, w), torch.cat(expected), atol=1e-5)


def test_demodulation_gives_unit_variance_whatever_the_style() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv(16, 8, 3, style=4)
    x, w = torch.randn(4, 16, 64, 64), torch.randn(4, 4) * torch.tensor([[0.1], [1], [10], [100]])
    inside = layer(x, w)[:, :, 1:-1, 1:-1]
    assert torch.allclose(inside.std((2, 3)), torch.ones(4, 8), atol=0.1)


def test_blur_keeps_a_constant_and_its_gain_is_that_of_zeros_between() -> None:
    x = torch.ones(1, 2, 8, 8)
    assert torch.allclose(Blur()(x, 1)[..., 1:-1, 1:-1], torch.ones(1, 2, 5, 5))
    zeros_between = torch.zeros(1, 1, 16, 16)
    zeros_between[..., ::2, ::2] = 1
    assert torch.allclose(
        Blur(gain=4.0)(zeros_between, 1)[..., 2:-2, 2:-2], torch.ones(1, 1, 11, 11)
    )


def test_layers_with_equalised_learning_rate_keep_the_variance_and_steps_are_alike() -> None:
    torch.manual_seed(0)
    for fan_in in (8, 512):
        layer = EqualizedLinear(fan_in, 4096, rate=0.01)
        assert layer.weight.std().item() == pytest.approx(100, rel=0.03)
        assert layer(torch.randn(1, fan_in)).std().item() == pytest.approx(1, rel=0.4)
    convolution = EqualizedConv(16, 64, 3)
    assert convolution.weight.std().item() == pytest.approx(1, rel=0.03)
    out = convolution(torch.randn(2, 16, 32, 32))[..., 1:-1, 1:-1]
    assert out.std().item() == pytest.approx(1, rel=0.1)


def test_the_mapping_network_sees_only_the_direction_of_a_latent() -> None:
    network = MappingNetwork(4, classes=0, layers=2)
    z = torch.randn(3, 4)
    assert torch.allclose(network(z), network(7 * z), atol=1e-5)
    assert torch.allclose(pixel_norm(z).square().mean(1), torch.ones(3), atol=1e-5)


def test_classes_reach_the_styles() -> None:
    network = MappingNetwork(4, classes=2, layers=2)
    z = torch.randn(1, 4).expand(2, 4)
    first, second = network(z, torch.tensor([0, 1]))
    assert not torch.allclose(first, second, atol=1e-3)


def test_noise_is_part_of_the_latents_and_enters_with_a_strength_that_starts_at_0() -> None:
    torch.manual_seed(0)
    network = StyleGenerator(4, (3, 16, 16), 2)
    assert network.latent_width == 4 + 16 + 2 * 64 + 2 * 256
    z = torch.randn(2, network.latent_width)
    other = torch.cat([z[:, :4], torch.randn(2, network.latent_width - 4)], 1)
    assert torch.equal(network(z), network(other))
    for layer in network.synthesis.convolutions:
        nn.init.ones_(layer.strength)
    assert torch.equal(network(z), network(z))
    assert not torch.allclose(network(z), network(other), atol=1e-3)


def test_style_mixing_switches_the_style_at_a_random_layer_while_training_only() -> None:
    torch.manual_seed(0)
    network = StyleGenerator(4, (3, 32, 32), 2, mixing=0.9)
    layers = network.synthesis.styles
    assert layers == 8
    z = torch.randn(4000, network.latent_width)
    first, second = network.mapping(z[:, :4]), network.mapping(z[:, 4:8])
    styles = network.styles(z)
    is_first = (styles == first[:, None]).all(2)
    assert ((styles == second[:, None]).all(2) | is_first).all()
    starts = is_first.sum(1)
    assert (is_first == (torch.arange(layers) < starts[:, None])).all()
    counts = torch.bincount(starts, minlength=layers + 1) / len(z)
    assert counts[0] == 0
    assert counts[layers].item() == pytest.approx(0.1, abs=0.02)
    assert torch.allclose(counts[1:layers], torch.full((layers - 1,), 0.9 / 7), atol=0.025)
    network.eval()
    assert torch.equal(network.styles(z), first[:, None].expand(-1, layers, -1))


def test_minibatch_standard_deviation_is_of_groups_of_neighbours() -> None:
    x = torch.randn(8, 3, 2, 2)
    out = MinibatchStd(4)(x)
    for group in (slice(0, 4), slice(4, 8)):
        expected = x[group].std(0, correction=0).mean()
        assert torch.allclose(out[group, 3], expected.expand(4, 2, 2), atol=1e-4)
    assert torch.equal(out[:, :3], x)
    assert torch.allclose(MinibatchStd(4)(x[:5])[:, 3], torch.tensor(1e-4), atol=1e-6)


def test_a_residual_block_has_half_of_the_variance_of_each_path() -> None:
    block = ResidualBlock(2, 3)
    x = torch.randn(2, 2, 8, 8)
    both = (block.main(x) + block.skip(x)) / math.sqrt(2)
    assert both.shape == (2, 3, 4, 4)
    assert torch.allclose(block(x), both)


def test_a_trunk_without_residual_blocks_has_their_convolutions_alone() -> None:
    residual, plain = (StyleTrunk((3, 8, 8), 2, 1, residual=on) for on in (True, False))
    left = [n for n in residual.state_dict() if ".skip." not in n]
    assert [n.replace(".main.", ".") for n in left] == list(plain.state_dict())
    assert plain(torch.randn(2, 3, 8, 8)).shape == (2, plain.features)


def test_the_path_length_of_a_linear_generator_is_that_of_its_matrix() -> None:
    """For g(w) = A w it is |A^T v|, so that of an orthogonal A |v|, in every step."""
    torch.manual_seed(0)
    orthogonal = torch.linalg.qr(torch.randn(12, 12)).Q
    w = torch.randn(6, 1, 12, requires_grad=True)
    images = (3 * w @ orthogonal.T).reshape(6, 3, 2, 2)
    noise = torch.randn(6, 3, 2, 2, generator=torch.Generator().manual_seed(3))
    control = PathLength()
    control.mean.fill_(2.0)
    term, length = control.penalty(
        images, w, torch.Generator().manual_seed(3), lambda lengths: lengths
    )
    lengths = 3 * noise.flatten(1).norm(dim=1) / 2
    mean = 0.99 * 2 + 0.01 * lengths.mean()
    assert length.item() == pytest.approx(lengths.mean().item(), rel=1e-5)
    assert term.item() == pytest.approx((lengths - mean).square().mean().item(), rel=1e-4)
    control.update({"path_length": length.detach()})
    assert control.mean.item() == pytest.approx(mean.item(), rel=1e-5)
    control.update({})
    assert control.mean.item() == pytest.approx(mean.item(), rel=1e-5)
