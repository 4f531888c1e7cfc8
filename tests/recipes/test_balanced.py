"""What keeps D smooth, by kind of data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks import pretrained
from equipoise.networks.batchnorm import has_batch_norm
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.method import Method
from equipoise.transforms.space import NetworkSpace

GREY, COLOR, BANDS = (
    NetworkSpace(shape, is_image=True) for shape in ((1, 28, 28), (3, 32, 32), (12, 20, 36))
)
POINTS = NetworkSpace((2,))
needs_weights = pytest.mark.skipif(
    not pretrained.is_installed(), reason="the extra photos is not installed"
)


def built(space: NetworkSpace, **given: Any) -> Method:
    given = {"photo_features": False, "width": 4} | given
    recipe = Balanced(**(Balanced.defaults(space) | given))
    recipe.check(space)
    return recipe.build(space)


@pytest.mark.parametrize("space", [GREY, POINTS])
def test_grey_images_and_points_have_both_penalties_and_no_normalisation_in_d(
    space: NetworkSpace,
) -> None:
    method = built(space)
    assert method.penalty is not None
    assert has_batch_norm(method.generator) == space.is_image
    assert not has_batch_norm(method.discriminator)
    assert method.together
    assert not any(map(is_parametrized, method.discriminator.modules()))


@pytest.mark.parametrize("space", [COLOR, BANDS])
def test_colour_images_have_spectral_normalisation_instead_of_penalties(
    space: NetworkSpace,
) -> None:
    method = built(space)
    assert method.penalty is None
    assert method.pairs
    assert method.together, "D has no BatchNorm, so real and generated images share a batch"
    assert has_batch_norm(method.generator)
    assert all(
        is_parametrized(layer, "weight")
        for layer in method.discriminator.modules()
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    )
    images = method.generator(torch.randn(2, 64))
    assert images.shape == (2, *space.shape)
    assert images.abs().max() <= 1


def test_either_can_be_asked_for_and_the_other_settings_follow() -> None:
    color, grey, bands = (
        Schema(shape, "NCHW", "uint8") for shape in ((3, 32, 32), (1, 28, 28), (5, 32, 32))
    )
    swapped = (
        Balanced.for_data(color, {"regularization": "penalties"}),
        Balanced.for_data(bands, {"regularization": "penalties"}),
        Balanced.for_data(grey, {"regularization": "spectral"}),
    )
    for recipe, other in zip(swapped, (grey, grey, bands), strict=True):
        assert recipe == Balanced.for_data(other, {})
    rate = {"regularization": "penalties", "learning_rate": 1e-2}
    assert Balanced.for_data(color, rate).learning_rate == 1e-2


@pytest.mark.parametrize("scaling", ["unit", "standard"])
def test_a_tanh_ends_g_where_images_are_scaled_to_its_range(scaling: str) -> None:
    generator = built(GREY, scaling=scaling).generator
    ends = [isinstance(layer, torch.nn.Tanh) for layer in generator.modules()][-1]
    assert ends == (scaling == "unit")


COLOR_SCHEMA = Schema((3, 32, 32), "NCHW", "uint8")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (COLOR_SCHEMA, True),
        (replace(COLOR_SCHEMA, shape=(4, 32, 32), alpha=True), True),
        (replace(COLOR_SCHEMA, shape=(4, 32, 32)), False),
        (replace(COLOR_SCHEMA, shape=(1, 32, 32)), False),
        (replace(COLOR_SCHEMA, shape=(3, 8, 40)), False),
    ],
    ids=["RGB", "RGBA", "four bands", "grey", "too small"],
)
def test_where_the_weights_are_colour_images_are_seen_through_photo_features_too(
    schema: Schema, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "is_installed", lambda: True)
    monkeypatch.setattr(pretrained, "require", lambda _: Path())
    recipe = Balanced.for_data(schema, {})
    assert recipe.photo_features is expected
    assert recipe.sees_photo_features is expected
    assert not Balanced.for_data(
        schema, {"per_channel_clusters": schema.shape[0] > 1}
    ).photo_features


def test_without_the_weights_colour_images_are_seen_as_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pretrained, "is_installed", lambda: False)
    assert Balanced.for_data(COLOR_SCHEMA, {}) == Balanced.for_data(
        COLOR_SCHEMA, {"photo_features": False}
    )


@needs_weights
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (4, 40, 24)])
def test_photo_features_join_the_pixels(shape: tuple[int, ...]) -> None:
    recipe = Balanced.for_data(Schema(shape, "NCHW", "uint8"), {"photo_features": True, "width": 4})
    assert recipe.regularization == "spectral"
    method = recipe.build(NetworkSpace(shape, is_image=True))
    logits = method.discriminator(torch.rand(2, *shape) * 2 - 1)[0]
    assert logits.shape == (2 * 5 * 16,), "four stages and the pixels, 4 x 4 each"


def test_the_lipschitz_constant_is_a_factor_on_ds_output() -> None:
    x = torch.randn(3, 3, 32, 32)
    outputs = []
    for constant in (1.0, 8.0):
        torch.manual_seed(0)
        outputs.append(built(COLOR, lipschitz=constant).discriminator.eval()(x)[0])
    torch.testing.assert_close(outputs[1], 8 * outputs[0])


@pytest.mark.parametrize(
    ("space", "given", "message"),
    [
        (POINTS, {"regularization": "spectral"}, "is for images.*use 'penalties'"),
        (COLOR, {"scaling": "standard"}, "scaling = 'standard'.*use 'unit'"),
        (COLOR, {"batch_size": 1}, "batch_size = 1.*at least 2"),
        (GREY, {"batch_size": 1}, "batch_size = 1.*at least 2"),
        (BANDS, {"photo_features": True}, "photo_features is on.*these have 12 channels"),
        (
            COLOR,
            {"photo_features": True, "regularization": "penalties"},
            "photo_features is on.*regularization = 'spectral'",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    space: NetworkSpace, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        built(space, **given)


@pytest.mark.parametrize(("side", "rate"), [(28, 2e-3), (32, 2e-3), (64, 7.07e-4), (128, 2.5e-4)])
def test_grey_images_above_32_pixels_have_smaller_steps(side: int, rate: float) -> None:
    recipe = Balanced.for_data(Schema((1, side, side // 2), "NCHW", "uint8"), {})
    assert recipe.learning_rate == pytest.approx(rate, rel=1e-2)
    given = Balanced.for_data(Schema((1, side, side), "NCHW", "uint8"), {"learning_rate": 0.01})
    assert given.learning_rate == 0.01
