"""The rule that counts flat shapes, on images whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.flat_shapes import KINDS, draw, mask, shape_in, well_formed
from scipy import ndimage


def test_every_drawn_shape_is_recognised_as_its_kind() -> None:
    images, kinds = draw(300, seed=1)
    assert [shape_in(image) for image in images] == [KINDS[kind] for kind in kinds]


@pytest.mark.parametrize(
    ("kind", "area"),
    [("disk", math.pi), ("square", 2.0), ("triangle", 3 * math.sqrt(3) / 4)],
)
def test_a_mask_has_the_area_and_the_centroid_of_its_shape(kind: str, area: float) -> None:
    covered = mask(kind, (15.0, 17.0), 10.0)
    assert covered.sum() == pytest.approx(100 * area, rel=0.03)
    assert ndimage.center_of_mass(covered) == pytest.approx((14.5, 16.5), abs=0.1)


def test_slight_noise_is_still_plain_and_strong_noise_is_not() -> None:
    images, rng = draw(50, seed=2)[0], np.random.default_rng(0)

    def noisy(deviation: float) -> np.ndarray:
        return (images + rng.normal(0, deviation, images.shape)).clip(0, 255).astype(np.uint8)

    assert well_formed(noisy(5.0)).mean() >= 0.95
    assert not well_formed(noisy(30.0)).any()


def test_what_is_not_one_shape_on_a_plain_ground_is_not_well_formed() -> None:
    images = draw(60, seed=3)[0]
    halves = images.copy()
    halves[:, :, 16:] = images[::-1][:, :, 16:]
    ramp = np.linspace(0, 80, 32).astype(np.uint8)[None, :, None, None]
    blurred = ndimage.gaussian_filter(images.astype(float), (0, 3, 3, 0)).astype(np.uint8)
    plain = np.full((3, 32, 32, 3), 90, np.uint8)
    for wrong in (halves, images // 2 + ramp, blurred, plain):
        assert well_formed(wrong).mean() <= 0.05
