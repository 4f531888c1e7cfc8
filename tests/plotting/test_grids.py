"""Grids of images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from equipoise.plotting.grids import image_grid

RNG = np.random.default_rng(0)


def test_a_grid_shows_every_image_in_its_place() -> None:
    values = np.arange(5.0)[:, None, None, None] * np.ones((5, 1, 4, 6)) * 50
    image = np.asarray(Image.open(io.BytesIO(image_grid(values, (0, 255)))))
    factor = image.shape[1] // 18
    assert image.shape == (8 * factor, 18 * factor)
    cells = image[:: 4 * factor, :: 6 * factor]
    assert cells.tolist() == [[0, 50, 100], [150, 200, 255]]  # white where there is no image


@pytest.mark.parametrize(
    ("channels", "alpha", "mode"),
    [(1, False, "L"), (2, False, "RGB"), (3, False, "RGB"), (4, True, "RGBA"), (6, False, "RGB")],
)
def test_a_grid_takes_any_number_of_channels(channels: int, alpha: bool, mode: str) -> None:
    values = RNG.uniform(0, 1, (4, channels, 5, 3))
    assert Image.open(io.BytesIO(image_grid(values, (0.0, 1.0), alpha=alpha))).mode == mode


def test_a_grid_keeps_transparency_and_has_it_where_there_is_no_image() -> None:
    values = np.full((3, 4, 2, 2), 200.0)
    values[:, 3] = [[[10.0]], [[128.0]], [[255.0]]]
    image = Image.open(io.BytesIO(image_grid(values, (0, 255), alpha=True)))
    step = image.width // 2
    corners = [image.getpixel((x, y)) for y in (0, step) for x in (0, step)]
    assert corners == [(200, 200, 200, 10), (200, 200, 200, 128), (200, 200, 200, 255), (0,) * 4]


def test_one_image_has_its_own_size_and_several_are_enlarged() -> None:
    values = RNG.uniform(0, 255, (2, 3, 5, 7))
    assert Image.open(io.BytesIO(image_grid(values[:1], None))).size == (7, 5)
    assert Image.open(io.BytesIO(image_grid(values, None))).width >= 500
