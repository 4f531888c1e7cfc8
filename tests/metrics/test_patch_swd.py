"""The pyramid decomposes images exactly; the distance sees a level's changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.metrics.patch_swd import _doubled, patch_distances, pyramid

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 60, 3, 32, 40))


def test_the_pyramid_adds_up_to_the_image() -> None:
    x = torch.randn(2, 3, 64, 48, dtype=torch.float64)
    fine, coarse = pyramid(x)[:2]
    assert [level.shape[2] for level in pyramid(x)] == [64, 32]
    assert torch.allclose(fine + _doubled(coarse, fine.shape[2:]), x)


def test_a_constant_image_has_nothing_but_its_coarsest_level() -> None:
    fine, coarse = pyramid(torch.full((1, 1, 32, 32), 5.0, dtype=torch.float64))
    assert fine.abs().max() < 1e-9
    assert torch.allclose(coarse, torch.full_like(coarse, 5.0))


def test_equal_distributions_are_near_and_the_distance_is_in_stds_of_the_real_ones() -> None:
    same, scaled = patch_distances(X, Y), patch_distances(100 * X + 7, 100 * Y + 7)
    assert list(same) == [32, 16]
    assert max(same.values()) < 0.08
    assert scaled == pytest.approx(same, rel=1e-6)


def test_noise_shows_on_the_fine_level_and_brightness_on_the_coarse_one() -> None:
    smooth = np.tile(RNG.normal(size=(60, 3, 1, 1)), (1, 1, 32, 40)) + RNG.normal(
        0, 0.1, (60, 3, 32, 40)
    )
    other = np.tile(RNG.normal(size=(60, 3, 1, 1)), (1, 1, 32, 40)) + RNG.normal(
        0, 0.1, (60, 3, 32, 40)
    )
    noisy = patch_distances(smooth + RNG.normal(0, 0.3, smooth.shape), other)
    brighter = patch_distances(smooth + 2.0, other)
    assert noisy[32] > 5 * noisy[16]
    assert brighter[16] > 10 * brighter[32]


def test_images_smaller_than_a_patch_are_measured_whole() -> None:
    assert list(patch_distances(X[:, :, :5, :4], Y[:, :, :5, :4])) == [5]


def test_a_channel_that_never_varies_is_not_blown_up() -> None:
    opaque = np.concatenate([X, np.full_like(X[:, :1], 255.0)], 1)
    almost = opaque.copy()
    almost[:, -1] -= 0.001
    assert max(patch_distances(almost, opaque).values()) < 1
    for grey in (3.0, 0.1):  # the standard deviation of .1 throughout is 1e-17 by rounding
        still = np.full((4, 1, 8, 8), grey)
        assert max(patch_distances(still, still).values()) < 1e-9
        assert max(patch_distances(still + 1, still).values()) < 1e4
