"""A network that learned on the spot what is upright judges generators that know the
features of photographs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.data.factory import open_source
from equipoise.data.sources import Source
from equipoise.metrics.budget import FULL
from equipoise.metrics.evaluate import evaluate_samples, unseen_features_metric
from equipoise.metrics.frechet import PHOTO_FRECHET, ROTATION_FRECHET
from equipoise.metrics.rotations import learned_from, seen_size, train_rotation_network
from equipoise.networks.pretrained import is_installed

needs_weights = pytest.mark.skipif(not is_installed(), reason="the extra photos is not installed")
RNG = np.random.default_rng(0)
STEPS = 30


def skies(n: int, height: int = 16, width: int = 16) -> np.ndarray:
    """Bright above and dark below, in random colours: (n, 3, height, width)."""
    colours = RNG.uniform(0.5, 1, (n, 3, 1, 1))
    shade = np.linspace(255, 0, height)[:, None].repeat(width, 1)
    return colours * shade + RNG.uniform(0, 20, (n, 3, height, width))


def source(n: int = 400) -> Source:
    return open_source(skies(n).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))


@pytest.mark.parametrize(("height", "width", "turns"), [(16, 16, (0, 1, 2, 3)), (12, 20, (0, 2))])
def test_a_network_learns_what_is_upright(height: int, width: int, turns: tuple[int, ...]) -> None:
    network = train_rotation_network(skies(200, height, width), 0, STEPS)
    unseen = skies(50, height, width)
    for place, turn in enumerate(turns):
        turned = np.ascontiguousarray(np.rot90(unseen, turn, (2, 3)))
        assert (network.classifier.predict(turned) == place).mean() > 0.9
    assert network.features(unseen).shape == (50, 64)


def test_large_images_are_seen_at_64_pixels_and_fewer_are_learned_from() -> None:
    assert [seen_size(size) for size in ((16, 20), (64, 64), (128, 96))] == [
        (16, 20),
        (64, 64),
        (64, 48),
    ]
    assert [learned_from((3, side, side)) for side in (32, 64, 128)] == [2000, 1302, 325]
    large = skies(8, 128, 96)
    assert train_rotation_network(large, 0, 10).features(large).shape == (8, 64)


BUDGET = replace(FULL, images=40, two_sample_images=80, image_steps=STEPS, copies=40)


@needs_weights
def test_images_that_lie_on_their_side_are_far_from_upright_ones() -> None:
    data = source()
    x = data.seen(40, 5).double().numpy()
    held_out = data.held_out(40, 0).double().numpy()
    upright, turned = (
        unseen_features_metric(data, 0, held_out, images, [x], BUDGET)
        for images in (x, np.rot90(x, 1, (2, 3)).copy())
    )
    assert upright.key == turned.key == ROTATION_FRECHET.key
    assert turned.value > 10 * upright.value


@needs_weights
def test_a_generator_that_knows_photo_features_is_judged_by_others_too() -> None:
    data = source()
    seen, unseen = (
        {
            result.key: result.protocol
            for result in evaluate_samples(
                data, lambda n: (skies(n), None), 0, None, BUDGET, photo_features=knows
            )
        }
        for knows in (True, False)
    )
    flatters = "; the discriminator was trained on these features, which flatters"
    assert next(iter(seen)) == PHOTO_FRECHET.key
    assert seen[PHOTO_FRECHET.key] == unseen[PHOTO_FRECHET.key] + flatters
    assert seen["coverage"] == unseen["coverage"] + flatters
    assert seen["patch_swd"] == unseen["patch_swd"]
    assert "learned by how much training images are turned" in seen[ROTATION_FRECHET.key]
    assert seen.keys() - unseen.keys() == {ROTATION_FRECHET.key}
