"""Projected GAN's discriminators: frozen features, mixed, with a small D at each
stage."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from equipoise.networks.conditioning import Discriminator
from equipoise.networks.efficientnet import STAGE_CHANNELS, EfficientNetLite0, FrozenConv
from equipoise.networks.projected import (
    CELLS,
    PIXEL_PULL,
    ProjectedDiscriminator,
    ProjectedFeatures,
    StageDiscriminator,
    with_gradient_norm,
)

SIDE, WIDTH = 64, 4


@pytest.fixture
def network() -> EfficientNetLite0:
    """EfficientNet-Lite0 with random weights: these tests need no package."""
    torch.manual_seed(0)
    made = EfficientNetLite0().eval()
    for layer in made.modules():
        if isinstance(layer, FrozenConv):
            nn.init.kaiming_normal_(layer.weight)
            layer.bias.zero_()
    return made


def colours(n: int, side: int = 32) -> Tensor:
    return torch.rand(n, 3, side, side) * 2 - 1


def test_features_are_mixed_across_channels_and_scales(network: EfficientNetLite0) -> None:
    features = ProjectedFeatures(network, SIDE, WIDTH)
    x = colours(2, SIDE)
    maps = network((x * 127.5 + 127.5 - 127) / 128)
    across = [conv2d(f, mix.weight) for f, mix in zip(maps, features.across_channels, strict=True)]
    p = across[3]
    expected = [p]
    for level in (2, 1, 0):
        up = interpolate(
            conv2d(p, features.across_scales[level].weight, padding=1),
            scale_factor=2,
            mode="bilinear",
        )
        p = across[level] + up
        expected.insert(0, p)
    for ours, theirs in zip(features(x), expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    assert [tuple(m.shape[1:]) for m in expected] == [
        (WIDTH * 2**level, SIDE >> (level + 2), SIDE >> (level + 2))
        for level in range(len(STAGE_CHANNELS))
    ]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 40, 70), (3, 64, 64)])
def test_grey_and_colour_images_of_any_size_have_as_many_logits_each(
    shape: tuple[int, ...], network: EfficientNetLite0
) -> None:
    d = ProjectedDiscriminator(network, SIDE, WIDTH)
    logits, auxiliary = d(torch.zeros(3, *shape))
    assert logits.shape == (3 * 4 * CELLS**2,)
    assert auxiliary.shape == (3, 0)


def test_the_logits_of_a_sample_follow_one_another(network: EfficientNetLite0) -> None:
    d = ProjectedDiscriminator(network, SIDE, WIDTH).eval()
    x = colours(4)
    both = d(x)[0]
    assert torch.allclose(both.chunk(2)[1], d(x[2:])[0], atol=1e-5)


def test_frozen_parts_are_not_trained_and_pretrained_ones_not_saved(
    network: EfficientNetLite0,
) -> None:
    d = ProjectedDiscriminator(network, SIDE, WIDTH)
    assert all(name.startswith("stages.") for name, _ in d.named_parameters())
    saved = d.state_dict()
    assert not any("network" in name for name in saved)
    assert sum(name.startswith("frozen.across") for name in saved) == 4 + 3


def test_d_learns_without_a_backward_pass_through_the_features_and_g_through_them(
    network: EfficientNetLite0,
) -> None:
    d = ProjectedDiscriminator(network, SIDE, WIDTH)
    x = colours(2)
    assert not any(m.requires_grad for m in d.frozen(x))
    gradients = torch.autograd.grad(d(x)[0].mean(), list(d.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients[:-1])
    x.requires_grad_()
    [gradient] = torch.autograd.grad(d(x)[0].mean(), [x])
    assert gradient.abs().amax((1, 2, 3)).min() > 0


def test_every_layer_is_divided_by_its_largest_singular_value() -> None:
    stage = StageDiscriminator(8, cells=16, features=32, classes=3)
    for _ in range(50):
        stage(torch.randn(2, 8, 16, 16), torch.tensor([0, 1]))
    stage.eval()
    layers = [m for m in stage.modules() if isinstance(m, nn.Conv2d | nn.Embedding)]
    assert len(layers) == 2 + 1 + 1 + 1
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("cells", [1, 2, 4, 16])
def test_every_stage_weighs_as_much_whatever_its_grid(cells: int) -> None:
    stage = StageDiscriminator(8, cells, features=32, classes=0).eval()
    features = torch.randn(2, 8, cells, cells)
    logits = stage(features, None)
    assert logits.shape == (2, CELLS**2)
    own = stage.head(stage.layers(features)).flatten(1)
    assert torch.allclose(logits.mean(1), own.mean(1), atol=1e-6)


def test_the_pixels_logit_weighs_as_much_as_a_stage(network: EfficientNetLite0) -> None:
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    pixels = Discriminator(trunk, 5, classes=2)
    d = ProjectedDiscriminator(network, SIDE, WIDTH, 2, pixels).eval()
    x, y = colours(3), torch.tensor([0, 1, 1])
    logits = d(x, y)[0].reshape(3, 5, CELLS**2)
    own = pixels(x, y)[0]
    assert torch.allclose(logits[:, 4], own[:, None].expand(-1, CELLS**2))
    assert {name.split(".")[0] for name, _ in d.named_parameters()} == {"stages", "pixels"}


def test_pixels_and_features_pull_with_norms_of_their_own(network: EfficientNetLite0) -> None:
    """A D of pixels that is a thousand times as steep as another changes nothing for
    G."""
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    gradients = []
    for scale in (1.0, 1000.0):
        torch.manual_seed(0)
        pixels = Discriminator(trunk, 5, scale=scale)
        d = ProjectedDiscriminator(network, SIDE, WIDTH, pixels=pixels).eval()
        x = colours(3).requires_grad_()
        gradients.append(torch.autograd.grad(d(x)[0].mean(), x)[0])
        rows = d(x)[0].reshape(3, 5, -1)
        for part, norm in ((rows[:, :4], 1.0), (rows[:, 4], PIXEL_PULL)):
            [gradient] = torch.autograd.grad(part.sum(), x, retain_graph=True)
            assert gradient.norm().item() == pytest.approx(norm, rel=1e-4)
    assert torch.allclose(*gradients, atol=1e-5)


def test_a_gradient_of_zero_stays_zero() -> None:
    x = torch.randn(2, 3, requires_grad=True)
    [gradient] = torch.autograd.grad(with_gradient_norm(x, 1.0).sum() * 0, x)
    assert torch.equal(gradient, torch.zeros(2, 3))


def test_transparent_images_are_seen_on_mid_grey(network: EfficientNetLite0) -> None:
    features = ProjectedFeatures(network, SIDE, WIDTH)
    x = colours(2)
    opaque = torch.cat([x, torch.ones(2, 1, 32, 32)], 1)
    for ours, theirs in zip(features(opaque), features(x), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    nothing, grey = torch.full((1, 4, 32, 32), -1.0), torch.full((1, 3, 32, 32), 127 / 127.5 - 1)
    for ours, theirs in zip(features(nothing), features(grey), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_a_class_enters_by_projection() -> None:
    stage = StageDiscriminator(8, cells=8, features=32, classes=3).eval()
    features = torch.randn(1, 8, 8, 8)
    embedded = stage.embedding.weight
    h = stage.layers(features)
    difference = stage(features, torch.tensor([0])) - stage(features, torch.tensor([2]))
    expected = ((embedded[0] - embedded[2])[None, :, None, None] * h).sum(1).flatten(1)
    assert torch.allclose(difference, expected, atol=1e-5)
    pair = stage(features, torch.tensor([[0, 2]]))
    none = stage.head(h).flatten(1)
    parts = [stage(features, torch.tensor([at])) - none for at in (0, 2)]
    assert torch.allclose(pair - none, parts[0] + parts[1], atol=1e-5)
