"""Colour images are compared in the features of a network that knows photographs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from equipoise.data.alpha import premultiplied
from equipoise.data.factory import open_source
from equipoise.data.schema import Schema
from equipoise.metrics.budget import FULL
from equipoise.metrics.evaluate import baseline_draws, reference_for, suite_for
from equipoise.metrics.frechet import PHOTO_FRECHET
from equipoise.metrics.mmd import PHOTO_KERNEL
from equipoise.metrics.neighbours import COVERAGE, PRECISION
from equipoise.metrics.photos import are_photos, photo_features, resized, side_of
from equipoise.metrics.reference import PhotoReference, principal_axes
from equipoise.metrics.registry import find, measures
from equipoise.networks import pretrained
from equipoise.networks.pretrained import is_installed

RNG = np.random.default_rng(0)
LIMITS = (0.0, 255.0)
needs_weights = pytest.mark.skipif(not is_installed(), reason="the extra photos is not installed")


def gradients(n: int, side: int = 16) -> np.ndarray:
    """Images that go from one random colour above to another below, (n, 3, side,
    side)."""
    first, last = RNG.uniform(0, 255, (2, n, 3, 1, 1))
    return np.round(first + (last - first) * np.linspace(0, 1, side)).repeat(side, 2)


@pytest.mark.parametrize(("before", "after"), [(32, 128), (300, 128), (37, 224), (256, 224)])
def test_resizing_is_pillows_on_floats_antialiased(before: int, after: int) -> None:
    x = RNG.uniform(0, 255, (before, before + 7)).astype(np.float32)
    pillows = np.asarray(Image.fromarray(x).resize((after, after), Image.Resampling.BICUBIC))
    ours = resized(torch.from_numpy(x)[None, None], (after, after))[0, 0].numpy()
    np.testing.assert_allclose(ours, pillows, atol=0.02)


@needs_weights
def test_features_depend_on_colours_and_not_on_the_range_of_values() -> None:
    x = gradients(3)
    features = photo_features(x, LIMITS)
    assert features.shape == (3, 1280)
    np.testing.assert_allclose(photo_features(x / 255 - 1, (-1, 0)), features, atol=1e-3)
    assert np.abs(photo_features(x[:, ::-1].copy(), LIMITS) - features).max() > 0.1


@needs_weights
def test_colours_under_full_transparency_change_nothing() -> None:
    opaque, clear = np.full((2, 1, 16, 16), 255.0), np.zeros((2, 1, 16, 16))
    x = gradients(2)

    def features(alpha: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(np.concatenate([x, alpha], 1))
        return photo_features(premultiplied(images, LIMITS).numpy(), LIMITS)

    np.testing.assert_allclose(features(opaque), photo_features(x, LIMITS), atol=1e-4)
    hidden = features(clear)
    np.testing.assert_allclose(hidden[0], hidden[1], atol=1e-5)


@needs_weights
def test_half_transparent_images_are_seen_half_way_to_mid_grey() -> None:
    x, half = gradients(2), np.full((2, 1, 16, 16), 127.5)
    images = torch.from_numpy(np.concatenate([x, half], 1))
    blended = photo_features((x + 127) / 2, LIMITS)
    seen = photo_features(premultiplied(images, LIMITS).numpy(), LIMITS)
    np.testing.assert_allclose(seen, blended, atol=0.01)


@pytest.mark.parametrize(
    ("shape", "alpha", "expected"),
    [
        ((3, 16, 20), False, True),
        ((4, 64, 64), True, True),
        ((4, 64, 64), False, False),
        ((3, 15, 64), False, False),
        ((1, 28, 28), False, False),
    ],
)
def test_colour_images_of_16_pixels_are_photos_where_the_weights_are(
    shape: tuple[int, ...], alpha: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Schema(shape, "NCHW", "uint8", "array", alpha=alpha)
    monkeypatch.setattr(pretrained, "is_installed", lambda: True)
    assert are_photos(schema) == expected
    monkeypatch.setattr(pretrained, "is_installed", lambda: False)
    assert not are_photos(schema)


def test_the_network_sees_large_images_at_its_native_side() -> None:
    assert [side_of((3, side, side)) for side in (16, 128, 129)] == [128, 128, 224]


def test_the_principal_axes_are_those_of_the_greatest_variance() -> None:
    scales = np.array([1.0, 5.0, 0.1, 3.0])
    centre, axes = principal_axes(RNG.normal(size=(500, 4)) * scales + 7, 2)
    np.testing.assert_allclose(centre, 7, atol=1)
    np.testing.assert_allclose(np.abs(axes), np.eye(4)[:, [1, 3]], atol=0.1)
    assert principal_axes(np.ones((1, 4)), 2)[1].shape == (4, 1)


@needs_weights
def test_photos_have_all_measures_of_images_and_the_network_first() -> None:
    keys = [measure.metrics[0].key for measure in measures("photos")]
    assert keys[0] == PHOTO_FRECHET.key
    assert {measure.metrics[0].key for measure in measures("images")} <= set(keys)
    assert keys.count("precision") == 1
    quick = [measure.metrics[0].key for measure in measures("photos", while_training=True)]
    assert quick == [PHOTO_FRECHET.key, "patch_swd"]
    assert "not Inception's" in find(PHOTO_FRECHET.key).meaning


@needs_weights
def test_what_is_missing_or_wrong_in_an_image_shows_in_its_features() -> None:
    source = open_source(gradients(600).transpose(0, 2, 3, 1).astype(np.uint8))
    suite = suite_for(source, seed=0)
    [real] = baseline_draws(source, suite.n, 0)
    turned = real.swapaxes(2, 3)
    found = {metric.key: metric for metric in suite.metrics(turned, [real])}
    assert next(iter(found)) == PHOTO_FRECHET.key
    assert "EfficientNet-Lite0 at 128 x 128" in found[PHOTO_FRECHET.key].protocol
    assert found[PHOTO_FRECHET.key].value > 3 * found[PHOTO_FRECHET.key].baseline
    assert found[PHOTO_KERNEL.key].value > 0.01 > abs(found[PHOTO_KERNEL.key].baseline)
    assert found[COVERAGE.key].value < 0.5 < found[COVERAGE.key].baseline
    assert found[PRECISION.key].value < found[PRECISION.key].baseline
    assert "patch_swd" in found


@needs_weights
def test_features_of_real_images_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(gradients(100).transpose(0, 2, 3, 1).astype(np.uint8))
    reference = reference_for(source, 0, quick=True, budget=FULL)
    assert isinstance(reference, PhotoReference)
    assert reference.components.shape[0] == len(reference.real)
    monkeypatch.setattr("equipoise.metrics.reference.photo_features", None)
    assert reference.features.shape == (len(reference.real), 1280)
    assert reference.components.shape[1] < len(reference.real)
